// Owns the one decision whether a tool call may run: what every judge says, and the strictest of it. It must never look at
// model prose, and nothing else in the program can make a PermittedCall.
import type { ToolCall } from '../agent/tool-call.ts';
import { HardshellError } from '../platform/errors.ts';
import type { Effect } from './effects.ts';
import { type Always, askingCodes, strictest, type Verdict } from './verdict.ts';

/** What policy is asked about; tools/ sees the call through here. */
export type { ToolCall };

declare const permitted: unique symbol;
/** A tool call that policy has let through. Only this module constructs it. */
export type PermittedCall = ToolCall & {
  readonly [permitted]: true;
  readonly effects: readonly Effect[];
  /** for a command: what was judged, to run instead of its text */
  readonly runAs?: string;
  /** the owner saw the whole of it and said yes */
  readonly isApproved?: true;
};

/** Those that were made here: what only looks like one, or is a copy, is none. */
const made = new WeakSet<object>();

/** What every way out asks of a call before it acts on it: files, processes, messages, the network, other programs. */
export function demandPermit(call: PermittedCall): void {
  if (made.has(call)) return;
  const message = `policy has not let this call of ${JSON.stringify(call?.name ?? null)} through`;
  throw new HardshellError({ code: 'NOT_PERMITTED', message });
}

export type Decision =
  | { readonly kind: 'allow'; readonly call: PermittedCall }
  | {
      readonly kind: 'deny';
      readonly key: string;
      readonly code: string;
      readonly reason: string;
      readonly fix: string;
    }
  /** needs the owner; `approve` makes the permitted call once the owner has said yes */
  | {
      readonly kind: 'ask';
      /** the setting, file or act that says so */
      readonly key: string;
      readonly code: string;
      /** every rule that asks, sorted */
      readonly codes: readonly string[];
      readonly reason: string;
      readonly marks: readonly string[];
      /** null: it can only be allowed once */
      readonly always: Always | null;
      readonly approve: () => PermittedCall;
    };

/** One rule of the house, asked about one call. It says nothing when it has nothing to object. */
export type Judge = (call: ToolCall, effects: readonly Effect[]) => readonly Verdict[] | Promise<readonly Verdict[]>;

export function decide(call: ToolCall, effects: readonly Effect[], verdicts: readonly Verdict[]): Decision {
  const permit = (as: { runAs?: string; isApproved?: true } = {}): PermittedCall => {
    const one = Object.freeze({ ...call, effects, ...as }) as PermittedCall;
    made.add(one);
    return one;
  };
  const objection = strictest(verdicts);
  if (objection === null) {
    const runAs = verdicts.find((one) => one.rule === 'allow' && one.runAs !== undefined)?.runAs;
    return { kind: 'allow', call: permit(runAs === undefined ? {} : { runAs }) };
  }
  const { key, code, reason, fix, marks = [], always = null } = objection;
  return objection.rule === 'deny'
    ? { kind: 'deny', key, code, reason, fix }
    : { kind: 'ask', key, code, codes: askingCodes(verdicts), reason, marks, always, approve: () => permit({ isApproved: true }) }; // biome-ignore format: one decision
}
