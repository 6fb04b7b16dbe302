// Owns the vocabulary of questions to the owner: what a question holds, what an answer is, and how the exact arguments are
// shown. Facts of the machine only; nothing in a question was written by the model except as quoted, escaped arguments.
import { FORMAT } from '../../platform/disguise.ts';
import { canonicalJson } from '../../platform/json.ts';
import type { Decision, ToolCall } from '../decide.ts';
import type { Effect } from '../effects.ts';
import type { Always } from '../verdict.ts';

/** `used`: allowed, and the one start that it was good for has happened. */
export type ApprovalState = 'pending' | 'allowed' | 'denied' | 'expired' | 'used';
/** `allow-task`: for the rest of this run. */
export type ApprovalDecision = 'allow-once' | 'allow-task' | 'allow-always' | 'deny';

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

/** As people say it; the protocol has its own words. */
export const ANSWERS: Readonly<Record<Answered['decision'], string>> = {
  'allow-once': 'allowed, this once',
  'allow-task': 'allowed for its task',
  'allow-always': 'allowed always',
  deny: 'denied',
  expired: 'closed',
};
/** What names one line of a card, and the whole of a card with one. */
export const nameOf = ({ code, line, lines }: Pick<Asked, 'code' | 'line' | 'lines'>): string =>
  lines > 1 && code !== '' ? `${code}.${line}` : code;

/** What is asked. It never changes; only the state and the answer do. */
export type Asked = {
  readonly id: string;
  /** two characters (three when many wait), unique among the cards that wait; what a chat answers with */
  readonly code: string;
  /** calls of one answer are asked about on one card: which of how many this is, from 1 */
  readonly line: number;
  readonly lines: number;
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
  /** what "for this task" would cover; null: that is not offered */
  readonly task: Always | null;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
};
export type Question = Omit<Asked, 'id' | 'code' | 'line' | 'lines' | 'createdAtMs' | 'expiresAtMs'>;
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
  { reason, marks, always, codes }: Extract<Decision, { kind: 'ask' }>,
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
    always: always && isGrantable(call, effects, codes) ? { ...always, shown: visible(always.shown) } : null,
    task: taskOf(call, effects, { always, codes }),
  };
}

/** Money, keys, rights, what steers, what is private and what cannot be taken back: each time anew, whatever a judge offers. */
const EACH_TIME = /^(?:STEERING_FILE|SECRET_READ|TIER_PRIVATE|UNDECLARED|(?!TOOL_|COMMAND_)\w+_ASKS)$/;

/** Whether more than once may be offered, and honoured: for nobody but the owner, where nobody else writes, never on the host. */
export const isGrantable = (call: ToolCall, effects: readonly Effect[], codes: readonly string[]): boolean =>
  call.speaker.principal.kind === 'owner' &&
  call.speaker.place === 'dm' &&
  !isOnHost(effects) &&
  !codes.some((code) => EACH_TIME.test(code));

type Rules = Pick<Extract<Decision, { kind: 'ask' }>, 'always' | 'codes'>;

/**
 * What "for this task" would cover: the same command, the same call word for word, or words to the same people. Words are
 * only free as long as nothing from outside was read: text from outside can at most have repeated what was shown.
 */
export function taskOf(call: ToolCall, effects: readonly Effect[], { always, codes }: Rules): Always | null {
  if (!isGrantable(call, effects, codes) || effects.length === 0) return null;
  const as = (shown: string, ...parts: readonly unknown[]): Always => ({
    kind: 'task',
    pattern: canonicalJson([call.name, codes, ...parts]),
    shown: visible(shown),
  });
  if (effects.every(({ kind }) => kind === 'run')) return always && as(always.shown, always.kind, always.pattern);
  const words = effects.flatMap((one) => (one.kind === 'message' || one.kind === 'mail' ? [one.text] : []));
  if (words.length === 0)
    return effects.every(({ kind }) => REPEATABLE.has(kind)) ? as(`${call.name} again, word for word as here`, call.args) : null; // biome-ignore format: one choice
  const { integrity, readers } = call.context;
  if (words.length !== effects.length || integrity === 'untrusted' || integrity === 'peer') return null;
  const rest = Object.entries(call.args as object).filter(([, value]) => !words.includes(value));
  const to = effects.flatMap((one) => (one.kind === 'message' ? one.to : one.kind === 'mail' ? one.to : []));
  const shown = `${call.name} to ${to.join(', ')}, whatever it says, until something from outside was read`;
  return as(shown, Object.fromEntries(rest), to, readers);
}
const REPEATABLE: ReadonlySet<string> = new Set(['write', 'fetch', 'search']);

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
    case 'browse':
      return visible(
        effect.act === 'open'
          ? `opens ${effect.url} in the browser`
          : `${BROWSES[effect.act]} on a page of ${hostOf(effect.url)}: ${JSON.stringify(effect.what)}`,
      );
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

const BROWSES = { click: 'presses', fill: 'fills in', submit: 'sends off', upload: 'hands over a file' } as const;
const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : url);

const isOnHost = (effects: readonly Effect[]): boolean =>
  effects.some((effect) => effect.kind === 'run' && (effect.where === 'host' || effect.elevated === true));
