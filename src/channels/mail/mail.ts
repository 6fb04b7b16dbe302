// Owns the mail channel: one mailbox is read as mail arrives, and answers leave by SMTP. Its place in the mailbox is kept
// durably behind the inbox, so a mail is taken in twice (and then known) rather than never.
import { Resolver } from 'node:dns/promises';
import type { Log } from '../../log/log.ts';
import { reasonOf } from '../../platform/errors.ts';
import { UNTRUSTED } from '../../store/label.ts';
import {
  ChannelFailure,
  type ChannelPorts,
  type ConnectedChannel,
  type InboundMessage,
  type Outbound,
  type Receipt,
} from '../channel.ts';
import { askHealth } from '../round-trip.ts';
import type { ResolveTxt } from './dkim.ts';
import { splitMail } from './headers.ts';
import { fetchPart, messageIdIn, readMail, subjectIn } from './inbound.ts';
import { type Head, type Mailbox, openMailbox } from './mailbox.ts';
import { advance, begin, type Place } from './place.ts';
import { checkPost, MAX_FILES_BYTES, type PostFile, post } from './post.ts';
import { createReader } from './search.ts';
import { checkTesting, type MailSettings, type MailTesting } from './settings.ts';
import { oneLine } from './text.ts';

export type MailPorts = {
  /** where in the mailbox it is; what was saved must be there after a crash, an older state only costs a second look */
  readonly place: { load(): string | null; save(text: string): void };
  /** the bytes of a file in the workspace */
  readFile(path: string, maxBytes: number): Promise<Uint8Array>;
  readonly resolveTxt?: ResolveTxt;
  readonly log: Log;
  readonly now: () => number;
};

/** Servers may hang up after 29 minutes of IDLE, and home routers forget a connection long before that. */
const IDLE_MS = 4 * 60_000;
const CHECK_POST_EVERY_MS = 3_600_000;
const MAX_SUBJECTS = 200;
/** A mail that cannot be read this often in a row is named and passed over, so that it cannot close the mailbox for good. */
const MAX_TRIES = 10;

export function openMail(settings: MailSettings, ports: MailPorts, testing: MailTesting = {}): ConnectedChannel {
  checkTesting(testing, settings.imap, settings.smtp);
  const { address, account } = settings;
  const { now } = ports;
  const idleMs = testing.idleMs ?? IDLE_MS;
  const resolveTxt = ports.resolveTxt ?? systemDns();
  const subjects = new Map<string, string>();
  const tries = new Map<number, number>();
  let live: Mailbox | null = null;
  let postedOkAtMs = Number.NEGATIVE_INFINITY;

  const reader = createReader((signal) => openMailbox(settings.imap, testing, signal), {
    ...{ account, address, resolveTxt, now },
  });

  const remember = (messageId: string, subject: string): void => {
    subjects.set(messageId, subject);
    if (subjects.size > MAX_SUBJECTS) subjects.delete(subjects.keys().next().value ?? '');
  };

  /** Takes in what is new, in order; each mail is settled before the place moves behind it. */
  const takeIn = async (box: Mailbox, at: Place, to: ChannelPorts): Promise<Place> => {
    let place = at;
    for (const uid of await box.after(place.uid)) {
      const head = await read(box, uid, () => box.head(uid));
      to.alive();
      if (head === 'unreadable') to.gap(`mail ${uid} of the mailbox could not be read`);
      else if (head && head.arrivedAtMs >= place.floorMs) await settle(box, head, to);
      const arrivedAtMs = head === null || head === 'unreadable' ? place.atMs : head.arrivedAtMs;
      place = advance(place, uid, Math.min(arrivedAtMs, now()));
      tries.delete(uid);
      ports.place.save(JSON.stringify(place));
    }
    return place;
  };

  /** Counts how often reading a mail has cost the connection. */
  const read = async <T>(box: Mailbox, uid: number, what: () => Promise<T>): Promise<T | 'unreadable'> => {
    const failed = tries.get(uid) ?? 0;
    if (failed >= MAX_TRIES) return 'unreadable';
    try {
      return await what();
    } catch (error) {
      if (box === live) tries.set(uid, failed + 1);
      throw error;
    }
  };

  const settle = async (box: Mailbox, head: Head, to: ChannelPorts): Promise<void> => {
    const found = await read(box, head.uid, () =>
      readMail(box, head, { account, address, resolveTxt, now }).catch((error: unknown) => {
        // The connection is another matter than a mail that nobody can read.
        if (error instanceof ChannelFailure) throw error;
        return { kind: 'missed' as const, what: `a mail could not be read: ${reasonOf(error)}` };
      }),
    );
    if (found === 'unreadable') return;
    if (found.kind === 'missed') return to.gap(found.what);
    if (found.kind === 'ignored') return emit(unfitMail(box, head, found), to);
    const { message, evidence } = found;
    if (!evidence.isVerified)
      ports.log.info('mail not verified', { sender: message.sender.id, because: evidence.reason });
    remember(message.messageId, found.subject);
    emit(message, to);
  };

  const unfitMail = (
    box: Mailbox,
    head: Head,
    { because, from }: { because: string; from: string },
  ): InboundMessage => ({
    ...{ channel: 'mail', account, chat: from, messageId: `${box.validity}:${head.uid}`, chatType: 'direct' },
    ...{ sender: { id: from }, assurance: 'claimed', text: '', unfit: because, receivedAtMs: now(), label: UNTRUSTED },
  });

  const emit = (message: InboundMessage, to: ChannelPorts): void => {
    try {
      to.emit(message);
    } catch (error) {
      throw new ChannelFailure('bug', `a mail could not be stored: ${reasonOf(error)}`, 'openclaw doctor');
    }
  };

  const subjectOf = async (outbound: Outbound): Promise<string> => {
    if (outbound.subject) return outbound.subject;
    const known = subjects.get(outbound.replyTo);
    const id = messageIdIn(outbound.replyTo) ?? outbound.thread;
    if (known !== undefined || id === '' || !live) return known ?? '';
    const head = await live.headOf(id).catch(() => null);
    return head ? await subjectIn(splitMail(head).headers) : '';
  };

  return {
    id: 'mail',
    account,
    mailbox: reader,
    idempotent: false,
    maxChars: 100_000,
    maxFileBytes: MAX_FILES_BYTES,
    silenceMs: 2 * idleMs + 60_000,

    async run(to, signal, connected): Promise<void> {
      if (signal.aborted) return;
      let box: Mailbox | null = null;
      try {
        box = await openMailbox(settings.imap, testing, signal);
        let place = await begin(ports.place.load(), `${settings.imap.user}@${settings.imap.host}`, box, now());
        ports.place.save(JSON.stringify(place));
        live = box;
        connected();
        for (;;) {
          to.alive();
          place = await takeIn(box, place, to);
          await box.news(idleMs);
        }
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      } finally {
        live = null;
        box?.close();
        reader.close();
      }
    },

    probe: (signal) =>
      askHealth({
        now,
        failureOf: (error) =>
          error instanceof ChannelFailure ? error : new ChannelFailure('bug', reasonOf(error), 'openclaw logs'),
        async who() {
          const box = live ?? (await openMailbox(settings.imap, testing, signal));
          try {
            await box.noop();
          } finally {
            if (box !== live) box.close();
          }
          return address;
        },
        async also() {
          if (now() - postedOkAtMs <= CHECK_POST_EVERY_MS) return;
          await checkPost(settings, testing, signal);
          postedOkAtMs = now();
        },
      }),

    async send(outbound, signal): Promise<Receipt> {
      const files: PostFile[] = [];
      let left = MAX_FILES_BYTES;
      for (const { path, name, mimeType } of outbound.files) {
        try {
          const bytes = await ports.readFile(path, left);
          left -= bytes.length;
          files.push({ name, mimeType, bytes });
        } catch (error) {
          return { state: 'failed', reason: `${oneLine(name, 80)} cannot go with the mail: ${reasonOf(error)}` };
        }
      }
      const inReplyTo = messageIdIn(outbound.replyTo);
      return await post({ outbound, subject: await subjectOf(outbound), inReplyTo, files }, settings, testing, signal);
    },

    async fetchAttachment(ref, maxBytes, signal): Promise<Uint8Array> {
      signal.throwIfAborted();
      if (!live) throw new ChannelFailure('network', 'the mailbox is not connected', 'try again in a minute');
      return await fetchPart(live, ref, maxBytes);
    },
  };
}

function systemDns(): ResolveTxt {
  const resolver = new Resolver({ timeout: 5_000, tries: 2 });
  return (name) => resolver.resolveTxt(name);
}
