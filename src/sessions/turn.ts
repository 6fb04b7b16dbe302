// Owns the value that the agent is handed: one admitted message in its lane, with the conversation it belongs to. Only
// runner.ts makes one, so nothing can think without having been admitted, queued and made durable.
import type { AdmittedMessage } from '../access/admit.ts';
import type { Label } from '../store/label.ts';
import type { Block, MessageMeta, StoredMessage } from '../store/transcripts.ts';
import type { TokenCount } from '../store/usage.ts';

/** Who speaks, and where: what a turn may do follows from it. `sender` is the platform's own id of the person. */
export type Speaker = Pick<AdmittedMessage, 'principal' | 'place' | 'channel' | 'account' | 'chat'> & {
  readonly sender: string;
};

declare const brand: unique symbol;
export type Turn = {
  readonly [brand]: true;
  readonly speaker: Speaker;
  readonly runId: string;
  readonly sessionKey: string;
  readonly sessionId: string;
  readonly agentId: string;
  /** `provider/id` that the owner chose for this session, or null */
  readonly modelOverride: string | null;
  readonly conversation: Conversation;
  readonly signal: AbortSignal;
  /** calls of before a restart that had not begun: they are made before the model is asked again */
  readonly outstanding: readonly { readonly id: string; readonly name: string; readonly arguments: unknown }[];
  /** messages that arrived meanwhile and steer this turn; they are in the conversation when this returns */
  takeSteering(): number;
  emit(event: TurnEvent): void;
};

export interface Conversation {
  /** stored and not yet stored, oldest first; the newest `MAX_MESSAGES` */
  messages(): readonly StoredMessage[];
  /** join of the labels of all of them, and of what was shown besides */
  context(): Label;
  /** The model is shown something that is no message: from here on it is part of the context. */
  observe(label: Label): void;
  append(message: {
    role: StoredMessage['role'];
    blocks: readonly Block[];
    meta?: MessageMeta;
    label: Label;
  }): StoredMessage;
  /** makes everything appended so far durable, together with `also` */
  persist(also?: () => void): void;
}

export type TurnEvent =
  | { readonly type: 'run.model'; readonly provider: string; readonly model: string }
  | { readonly type: 'run.text'; readonly delta: string }
  | {
      readonly type: 'run.tool';
      readonly phase: 'start';
      readonly callId: string;
      readonly name: string;
      readonly args: unknown;
    }
  | {
      readonly type: 'run.tool';
      readonly phase: 'end';
      readonly callId: string;
      readonly name: string;
      readonly text: string;
      readonly isError: boolean;
    };

/** What is told of a run while it goes on: what the turn does, and what becomes of the message that asked for it. */
export type RunEvent =
  | TurnEvent
  | { readonly type: 'run.started'; readonly startedAtMs: number }
  /** a message that arrived during the run was taken into it; its own run ends with the same outcome */
  | { readonly type: 'run.steered'; readonly intoRunId: string };

/** How a turn ended; `text` is empty when there is nothing to show but the error. */
export type TurnEnd = {
  readonly status: 'ok' | 'error' | 'aborted';
  readonly text: string;
  readonly stopReason: string;
  readonly model: string;
  readonly usage: TokenCount;
  /** size of what the model was shown last */
  readonly contextTokens: number;
  readonly label: Label;
  readonly error?: { readonly kind: string; readonly message: string; readonly fix?: string };
};

/** One message waiting for its turn. */
export type Waiting = {
  readonly inboxId: number;
  readonly runId: string;
  readonly sessionKey: string;
  readonly agentId: string;
  readonly mode: 'steer' | 'followup' | 'interrupt';
  readonly timeoutMs: number;
  /** how often it was taken up again after a restart, and ended with the gateway */
  readonly attempts: number;
  /** it was accepted by a gateway that is gone */
  readonly resumed: boolean;
  readonly message: AdmittedMessage;
};
