// Owns a small backend in memory for tests of the surfaces: it echoes, streams, calls a pretended tool and asks for an
// approval on demand. It keeps no file and starts no process; the real one is met in test/flows.
import type { Actor, Backend, BackendEvent, RunOutcome, SendInput, SessionRow } from '../../src/gateway/backend.ts';
import { HardshellError } from '../../src/platform/errors.ts';
import type { Approval } from '../../src/policy/approvals/approval.ts';
import { label } from '../../src/store/label.ts';
import type { StoredMessage } from '../../src/store/transcripts.ts';

/** How a turn goes. `hold` waits until `release()`. */
export type Script =
  | { readonly kind: 'echo' }
  | { readonly kind: 'tokens'; readonly tokens: readonly string[] }
  | { readonly kind: 'tool'; readonly before: string; readonly after: string }
  | { readonly kind: 'fail'; readonly error: NonNullable<RunOutcome['error']> }
  | { readonly kind: 'hold'; readonly text: string };

export type MemoryBackend = Backend & {
  script: Script;
  readonly journal: { kind: string; body: Record<string, unknown> }[];
  readonly sent: SendInput[];
  /** the last call with an actor, for tests of who asked */
  lastActor: Actor | null;
  failRecord: boolean;
  /** ends the turns that hold */
  release(): void;
  emit(event: BackendEvent): void;
  raise(approval: Partial<Approval>): Approval;
  readonly listeners: number;
};

const USAGE = { input: 5, output: 7, cacheRead: 0, cacheWrite: 0 };
const LABEL = label('owner', 'owner', 'webchat:test');

type Session = { row: SessionRow; messages: StoredMessage[]; runs: number };

export function memoryBackend(overrides: Partial<Backend> = {}): MemoryBackend {
  const startedAtMs = Date.now();
  const sessions = new Map<string, Session>();
  const outcomes = new Map<string, RunOutcome | 'running'>();
  const waiters = new Map<string, ((outcome: RunOutcome) => void)[]>();
  const held = new Map<string, (how: 'release' | 'abort') => void>();
  const listeners = new Set<(event: BackendEvent) => void>();
  const approvals = new Map<string, Approval>();

  const emit = (event: BackendEvent): void => {
    for (const listener of listeners) listener(event);
  };
  const must = (key: string): Session => {
    const found = sessions.get(key);
    if (!found) throw new HardshellError({ code: 'UNKNOWN_SESSION', message: `there is no session ${key}` });
    return found;
  };
  const open = (key: string): Session => {
    const known = sessions.get(key);
    if (known) return known;
    const made: Session = { row: newRow(key), messages: [], runs: 0 };
    sessions.set(key, made);
    emit({ type: 'session.changed', sessionKey: key, reason: 'created' });
    return made;
  };
  const say = (key: string, message: Pick<StoredMessage, 'role' | 'blocks' | 'runId' | 'meta'>): StoredMessage => {
    const session = open(key);
    const full = { ...message, seq: session.messages.length + 1, atMs: Date.now(), label: LABEL };
    session.messages.push(full);
    session.row = { ...session.row, updatedAtMs: Date.now(), messageCount: full.seq };
    emit({ type: 'session.message', sessionKey: key, message: full });
    return full;
  };

  const turn = async (input: SendInput, script: Script): Promise<void> => {
    const { sessionKey, idempotencyKey: runId } = input;
    let seq = 0;
    const ref = () => {
      seq += 1;
      return { runId, sessionKey, seq };
    };
    const startedMs = Date.now();
    emit({ type: 'run.started', startedAtMs: startedMs, ...ref() });
    emit({ type: 'run.model', provider: 'test', model: 'echo', ...ref() });
    let text = '';
    const stream = (delta: string): void => {
      text += delta;
      emit({ type: 'run.text', delta, ...ref() });
    };
    let status: RunOutcome['status'] = 'ok';
    if (script.kind === 'echo') for (const word of input.message.split(/(?<= )/)) stream(word);
    if (script.kind === 'tokens') for (const token of script.tokens) stream(token);
    if (script.kind === 'tool') {
      stream(script.before);
      emit({ type: 'run.tool', phase: 'start', callId: 'c1', name: 'ls', args: { path: '.' }, ...ref() });
      emit({ type: 'run.tool', phase: 'end', callId: 'c1', name: 'ls', text: 'a.txt', isError: false, ...ref() });
      text = '';
      stream(script.after);
    }
    if (script.kind === 'hold') {
      stream(script.text);
      const how = await new Promise<'release' | 'abort'>((resolve) => held.set(runId, resolve));
      held.delete(runId);
      if (how === 'abort') status = 'aborted';
    }
    if (script.kind === 'fail') status = 'error';
    const outcome: RunOutcome = {
      runId,
      sessionKey,
      status,
      text,
      stopReason: status === 'aborted' ? 'rpc' : status === 'ok' ? 'stop' : 'error',
      startedAtMs: startedMs,
      endedAtMs: Date.now(),
      model: 'test/echo',
      usage: USAGE,
      ...(script.kind === 'fail' ? { error: script.error } : {}),
    };
    const meta = { model: 'test/echo', usage: USAGE, stopReason: 'stop' };
    const said = { role: 'assistant', blocks: [{ type: 'text', text }], runId, meta } as const;
    const message = status === 'ok' ? say(sessionKey, said) : null;
    outcomes.set(runId, outcome);
    setActive(sessionKey, runId, false);
    emit({ type: 'run.ended', outcome, message, ...ref() });
    emit({ type: 'session.changed', sessionKey, reason: 'updated' });
    for (const tell of waiters.get(runId) ?? []) tell(outcome);
    waiters.delete(runId);
  };
  const setActive = (key: string, runId: string, active: boolean): void => {
    const session = sessions.get(key);
    if (!session) return;
    const others = session.row.activeRunIds.filter((id) => id !== runId);
    session.row = { ...session.row, activeRunIds: active ? [...others, runId] : others };
  };

  const backend: MemoryBackend = {
    version: '0.0.0-test',
    startedAtMs,
    script: { kind: 'echo' },
    journal: [],
    sent: [],
    lastActor: null,
    failRecord: false,
    release: () => held.forEach((resolve) => void resolve('release')),
    emit,
    raise(approval) {
      const full: Approval = {
        ...{ id: 'a1', code: 'K7', runId: 'r1', callId: 'c1', sessionKey: 'agent:main:main', agentId: 'main' },
        ...{ line: 1, lines: 1, task: null },
        asker: { kind: 'owner', id: 'owner', channel: 'webchat', account: 'default', chat: 'agent:main:main', place: 'dm', sender: 'test' }, // biome-ignore format: one person
        ...{
          marks: ['rm -rf'],
          effects: ['runs a command in the sandbox, in the workspace'],
          where: 'sandbox',
          sources: [],
        },
        ...{ integrity: 'owner', always: null, state: 'pending', answered: null },
        tool: 'exec',
        reason: 'leaves the sandbox',
        facts: [{ name: 'command', value: 'rm -rf build' }],
        createdAtMs: Date.now(),
        expiresAtMs: Date.now() + 60_000,
        ...approval,
      };
      approvals.set(full.id, full);
      emit({ type: 'approval.requested', approval: full });
      return full;
    },
    get listeners() {
      return listeners.size;
    },
    chat: {
      async send(input) {
        backend.lastActor = input.actor;
        const runId = input.idempotencyKey;
        const { sessionKey } = input;
        const known = outcomes.get(runId);
        if (known)
          return { runId, sessionKey, status: known === 'running' ? 'in_flight' : 'done', acceptedAtMs: Date.now() };
        if (input.message.trim() === '')
          throw new HardshellError({ code: 'MESSAGE_EMPTY', message: 'the message is empty' });
        if (!sessionKey.startsWith('agent:main:')) {
          throw new HardshellError({
            code: 'UNKNOWN_AGENT',
            message: 'there is no such agent',
            fix: 'openclaw status',
          });
        }
        backend.sent.push(input);
        outcomes.set(runId, 'running');
        open(sessionKey);
        setActive(sessionKey, runId, true);
        say(sessionKey, { role: 'user', blocks: [{ type: 'text', text: input.message }], runId, meta: {} });
        const script = backend.script;
        setImmediate(() => void turn(input, script));
        return { runId, sessionKey, status: 'started', acceptedAtMs: Date.now() };
      },
      wait(runId, timeoutMs) {
        const known = outcomes.get(runId);
        if (typeof known === 'object') return Promise.resolve(known);
        if (!known) return Promise.resolve(null);
        return new Promise((resolve) => {
          const timer = setTimeout(() => resolve(null), timeoutMs);
          const tell = (outcome: RunOutcome): void => {
            clearTimeout(timer);
            resolve(outcome);
          };
          waiters.set(runId, [...(waiters.get(runId) ?? []), tell]);
        });
      },
      outcome: (runId) => outcomes.get(runId),
      abort({ sessionKey, runId, actor }) {
        backend.lastActor = actor;
        const ids = [...held.keys()].filter((id) => runId === undefined || id === runId);
        const mine = ids.filter((id) =>
          backend.sent.some((s) => s.idempotencyKey === id && s.sessionKey === sessionKey),
        );
        for (const id of mine) held.get(id)?.('abort');
        return mine;
      },
    },
    sessions: {
      list({ limit, offset, search, archived }) {
        const rows = [...sessions.values()]
          .map(({ row }) => row)
          .filter(
            (row) =>
              (search === undefined || row.key.includes(search)) &&
              (archived === undefined || row.archived === archived),
          )
          .sort((a, b) => b.updatedAtMs - a.updatedAtMs);
        return { rows: rows.slice(offset, offset + limit), total: rows.length };
      },
      describe: (key) => sessions.get(key)?.row ?? null,
      history({ sessionKey, limit, beforeSeq, afterSeq }) {
        const session = sessions.get(sessionKey);
        const all = session?.messages ?? [];
        const fit = all.filter(({ seq }) => seq < (beforeSeq ?? Number.POSITIVE_INFINITY) && seq > (afterSeq ?? 0));
        return {
          sessionId: session?.row.sessionId ?? null,
          messages: fit.slice(-limit),
          total: all.length,
          hasMore: fit.length > limit,
        };
      },
      patch(key, patch, actor) {
        backend.lastActor = actor;
        const session = must(key);
        const { model, ...rest } = patch;
        session.row = { ...session.row, ...rest, ...(model === undefined ? {} : { modelOverride: model }) };
        emit({ type: 'session.changed', sessionKey: key, reason: 'patched' });
        return session.row;
      },
      reset(key, actor) {
        backend.lastActor = actor;
        const session = must(key);
        session.messages = [];
        session.row = { ...newRow(key), label: session.row.label };
        emit({ type: 'session.changed', sessionKey: key, reason: 'reset' });
        return session.row;
      },
      delete(key, actor) {
        backend.lastActor = actor;
        const deleted = sessions.delete(key);
        emit({ type: 'session.changed', sessionKey: key, reason: 'deleted' });
        return deleted;
      },
    },
    models: {
      primary: 'test/echo',
      list: () => [{ id: 'test/echo', name: 'Echo', provider: 'test', contextTokens: 8_000, available: true }],
    },
    agents: { list: () => [{ id: 'main', name: 'Main', model: 'test/echo', workspace: '/home/user/workspace' }] },
    outbox: { held: () => [], takeBack: () => false, release: () => false },
    approvals: {
      list: () => [...approvals.values()],
      recent: () => [],
      get: (id) => approvals.get(id) ?? null,
      resolve(id, decision, actor) {
        backend.lastActor = actor;
        const found = approvals.get(id);
        if (!found) return { ok: false, problem: 'UNKNOWN', approval: null };
        if (decision === 'allow-always' && !found.always) return { ok: false, problem: 'NOT_ALWAYS', approval: found };
        approvals.delete(id);
        const state = decision === 'deny' ? 'denied' : 'allowed';
        const approval: Approval = { ...found, state, answered: { decision, by: 'the terminal', atMs: Date.now() } };
        emit({ type: 'approval.resolved', approval });
        return { ok: true, approval };
      },
      resolveCard: (id, decision, actor) => backend.approvals.resolve(id, decision, actor),
      grants: () => [],
      revoke: () => false,
      present: () => {},
    },
    pairing: {
      list: () => ({ waiting: [], invites: [] }),
      approved: () => ({ approved: [] }),
      rejectAll: () => ({ rejected: 0 }),
      approve: noDesk,
      reject: noDesk,
      revoke: noDesk,
      invite: noDesk,
      why: noDesk,
    },
    config: {
      redacted: () => ({
        path: '/home/user/.openclaw/openclaw.json',
        exists: true,
        config: { gateway: { auth: { token: '__OPENCLAW_REDACTED__' } } },
        hash: 'h1',
      }),
    },
    logs: {
      tail: ({ cursor = 0 }) => ({
        file: 'openclaw.log',
        cursor: cursor + 1,
        size: 1,
        lines: ['{}'],
        truncated: false,
        reset: false,
      }),
    },
    trust: { list: () => ({ entries: [], candidates: [] }), add: () => ({ added: [], known: 0 }), remove: () => [] },
    memory: {
      list: async () => [],
      sources: async () => [],
      search: async () => [],
      show: noDesk,
      changes: async () => [],
      change: noDesk,
      revert: noDesk,
      forget: async () => [],
      trust: noDesk,
    },
    audit: {
      log: async () => ({ entries: [], total: 0 }),
      report: noDesk,
      verify: noDesk,
    },
    channels: {
      list: () => [],
      probe: async () => {},
      linking: {
        start: async () => ({ qrDataUrl: 'data:image/svg+xml;base64,PHN2Zz4=', linked: false, message: 'scan this' }),
        wait: async () => ({ qrDataUrl: null, linked: true, message: 'linked' }),
      },
    },
    status: () => ({
      version: '0.0.0-test',
      pid: 1,
      startedAtMs,
      uptimeMs: Date.now() - startedAtMs,
      node: process.version,
      rootUser: false,
      rssBytes: 1,
      sessions: sessions.size,
      activeRuns: held.size,
      messages: { received: 0, answered: 0, declined: 0, queued: 0, failed: 0 },
      outbox: { queued: 0, sent: 0, unknown: 0, failed: 0 },
      model: { primary: 'test/echo', fallbacks: [], offline: true },
      mcp: [],
      backups: { made: null, proven: null, failed: null, triedAtMs: null },
      sandbox: { driver: null, detail: 'none in tests', fix: null },
      panic: null,
      elevated: [],
      usage: { today: USAGE, total: USAGE },
      channels: [],
      stateDir: '/home/user/.openclaw',
      configPath: '/home/user/.openclaw/openclaw.json',
      repairs: [],
    }),
    record(kind, body) {
      if (backend.failRecord) throw new Error('disk full');
      backend.journal.push({ kind, body });
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    trash: { list: async () => [], restore: noDesk, empty: async () => [] },
    elevated: { open: () => [], end: () => 0, set: noDesk },
    usage: noDesk,
    panic: { state: () => null, raise: noDesk, lift: noDesk },
    undo: { list: async () => [], preview: noDesk, apply: noDesk },
    mcp: { report: () => [], approve: noDesk, revoke: noDesk, probe: noDesk },
    sandbox: { known: () => null, limits: () => [], list: () => [], recreate: noDesk, prune: noDesk },
    ...overrides,
  };
  return backend;
}

const noDesk = (): never => {
  throw new HardshellError({ code: 'CODE_UNKNOWN', message: 'nobody waits with this code' });
};

let made = 0;
function newRow(key: string): SessionRow {
  made += 1;
  const nowMs = Date.now();
  return {
    key,
    sessionId: `s${made}`,
    agentId: 'main',
    channel: 'webchat',
    label: null,
    title: key,
    preview: '',
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    messageCount: 0,
    model: 'test/echo',
    modelOverride: null,
    contextTokens: 8_000,
    tokens: USAGE,
    archived: false,
    pinned: false,
    activeRunIds: [],
    sources: [],
  };
}
