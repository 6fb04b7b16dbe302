// Owns how a tool call and a question to the owner read in a terminal: one line for the call, the facts of the machine
// for the question. What the model wrote is shown as what it is, escaped, never as our own words.
import { sourceName } from '../../gateway/protocol/source-name.ts';
import { ANSWERS, type Approval, nameOf } from '../../policy/approvals/approval.ts';
import { factLines } from './table.ts';
import { escapeLine, shorten } from './text.ts';
import { formatDuration } from './units.ts';

/** The arguments by which a call is known, in this order; anything else is shown as it is. */
const TELLING = ['command', 'argv', 'path', 'url', 'to', 'query'];

/** `read notes/today.md`, `exec ls -la`, `edit {"path":…}` on one line. */
export function callLine(name: string, args: unknown, columns: number): string {
  const object = args !== null && typeof args === 'object' ? (args as Record<string, unknown>) : {};
  const key = TELLING.find((candidate) => candidate in object);
  const value = key === undefined ? (Object.keys(object).length === 0 ? '' : object) : object[key];
  const told = Array.isArray(value) ? value.join(' ') : typeof value === 'string' ? value : JSON.stringify(value);
  return shorten(escapeLine(`${name} ${told ?? ''}`.trimEnd()), columns);
}

/** The first line of what a failed call said. */
export const failureLine = (text: string, columns: number): string =>
  shorten(escapeLine(text.trim().split('\n', 1)[0] ?? ''), columns);

export function approvalLines(approval: Approval, nowMs: number): string[] {
  const { asker, marks, effects, sources, always, task, answered } = approval;
  const leftMs = approval.expiresAtMs - nowMs;
  const left = leftMs > 0 ? `in ${formatDuration(leftMs)}` : 'now';
  const by =
    asker.id === '' ? '' : `${asker.id} (${asker.place === 'dm' ? 'direct chat' : asker.place} on ${asker.channel})`;
  const facts = factLines([
    ['why', approval.reason],
    ...approval.facts.map((fact): [string, string] => [escapeLine(fact.name), fact.value]),
    ...present('risky', marks.map((mark) => `>>${mark}<<`).join('  ')),
    ...present('effects', effects.join('; ')),
    ...present('asked by', by),
    ...present('has read', sources.map(sourceName).join(', ')),
    ['session', approval.sessionKey],
    ...present('this task', task?.shown ?? ''),
    ...present('always', always?.shown ?? ''),
    ...(answered
      ? present('answer', `${ANSWERS[answered.decision]}, by ${answered.by}`)
      : present('expires', approval.expiresAtMs > 0 ? left : '')),
  ]);
  const name = [nameOf(approval), approval.id].filter((part) => part !== '').join(', ');
  return [
    `${escapeLine(approval.tool)} wants your approval (${escapeLine(name)})`,
    ...facts.map((line) => `  ${line}`),
  ];
}

/** The lines of one card together; what waits is sorted by cards already. */
export function cardsIn(approvals: readonly Approval[]): Approval[][] {
  const cards = new Map<string, Approval[]>();
  for (const one of approvals) {
    const key = one.lines > 1 ? `${one.runId} ${one.code}` : one.id;
    cards.set(key, [...(cards.get(key) ?? []), one]);
  }
  return [...cards.values()];
}

/** A card as a terminal shows it, with its one code. */
export function cardLines(card: readonly Approval[], nowMs: number): string[] {
  const [first] = card;
  const what = card.length === 1 ? 'the last of the calls of one answer waits' : `${card.length} calls of one answer wait together`; // biome-ignore format: one line
  const head = `${what} (${escapeLine(first?.code ?? '')})`;
  return [...(first && first.lines > 1 ? [head] : []), ...card.flatMap((one) => approvalLines(one, nowMs))];
}

const present = (name: string, value: string): [string, string][] => (value === '' ? [] : [[name, value]]);
