// Owns which channels run: it makes those that are configured, each with its secrets, and applies an edit of the
// configuration to those that it concerns. It must never load a platform that nobody configured, nor say a secret.
import { join } from 'node:path';
import { CHANNEL_NAMES } from '../config/schema/channels.ts';
import type { Config } from '../config/schema.ts';
import type { Log } from '../log/log.ts';
import { reasonOf } from '../platform/errors.ts';
import type { Channel, ChannelPorts, ConnectedChannel, Typing } from './channel.ts';
import { createHealthRecord } from './health-record.ts';
import { type Platform, type Platforms, POLICY_KEYS } from './platforms.ts';
import { DEFAULT_ACCOUNT, lackOf, secretsOf, type Wanted } from './secrets.ts';
import { type ChannelStatus, type Supervisor, supervise } from './supervise.ts';

export type HostPorts = Pick<ChannelPorts, 'emit' | 'groupChanged'> & {
  chatMoved(id: string, account: string, from: string, to: string): void;
  readonly platforms: Platforms;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly credentialsDir: string;
  /** what is remembered of a channel's health, by a name of its own */
  readonly memory: { load(name: string): string | null; save(name: string, text: string): void };
  readFile(path: string, maxBytes: number): Promise<Uint8Array>;
  /** so that it can never be logged */
  hide(secret: string): void;
  changed(status: ChannelStatus): void;
  readonly log: Log;
  readonly now: () => number;
};

/** A channel of the configuration that does not run, and what would help. `off`: it was switched off by `enabled`. */
export type IdleChannel = {
  readonly id: string;
  readonly account: string;
  readonly off: boolean;
  readonly what: string;
  readonly fix: string;
  /** since when */
  readonly atMs: number;
};

type Rest = Pick<IdleChannel, 'off' | 'what' | 'fix'>;
type Running = { readonly supervisor: Supervisor; readonly fingerprint: string; save(): void };

export function createChannelHost(ports: HostPorts) {
  const { log, now, platforms } = ports;
  const running = new Map<string, Running>();
  let idle: IdleChannel[] = [];
  let applying: Promise<void> = Promise.resolve();
  let stopped = false;

  const start = async (wanted: Wanted, platform: Platform, secrets: Record<string, string>): Promise<Supervisor> => {
    const { id, account, settings } = wanted;
    const name = keyOf(id, account);
    const channel = await platform.open({
      account,
      settings,
      secrets,
      stateFolder: join(ports.credentialsDir, id, account),
      readFile: ports.readFile,
      log,
      now,
    });
    const record = createHealthRecord(ports.memory.load(name));
    const { emit, groupChanged, changed } = ports;
    const chatMoved = (from: string, to: string): void => ports.chatMoved(id, account, from, to);
    const supervisor = supervise(channel, { emit, groupChanged, chatMoved, changed, log, now, record });
    running.set(name, {
      supervisor,
      fingerprint: fingerprintOf(settings, secrets),
      save: () => ports.memory.save(name, record.save()),
    });
    return supervisor;
  };

  const end = async (name: string): Promise<void> => {
    const one = running.get(name);
    running.delete(name);
    await one?.supervisor.stop();
    one?.save();
  };

  /** Starts, restarts or ends this one; why it does not run, or null. */
  const settle = async (name: string, one: Wanted, at: string, tokens: Map<string, string>): Promise<Rest | null> => {
    if (one.settings['enabled'] === false) {
      await end(name);
      return { off: true, what: `${at} is switched off`, fix: `openclaw config set ${at}.enabled true` };
    }
    const platform = platforms[one.id];
    if (!platform) {
      const what = `${at} is configured, and this version has no such channel yet`;
      return { off: false, what, fix: `openclaw config unset ${at}` };
    }
    const secrets = secretsOf(one, platform, ports);
    for (const secret of Object.values(secrets)) ports.hide(secret);
    const lacks = lackOf(one, platform, secrets, at, tokens);
    if (!lacks && running.get(name)?.fingerprint === fingerprintOf(one.settings, secrets)) return null;
    await end(name);
    if (lacks) return { off: false, ...lacks };
    if (!stopped) await start(one, platform, secrets);
    return null;
  };

  const applyNow = async (config: Config): Promise<void> => {
    const found: IdleChannel[] = [];
    const wanted = new Map(wantedOf(config).map((one) => [keyOf(one.id, one.account), one]));
    for (const name of running.keys()) if (!wanted.has(name)) await end(name);
    const tokens = new Map<string, string>();
    for (const [name, one] of wanted) {
      if (stopped) return;
      const { id, account } = one;
      const at = `channels.${id}${account === DEFAULT_ACCOUNT ? '' : `.accounts.${account}`}`;
      const rest = await settle(name, one, at, tokens).catch((error: unknown) => {
        const fix = (error as { fix?: string }).fix ?? 'openclaw doctor';
        return { off: false, what: `${at} cannot run: ${reasonOf(error)}`, fix };
      });
      if (rest) found.push({ id, account, ...rest, atMs: now() });
    }
    for (const one of found) if (!one.off && !idle.some(({ what }) => what === one.what)) log.warn(one.what, one);
    idle = found;
  };

  const of = (id: string, account: string): ConnectedChannel | undefined =>
    running.get(keyOf(id, account))?.supervisor.channel;

  return {
    /** Brings what runs in line with the configuration; one call after another. */
    apply(config: Config): Promise<void> {
      applying = applying
        .then(() => applyNow(config))
        .catch((error: unknown) => log.error('channels not applied', { error }));
      return applying;
    },
    channelOf: (id: string, account: string): Channel | undefined => of(id, account),
    connected: of,
    status: (): ChannelStatus[] => [...running.values()].map(({ supervisor }) => supervisor.status()),
    idle: (): readonly IdleChannel[] => idle,
    /** A round trip on each of them, at the same time; one that waits tries again at once. */
    probe: async (id?: string): Promise<void> => {
      const asked = [...running.values()].filter(({ supervisor }) => id === undefined || supervisor.channel.id === id);
      for (const { supervisor } of asked) supervisor.hurry();
      await Promise.all(asked.map(({ supervisor }) => supervisor.probe()));
    },
    /** Shows that an answer is being worked on, until the returned function is called. */
    typing(id: string, account: string, where: Typing): () => void {
      const channel = of(id, account);
      if (!channel?.typing) return () => {};
      const ended = new AbortController();
      const show = (): void => void channel.typing?.(where, ended.signal).catch(() => {});
      show();
      const again = setInterval(show, TYPING_EVERY_MS).unref();
      return () => {
        clearInterval(again);
        ended.abort();
      };
    },
    save: (): void => {
      for (const one of running.values()) one.save();
    },
    async stop(): Promise<void> {
      stopped = true;
      await applying;
      await Promise.all([...running.keys()].map(end));
    },
  };
}

/** Platforms show it for about five seconds. */
const TYPING_EVERY_MS = 4_500;

const keyOf = (id: string, account: string): string => `${id}/${account}`;

/** The channel itself, when it has what it needs or no accounts beside it, and each account. */
function wantedOf(config: Config): Wanted[] {
  return CHANNEL_NAMES.flatMap((id): Wanted[] => {
    const settings = config.channels[id] as Record<string, unknown> | undefined;
    if (!settings) return [];
    const accounts = Object.entries((settings['accounts'] ?? {}) as Record<string, Record<string, unknown>>);
    // A channel that only has accounts is the sum of them.
    const own =
      accounts.length === 0 || Object.entries(settings).some(([key, value]) => /token|file/i.test(key) && value);
    return [
      ...(own ? [{ id, account: DEFAULT_ACCOUNT, settings }] : []),
      ...accounts.map(([account, inside]) => ({
        id,
        account,
        settings: settings['enabled'] === false ? { ...inside, enabled: false } : inside,
      })),
    ];
  });
}

/** What the connection depends on; who may talk is no part of it. */
function fingerprintOf(settings: Record<string, unknown>, secrets: Record<string, string>): string {
  const rest = Object.entries(settings).filter(([key]) => !POLICY_KEYS.includes(key));
  return JSON.stringify([rest.sort(([a], [b]) => (a < b ? -1 : 1)), Object.entries(secrets).sort()]);
}
