// Owns looking things up in the mailbox beside the mails that arrive: a search, and one mail. It has a connection of its
// own, opened when it is needed and closed when it is not, so that no search delays the channel; it only ever reads.

import type { MailFound, MailQuery, MailRead, MailReader } from '../../net/mail-words.ts';
import { reasonOf } from '../../platform/errors.ts';
import { ChannelFailure } from '../channel.ts';
import { fromOf, splitMail } from './headers.ts';
import { fileCount, messageIdIn, type ReadPorts, readMail, subjectIn } from './inbound.ts';
import type { Head, Mailbox } from './mailbox.ts';

const IDLE_MS = 30_000;
const MAX_WAITING = 4;

export function createReader(open: (signal: AbortSignal) => Promise<Mailbox>, ports: ReadPorts) {
  let life = new AbortController();
  let box: Mailbox | null = null;
  let idle: NodeJS.Timeout | undefined;
  let tail: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  const close = (): void => {
    clearTimeout(idle);
    life.abort();
    box = null;
  };

  /** A connection that was left open may be gone by now; a new one is tried once. */
  const work = async <T>(use: (box: Mailbox) => Promise<T>, signal: AbortSignal): Promise<T> => {
    signal.throwIfAborted();
    clearTimeout(idle);
    signal.addEventListener('abort', close);
    try {
      const kept = box;
      if (kept) {
        try {
          return await use(kept);
        } catch (error) {
          if (signal.aborted || !(error instanceof ChannelFailure) || error.family !== 'network') throw error;
          close();
        }
      }
      life = new AbortController();
      if (signal.aborted) life.abort();
      box = await open(life.signal);
      return await use(box);
    } catch (error) {
      if (error instanceof ChannelFailure) close();
      throw signal.aborted ? new Error('it was stopped') : error;
    } finally {
      signal.removeEventListener('abort', close);
      if (box) idle = setTimeout(close, IDLE_MS).unref();
    }
  };

  /** One after another. */
  const inTurn = async <T>(use: (box: Mailbox) => Promise<T>, signal: AbortSignal): Promise<T> => {
    if (waiting >= MAX_WAITING) throw new Error('the mailbox is being searched already; wait for that');
    waiting += 1;
    const mine = tail.then(() => work(use, signal));
    tail = mine.catch(() => {}).finally(() => (waiting -= 1));
    return mine;
  };

  const reader: MailReader = {
    search: (query, signal) => inTurn((from) => search(from, query), signal),
    read: (id, signal) => inTurn((from) => read(from, id, ports), signal),
  };
  return { ...reader, close };
}

async function search(box: Mailbox, query: MailQuery): Promise<MailFound[]> {
  const uids = await box.search(query);
  const found: MailFound[] = [];
  for (const uid of uids.slice(-query.limit).reverse()) {
    const head = await box.head(uid);
    if (head) found.push(await foundOf(box, head));
  }
  return found;
}

async function foundOf(box: Mailbox, head: Head): Promise<MailFound> {
  const { headers } = splitMail(head.bytes);
  const from = fromOf(headers);
  return {
    id: `${box.validity}:${head.uid}`,
    from: 'refused' in from ? '' : from.address,
    subject: await subjectIn(headers),
    arrivedAtMs: head.arrivedAtMs,
    files: head.structure ? fileCount(head.structure) : 0,
  };
}

async function read(box: Mailbox, id: string, ports: ReadPorts): Promise<MailRead> {
  const [, validity, uid] = /^(\d{1,10}):(\d{1,10})$/.exec(id) ?? [];
  if (uid === undefined) throw new Error('that is no id of a mail; search shows ids');
  if (validity !== box.validity) throw new Error('the mailbox was numbered anew since; search again');
  const head = await box.head(Number(uid));
  if (!head) throw new Error('there is no such mail any more');
  const mail = await readMail(box, head, { ...ports, alsoAutomatic: true }).catch((error: unknown) => {
    throw error instanceof ChannelFailure ? error : new Error(`the mail cannot be read: ${reasonOf(error)}`);
  });
  if (mail.kind === 'missed') throw new Error(mail.what);
  if (mail.kind === 'ignored') throw new Error(`the mail cannot be read: ${mail.because}`);
  const { message, subject, evidence } = mail;
  return {
    ...(await foundOf(box, head)),
    ...{ from: message.chat, subject, isVerified: evidence.isVerified },
    because: evidence.isVerified ? '' : evidence.reason,
    messageId: messageIdIn(message.messageId),
    text: withoutSubject(message.text, subject),
    quoted: withoutSubject(message.quoted?.text ?? '', subject),
    attachments: message.attachments ?? [],
  };
}

/** It stands in a field of its own. */
const withoutSubject = (text: string, subject: string): string =>
  text.startsWith(`Subject: ${subject}`) ? text.slice(9 + subject.length).trimStart() : text;
