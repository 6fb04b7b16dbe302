// Owns the sentences about questions to the owner in a chat. Plain text; the arguments stand whole and fenced, or the
// letter says where they can be seen. It must never shorten what is to be approved.
import type { Approval } from '../policy/approvals/approval.ts';

/** Discord takes 2,000 characters, and Markdown may make them more. */
const MAX_CHARS = 1_700;
const MAX_SOURCES = 5;

/** Whether a chat can show it whole, and unmistakably: what it holds must not end the fence that it stands in. */
export const fitsChat = (approval: Approval): boolean =>
  whole(approval).length <= MAX_CHARS && !fenced(approval).includes('```');

export function letterOf(approval: Approval): string {
  if (fitsChat(approval)) return whole(approval);
  const { code } = approval;
  const hint = `It is too long to be shown here whole, so it can only be denied here: no ${code}`;
  return [...head(approval), hint, `To see it and decide: openclaw approvals show ${code}, or the page.`].join('\n');
}

/** They name the question by its id: a code comes again, and a button stays. */
export function buttonsOf(approval: Approval): { label: string; says: string }[] {
  const { id, always } = approval;
  const deny = { label: 'Deny', says: `/deny ${id}` };
  if (!fitsChat(approval)) return [deny];
  const yes = [{ label: 'Allow once', says: `/approve ${id}` }, deny];
  return always ? [...yes, { label: 'Always', says: `/approve ${id} always` }] : yes;
}

function head({ code, tool, asker }: Approval): string[] {
  const who = asker.kind === 'owner' ? 'you' : `${asker.id} (${asker.kind})`;
  const where =
    asker.channel === 'webchat' ? 'on the page or in the terminal' : `in a ${PLACE[asker.place]} on ${asker.channel}`;
  return [`Question ${code}: may I use ${tool}?`, `Asked by ${who}, ${where}.`];
}
const PLACE = { dm: 'direct chat', group: 'group', channel: 'channel' } as const;

/** All that the model had a hand in, where no markup means anything and no line of it can pass for one of ours. */
function fenced({ reason, facts, marks, effects, sources, always }: Approval): string {
  const more = sources.length > MAX_SOURCES ? [`${sources.length - MAX_SOURCES} more`] : [];
  return [
    `why: ${reason}`,
    ...facts.map(({ name, value }) => `${name}: ${value}`),
    ...(marks.length > 0 ? [`risky: ${marks.map((mark) => `>>${mark}<<`).join('  ')}`] : []),
    `effect: ${effects.join('; ') || 'none'}`,
    ...(sources.length > 0 ? [`has read: ${[...sources.slice(0, MAX_SOURCES), ...more].join(', ')}`] : []),
    ...(always ? [`always would be: ${always.shown}`] : []),
  ]
    .map((line) => line.replace(/\n/g, '\n    '))
    .join('\n');
}

function whole(approval: Approval): string {
  const { code, always } = approval;
  return [
    ...head(approval),
    '```',
    fenced(approval),
    '```',
    `Answer: yes ${code}, or no ${code}. Good for ${spanOf(approval)}; no answer is a no.`,
    ...(always ? [`/approve ${code} always allows exactly what stands there as always, for good.`] : []),
  ].join('\n');
}

function spanOf({ createdAtMs, expiresAtMs }: Approval): string {
  const minutes = Math.round((expiresAtMs - createdAtMs) / 60_000);
  return minutes >= 120 ? `${Math.round(minutes / 60)} hours` : `${Math.max(1, minutes)} minutes`;
}

/** One line, for whoever was told of it. */
export function closedText({ code, tool, answered, state }: Approval): string {
  if (!answered || state === 'pending') return `${code} waits.`;
  const { decision, by } = answered;
  switch (decision) {
    case 'allow-once':
      return `${code} answered: ${tool} is allowed, this once, by ${by}.`;
    case 'allow-always':
      return `${code} answered: allowed always by ${by}: ${tool}. openclaw approvals grants shows it and takes it back.`;
    case 'deny':
      return `${code} answered: ${tool} is denied by ${by}.`;
    case 'expired':
      return `${code} is closed: ${by}. ${tool} did not run.`;
  }
}

export function alreadyText(approval: Approval): string {
  const { code, answered } = approval;
  if (!answered) return `${code} is closed already.`;
  const at = `${new Date(answered.atMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  return answered.decision === 'expired'
    ? `${code} is closed since ${at}: ${answered.by}. Your answer changes nothing.`
    : `${code} was answered already: ${answered.decision} by ${answered.by}, ${at}. Your answer changes nothing.`;
}

export const noticeText = ({ code, tool }: Approval, mayAnswer: boolean): string =>
  mayAnswer
    ? `I wait for your answer about ${tool}: yes ${code}, no ${code}, or /stop. I read your message after that.`
    : 'I wait for my owner to allow something, and read your message after that. /stop ends it.';
