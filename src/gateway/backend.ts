// Owns what the gateway is handed by main.ts: every service that a method may call, and nothing else. The gateway
// translates between this and the wire; it holds no state of conversations and decides nothing about tools.
import type { Desk } from '../access/desk.ts';
import type { OpenWindow } from '../access/elevated/elevation.ts';
import type { Linking } from '../channels/linking.ts';
import type { ChannelStatus } from '../channels/supervise.ts';
import type { RecordDesk } from '../journal/desk.ts';
import type { Tail } from '../log/tail.ts';
import type { Change, Hit, MemoryFile, ShownLine, Source } from '../memory/memory.ts';
import type { Proof } from '../ops/backup/proof.ts';
import type { Applied, Preview, TurnRow, Wish } from '../ops/checkpoints/checkpoints.ts';
import type { Panic } from '../ops/panic/panic.ts';
import type { Approval, ApprovalDecision, Grant } from '../policy/approvals/approval.ts';
import type { Resolution } from '../policy/approvals/approvals.ts';
import type { Registry } from '../policy/trust/registry.ts';
import type { Limit } from '../sandbox/pool/facts.ts';
import type { OpenBox, SandboxState } from '../sandbox/pool/pool.ts';
import type { Trashed } from '../sandbox/trash/trash.ts';
import type { SessionChange, SessionPatch } from '../sessions/directory.ts';
import type { RunEvent, TurnEnd } from '../sessions/turn.ts';
import type { Balance, ChannelBalance } from '../store/inbox.ts';
import type { OutboxCount } from '../store/outbox.ts';
import type { StoredMessage } from '../store/transcripts.ts';
import type { TokenCount } from '../store/usage.ts';
import type { McpReport } from '../tools/mcp/report.ts';

export type SessionRow = {
  readonly key: string;
  readonly sessionId: string;
  readonly agentId: string;
  readonly channel: string;
  readonly label: string | null;
  readonly title: string;
  readonly preview: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly messageCount: number;
  readonly model: string;
  readonly modelOverride: string | null;
  readonly contextTokens: number;
  readonly tokens: TokenCount;
  readonly archived: boolean;
  readonly pinned: boolean;
  readonly activeRunIds: readonly string[];
  /** where the text in its context came from (trust.md 3.4) */
  readonly sources: readonly string[];
};

export type SendInput = {
  readonly sessionKey: string;
  readonly message: string;
  readonly idempotencyKey: string;
  readonly queueMode?: 'steer' | 'followup' | 'interrupt';
  readonly timeoutMs?: number;
  /** the connection that asked: goes into the journal */
  readonly actor: Actor;
};
export type Actor = { readonly connId: string; readonly clientId: string; readonly deviceId?: string };

/** `in_flight` and `done`: the same idempotency key was accepted before. The message is durable when this resolves. */
export type SendReceipt = {
  readonly runId: string;
  readonly sessionKey: string;
  readonly status: 'started' | 'queued' | 'in_flight' | 'done';
  readonly acceptedAtMs: number;
};

export type RunOutcome = Omit<TurnEnd, 'contextTokens' | 'label'> & {
  readonly runId: string;
  readonly sessionKey: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
};

/** Everything that happens, in order, per run. `seq` counts within the run from 1. */
export type BackendEvent =
  | (RunEvent & RunRef)
  | ({ readonly type: 'run.ended'; readonly outcome: RunOutcome; readonly message: StoredMessage | null } & RunRef)
  | { readonly type: 'session.message'; readonly sessionKey: string; readonly message: StoredMessage }
  | { readonly type: 'session.changed'; readonly sessionKey: string; readonly reason: SessionChange }
  | { readonly type: 'outbox.changed' }
  | { readonly type: 'approval.requested'; readonly approval: Approval }
  | { readonly type: 'approval.resolved'; readonly approval: Approval };
/** A message that can still be taken back; `to` is channel:account:chat. A draft has 0 for its moment: it waits for a word. */
export type HeldMessage = {
  readonly id: number;
  readonly to: string;
  /** of a mail; else '' */
  readonly subject: string;
  readonly text: string;
  /** names */
  readonly files: readonly string[];
  readonly atMs: number;
  readonly leavesAtMs: number;
};
export type RunRef = { readonly runId: string; readonly sessionKey: string; readonly seq: number };

export type HistoryQuery = {
  readonly sessionKey: string;
  readonly limit: number;
  readonly beforeSeq?: number;
  readonly afterSeq?: number;
};
export type History = {
  readonly sessionId: string | null;
  readonly messages: readonly StoredMessage[];
  readonly total: number;
  readonly hasMore: boolean;
};

/** A channel of the configuration. What it counts is told for all accounts of the channel together. */
export type ChannelReport = Omit<ChannelStatus, 'state'> & {
  readonly label: string;
  /** `off`: switched off; `idle`: something is missing, `problem` says what */
  readonly state: ChannelStatus['state'] | 'off' | 'idle';
  readonly balance: Omit<ChannelBalance, 'channel'>;
  readonly replies: OutboxCount;
  /** who wrote last, allowed or not (S034) */
  readonly lastSenders: readonly { readonly id: string; readonly atMs: number }[];
};

export type StatusReport = {
  readonly version: string;
  readonly pid: number;
  readonly startedAtMs: number;
  readonly uptimeMs: number;
  readonly node: string;
  readonly rootUser: boolean;
  readonly rssBytes: number;
  readonly sessions: number;
  readonly activeRuns: number;
  readonly messages: Balance;
  readonly outbox: OutboxCount;
  readonly model: { readonly primary: string; readonly fallbacks: readonly string[]; readonly offline: boolean };
  readonly sandbox: Omit<SandboxState, 'atMs'> & { readonly atMs?: number };
  readonly panic: Panic | null;
  readonly elevated: readonly OpenWindow[];
  readonly usage: { readonly today: TokenCount; readonly total: TokenCount };
  readonly channels: readonly ChannelReport[];
  readonly backups: Proof;
  readonly stateDir: string;
  readonly configPath: string;
  readonly mcp: readonly (Pick<McpReport, 'name' | 'kind' | 'state' | 'problem'> &
    Record<'approved' | 'waiting' | 'leftOut', number>)[];
  /** things that need a person, each with the command that mends it */
  readonly repairs: readonly { readonly what: string; readonly fix: string }[];
};

export type LogTail = Tail & { readonly file: string };

export interface Backend {
  readonly version: string;
  readonly startedAtMs: number;
  readonly mcp: {
    report(): readonly McpReport[];
    /** Throws a HardshellError when one of them is not what it was; then none is approved. */
    approve(name: string, tools: readonly { tool: string; hash: string }[], actor: Actor): Promise<McpReport>;
    /** how many */
    revoke(name: string, tool: string | undefined, actor: Actor): Promise<number>;
    probe(name: string): Promise<McpReport>;
  };
  readonly chat: {
    /** Throws HardshellError: UNKNOWN_AGENT, BAD_SESSION_KEY, MESSAGE_EMPTY, MESSAGE_TOO_LARGE, QUEUE_FULL, SHUTTING_DOWN. */
    send(input: SendInput): Promise<SendReceipt>;
    /** null when `timeoutMs` passed first or the run is unknown */
    wait(runId: string, timeoutMs: number): Promise<RunOutcome | null>;
    /** undefined when nobody knows this run */
    outcome(runId: string): RunOutcome | 'running' | undefined;
    /** without a run: all that runs or waits in the session; the run ids that it reached */
    abort(target: { sessionKey: string; runId?: string; actor: Actor }): readonly string[];
  };
  readonly sessions: {
    /** pinned first, then the newest; `search` matches key, title, label and preview; archived ones only when asked for */
    list(query: { limit: number; offset: number; search?: string; archived?: boolean }): {
      readonly rows: readonly SessionRow[];
      readonly total: number;
    };
    describe(key: string): SessionRow | null;
    history(query: HistoryQuery): History;
    patch(key: string, patch: SessionPatch, actor: Actor): SessionRow;
    /** starts the session clean; the old transcript is kept under its old session id */
    reset(key: string, actor: Actor, keep?: 'own-words' | 'nothing'): SessionRow;
    delete(key: string, actor: Actor): boolean;
  };
  readonly models: {
    /** `id` is `provider/model`, as it is chosen */
    list(): readonly { id: string; name: string; provider: string; contextTokens: number; available: boolean }[];
    readonly primary: string;
  };
  readonly agents: { list(): readonly { id: string; name: string; model: string; workspace: string }[] };
  readonly approvals: {
    /** those that wait, oldest first */
    list(limit: number): readonly Approval[];
    /** those that are closed, newest first */
    recent(limit: number): readonly Approval[];
    /** by id or code; also one that is closed */
    get(id: string): Approval | null;
    /** an answer counts once */
    resolve(id: string, decision: ApprovalDecision, actor: Actor): Resolution;
    /** the same answer to all lines of its card that wait */
    resolveCard(id: string, decision: 'allow-once' | 'deny', actor: Actor): Resolution;
    grants(): readonly Grant[];
    /** false when there is none that holds */
    revoke(id: string, actor: Actor): boolean;
    /** a connection that may answer has come or gone */
    present(by: 1 | -1): void;
  };
  /** what tools sent and can still be taken back; false when it is not there any more */
  /** what was spent in so many days, and which caps there are */
  usage(days: number): unknown;
  /** everything stopped by hand: why, since when; to do it; to take it back */
  readonly panic: {
    state(): Panic | null;
    raise(by: string, why: string): { readonly panic: Panic; readonly stoppedRuns: number; readonly waiting: number };
    lift(by: string): { readonly lifted: Panic | null; readonly waiting: number };
  };
  readonly outbox: {
    held(): readonly HeldMessage[];
    takeBack(id: number, actor: Actor): boolean;
    release(id: number, actor: Actor): boolean;
  };
  /** who may talk, and why */
  readonly pairing: Desk;
  /** secrets replaced by `__OPENCLAW_REDACTED__` */
  readonly config: {
    redacted(): { readonly path: string; readonly exists: boolean; readonly config: unknown; readonly hash: string };
  };
  /** what commands threw away in the workspace */
  readonly trash: {
    list(): Promise<readonly Trashed[]>;
    restore(id: string, actor: Actor): Promise<Trashed>;
    empty(olderThanMs: number, actor: Actor): Promise<readonly Trashed[]>;
  };
  /** windows in which a chat of the owner may ask for commands outside the box */
  readonly elevated: {
    open(): readonly OpenWindow[];
    /** closes all of them; how many there were */
    end(): number;
    /** of a conversation of the gateway's own clients; 0 minutes closes it */
    set(sessionKey: string, minutes: number): { readonly said: string; readonly open: boolean };
  };
  /** the workspace as it was before a turn */
  readonly undo: {
    /** newest first */
    list(): Promise<readonly TurnRow[]>;
    preview(wish: Wish): Promise<Preview>;
    /** Throws HardshellError: NOTHING_TO_UNDO, TURN_UNKNOWN, UNDO_BUSY. */
    apply(wish: Wish, actor: Actor): Promise<Applied>;
  };
  /** the boxes that commands run in */
  readonly sandbox: {
    /** null while the first is opening */
    known(): SandboxState | null;
    limits(): readonly Limit[];
    list(): readonly OpenBox[];
    /** Ends what runs in them; how many there were. */
    recreate(which: { all: true } | { session: string } | { agent: string }, actor: Actor): Promise<number>;
    /** those that nobody uses; `isAll`: however short the time */
    prune(isAll: boolean, actor: Actor): Promise<number>;
  };
  readonly logs: { tail(query: { cursor?: number; limit: number; maxBytes: number }): LogTail };
  readonly channels: {
    list(): readonly ChannelReport[];
    /** a real round trip on each, or on those of one platform */
    probe(id?: string): Promise<void>;
    /** a phone, where a channel needs one */
    readonly linking: Pick<Linking, 'start' | 'wait'>;
  };
  /** what was done, who let it, and whether the record of it is whole */
  readonly audit: RecordDesk;
  /** what the assistant remembers, and the owner's hand on it */
  readonly memory: {
    list(): Promise<readonly MemoryFile[]>;
    sources(): Promise<readonly Source[]>;
    search(query: string, limit: number): Promise<readonly Hit[]>;
    show(path: string): Promise<{ readonly hash: string; readonly lines: readonly ShownLine[] }>;
    changes(): Promise<readonly Change[]>;
    change(
      id: number,
    ): Promise<{ readonly change: Change; readonly before: string | null; readonly after: string | null }>;
    revert(id: number, isForced: boolean, by: Actor): Promise<{ readonly path: string; readonly changeId: number }>;
    forget(
      what: string,
      by: Actor,
    ): Promise<readonly { readonly path: string; readonly lines: number; readonly changeId: number }[]>;
    /** `hash` of what the owner was shown */
    trust(path: string, hash: string, by: Actor): Promise<{ readonly path: string; readonly chars: number }>;
  };
  /** whom and what the owner has confirmed */
  readonly trust: Pick<Registry, 'list' | 'add' | 'remove'>;
  status(): StatusReport;
  /** appends to the hash-chained journal; `kind` such as `gateway.grant`, `gateway.refused` */
  record(kind: string, body: Record<string, unknown>): void;
  /** Listeners are called synchronously and must not throw. Returns the way to stop. */
  subscribe(listener: (event: BackendEvent) => void): () => void;
}
