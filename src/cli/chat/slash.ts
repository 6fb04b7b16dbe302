// Owns the commands that are typed in a chat: /new, /sessions, /session, /status, /help, /exit. Anything else that
// begins with a slash and one word is a mistake and is never sent to the model.
import { newToken } from '../../platform/ids.ts';
import { canonicalKey, objectOf, readSessions, shortKey, textOf } from '../connect/wire.ts';
import { span } from '../output.ts';
import { tableLines } from '../print/table.ts';
import { formatAgo, formatDuration } from '../print/units.ts';
import { nearestWord } from '../suggest.ts';
import type { Conversation } from './conversation.ts';
import type { Link } from './link.ts';
import type { Screen } from './screen.ts';

export type SlashPorts = {
  readonly screen: Screen;
  readonly conversation: Conversation;
  readonly link: Link;
  readonly columns: number;
  leave(): void;
};

const HELP = [
  ['/new', 'start a new conversation'],
  ['/sessions', 'list the conversations'],
  ['/session KEY', 'go over to one of them'],
  ['/status', 'how the gateway is'],
  ['/help', 'show this'],
  ['/exit', 'leave (so does Ctrl-D)'],
] as const;
const NAMES = ['new', 'sessions', 'session', 'status', 'help', 'exit', 'quit'];

/** null: it is no command but something to say. */
export function parseSlash(text: string): { readonly name: string; readonly rest: string } | null {
  const found = /^\/([a-z]+)(?:\s+(.*))?$/.exec(text.trim());
  return found ? { name: found[1] ?? '', rest: (found[2] ?? '').trim() } : null;
}

export async function runSlash(ports: SlashPorts, name: string, rest: string): Promise<void> {
  const { screen, conversation } = ports;
  switch (name) {
    case 'new':
      return conversation.open(canonicalKey(`chat-${newToken(4)}`));
    case 'session':
      if (rest !== '') return conversation.open(canonicalKey(rest));
      return screen.line(span('dim', `this is ${shortKey(conversation.key)}; /session KEY goes over to another`));
    case 'sessions':
      return listSessions(ports);
    case 'status':
      return showStatus(ports);
    case 'help':
      for (const [command, meaning] of HELP) screen.line(span('bold', command.padEnd(14)), meaning);
      screen.line(span('dim', 'Ctrl-C stops the turn; a second one within two seconds leaves'));
      return;
    case 'exit':
    case 'quit':
      return ports.leave();
    default: {
      const near = nearestWord(name, NAMES);
      return screen.line(
        `there is no command /${name}`,
        near === undefined ? '; /help lists them' : `, did you mean /${near}?`,
      );
    }
  }
}

async function listSessions({ screen, link, columns }: SlashPorts): Promise<void> {
  const { sessions, total } = readSessions(await link.request('sessions.list', { limit: 20 }));
  const now = Date.now();
  const rows = sessions.map((row) => [
    shortKey(row.key),
    row.title,
    row.running ? 'running' : formatAgo(row.updatedAtMs, now),
  ]);
  const lines = tableLines([{ title: 'KEY' }, { title: 'TITLE', flexible: true }, { title: 'USED' }], rows, columns);
  for (const line of lines) screen.line(line);
  if (total > sessions.length) screen.line(span('dim', `${total - sessions.length} more: openclaw sessions list`));
}

async function showStatus({ screen, link, conversation }: SlashPorts): Promise<void> {
  const status = objectOf(await link.request('status', {}));
  const model = objectOf(status['model']);
  const sandbox = objectOf(status['sandbox']);
  screen.line(`session  ${shortKey(conversation.key)}`);
  screen.line(`model    ${textOf(model['primary'])}${model['offline'] === true ? ' (offline: no key is set)' : ''}`);
  screen.line(`sandbox  ${textOf(sandbox['driver']) || 'off'}: ${textOf(sandbox['detail'])}`);
  screen.line(`gateway  ${textOf(status['version'])}, up ${formatDuration(Number(status['uptimeMs']) || 0)}`);
}
