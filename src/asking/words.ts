// Owns the sentences about questions to the owner in a chat. Plain text; the arguments stand whole and fenced, or the
// letter says where they can be seen. It must never shorten what is to be approved.
import { ANSWERS, type Approval, nameOf } from '../policy/approvals/approval.ts';
import type { Line } from '../policy/approvals/approvals.ts';

/** Discord takes 2,000 characters, and Markdown may make them more. */
const MAX_CHARS = 1_700;
const MAX_SOURCES = 5;

type Card = readonly Approval[];

/** Whether a chat can show it whole, and unmistakably: what it holds must not end the fence that it stands in. */
export const fitsChat = (card: Card): boolean =>
  whole(card).length <= MAX_CHARS && !card.some((one) => fenced(one).includes('```'));

export function letterOf(card: Card): string {
  if (fitsChat(card)) return whole(card);
  const code = codeOf(card);
  const hint = `It is too long to be shown here whole, so it can only be denied here: no ${code}`;
  return [...head(card), hint, `To see it and decide: openclaw approvals show ${code}, or the page.`].join('\n');
}

/** They name the question by its id: a code comes again, and a button stays. */
export function buttonsOf(card: Card): { label: string; says: string }[] {
  const [{ id = '', always = null, task = null } = {}] = card;
  const [yes, no] = [`/approve ${id}`, `/deny ${id}`];
  if (card.length > 1) {
    const deny = { label: 'Deny all', says: `${no} all` };
    return fitsChat(card) ? [{ label: 'Allow all once', says: `${yes} all` }, deny] : [deny];
  }
  const deny = { label: 'Deny', says: no };
  if (!fitsChat(card)) return [deny];
  return [
    { label: 'Allow once', says: yes },
    deny,
    ...(task ? [{ label: 'For this task', says: `${yes} task` }] : []),
    ...(always ? [{ label: 'Always', says: `${yes} always` }] : []),
  ];
}

const codeOf = ([first]: Card): string => first?.code ?? '';

function head(card: Card): string[] {
  const [first] = card;
  if (!first) return [];
  const { code, tool, asker } = first;
  const who = asker.kind === 'owner' ? 'you' : `${asker.id} (${asker.kind})`;
  const where =
    asker.channel === 'webchat' ? 'on the page or in the terminal' : `in a ${PLACE[asker.place]} on ${asker.channel}`;
  const what = card.length === 1 ? `may I use ${tool}?` : `may I do these ${card.length} things?`;
  return [`Question ${code}: ${what}`, `Asked by ${who}, ${where}.`];
}
const PLACE = { dm: 'direct chat', group: 'group', channel: 'channel' } as const;

/** All that the model had a hand in, where no markup means anything and no line of it can pass for one of ours. */
function fenced({ reason, facts, marks, effects, sources, always, task }: Approval): string {
  const more = sources.length > MAX_SOURCES ? [`${sources.length - MAX_SOURCES} more`] : [];
  return [
    `why: ${reason}`,
    ...facts.map(({ name, value }) => `${name}: ${value}`),
    ...(marks.length > 0 ? [`risky: ${marks.map((mark) => `>>${mark}<<`).join('  ')}`] : []),
    `effect: ${effects.join('; ') || 'none'}`,
    ...(sources.length > 0 ? [`has read: ${[...sources.slice(0, MAX_SOURCES), ...more].join(', ')}`] : []),
    ...(task ? [`for this task would be: ${task.shown}`] : []),
    ...(always ? [`always would be: ${always.shown}`] : []),
  ]
    .map((line) => line.replace(/\n/g, '\n    '))
    .join('\n');
}

function whole(card: Card): string {
  const [first] = card;
  if (!first) return '';
  const { code } = first;
  const isMany = card.length > 1;
  const parts = card.flatMap((one) => [...(isMany ? [`${nameOf(one)}  ${one.tool}`] : []), '```', fenced(one), '```']);
  const answers = isMany
    ? `Answer: yes ${code} for all of it, no ${code} for none, or one by one: yes ${code}.1, no ${code}.2.`
    : `Answer: yes ${code}, or no ${code}.`;
  const more = (word: 'task' | 'always', says: string): string[] => {
    const offered = card.find((one) => one[word] !== null);
    return offered ? [`/approve ${nameOf(offered)} ${word} ${says}`] : [];
  };
  return [
    ...head(card),
    ...parts,
    `${answers} Good for ${spanOf(first)}; no answer is a no.`,
    ...more('task', 'allows what stands there as for this task, until I have answered.'),
    ...more('always', 'allows exactly what stands there as always, for 30 days at most.'),
  ].join('\n');
}

function spanOf({ createdAtMs, expiresAtMs }: Approval): string {
  const minutes = Math.round((expiresAtMs - createdAtMs) / 60_000);
  return minutes >= 120 ? `${Math.round(minutes / 60)} hours` : `${Math.max(1, minutes)} minutes`;
}

const MAX_NEXT = 5;
const MAX_NEXT_CHARS = 200;

/** A turn ends after its last card; what it would have asked next is told to the owner alone, as facts in a fence. */
export function pausedText(lines: readonly Line[], cards: number): string {
  const [first] = lines;
  const go = 'Nothing is lost: say "go on", and I continue from here.';
  if (first?.question.asker.kind !== 'owner' || first.question.asker.place !== 'dm')
    return `I have asked my owner ${cards} times for this, so I pause. ${go}`;
  const next = lines.slice(0, MAX_NEXT).map(({ question: { tool, facts, effects } }) => {
    const said = facts.map(({ name, value }) => `${name}: ${value}`).join('; ');
    const line = `${tool}: ${said}`.replace(/\s+/g, ' ');
    const shown = line.length > MAX_NEXT_CHARS ? `${line.slice(0, MAX_NEXT_CHARS)}… (${line.length} characters)` : line;
    return [shown, ...effects.map((one) => `    ${one}`)].join('\n').replaceAll('```', "'''");
  });
  const more = lines.length > MAX_NEXT ? [`and ${lines.length - MAX_NEXT} more`] : [];
  return [
    `Paused after ${cards} questions, so that you are not worn down. I would ask next:`,
    '```',
    ...next,
    ...more,
    '```',
    go,
  ].join('\n');
}

/** One line, for whoever was told of it. */
export function closedText(approval: Approval): string {
  const { tool, answered, state } = approval;
  const code = nameOf(approval);
  if (!answered || state === 'pending') return `${code} waits.`;
  const { decision, by } = answered;
  switch (decision) {
    case 'allow-once':
      return `${code} answered: ${tool} is allowed, this once, by ${by}.`;
    case 'allow-task':
      return `${code} answered: ${tool} is allowed for the rest of this task, by ${by}.`;
    case 'allow-always':
      return `${code} answered: allowed always by ${by}: ${tool}. openclaw approvals grants shows it and takes it back.`;
    case 'deny':
      return `${code} answered: ${tool} is denied by ${by}.`;
    case 'expired':
      return `${code} is closed: ${by}. ${tool} did not run.`;
  }
}

/** Of a card, once all of it is closed. */
export const cardClosedText = (card: Card): string => card.map(closedText).join('\n');

export function alreadyText(approval: Approval): string {
  const { answered } = approval;
  const code = nameOf(approval);
  if (!answered) return `${code} is closed already.`;
  const at = `${new Date(answered.atMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  return answered.decision === 'expired'
    ? `${code} is closed since ${at}: ${answered.by}. Your answer changes nothing.`
    : `${code} was answered already: ${ANSWERS[answered.decision]} by ${answered.by}, ${at}. Your answer changes nothing.`;
}

export const noticeText = ({ code, tool }: Approval, mayAnswer: boolean): string =>
  mayAnswer
    ? `I wait for your answer about ${tool}: yes ${code}, no ${code}, or /stop. I read your message after that.`
    : 'I wait for my owner to allow something, and read your message after that. /stop ends it.';
