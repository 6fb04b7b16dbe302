// Owns what a mail becomes: a message with the sender that was verified or merely claimed, its text, and references to
// its files. A mail is content: nothing in it decides anything, and nothing attached to it is opened.
import { sha256 } from '../../platform/ids.ts';
import { label } from '../../store/label.ts';
import type { Attachment, InboundMessage } from '../channel.ts';
import { kindOf } from '../media-type.ts';
import { type Evidence, evidenceOf, type ResolveTxt } from './dkim.ts';
import { automaticBecause, fromOf, type Header, messageIdOf, splitMail, threadOf, valuesOf } from './headers.ts';
import type { Head, Mailbox, Part } from './mailbox.ts';
import { apart, oneLine, plainText, textOfHtml } from './text.ts';

/** A mail above this is named and not fetched. */
export const MAX_MAIL_BYTES = 25 * 1024 * 1024;
const MAX_TEXT_CHARS = 20_000;
/** HTML is mostly markup: so much of a part is read to find that text. */
const MAX_PART_BYTES = 512 * 1024;
const MAX_PARTS = 10;
const MAX_ATTACHMENTS = 20;

export type ReadPorts = {
  readonly account: string;
  readonly address: string;
  readonly resolveTxt: ResolveTxt;
  readonly now: () => number;
  /** also what no person has sent: to be looked at, never to be answered */
  readonly alsoAutomatic?: true;
};
export type Read =
  | {
      readonly kind: 'message';
      readonly message: InboundMessage;
      readonly subject: string;
      readonly evidence: Evidence;
    }
  /** `from` is what it claims, or '' */
  | { readonly kind: 'ignored'; readonly because: string; readonly from: string }
  | { readonly kind: 'missed'; readonly what: string };

export async function readMail(box: Mailbox, head: Head, ports: ReadPorts): Promise<Read> {
  const { headers } = splitMail(head.bytes);
  const from = fromOf(headers);
  if ('refused' in from) return { kind: 'ignored', because: from.refused, from: '' };
  const automatic = automaticBecause(headers, from.address, ports.address);
  if (automatic !== null && !ports.alsoAutomatic) return { kind: 'ignored', because: automatic, from: from.address };
  if (head.sizeBytes > MAX_MAIL_BYTES) {
    const mb = (head.sizeBytes / 1e6).toFixed(0);
    return {
      kind: 'missed',
      what: `a mail of ${mb} MB that claims to be from ${from.address} was not fetched, it is too large`,
    };
  }
  const { structure } = head;
  if (structure === null) {
    return {
      kind: 'missed',
      what: `a mail that claims to be from ${from.address} has a structure that cannot be read`,
    };
  }
  const raw = await box.whole(head.uid, MAX_MAIL_BYTES);
  if (!raw) return { kind: 'ignored', because: 'it was deleted meanwhile', from: from.address };
  const mail = splitMail(raw);
  // The head that was signed is the one in these bytes; what the server said of it before only saved the fetch.
  const signedFrom = fromOf(mail.headers);
  if ('refused' in signedFrom || signedFrom.address !== from.address) {
    return { kind: 'ignored', because: 'its head changed while it was read', from: from.address };
  }
  const at = Math.min(head.arrivedAtMs || ports.now(), ports.now());
  const evidence = await evidenceOf(mail, from.address, ports.address, at, ports.resolveTxt);
  const { decodeWords } = await import('postal-mime');
  const subject = await subjectIn(mail.headers);
  const display = oneLine(decodeWords(Buffer.from(from.name, 'latin1').toString('utf8')), 100);
  const attachments = attachmentsOf(structure, `${box.validity}:${head.uid}`, decodeWords);
  const thread = threadOf(mail.headers);
  return {
    kind: 'message',
    subject,
    evidence,
    message: {
      channel: 'mail',
      account: ports.account,
      chat: from.address,
      ...(thread === null ? {} : { thread }),
      messageId: idOf(mail.headers, raw, from.address, evidence),
      chatType: 'direct',
      sender: { id: from.address, ...(display === '' ? {} : { display }) },
      assurance: evidence.isVerified ? 'platform' : 'claimed',
      ...wordsOf(subject, await textOf(box, head.uid, structure), from.address),
      ...(attachments.length === 0 ? {} : { attachments }),
      receivedAtMs: at,
      label: label('untrusted', 'owner', `mail:${from.address}`),
    },
  };
}

/**
 * The sender stands before the Message-ID, so that nobody can use up the id of another one's mail; what is only claimed
 * cannot use up the id of what is verified. Without a usable Message-ID it is the signature, or else the bytes.
 */
function idOf(headers: readonly Header[], raw: Buffer, from: string, evidence: Evidence): string {
  const id = messageIdOf(headers) ?? (evidence.isVerified ? evidence.seal : sha256(raw));
  return `${evidence.isVerified ? '' : 'claimed:'}${from}/${id}`;
}

/**
 * The sender's own words, and apart from them what is quoted or passed on, which somebody else may have written: an answer
 * carries the subject of another one's mail too. It is shown because the sender shows it. A single word, such as an
 * invitation, stands alone.
 */
function wordsOf(subject: string, text: string, from: string): Pick<InboundMessage, 'text' | 'quoted'> {
  const { own, quoted } = apart(text);
  const about = subject === '' || /^\S{1,64}$/.test(own) ? '' : `Subject: ${subject}`;
  const isTheirs = /^(?:re|fwd?|aw|wg|antw|sv|tr)\s*:/i.test(subject);
  const join = (...parts: string[]): string => parts.filter((part) => part !== '').join('\n\n');
  const others = join(isTheirs ? about : '', quoted);
  return {
    text: join(isTheirs ? '' : about, own),
    ...(others === '' ? {} : { quoted: { senderId: from, text: others } }),
  };
}

export async function subjectIn(headers: readonly Header[]): Promise<string> {
  const { decodeWords } = await import('postal-mime');
  const [value = ''] = valuesOf(headers, 'subject');
  return oneLine(decodeWords(Buffer.from(value.slice(0, 4_000), 'latin1').toString('utf8')), 200);
}

/** The Message-ID inside the id of a message. */
export const messageIdIn = (id: string): string | null => /<[^<>]+>$/.exec(id)?.[0] ?? null;

async function textOf(box: Mailbox, uid: number, structure: Part): Promise<string> {
  const { default: PostalMime } = await import('postal-mime');
  const texts: string[] = [];
  let isCut = false;
  for (const part of textParts(structure).slice(0, MAX_PARTS)) {
    const bytes = await box.part(uid, part.part ?? 'TEXT', MAX_PART_BYTES);
    if (!bytes) continue;
    isCut ||= bytes.length >= MAX_PART_BYTES;
    // One part at a time, under a head of our own: what the mail says about its structure is not read twice.
    const own = Buffer.from(
      `Content-Type: ${part.type}; charset="${token(part.parameters?.['charset'], 'utf-8')}"; format=${token(part.parameters?.['format'], 'fixed')}\r\n` +
        `Content-Transfer-Encoding: ${token(part.encoding, '8bit')}\r\n\r\n`,
    );
    const { text = '', html } = await PostalMime.parse(Buffer.concat([own, bytes]));
    const reduced = html === undefined ? { text: plainText(text), isCut: false } : textOfHtml(html, MAX_TEXT_CHARS);
    texts.push(reduced.text);
    isCut ||= reduced.isCut;
  }
  const all = texts.filter((text) => text !== '').join('\n\n');
  if (!isCut && all.length <= MAX_TEXT_CHARS) return all;
  return `${all.slice(0, MAX_TEXT_CHARS).toWellFormed()}\n\n[This mail is longer; it was cut here after ${Math.min(all.length, MAX_TEXT_CHARS)} characters.]`;
}

const token = (text: string | undefined, otherwise: string): string =>
  /^[\w.:-]{1,40}$/.exec(text ?? '')?.[0] ?? otherwise;

const isText = (part: Part): boolean =>
  (part.type === 'text/plain' || part.type === 'text/html') &&
  part.disposition !== 'attachment' &&
  (part.dispositionParameters?.['filename'] ?? part.parameters?.['name']) === undefined;

/** The leaves that are read as text; of alternatives the plain one, if there is any. A mail inside a mail is a file. */
function textParts(part: Part): Part[] {
  if (!part.type.startsWith('multipart/')) return isText(part) ? [part] : [];
  const found = (part.childNodes ?? []).map(textParts);
  if (part.type !== 'multipart/alternative') return found.flat();
  return (
    found.find((one) => one.length > 0 && one.every(({ type }) => type === 'text/plain')) ??
    found.find((one) => one.length > 0) ??
    []
  );
}

function leaves(part: Part): Part[] {
  return part.type.startsWith('multipart/') ? (part.childNodes ?? []).flatMap(leaves) : [part];
}

export const fileCount = (root: Part): number => leaves(root).filter((part) => !isText(part)).length;

function attachmentsOf(root: Part, at: string, decodeWords: (text: string) => string): Attachment[] {
  return leaves(root)
    .filter((part) => !isText(part))
    .slice(0, MAX_ATTACHMENTS)
    .map((part) => {
      const given = part.dispositionParameters?.['filename'] ?? part.parameters?.['name'] ?? '';
      const encoding = /^(base64|quoted-printable)$/.exec(part.encoding ?? '')?.[0] ?? '';
      return {
        ref: `${at}:${part.part ?? 'TEXT'}:${encoding}`,
        kind: kindOf(part.type),
        name:
          oneLine(decodeWords(given.slice(0, 1_000)), 120)
            .replace(/[/\\]/g, '_')
            .replace(/^\.+/, '_') || 'attachment',
        mimeType: /^[a-z0-9.+-]{1,60}\/[a-z0-9.+-]{1,80}$/.exec(part.type)?.[0] ?? 'application/octet-stream',
        sizeBytes:
          part.size === undefined ? null : encoding === 'base64' ? Math.floor((part.size * 57) / 78) : part.size,
      };
    });
}

/** The bytes behind a reference of this file. */
export async function fetchPart(box: Mailbox, ref: string, maxBytes: number): Promise<Uint8Array> {
  const [, validity, uid, part, encoding] = /^(\d+):(\d+):([\d.]+|TEXT):([a-z0-9-]*)$/.exec(ref) ?? [];
  if (validity === undefined || part === undefined) throw new Error('that is no attachment of a mail');
  if (validity !== box.validity) throw new Error('the mailbox was renumbered since, so the attachment cannot be found');
  const factor = encoding === 'base64' ? 78 / 57 : encoding === 'quoted-printable' ? 3.1 : 1;
  const bytes = await box.part(Number(uid), part, Math.ceil(maxBytes * factor) + 1_000);
  if (!bytes) throw new Error('the mail with this attachment is gone');
  const content = decodedBytes(bytes, encoding ?? '');
  if (content.length > maxBytes) throw new Error(`the attachment is larger than ${maxBytes} bytes`);
  return content;
}

function decodedBytes(bytes: Buffer, encoding: string): Uint8Array {
  if (encoding === 'base64') return Buffer.from(bytes.toString('latin1'), 'base64');
  if (encoding !== 'quoted-printable') return bytes;
  const text = bytes.toString('latin1').replace(/=[ \t]{0,80}\r?\n/g, '');
  return Buffer.from(
    text.replace(/=([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
}
