// Owns `channels add`: the token is asked for, judged by its shape, tried, kept in credentials/, and referred to. Nothing is
// written before the platform took the token, and no token is ever a word of a command.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ConnectedChannel } from '../../../channels/channel.ts';
import { PLATFORMS, type Platform, type SecretSpec } from '../../../channels/platforms.ts';
import { DEFAULT_ACCOUNT, secretName } from '../../../channels/secrets.ts';
import { setAt } from '../../../config/edit/edit.ts';
import { resolvePaths } from '../../../config/paths.ts';
import { CHANNEL_NAMES, type ChannelName } from '../../../config/schema/channels.ts';
import { NAME } from '../../../config/schema/leaf.ts';
import type { Log } from '../../../log/log.ts';
import { EXIT, HardshellError, misused } from '../../../platform/errors.ts';
import { checkValue, removeSecret, tryReadSecret, writeSecret } from '../../../secrets/files.ts';
import type { Context } from '../../context.ts';
import { readHidden } from '../../input.ts';
import { withProgress } from '../../print/progress.ts';
import { change } from '../config/change.ts';
import { openConfig } from '../config/open.ts';
import { unknownChannel } from './status.ts';

export type AddFlags = {
  readonly account?: string;
  readonly tokenFile?: string;
  readonly address?: string;
  readonly imapHost?: string;
  readonly smtpHost?: string;
  readonly user?: string;
  readonly test: boolean;
};

const TEST_MS = 20_000;
const MAX_TOKEN_BYTES = 8_192;

export async function run(context: Context, flags: AddFlags, given: string): Promise<number> {
  const { out } = context;
  const id = channelNamed(given);
  const platform = PLATFORMS[id];
  if (!platform) throw unknownChannel(given);
  const account = accountNamed(flags.account);
  const at = ['channels', id, ...(account === DEFAULT_ACCOUNT ? [] : ['accounts', account])];
  const settings = settingsFrom(id, flags);
  const known = ((await openConfig(context.env)).now.config?.channels[id] ?? {}) as Record<string, unknown>;
  const needed = platform.secrets.filter(
    (one) => one.needed && (one.mode === undefined || one.mode === (known['mode'] ?? 'socket')),
  );
  const secrets = needed.length === 0 ? {} : await secretsFrom(context, flags, id, platform, needed);
  if (flags.test && needed.length > 0) {
    const trying = tried(platform, account, { ...known, ...settings }, secrets);
    out.note(`${platform.label} knows it as ${await withProgress(out, `asking ${platform.label}`, trying)}`);
  }

  const { credentialsDir } = resolvePaths(context.env);
  const written: { name: string; before: string | null }[] = [];
  try {
    for (const [key, value] of Object.entries(secrets)) {
      const name = secretName(id, account, key);
      written.push({ name, before: tryReadSecret(credentialsDir, name) });
      writeSecret(credentialsDir, name, value);
    }
    const values = [
      [['enabled'], true] as const,
      ...Object.entries(settings).flatMap(([key, value]) => leavesIn([key], value)),
      ...Object.keys(secrets).map(
        (key) => [key.split('.'), { source: 'file', id: secretName(id, account, key) }] as const,
      ),
    ];
    const code = await change(context, { yes: true }, `add the channel ${id}`, (text) =>
      values.reduce((now, [path, value]) => setAt(now, [...at, ...path], value), text),
    );
    for (const line of nextSteps(id)) out.note(line);
    return code;
  } catch (error) {
    for (const { name, before } of written) {
      if (before === null) removeSecret(credentialsDir, name);
      else writeSecret(credentialsDir, name, before);
    }
    throw error;
  }
}

export function channelNamed(given: string): ChannelName {
  const id = given.toLowerCase();
  if (CHANNEL_NAMES.includes(id as ChannelName)) return id as ChannelName;
  // A token in place of the name must not be repeated.
  throw unknownChannel(/^[a-z]{1,20}$/.test(id) ? id : '…');
}

export function accountNamed(given: string | undefined): string {
  if (given === undefined) return DEFAULT_ACCOUNT;
  if (NAME.test(given) && given !== DEFAULT_ACCOUNT) return given;
  throw misused('ACCOUNT_UNUSABLE', 'the name of an account has lower-case letters, digits, - and _', '--account work');
}

async function secretsFrom(
  { out }: Context,
  flags: AddFlags,
  id: ChannelName,
  platform: Platform,
  needed: readonly SecretSpec[],
): Promise<Record<string, string>> {
  const isTerminal = flags.tokenFile === undefined && out.streams.stdin.isTTY === true;
  const lines = isTerminal
    ? []
    : (await given(out, flags.tokenFile))
        .split(/\r?\n/)
        .map((line) => line.trim())
        .filter(Boolean);
  const secrets: Record<string, string> = {};
  for (const [n, spec] of needed.entries()) {
    const value = isTerminal
      ? (await readHidden(out, `the ${spec.label} of ${platform.label}`, MAX_TOKEN_BYTES)).trim()
      : (lines[n] ?? '');
    if (value === '')
      throw misused('TOKEN_MISSING', `there is no ${spec.label}`, 'enter it, pipe it in, or name a --token-file');
    refuseForeign(value, id, spec, platform);
    checkValue(value, secretName(id, DEFAULT_ACCOUNT, spec.key));
    secrets[spec.key] = value;
  }
  return secrets;
}

async function given(out: Context['out'], tokenFile: string | undefined): Promise<string> {
  if (tokenFile === undefined) return readHidden(out, '', MAX_TOKEN_BYTES);
  try {
    return readFileSync(resolve(tokenFile), 'utf8').slice(0, MAX_TOKEN_BYTES);
  } catch {
    throw misused('TOKEN_FILE_UNREADABLE', `${tokenFile} cannot be read`, 'check the path and its owner');
  }
}

/** By its shape alone: what belongs to another platform is not shown to this one. */
function refuseForeign(value: string, id: ChannelName, spec: SecretSpec, platform: Platform): void {
  if (!spec.shape || spec.shape.test(value)) return;
  const owner = CHANNEL_NAMES.map((name) => PLATFORMS[name]).flatMap((one) =>
    (one?.secrets ?? []).filter(({ shape }) => shape?.test(value)).map(({ label }) => `a ${one?.label} ${label}`),
  )[0];
  const what =
    owner === undefined ? `no ${platform.label} ${spec.label}` : `${owner}, not a ${platform.label} ${spec.label}`;
  throw misused(
    'TOKEN_OF_OTHER',
    `this is ${what}`,
    `it looks like ${spec.example ?? 'another one'}; openclaw channels add ${id}`,
  );
}

const quiet: Log = { debug() {}, info() {}, warn() {}, error() {}, reopen() {}, close() {}, file: '' };

/** Who the platform says it is. */
async function tried(
  platform: Platform,
  account: string,
  settings: Record<string, unknown>,
  secrets: Record<string, string>,
): Promise<string> {
  const setup = { account, settings, secrets, stateFolder: '/nonexistent', log: quiet, now: Date.now };
  const readFile = (): Promise<Uint8Array> => Promise.reject(new Error('nothing is sent in a test'));
  let channel: ConnectedChannel;
  try {
    channel = await platform.open({ ...setup, readFile });
  } catch (error) {
    const { message, fix } = error as { message: string; fix?: string };
    throw new HardshellError({ code: 'CHANNEL_UNUSABLE', message, ...(fix ? { fix } : {}), exitCode: EXIT.config });
  }
  const health = await channel.probe(AbortSignal.timeout(TEST_MS));
  if (health.ok) return health.account;
  const refused = health.family === 'refused';
  throw new HardshellError({
    code: refused ? 'TOKEN_REFUSED' : 'TOKEN_UNTESTED',
    message: `${health.reason}; nothing was written`,
    fix: refused ? health.fix : 'try again, or add --no-test to keep it untried',
  });
}

function settingsFrom(id: ChannelName, { address, imapHost, smtpHost, user }: AddFlags): Record<string, unknown> {
  if (id !== 'mail') {
    if (address ?? imapHost ?? smtpHost ?? user)
      throw misused('OPTION_UNUSABLE', `${id} has no such option`, 'they are for mail');
    return {};
  }
  const imapName = user ?? address;
  return {
    ...(address === undefined ? {} : { address }),
    ...(imapHost || imapName
      ? { imap: { ...(imapHost ? { host: imapHost } : {}), ...(imapName ? { user: imapName } : {}) } }
      : {}),
    ...(smtpHost ? { smtp: { host: smtpHost } } : {}),
  };
}

function leavesIn(path: readonly string[], value: unknown): (readonly [readonly string[], unknown])[] {
  if (value === null || typeof value !== 'object') return [[path, value]];
  return Object.entries(value).flatMap(([key, inside]) => leavesIn([...path, key], inside));
}

function nextSteps(id: ChannelName): readonly string[] {
  if (id === 'whatsapp') return ['link your phone: openclaw channels login whatsapp'];
  return [
    'write to it; you are told a code, and become its owner with: openclaw pairing approve CODE --owner',
    'how it goes: openclaw channels status',
  ];
}
