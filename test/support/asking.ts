// A house in which every call is asked about: real store, lanes, loop, approvals and access; the model is a script, and the
// platforms are lists of what was sent.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { createBinder, createOwnersWord } from '../../src/asking/binding.ts';
import type { Channel, InboundMessage, Outbound } from '../../src/channels/channel.ts';
import { loadConfig } from '../../src/config/load.ts';
import { decide } from '../../src/policy/decide.ts';
import type { Effect } from '../../src/policy/effects.ts';
import { namesIn } from '../../src/policy/shell/names.ts';
import { label } from '../../src/store/label.ts';
import { createToolCaller } from '../../src/tools/call.ts';
import type { AnyTool, ToolEnv } from '../../src/tools/tool.ts';
import { type CoreOptions, callFor, say, startCore } from './core.ts';

export const OWNER = '1303993020';
export const GUEST = '555000111';

export type AskingOptions = Partial<CoreOptions> & {
  /** what the model calls, one after another, a list in one answer; then it says how the last one ended */
  readonly calls?: readonly (object | readonly object[])[];
  readonly owners?: readonly string[];
  readonly home?: string;
  /** what the model says beside its calls */
  readonly prose?: string;
  /** the rule that asks */
  readonly code?: string;
  /** for how many days "always" is good by the settings */
  readonly days?: number;
};

const callsFor = (next: object | readonly object[], prose = '') => {
  const [start, , end] = callFor('change', {});
  const said = prose === '' ? [] : [{ type: 'text', delta: prose }];
  const calls = (Array.isArray(next) ? next : [next]) as readonly object[];
  return [start, ...said, ...calls.map((one) => callFor('change', one)[1]), end] as ReturnType<typeof callFor>;
};

const parameters = z.object({
  path: z.string().optional(),
  command: z.string().optional(),
  text: z.string().optional(),
});

export async function startAsking(options: AskingOptions = {}) {
  const home = options.home ?? mkdtempSync(join(tmpdir(), 'hardshell-asking-'));
  const workspaceDir = join(home, 'workspace');
  mkdirSync(workspaceDir, { recursive: true });
  const sent: Outbound[] = [];
  const ran: unknown[] = [];
  let owners = options.owners ?? [OWNER];
  let guests = [GUEST];
  const platform = (id: string): Channel => ({
    ...{ id, account: 'default', idempotent: true, maxChars: 4_000 },
    async send(outbound) {
      sent.push(outbound);
      return { state: 'sent', messageId: String(sent.length) };
    },
  });
  const tool: AnyTool = {
    name: 'change',
    description: 'DESCRIPTION of the tool',
    parameters,
    effects: ({ path, command }: z.output<typeof parameters>, where): readonly Effect[] =>
      command === undefined
        ? [{ kind: 'write', path: path ?? '' }]
        : [{ kind: 'run', command, cwd: '.', where: path === 'host' ? 'host' : where }],
    async run(_call, args) {
      ran.push(args);
      return { text: `ran ${ran.length}`, isError: false, label: label('tool-local', 'owner') };
    },
  };
  const defaults = loadConfig({ configPath: join(home, 'openclaw.json') }, {}).config;
  const config = () =>
    ({
      ...defaults,
      tools: { ...defaults.tools, exec: { ...defaults.tools.exec, grantExpiryDays: options.days ?? 30 } },
      commands: { ...defaults.commands, ownerAllowFrom: owners.flatMap((id) => [`telegram:${id}`, `slack:U${id}`]) },
      channels: {
        ...defaults.channels,
        telegram: {
          ...{ enabled: true, dmPolicy: 'allowlist', allowFrom: [OWNER, ...guests] },
          ...{ groupPolicy: 'allowlist', groups: { '-1': { requireMention: false, allowFrom: [OWNER, GUEST] } } },
        },
        slack: { enabled: true, dmPolicy: 'allowlist', allowFrom: [`U${OWNER}`], groups: {} },
      },
    }) as unknown as typeof defaults;
  const core = startCore({
    folder: home,
    model: ({ messages }) => {
      const last = messages.findLastIndex(({ role }) => role === 'user');
      const done = messages.slice(last).filter(({ role }) => role === 'assistant').length;
      const next = (options.calls ?? [{ path: 'SOUL.md' }])[done];
      const end = messages.at(-1);
      return next
        ? callsFor(next, options.prose)
        : say(end?.role === 'tool' ? (end.results.at(-1)?.text ?? '') : 'nothing');
    },
    config,
    channels: [platform('telegram'), platform('slack')],
    ...options,
    toolCaller: ({ approvals, grants, ...hooks }) =>
      createToolCaller({
        ...hooks,
        tools: [tool],
        where: () => 'sandbox',
        decide: (call, effects, isAhead) => {
          const subject = effects.map((one) => ('path' in one ? one.path : 'command' in one ? one.command : '')).join();
          const always = { kind: 'test', pattern: subject, shown: `change ${subject}` };
          const ask = { rule: 'ask', key: 'test', code: options.code ?? 'ASKS', reason: 'it steers me', fix: '', marks: [subject], always } as const; // biome-ignore format: one verdict
          return decide(
            call,
            effects,
            grants.apply(
              call,
              effects,
              effects.some((one) => 'path' in one && one.path === 'free') ? [] : [ask],
              isAhead,
            ),
          );
        },
        openEnv: async () => ({}) as ToolEnv,
        askOwner: createOwnersWord(approvals, createBinder({ folderOf: () => workspaceDir, namesIn })),
        failed: (_call, error) => {
          throw error;
        },
      }),
  });
  let next = Date.now();
  const hear = (text: string, more: Partial<InboundMessage> = {}) =>
    core.receive({
      ...{ channel: 'telegram', account: 'default', chat: OWNER, messageId: String(next++), chatType: 'direct' },
      ...{ sender: { id: OWNER }, assurance: 'platform', text, receivedAtMs: Date.now() },
      label: label('untrusted', 'owner', 'telegram'),
      ...more,
    } as InboundMessage);
  const until = async <T>(look: () => T | undefined | false | null): Promise<T> => {
    for (const startedMs = Date.now(); Date.now() - startedMs < 15_000; ) {
      const found = look();
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    throw new Error(`this never came true; sent: ${sent.map(({ chat, text }) => `${chat}: ${text}`).join('\n---\n')}`);
  };
  return {
    core,
    home,
    sent,
    ran,
    hear,
    until,
    onSlack: { channel: 'slack', chat: 'D1', sender: { id: `U${OWNER}` } } as Partial<InboundMessage>,
    asGuest: { chat: GUEST, sender: { id: GUEST } } as Partial<InboundMessage>,
    /** the one question that waits */
    question: () => until(() => core.approvals.list()[0]),
    told: (wanted: RegExp) => until(() => sent.find(({ text }) => wanted.test(text))),
    owners: (ids: readonly string[]): void => {
      owners = ids;
      core.recheck();
    },
    revokeGuest(): void {
      guests = [];
      core.recheck();
    },
    put: (name: string, text: string): void => writeFileSync(join(workspaceDir, name), text),
    get: (name: string): string => readFileSync(join(workspaceDir, name), 'utf8'),
    journal: (): string[] =>
      core.store
        .prepare('SELECT kind, body FROM journal ORDER BY seq')
        .all()
        .map((row) => `${row['kind']} ${row['body']}`),
    async end(): Promise<void> {
      core.end();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
