// The inner house without gateway, sandbox and network: real SQLite, real lanes, real loop; the model is a script.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ToolCall } from '../../src/agent/tool-call.ts';
import type { Channel } from '../../src/channels/channel.ts';
import { webchat } from '../../src/channels/webchat.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import { createCore } from '../../src/core.ts';
import type { BackendEvent } from '../../src/gateway/backend.ts';
import { createHide } from '../../src/hiding.ts';
import type { Log } from '../../src/log/log.ts';
import { createRedactor, type Redactor } from '../../src/log/redact.ts';
import type { ModelEvent, ModelRequest, Models } from '../../src/models/provider.ts';
import { openOutgoing } from '../../src/outward/outgoing.ts';
import { label } from '../../src/store/label.ts';
import { openStore } from '../../src/store/open.ts';

export type Script = (request: ModelRequest, signal: AbortSignal) => AsyncIterable<ModelEvent> | ModelEvent[];
export type CoreOptions = {
  readonly model: Script;
  readonly tool?: (call: ToolCall, signal: AbortSignal) => Promise<string>;
  readonly folder?: string;
  readonly config?: () => Config;
  /** also of platforms: what leaves by them is kept */
  readonly channels?: readonly Channel[];
  readonly redactor?: Redactor;
  readonly toolCaller?: Parameters<typeof createCore>[0]['toolCaller'];
  readonly now?: () => number;
};

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, reopen() {}, close() {}, file: '' };
const usage = { input: 3, output: 2, cacheRead: 0, cacheWrite: 0 };

/** A reply in one piece. */
export const say = (text: string): ModelEvent[] => [
  { type: 'start', provider: 'script', model: 'one' },
  { type: 'text', delta: text },
  { type: 'end', stop: 'end', usage },
];
export const callFor = (name: string, args: unknown, id = `c${Math.random().toString(36).slice(2)}`): ModelEvent[] => [
  { type: 'start', provider: 'script', model: 'one' },
  { type: 'toolCall', call: { id, name, args } },
  { type: 'end', stop: 'tools', usage },
];

export function startCore(options: CoreOptions) {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'hardshell-core-'));
  const store = openStore(join(folder, 'state.sqlite'));
  const now = options.now ?? Date.now;
  const models: Models = {
    primary: 'script/one',
    list: () => [{ provider: 'script', id: 'one', name: 'one', contextTokens: 100_000, available: true }],
    async *stream(request, signal) {
      yield* options.model(request, signal);
    },
  };
  const defaults = loadConfig({ configPath: join(folder, 'openclaw.json') }, {}).config;
  const core = createCore({
    store,
    log: silent,
    hide: createHide((options.redactor ?? createRedactor()).sure),
    now,
    models,
    tools: () => [],
    outgoing: openOutgoing(join(folder, 'outgoing'), now),
    elevation: { say: () => '', untilMs: () => null },
    config: options.config ?? (() => defaults),
    pairingKey: () => Buffer.alloc(32, 7),
    maxOutputTokens: 1_000,
    channelOf: (id) => [webchat, ...(options.channels ?? [])].find((channel) => channel.id === id),
    typing: () => () => {},
    takeFiles: async () => '',
    prompt: async () => ({ stable: 's', volatile: 'v', label: null }),
    toolCaller:
      options.toolCaller ??
      ((hooks) => async (call, signal) => {
        hooks.started(call, []);
        const text = (await options.tool?.(call, signal)) ?? 'done';
        hooks.ended(call);
        return { text, isError: false, label: label('untrusted', 'owner', 'file:x') };
      }),
  });
  const events: BackendEvent[] = [];
  core.runs.subscribe((event) => events.push(event));
  const waitFor = async (id: string) => {
    const outcome = await core.runs.wait(id, 120_000);
    if (!outcome) throw new Error(`run ${id} did not end`);
    return outcome;
  };
  const send = (text: string, o: { id?: string; session?: string; mode?: string; timeoutMs?: number } = {}) => {
    const id = o.id ?? crypto.randomUUID();
    const chat = o.session ?? 'agent:main:main';
    const acceptance = core.intake.accept(
      {
        channel: 'webchat',
        account: 'gateway',
        chat,
        messageId: id,
        chatType: 'direct',
        sender: { id: 'test' },
        assurance: 'operator',
        text,
        receivedAtMs: now(),
        label: label('owner', 'owner', 'webchat'),
      },
      { sessionKey: chat, runId: id, queueMode: o.mode ?? 'steer', timeoutMs: o.timeoutMs ?? 60_000 },
    );
    const ended = waitFor(id);
    // A test that does not wait for it has crashed the house on purpose.
    ended.catch(() => {});
    return { id, acceptance, ended };
  };
  return {
    ...core,
    folder,
    store,
    events,
    send,
    waitFor,
    history: (key = 'agent:main:main') => core.transcripts.page(core.sessions.get(key)?.transcript ?? 0, 1_000),
    /** as after kill -9: nothing is closed, flushed or told */
    crash: (): void => store.db.close(),
    end: (): void => {
      if (store.db.isOpen) store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
