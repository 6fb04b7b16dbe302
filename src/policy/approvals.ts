// Owns questions to the owner: what is asked, for how long, and what silence means (no). An approval binds one call; the
// facts shown are the call's own arguments, never the model's account of them.
import type { Journal } from '../journal/journal.ts';
import { FORMAT } from '../platform/disguise.ts';
import { newId } from '../platform/ids.ts';

/** A question to the owner: facts of the machine only, nothing in it was written by the model. */
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
export type ApprovalDecision = 'allow-once' | 'deny';
export type Answer = ApprovalDecision | 'expired';

export type ApprovalPorts = {
  readonly journal: Journal;
  readonly now: () => number;
  readonly requested: (approval: Approval) => void;
  readonly resolved: (approval: Approval, answer: Answer) => void;
};

const TIMEOUT_MS = 10 * 60_000;
/** More questions in one run are refused unasked, so that nobody is worn down into saying yes (attacks.md I16). */
const MAX_PER_RUN = 3;

export function createApprovals(ports: ApprovalPorts) {
  const pending = new Map<string, { approval: Approval; settle: (answer: Answer, by: object) => void }>();
  const asked = new Map<string, number>();

  return {
    /** Resolves with the owner's answer; no answer, an aborted turn and a restart are all a no. */
    ask(
      question: Pick<Approval, 'runId' | 'sessionKey' | 'tool' | 'reason'> & { args: unknown },
      signal: AbortSignal,
    ): Promise<Answer> {
      const count = (asked.get(question.runId) ?? 0) + 1;
      asked.set(question.runId, count);
      if (count > MAX_PER_RUN || signal.aborted) return Promise.resolve('deny');
      const { args, ...rest } = question;
      const createdAtMs = ports.now();
      const approval: Approval = {
        ...rest,
        id: newId(),
        facts: factsOf(args),
        createdAtMs,
        expiresAtMs: createdAtMs + TIMEOUT_MS,
      };
      return new Promise((resolve) => {
        const settle = (answer: Answer, by: object): void => {
          if (!pending.delete(approval.id)) return;
          clearTimeout(timer);
          signal.removeEventListener('abort', onAbort);
          ports.journal.record('approval.resolved', {
            id: approval.id,
            run: approval.runId,
            tool: approval.tool,
            answer,
            by,
          });
          ports.resolved(approval, answer);
          resolve(answer);
        };
        const onAbort = (): void => settle('expired', { reason: 'turn ended' });
        const timer = setTimeout(() => settle('expired', { reason: 'no answer in time' }), TIMEOUT_MS).unref();
        signal.addEventListener('abort', onAbort, { once: true });
        pending.set(approval.id, { approval, settle });
        ports.journal.record('approval.requested', {
          id: approval.id,
          run: approval.runId,
          tool: approval.tool,
          reason: approval.reason,
        });
        ports.requested(approval);
      });
    },
    list: (): Approval[] => [...pending.values()].map((p) => p.approval),
    /** False when the question is unknown, answered or expired: an answer counts once. */
    resolve(id: string, decision: ApprovalDecision, by: object): boolean {
      const found = pending.get(id);
      found?.settle(decision, by);
      return found !== undefined;
    },
    forget: (runId: string): void => void asked.delete(runId),
  };
}

/** Every argument in full; characters that could disguise it are spelled out (attacks.md C11). */
function factsOf(args: unknown): Approval['facts'] {
  const entries = args !== null && typeof args === 'object' ? Object.entries(args) : [['value', args]];
  return entries.map(([name, value]) => ({
    name: String(name),
    value: visible(typeof value === 'string' ? value : JSON.stringify(value)),
  }));
}

const DISGUISED = new RegExp(String.raw`[\p{Cc}\p{Co}${FORMAT}]`, 'gu');
/** Control, bidi and zero-width characters as \u{…}; line breaks and tabs stay. */
export function visible(text: string): string {
  return text.replace(DISGUISED, (c) => (c === '\n' || c === '\t' ? c : `\\u{${c.codePointAt(0)?.toString(16)}}`));
}
