// The inner house without gateway, sandbox and network: real SQLite, real lanes, real loop; the model is a script.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AdmittedMessage, admit } from '../../src/access/admit.ts';
import { runTurn } from '../../src/agent/loop.ts';
import type { ToolCall } from '../../src/agent/tool-call.ts';
import { createIntake } from '../../src/channels/intake.ts';
import { openJournal } from '../../src/journal/journal.ts';
import type { Log } from '../../src/log/log.ts';
import type { ModelEvent, ModelRequest, Models } from '../../src/models/provider.ts';
import { createDirectory } from '../../src/sessions/directory.ts';
import { createLanes } from '../../src/sessions/lanes.ts';
import { createRunner, type RunRecord } from '../../src/sessions/runner.ts';
import { openInbox } from '../../src/store/inbox.ts';
import { label } from '../../src/store/label.ts';
import { openStore } from '../../src/store/open.ts';
import { openOutbox } from '../../src/store/outbox.ts';
import { openSessions } from '../../src/store/sessions.ts';
import { openToolCalls } from '../../src/store/tool-calls.ts';
import { openTranscripts } from '../../src/store/transcripts.ts';
import { openUsage } from '../../src/store/usage.ts';

export type Script = (request: ModelRequest, signal: AbortSignal) => AsyncIterable<ModelEvent> | ModelEvent[];
export type CoreOptions = {
  readonly model: Script;
  readonly tool?: (call: ToolCall, signal: AbortSignal) => Promise<string>;
  readonly folder?: string;
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
  const now = Date.now;
  const journal = openJournal(store, now);
  const [inbox, outbox, toolCalls, sessions, transcripts] = [
    openInbox(store),
    openOutbox(store),
    openToolCalls(store),
    openSessions(store),
    openTranscripts(store),
  ];
  const ended = new Map<string, RunRecord>();
  const waiters: { id: string; resolve: (r: RunRecord) => void }[] = [];
  const models: Models = {
    primary: 'script/one',
    list: () => [{ provider: 'script', id: 'one', name: 'one', contextTokens: 100_000, available: true }],
    async *stream(request, signal) {
      yield* options.model(request, signal);
    },
  };
  const events: { runId: string; type: string }[] = [];
  const directory = createDirectory({
    store,
    sessions,
    transcripts,
    journal,
    now,
    isBusy: (key) => lanes.activeRunIds(key).length > 0,
    knowsModel: () => true,
    changed: () => {},
  });
  const runner = createRunner({
    store,
    sessions,
    transcripts,
    directory,
    inbox,
    outbox,
    toolCalls,
    usage: openUsage(store),
    journal,
    log: silent,
    now,
    think: (turn) =>
      runTurn(turn, {
        models,
        tools: [],
        maxOutputTokens: 1_000,
        prompt: async () => ({ stable: 's', volatile: 'v' }),
        callTool: async (call, signal) => {
          runner.persist(call.sessionKey, () =>
            toolCalls.start({
              runId: call.turnId,
              callId: call.callId,
              name: call.name,
              args: call.args,
              effects: [],
              atMs: now(),
              label: call.context,
            }),
          );
          const text = (await options.tool?.(call, signal)) ?? 'done';
          store.defer(() => toolCalls.close(call.turnId, call.callId, 'done', now()));
          return { text, isError: false, label: label('untrusted', 'owner', 'file:x') };
        },
      }),
    deliver: () => {},
    emit: (runId, _key, event) => events.push({ runId, type: event.type }),
    onMessage: () => {},
    ended: (record) => {
      ended.set(record.runId, record);
      for (const w of waiters) if (w.id === record.runId) w.resolve(record);
    },
  });
  const lanes = createLanes({ run: runner.run, discard: runner.discard });
  const intake = createIntake<AdmittedMessage>({
    store,
    inbox,
    journal,
    now,
    gate: admit,
    submit: (message, { inboxId, attempts, delivery }) =>
      lanes.submit({
        inboxId,
        attempts,
        message,
        agentId: 'main',
        runId: delivery.runId,
        sessionKey: delivery.sessionKey,
        timeoutMs: delivery.timeoutMs,
        mode: delivery.queueMode as 'steer',
      }),
  });
  const send = (text: string, o: { id?: string; session?: string; mode?: string; timeoutMs?: number } = {}) => {
    const id = o.id ?? crypto.randomUUID();
    const chat = o.session ?? 'agent:main:main';
    const acceptance = intake.accept(
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
    return {
      id,
      acceptance,
      ended: ended.has(id)
        ? Promise.resolve(ended.get(id) as RunRecord)
        : new Promise<RunRecord>((r) => waiters.push({ id, resolve: r })),
    };
  };
  return {
    folder,
    store,
    journal,
    inbox,
    outbox,
    toolCalls,
    sessions,
    transcripts,
    directory,
    lanes,
    intake,
    runner,
    events,
    ended,
    send,
    history: (key = 'agent:main:main') => transcripts.page(sessions.get(key)?.transcript ?? 0, 1_000),
    waitFor: (id: string) =>
      new Promise<RunRecord>((r) => (ended.has(id) ? r(ended.get(id) as RunRecord) : waiters.push({ id, resolve: r }))),
    /** as after kill -9: nothing is closed, flushed or told */
    crash: (): void => store.db.close(),
    end: (): void => {
      if (store.db.isOpen) store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
