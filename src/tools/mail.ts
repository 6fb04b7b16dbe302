// Owns looking into the owner's mailbox and writing mail, as one tool. What it shows of a mail is somebody else's words and
// labelled as such; what it writes goes to the outbox. It must never change the mailbox, nor reach a server by itself.
import { z } from 'zod';
import { addressOf, domainOf, type MailFound, type MailRead } from '../net/mail-words.ts';
import { HardshellError } from '../platform/errors.ts';
import type { PermittedCall } from '../policy/decide.ts';
import { label } from '../store/label.ts';
import { shownBytes } from './paths.ts';
import type { Tool, ToolEnv, ToolResult } from './tool.ts';

const MAX_RECIPIENTS = 20;
const MAX_SUBJECT_CHARS = 200;
const MAX_TEXT_CHARS = 20_000;
const MAX_SHOWN_CHARS = 20_000;
const DEFAULT_FOUND = 10;
const MAX_FOUND = 20;

const line = (maxChars: number) =>
  z
    .string()
    // Not as a limit of the schema, which is paid for on every turn.
    .refine((text) => text.length <= maxChars, { error: `at most ${maxChars} characters` })
    .refine((text) => !/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/u.test(text), { error: 'one line of plain characters' })
    .optional();

const parameters = z
  .strictObject({
    action: z.enum(['search', 'read', 'draft', 'send']),
    query: line(200),
    from: line(200),
    since: line(10).describe('2026-01-31'),
    limit: z.int().min(1).max(MAX_FOUND).optional(),
    id: line(30),
    to: z.array(z.string()).optional(),
    subject: line(MAX_SUBJECT_CHARS),
    text: z.string().optional(),
    replyTo: line(30).describe('id of the mail that it answers'),
  })
  .superRefine(({ action, id, to, subject, text }, context) => {
    const need = (name: string, value: string | readonly string[] | undefined): void => {
      if ((value ?? '').length === 0) context.addIssue({ code: 'custom', path: [name], message: `${action} needs it` });
    };
    if (action === 'read') need('id', id);
    if (action !== 'draft' && action !== 'send') return;
    need('to', to);
    need('subject', subject?.trim());
    need('text', text?.trim());
    if ((text ?? '').length > MAX_TEXT_CHARS || text?.isWellFormed() === false)
      context.addIssue({ code: 'custom', path: ['text'], message: `at most ${MAX_TEXT_CHARS} whole characters` });
    if ((to ?? []).length > MAX_RECIPIENTS)
      context.addIssue({ code: 'custom', path: ['to'], message: `at most ${MAX_RECIPIENTS} recipients` });
    for (const one of to ?? []) {
      const problem = problemOf(one);
      if (problem !== null) context.addIssue({ code: 'custom', path: ['to'], message: problem });
    }
  });

type Args = z.infer<typeof parameters>;

export const mailTool: Tool<Args> = {
  name: 'mail',
  description: "The owner's mail. A draft waits until the owner sends it.",
  parameters,
  roles: {
    effect: 'message',
    args: {
      ...{ action: 'payload', query: 'payload', from: 'payload', since: 'payload', limit: 'payload', id: 'payload' },
      ...{ to: 'target', subject: 'payload', text: 'payload', replyTo: 'payload' },
    },
    result: 'untrusted',
  },
  effects: ({ action, to = [], subject = '', text = '' }) =>
    action === 'send'
      ? [{ kind: 'mail', to: recipients(to), text: `${subject}\n\n${text}` }]
      : [{ kind: 'mailbox', act: action }],
  async run(call, args, env) {
    try {
      return await done(call, args, env);
    } catch (error) {
      // What a server of mail says may be what somebody wrote.
      if (!(error instanceof HardshellError) || error.code !== 'MAILBOX') throw error;
      const text = `Refused (MAILBOX): ${error.message}.${error.fix ? ` What helps: ${error.fix}` : ''}`;
      return { text, isError: true, label: label('untrusted', 'owner', 'mail:server') };
    }
  },
};

async function done(call: PermittedCall, args: Args, { mail, signal }: ToolEnv): Promise<ToolResult> {
  const desk = mail(call);
  const { action, query = '', from = '', since, limit = DEFAULT_FOUND, id = '' } = args;
  if (action === 'search') {
    const sinceMs = since === undefined ? 0 : Date.parse(`${since}T00:00:00Z`);
    if (Number.isNaN(sinceMs)) throw refused('BAD_DATE', `there is no day ${since}`, 'write it as 2026-01-31');
    return foundIn(await told(desk.search({ text: query.trim(), from: from.trim(), sinceMs, limit }, signal)));
  }
  if (action === 'read') return shown(await told(desk.read(id, signal)));
  const { to = [], subject = '', text = '', replyTo } = args;
  const answered = replyTo === undefined ? null : await told(desk.read(replyTo, signal));
  const letter = { to: recipients(to), subject: subject.trim(), text, replyTo: answered?.messageId ?? '' };
  const { ids, leavesAtMs } = desk.queue(call, letter, action === 'draft');
  const [number = 0] = ids;
  const when =
    action === 'draft'
      ? `is kept; it leaves only when the owner sends it (openclaw outbox send ${number})`
      : leavesAtMs === 0
        ? 'is on its way'
        : `leaves at ${new Date(leavesAtMs).toISOString()}, if nobody stops it`;
  return {
    text: `${action === 'draft' ? 'Draft' : 'Mail'} ${number} to ${letter.to.join(', ')} ${when}.`,
    isError: false,
    label: label('tool-local', 'owner'),
  };
}

/** Each once, in the one spelling that is judged, shown and sent. */
const recipients = (to: readonly string[]): string[] => [...new Set(to.flatMap((one) => addressOf(one) ?? []))];

/** Why it is no address that can be written to, or null. */
function problemOf(to: string): string | null {
  if (addressOf(to) !== null) return null;
  const named = JSON.stringify(to.slice(0, 80));
  if (/[^\x20-\x7e]/.test(to))
    return `${named} has other letters than plain ASCII; write a domain in its xn-- form, if you are sure of it`;
  if (/[<>"(),;:\s]/.test(to)) return `${named} is more than an address; write the address alone, without a name`;
  return `${named} is no mail address`;
}

/** What a server or a connection said, as an ordinary refusal. */
async function told<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof HardshellError || !(error instanceof Error)) throw error;
    throw refused('MAILBOX', error.message.slice(0, 300), (error as { fix?: string }).fix ?? '');
  }
}

const refused = (code: string, message: string, fix: string): HardshellError =>
  new HardshellError({ code, message, fix });

function foundIn(mails: readonly MailFound[]): ToolResult {
  const domains = [...new Set(mails.map(({ from }) => `mail:${from === '' ? 'unknown' : domainOf(from)}`))];
  const rows = mails.map(
    (mail) => `id ${mail.id}, ${dayOf(mail)}, claims to be from ${senderOf(mail)}${filesOf(mail)}\n  ${mail.subject}`,
  );
  return {
    text: mails.length === 0 ? 'No mail was found.' : rows.join('\n'),
    isError: false,
    label: label('untrusted', 'owner', ...(domains.length > MAX_SOURCES ? ['many'] : domains)),
  };
}
const MAX_SOURCES = 16;

function shown(mail: MailRead): ToolResult {
  const { id, subject, text, quoted, isVerified, because, attachments } = mail;
  const evidence = isVerified ? 'verified: its domain has signed it' : `claimed, not verified: ${because}`;
  const whole = [
    `id ${id}, ${dayOf(mail)}`,
    `From: ${senderOf(mail)} (${evidence})`,
    `Subject: ${subject}`,
    ...attachments.map(
      ({ name, mimeType, sizeBytes }) =>
        `Attached, not opened: ${name} (${mimeType}${sizeBytes === null ? '' : `, ${shownBytes(sizeBytes)}`})`,
    ),
    '',
    text,
    ...(quoted === '' ? [] : ['', '[quoted or passed on, written by others:]', quoted]),
  ].join('\n');
  const cut = whole.length > MAX_SHOWN_CHARS ? `${whole.slice(0, MAX_SHOWN_CHARS).toWellFormed()}\n[cut here]` : whole;
  const source = `mail:${mail.from === '' ? 'unknown' : mail.from}`;
  return { text: cut, isError: false, label: label('untrusted', 'owner', source) };
}

const senderOf = ({ from }: MailFound): string => (from === '' ? 'nobody who can be told' : from);
const dayOf = ({ arrivedAtMs }: MailFound): string => new Date(arrivedAtMs).toISOString().slice(0, 16);
const filesOf = ({ files }: MailFound): string => (files === 0 ? '' : `, ${files} ${files === 1 ? 'file' : 'files'}`);
