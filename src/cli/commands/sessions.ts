// Owns `openclaw sessions list` and `sessions show`.
import { sourceName } from '../../gateway/protocol/source-name.ts';
import { HardshellError, misused } from '../../platform/errors.ts';
import {
  canonicalKey,
  type Json,
  listOf,
  type Message,
  numberOf,
  objectOf,
  readMessage,
  readSessions,
  shortKey,
  textOf,
} from '../connect/wire.ts';
import { ask, withClient } from '../connect/with-client.ts';
import type { Context } from '../context.ts';
import { wholeNumber } from '../numbers.ts';
import { type Output, span } from '../output.ts';
import { callLine, failureLine } from '../print/calls.ts';
import { tableLines } from '../print/table.ts';
import { formatAgo, formatTime } from '../print/units.ts';
import type { TargetFlags } from '../target.ts';

const COLUMNS = [
  { title: 'KEY' },
  { title: 'TITLE', flexible: true },
  { title: 'MESSAGES', align: 'right' },
  { title: 'MODEL', flexible: true },
  { title: 'USED' },
] as const;
const LINE = 100;

export async function list(
  context: Context,
  options: TargetFlags & { limit?: string; search?: string },
): Promise<undefined> {
  const { out } = context;
  const limit = wholeNumber(options.limit, '--limit', 50, 1000);
  const query = { limit, ...(options.search === undefined ? {} : { search: options.search }) };
  const answer = await ask(context, options, 'operator.read', 'sessions.list', query);
  const { sessions, total } = readSessions(answer);
  out.data({ sessions: listOf(objectOf(answer)['sessions']), total });
  if (sessions.length === 0) {
    out.note(span('dim', 'no conversations yet; start one with openclaw chat'));
    return;
  }
  const now = Date.now();
  const rows = sessions.map((row) => [
    shortKey(row.key),
    row.title,
    String(row.messageCount),
    row.model,
    row.running ? 'running' : formatAgo(row.updatedAtMs, now),
  ]);
  for (const line of tableLines(COLUMNS, rows, out.width)) out.line(line);
  if (total > sessions.length) out.note(span('dim', `${total - sessions.length} more; use --limit`));
}

export async function show(
  context: Context,
  options: TargetFlags & { limit?: string },
  key: string,
): Promise<undefined> {
  const { out } = context;
  const limit = wholeNumber(options.limit, '--limit', 50, 1000);
  const sessionKey = canonicalKey(key);
  await withClient(context, options, { scopes: ['operator.read'] }, async (client) => {
    const [described, answer] = await Promise.all([
      client.request('sessions.describe', { key: sessionKey }),
      client.request('chat.history', { sessionKey, limit }),
    ]);
    const session = objectOf(described)['session'] ?? null;
    if (session === null) throw unknownSession(sessionKey);
    const history = objectOf(answer);
    const values = listOf(history['messages']);
    out.data({ session, messages: values, total: numberOf(history['totalMessages']) ?? values.length });
    const messages = values.flatMap((value) => readMessage(value) ?? []);
    const total = numberOf(history['totalMessages']) ?? messages.length;
    if (total > messages.length) out.note(span('dim', `${total - messages.length} earlier messages; use --limit`));
    for (const message of messages) printMessage(out, message);
    const read = outsideSources(objectOf(session));
    if (read.length === 0) out.note(span('dim', 'has read nothing but what was written here'));
    else {
      out.line(span('bold', 'has read: '), read.join(', '));
      out.note(
        span('dim', `openclaw sessions clean ${shortKey(sessionKey)}   goes on without it, with your own words alone`),
      );
    }
  });
}

/** What the owner wrote here is no news; the rest by names that say where it came from. */
const outsideSources = (session: Json): string[] =>
  listOf(session['sources']).flatMap((one) => {
    const source = textOf(one);
    const channel = textOf(session['channel']);
    const isOwn = source === `${channel}:${textOf(session['key'])}` || source.startsWith(`${channel}:direct:`);
    if (isOwn || source === '') return [];
    return [sourceName(source)];
  });

export async function clean(
  context: Context,
  options: TargetFlags & { keep?: string },
  key: string,
): Promise<undefined> {
  const { out } = context;
  const { keep = 'own-words' } = options;
  const sessionKey = canonicalKey(key);
  if (keep !== 'own-words' && keep !== 'nothing')
    throw misused(
      'OPTION_UNUSABLE',
      `--keep ${keep} is neither own-words nor nothing`,
      `openclaw sessions clean ${shortKey(sessionKey)} --keep own-words`,
    );
  const { entry } = objectOf(
    await ask(context, options, 'operator.admin', 'sessions.clean', { key: sessionKey, keep }),
  );
  out.data({ key: sessionKey, keep, session: entry ?? null });
  out.line(keep === 'nothing' ? 'begun anew: ' : 'goes on with your own words alone: ', shortKey(sessionKey));
}

function unknownSession(key: string): HardshellError {
  return new HardshellError({
    code: 'SESSION_UNKNOWN',
    message: `there is no session ${key}`,
    fix: 'openclaw sessions list',
  });
}

function printMessage(out: Output, message: Message): void {
  const who = message.role === 'assistant' ? message.model || 'assistant' : message.role;
  if (message.role !== 'tool')
    out.line(span('bold', who), span('dim', message.atMs > 0 ? `  ${formatTime(message.atMs)}` : ''));
  for (const block of message.blocks) {
    if (block.type === 'text' && block.text !== '') out.text(`${block.text}\n`);
    else if (block.type === 'toolCall') out.line(span('dim', `> ${callLine(block.name, block.arguments, LINE)}`));
    else if (block.type === 'toolResult' && block.isError)
      out.line(span('dim', `  failed: ${failureLine(block.text, LINE)}`));
  }
  if (message.role !== 'tool') out.line();
}
