// Owns the commands that a chat understands: which words are one, and who may use it. For everybody else they are plain
// text; a command never gives anybody a right.
import type { AdmittedMessage } from './admit.ts';
import type { Rules } from './rules.ts';

export type Command = 'start' | 'whoami' | 'help' | 'status' | 'stop' | 'new' | 'reset';

const KNOWN: Readonly<Record<string, Command>> = {
  start: 'start',
  whoami: 'whoami',
  help: 'help',
  status: 'status',
  stop: 'stop',
  new: 'new',
  reset: 'reset',
};
/** Those that tell a person about themselves. Telegram writes /start when somebody opens the chat. */
const HARMLESS: readonly Command[] = ['start', 'whoami', 'help'];

/** `written` is what the person typed. Null: it is a message like any other. */
export function commandIn(
  written: string,
  { principal, place, channel, sender }: AdmittedMessage,
  rules: Rules,
): Command | null {
  if (written.length > 80) return null;
  const word = /^\s*\/([a-z]{2,12})(?:@[\w-]{2,40})?\s*$/i.exec(written)?.[1]?.toLowerCase() ?? '';
  const command = Object.hasOwn(KNOWN, word) ? (KNOWN[word] ?? null) : null;
  if (command === null || principal.kind === 'owner' || HARMLESS.includes(command)) return command;
  if (rules.commanders.size > 0 && !rules.commanders.has(`${channel}:${sender.id}`)) return null;
  // A conversation that others share is not for one of them to end.
  if (place !== 'dm' && (command === 'new' || command === 'reset')) return null;
  return command;
}

export const HELP_TEXT = [
  '/whoami  who you are to me, and what you may do',
  '/status  whether I am working on something of yours',
  '/stop  stop what I am doing for you',
  '/new  a new conversation (also /reset)',
].join('\n');

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
