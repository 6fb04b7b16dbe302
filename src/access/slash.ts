// Owns the commands that a chat understands: which words are one, and who may use it. For everybody else they are plain
// text; a command never gives anybody a right, and a question of the house is answered by the owner in their direct chat.
import type { AdmittedMessage } from './admit.ts';
import { type ElevationWord, elevationIn } from './elevated/elevation.ts';
import type { Rules } from './rules.ts';

type Word = 'start' | 'whoami' | 'help' | 'status' | 'stop' | 'new' | 'reset' | 'panic' | 'undo' | 'undo yes';
/** `/allowance 2/day`: what the owner lets it spend; null: as the settings say. */
export type Allowance = { readonly usd: number | null };
export type Command = Word | ChatAnswer | ElevationWord | Allowance;

const KNOWN: Readonly<Record<string, Word>> = {
  start: 'start',
  whoami: 'whoami',
  help: 'help',
  status: 'status',
  stop: 'stop',
  new: 'new',
  reset: 'reset',
  panic: 'panic',
};
const UNDO = /^\s*\/undo(?:@[\w-]{2,40})?(?:\s+(yes))?\s*$/i;
/** Those that tell a person about themselves. Telegram writes /start when somebody opens the chat. */
const HARMLESS: readonly Word[] = ['start', 'whoami', 'help'];

/** `written` is what the person typed. Null: it is a message like any other. */
export function commandIn(written: string, message: AdmittedMessage, rules: Rules): Command | null {
  if (written.length > 80) return null;
  const answer = answerIn(written, message);
  if (answer) return answer;
  const elevation = elevationIn(written);
  if (elevation && message.principal.kind === 'owner') return elevation;
  const allowance = allowanceIn(written);
  const { principal, place, channel, sender } = message;
  if (allowance && principal.kind === 'owner' && place === 'dm') return allowance;
  const undo = UNDO.exec(written);
  // Names of files are not for others to read, nor is what was done theirs to take back.
  if (undo) return principal.kind === 'owner' && place === 'dm' ? (undo[1] ? 'undo yes' : 'undo') : null;
  const word = /^\s*\/([a-z]{2,12})(?:@[\w-]{2,40})?\s*$/i.exec(written)?.[1]?.toLowerCase() ?? '';
  const command = Object.hasOwn(KNOWN, word) ? (KNOWN[word] ?? null) : null;
  if (command === 'panic') return principal.kind === 'owner' ? command : null;
  if (command === null || principal.kind === 'owner' || HARMLESS.includes(command)) return command;
  if (rules.commanders.size > 0 && !rules.commanders.has(`${channel}:${sender.id}`)) return null;
  // A conversation that others share is not for one of them to end.
  if (place !== 'dm' && (command === 'new' || command === 'reset')) return null;
  return command;
}

function allowanceIn(written: string): Allowance | null {
  const said =
    /^\s*\/allowance(?:@[\w-]{2,40})?\s+(?:(off)|\$?(\d{1,5}(?:\.\d{1,2})?)(?:\s*(?:\/|a|per)\s*day)?)\s*$/i.exec(
      written,
    );
  return said ? { usd: said[1] ? null : Number(said[2]) } : null;
}

export const HELP_TEXT = [
  '/whoami  who you are to me, and what you may do',
  '/status  whether I am working on something of yours',
  '/stop  stop what I am doing for you',
  '/new  a new conversation (also /reset)',
  '/undo  the last change of files, and how my owner takes it back in our direct chat',
  '/elevated on|off  my owner lets me ask for commands outside my box, for a quarter of an hour',
  '/allowance 2/day  my owner says how many dollars I may spend a day (off: as the settings say)',
  '/panic  my owner stops everything at once, until it is lifted at the machine or on the page',
  'yes K7, no K7  my owner answers the question with that code (also /approve, /deny)',
].join('\n');

export const PANIC_TEXT =
  'Everything stops now: turns, commands, messages, channels. I hear nothing until it is lifted: openclaw panic --lift, or on the page.';

export const START_TEXT = 'Hello! You may talk to me: write me whenever you like. /help shows what else I understand.';

export function whoamiText({ principal, place, channel, sender }: AdmittedMessage): string {
  const { kind, limits } = principal;
  const tools = kind === 'owner' ? 'what your settings allow' : (limits?.tools.join(', ') ?? '') || 'only talk';
  const caps = [
    limits?.folder ? `folder ${limits.folder}` : '',
    limits?.messagesPerDay ? `${limits.messagesPerDay} messages a day` : '',
    limits?.tokensPerDay ? `${limits.tokensPerDay} tokens a day` : '',
  ].filter(Boolean);
  const where = place === 'dm' ? 'direct chat' : place;
  return [`You are ${channel}:${sender.id} (${kind}, ${where}).`, `You may use: ${[tools, ...caps].join('; ')}.`].join(
    '\n',
  );
}

export type ChatAnswer = {
  readonly kind: 'answer';
  readonly decision: 'allow-once' | 'allow-task' | 'allow-always' | 'deny';
  /** a code, a line of a card such as `K7.2`, or the id that a button carries */
  readonly which: string;
  /** all lines of the card that `which` names */
  readonly isCard: boolean;
  /** null: it may be given here by this person; else why not, for them to read */
  readonly refused: string | null;
};

const CODE = String.raw`[a-z]\d[a-z]?(?:\.\d{1,2})?`;
const ID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const PLAIN = new RegExp(`^\\s*(yes|no)[ ,:]+(${CODE})[.!]?\\s*$`, 'i');
const SLASH = new RegExp(
  `^\\s*/(approve|deny)(?:@[\\w-]{2,40})?\\s+(${CODE}|${ID})(\\s+(?:always|task|all))?\\s*$`,
  'i',
);

/** `yes K7`, `no K7.2`, `/approve K7 always`, `/deny K7`; null: it is a message like any other. */
function answerIn(written: string, { principal, place, assurance }: AdmittedMessage): ChatAnswer | null {
  const [, typed = '', which = '', more = ''] = SLASH.exec(written) ?? PLAIN.exec(written) ?? [];
  const word = typed.toLowerCase();
  const scope = more.trim().toLowerCase();
  if (word === '' || (word === 'deny' && scope !== '' && scope !== 'all')) return null;
  const isOwner = principal.kind === 'owner' && assurance === 'platform';
  // Whoever is not the owner may say yes to anything; the word is then no answer.
  if (!isOwner && (word === 'yes' || word === 'no')) return null;
  const isId = which.length > 8;
  const isYes = word === 'yes' || word === 'approve';
  return {
    kind: 'answer',
    decision: !isYes ? 'deny' : scope === 'always' || scope === 'task' ? `allow-${scope}` : 'allow-once',
    which: isId ? which.toLowerCase() : which.toUpperCase(),
    isCard: scope === 'all' || !(isId || which.includes('.')),
    refused: !isOwner ? NOT_OWNER : place !== 'dm' ? NOT_HERE : null,
  };
}

const NOT_OWNER = 'Only my owner can answer that.';
const NOT_HERE = 'Questions of mine are answered in our direct chat, on the page or in the terminal, never in a group.';
