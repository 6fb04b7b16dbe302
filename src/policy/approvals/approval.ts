// Owns the vocabulary of questions to the owner: what a question holds, what an answer is, and how the exact arguments are
// shown. Facts of the machine only; nothing in a question was written by the model except as quoted, escaped arguments.
import { FORMAT } from '../../platform/disguise.ts';
import type { Decision, ToolCall } from '../decide.ts';
import type { Effect } from '../effects.ts';
import type { Always } from '../verdict.ts';

/** `used`: allowed, and the one start that it was good for has happened. */
export type ApprovalState = 'pending' | 'allowed' | 'denied' | 'expired' | 'used';
export type ApprovalDecision = 'allow-once' | 'allow-always' | 'deny';

/** Whose message led to it, and where it was written. */
export type Asker = {
  readonly kind: 'owner' | 'paired' | 'guest' | 'member';
  readonly id: string;
  readonly channel: string;
  readonly account: string;
  readonly chat: string;
  readonly place: 'dm' | 'group' | 'channel';
  readonly sender: string;
};

/** Who answered, in one line for people, such as `the terminal (openclaw-cli)` or `telegram:42 in their direct chat`. */
export type Answered = {
  readonly decision: ApprovalDecision | 'expired';
  readonly by: string;
  readonly atMs: number;
};

/** What is asked. It never changes; only the state and the answer do. */
export type Asked = {
  readonly id: string;
  /** two characters (three when many wait), unique among those that wait; what a chat answers with */
  readonly code: string;
  readonly runId: string;
  readonly callId: string;
  readonly sessionKey: string;
  readonly agentId: string;
  readonly asker: Asker;
  readonly tool: string;
  /** one clause without a full stop */
  readonly reason: string;
  /** exact arguments, one fact a row; control and bidi characters already made visible */
  readonly facts: readonly { readonly name: string; readonly value: string }[];
  /** parts of the facts, spelled as there, that made it risky */
  readonly marks: readonly string[];
  /** one line each, such as `changes SOUL.md` */
  readonly effects: readonly string[];
  readonly where: 'sandbox' | 'host';
  /** what the model had read when it asked, and how far the least of it is trusted */
  readonly sources: readonly string[];
  readonly integrity: string;
  /** what "always" would cover; null: it can only be allowed once */
  readonly always: Always | null;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
};
export type Question = Omit<Asked, 'id' | 'code' | 'createdAtMs' | 'expiresAtMs'>;
export type Approval = Asked & { readonly state: ApprovalState; readonly answered: Answered | null };

/** What a call was when it was approved, part by part; `what` is shown when that part has changed. */
export type Binding = readonly { readonly what: string; readonly hash: string }[];

/** An "always" that the owner gave. */
export type Grant = Always & {
  readonly id: string;
  readonly agentId: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly createdBy: string;
  readonly uses: number;
  readonly lastUsedAtMs: number | null;
};

/** What the owner is asked about this call. */
export function questionOf(
  call: ToolCall,
  effects: readonly Effect[],
  { reason, marks, always }: Extract<Decision, { kind: 'ask' }>,
): Question {
  const { principal, sender, channel, account, chat, place } = call.speaker;
  const { turnId: runId, callId, sessionKey, agentId, name: tool, context } = call;
  return {
    ...{ runId, callId, sessionKey, agentId, tool, reason: visible(reason) },
    asker: { kind: principal.kind, id: principal.id, channel, account, chat, place, sender },
    facts: factsOf(call.args),
    marks: [...new Set(marks.filter((mark) => mark !== '').map(visible))],
    effects: effects.map((one) => effectLine(one).replace(/[\n\t]+/g, ' ')),
    where: isOnHost(effects) ? 'host' : 'sandbox',
    sources: context.sources.map(visible),
    integrity: context.integrity,
    always: always && isGrantable(call, effects) ? { ...always, shown: visible(always.shown) } : null,
  };
}

/** Whether "always" may be offered, and honoured: for nobody but the owner, where nobody else writes, never on the host. */
export const isGrantable = (call: ToolCall, effects: readonly Effect[]): boolean =>
  call.speaker.principal.kind === 'owner' && call.speaker.place === 'dm' && !isOnHost(effects);

/** The parts that differ, in words; null when nothing does. */
export function changedIn(approved: Binding, now: Binding): string | null {
  const hashes = new Map(now.map(({ what, hash }) => [what, hash]));
  const changed = approved.filter(({ what, hash }) => hashes.get(what) !== hash).map(({ what }) => what);
  const known = new Set(approved.map(({ what }) => what));
  const added = now.filter(({ what }) => !known.has(what)).map(({ what }) => what);
  const all = [...changed, ...added];
  return all.length === 0 ? null : all.join(', ');
}

/** Every argument in full; characters that could disguise it are spelled out (attacks.md C11). */
export function factsOf(args: unknown): Asked['facts'] {
  const entries = args !== null && typeof args === 'object' ? Object.entries(args) : [['value', args]];
  return entries.map(([name, value]) => ({
    name: visible(String(name)),
    value: visible(typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined')),
  }));
}

/** Whatever has no shape of its own, but for the sign behind an emoji that says it is one. */
const DISGUISED = new RegExp(
  String.raw`(?!(?<=\p{Extended_Pictographic})\ufe0f)[\p{Cc}\p{Cs}\p{Co}\p{DI}\u2800${FORMAT}]`,
  'gu',
);
/** Control, bidi and zero-width characters as \u{…}; line breaks and tabs stay. */
export function visible(text: string): string {
  return text.replace(DISGUISED, (c) => (c === '\n' || c === '\t' ? c : `\\u{${c.codePointAt(0)?.toString(16)}}`));
}

/** One line about an effect; a kind that this does not know is told as the data that it is. */
function effectLine(effect: Effect): string {
  switch (effect.kind) {
    case 'read':
      return visible(`reads ${effect.path}`);
    case 'write':
      return visible(`changes ${effect.path}`);
    case 'run':
      return visible(
        `runs a command ${isOnHost([effect]) ? 'on the host' : 'in the sandbox'}, in ${effect.cwd === '.' ? 'the workspace' : effect.cwd}`,
      );
    case 'process':
      return visible(`acts on the running process ${effect.id}`);
    case 'message':
      return visible(`writes to ${effect.to}`);
    case 'fetch':
      return visible(`sends a request to ${effect.url}`);
    case 'search':
      return visible(`asks the search service for ${effect.query}`);
    case 'mail':
      return visible(`mails ${effect.to.join(', ')}`);
    case 'call':
      return visible(`calls ${effect.tool} of the MCP server ${effect.server}`);
    default: {
      const { kind, ...rest } = effect as { kind: string };
      return visible(`${kind} ${JSON.stringify(rest)}`).slice(0, 500);
    }
  }
}

const isOnHost = (effects: readonly Effect[]): boolean =>
  effects.some((effect) => effect.kind === 'run' && (effect.where === 'host' || effect.elevated === true));
