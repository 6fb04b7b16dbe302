// Owns what the gateway is handed by main.ts: every service that a method may call, and nothing else. The gateway
// translates between this and the wire; it holds no state of conversations and decides nothing about tools.
import type { Label } from '../store/label.ts';

/** A block of a transcript as the wire and the page show it. */
export type TranscriptBlock =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'toolCall'; readonly id: string; readonly name: string; readonly arguments: unknown }
  | {
      readonly type: 'toolResult';
      readonly toolCallId: string;
      readonly name: string;
      readonly text: string;
      readonly isError: boolean;
    };

export type TranscriptMessage = {
  /** place in the session, from 1, without gaps */
  readonly seq: number;
  readonly role: 'user' | 'assistant' | 'tool' | 'notice';
  readonly blocks: readonly TranscriptBlock[];
  readonly timestampMs: number;
  readonly runId: string;
  readonly model?: string;
  readonly usage?: TokenCount;
  readonly stopReason?: string;
  readonly label: Label;
};

export type TokenCount = {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
};

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

export type RunOutcome = {
  readonly runId: string;
  readonly sessionKey: string;
  readonly status: 'ok' | 'error' | 'aborted';
  readonly text: string;
  readonly stopReason: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly model: string;
  readonly usage: TokenCount;
  readonly error?: { readonly kind: string; readonly message: string; readonly fix?: string };
};

/** Everything that happens, in order, per run. `seq` counts within the run from 1. */
export type BackendEvent =
  | ({ readonly type: 'run.started'; readonly startedAtMs: number } & RunRef)
  | ({ readonly type: 'run.model'; readonly provider: string; readonly model: string } & RunRef)
  | ({ readonly type: 'run.text'; readonly delta: string } & RunRef)
  | ({
      readonly type: 'run.tool';
      readonly phase: 'start';
      readonly callId: string;
      readonly name: string;
      readonly args: unknown;
    } & RunRef)
  | ({
      readonly type: 'run.tool';
      readonly phase: 'end';
      readonly callId: string;
      readonly name: string;
      readonly text: string;
      readonly isError: boolean;
    } & RunRef)
  /** a message that arrived during the run was taken into it; its own run ends with the same outcome */
  | ({ readonly type: 'run.steered'; readonly intoRunId: string } & RunRef)
  | ({ readonly type: 'run.ended'; readonly outcome: RunOutcome; readonly message: TranscriptMessage | null } & RunRef)
  | { readonly type: 'session.message'; readonly sessionKey: string; readonly message: TranscriptMessage }
  | {
      readonly type: 'session.changed';
      readonly sessionKey: string;
      readonly reason: 'created' | 'updated' | 'patched' | 'reset' | 'deleted';
    }
  | { readonly type: 'approval.requested'; readonly approval: Approval }
  | {
      readonly type: 'approval.resolved';
      readonly id: string;
      readonly sessionKey: string;
      readonly decision: ApprovalDecision | 'expired';
    };
type RunRef = { readonly runId: string; readonly sessionKey: string; readonly seq: number };

export type ApprovalDecision = 'allow-once' | 'deny';
/** Machine facts only; nothing in here was written by the model except `subject`, which is shown as a quoted claim. */
export type Approval = {
  readonly id: string;
  readonly runId: string;
  readonly sessionKey: string;
  readonly tool: string;
  readonly reason: string;
  /** exact arguments, one fact a row; control and bidi characters already made visible */
  readonly facts: readonly { readonly name: string; readonly value: string }[];
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
};

export type HistoryQuery = {
  readonly sessionKey: string;
  readonly limit: number;
  readonly beforeSeq?: number;
  readonly afterSeq?: number;
};
export type History = {
  readonly sessionId: string | null;
  readonly messages: readonly TranscriptMessage[];
  readonly total: number;
  readonly hasMore: boolean;
};

export type Balance = {
  readonly received: number;
  readonly answered: number;
  readonly declined: number;
  readonly queued: number;
  readonly failed: number;
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
  readonly outbox: {
    readonly queued: number;
    readonly sent: number;
    readonly unknown: number;
    readonly failed: number;
  };
  readonly model: { readonly primary: string; readonly fallbacks: readonly string[]; readonly offline: boolean };
  readonly sandbox: { readonly driver: string | null; readonly detail: string; readonly fix: string | null };
  readonly usage: { readonly today: TokenCount; readonly total: TokenCount };
  readonly stateDir: string;
  readonly configPath: string;
  /** things that need a person, each with the command that mends it */
  readonly repairs: readonly { readonly what: string; readonly fix: string }[];
};

export type LogTail = {
  readonly file: string;
  readonly cursor: number;
  readonly size: number;
  readonly lines: readonly string[];
  readonly truncated: boolean;
  readonly reset: boolean;
};

export interface Backend {
  readonly version: string;
  readonly startedAtMs: number;
  readonly chat: {
    /** Throws HardshellError: UNKNOWN_AGENT, BAD_SESSION_KEY, MESSAGE_EMPTY, MESSAGE_TOO_LARGE, QUEUE_FULL, SHUTTING_DOWN. */
    send(input: SendInput): Promise<SendReceipt>;
    /** null when `timeoutMs` passed first or the run is unknown */
    wait(runId: string, timeoutMs: number): Promise<RunOutcome | null>;
    /** undefined when nobody knows this run */
    outcome(runId: string): RunOutcome | 'running' | undefined;
    abort(target: { sessionKey?: string; runId?: string; actor: Actor }): Promise<readonly string[]>;
  };
  readonly sessions: {
    /** newest first; `search` matches key, title and label */
    list(query: { limit: number; offset: number; search?: string; archived?: boolean }): {
      readonly rows: readonly SessionRow[];
      readonly total: number;
    };
    describe(key: string): SessionRow | null;
    history(query: HistoryQuery): History;
    patch(
      key: string,
      patch: { label?: string | null; model?: string | null; archived?: boolean; pinned?: boolean },
      actor: Actor,
    ): SessionRow;
    /** starts the session clean; the old transcript is kept under its old session id */
    reset(key: string, actor: Actor): SessionRow;
    delete(key: string, actor: Actor): boolean;
  };
  readonly models: {
    list(): readonly { id: string; name: string; provider: string; contextTokens: number; available: boolean }[];
    readonly primary: string;
  };
  readonly agents: { list(): readonly { id: string; name: string; model: string; workspace: string }[] };
  readonly approvals: {
    list(): readonly Approval[];
    /** false when it is unknown, answered or expired */
    resolve(id: string, decision: ApprovalDecision, actor: Actor): boolean;
  };
  /** secrets replaced by `__OPENCLAW_REDACTED__` */
  readonly config: {
    redacted(): { readonly path: string; readonly exists: boolean; readonly config: unknown; readonly hash: string };
  };
  readonly logs: { tail(query: { cursor?: number; limit: number; maxBytes: number }): LogTail };
  status(): StatusReport;
  /** appends to the hash-chained journal; `kind` such as `gateway.grant`, `gateway.refused` */
  record(kind: string, body: Record<string, unknown>): void;
  /** Listeners are called synchronously and must not throw. Returns the way to stop. */
  subscribe(listener: (event: BackendEvent) => void): () => void;
}
