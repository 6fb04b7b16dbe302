// Owns the head of a mail: its lines exactly as they came, and who they say wrote it. One strict grammar, the same for
// identity and signature, because two parsers that disagree are how senders are forged. It must never guess.
import { addressOf } from '../../net/mail-words.ts';

/** `line` is `Name: value` with its folds and without the last line end, one character per byte, as the signature sees it. */
export type Header = { readonly name: string; readonly line: string };
export type Mail = {
  readonly headers: readonly Header[];
  readonly body: Buffer;
  /** false when the head has bare line ends, lines without a name or NULs: readers would disagree about it */
  readonly isWellFormed: boolean;
};

const MAX_HEAD_BYTES = 256 * 1024;

export function splitMail(raw: Buffer): Mail {
  const end = raw.indexOf('\r\n\r\n');
  const head = raw.subarray(0, Math.min(end === -1 ? raw.length : end, MAX_HEAD_BYTES)).toString('latin1');
  let isWellFormed = end !== -1 && end <= MAX_HEAD_BYTES && !/\0|\r(?!\n)|(?<!\r)\n/.test(head);
  const headers: Header[] = [];
  let lines: string[] = [];
  const finish = (): void => {
    const line = lines.join('\r\n');
    lines = [];
    if (line === '') return;
    const name = /^([!-9;-~]{1,80})[ \t]*:/.exec(line)?.[1];
    if (name === undefined) isWellFormed = false;
    else headers.push({ name: name.toLowerCase(), line });
  };
  for (const line of head.split('\r\n')) {
    if (!/^[ \t]/.test(line)) finish();
    lines.push(line);
  }
  finish();
  return { headers, body: end === -1 ? Buffer.alloc(0) : raw.subarray(end + 4), isWellFormed };
}

export const valueIn = (header: Header): string =>
  header.line
    .slice(header.line.indexOf(':') + 1)
    .replace(/\r\n(?=[ \t])/g, '')
    .trim();

export const valuesOf = (headers: readonly Header[], name: string): string[] =>
  headers.filter((header) => header.name === name).map(valueIn);

/** What a mail may have once at most (RFC 5322 3.6); with two of them, reader and signature may mean different ones. */
const SINGLE = new Set(
  'from sender reply-to to cc subject date message-id in-reply-to references mime-version content-type content-transfer-encoding'.split(
    ' ',
  ),
);

export function repeated(headers: readonly Header[]): string | null {
  const seen = new Set<string>();
  for (const { name } of headers) {
    if (SINGLE.has(name) && seen.has(name)) return name;
    seen.add(name);
  }
  return null;
}

/** A name before the address: quoted strings and words. An unquoted @ is none, so nothing that looks like two addresses passes. */
const NAMED = /^((?:"(?:[^"\\]|\\.)*"|[^"\\<>()@,;:[\]])*)<([^<>\s]+)>$/;

export type From = { readonly address: string; readonly name: string };

/** The one sender, or why there is none. */
export function fromOf(headers: readonly Header[]): From | { readonly refused: string } {
  const values = valuesOf(headers, 'from');
  const [value = ''] = values;
  if (values.length !== 1) return { refused: values.length === 0 ? 'it has no From' : 'it has several From headers' };
  if (value.length > 1_000) return { refused: 'its From is too long' };
  const named = NAMED.exec(value);
  const address = addressOf(named?.[2] ?? value);
  if (address === null) return { refused: 'its From is not one plain address' };
  return {
    address,
    name: (named?.[1] ?? '')
      .trim()
      .replace(/^"(.*)"$/, '$1')
      .replace(/\\(.)/g, '$1'),
  };
}

/** Whether To or Cc name the mailbox itself; what stands in quotes is a name and no recipient. */
export function isAddressedTo(headers: readonly Header[], address: string): boolean {
  const [local = '', domain = ''] = address.toLowerCase().split('@');
  return [...valuesOf(headers, 'to'), ...valuesOf(headers, 'cc')]
    .flatMap((value) =>
      value
        .toLowerCase()
        .replace(/"(?:[^"\\]|\\.)*"/g, ' ')
        .split(/[\s<>,;:()]+/),
    )
    .some((one) => one === `${local}@${domain}` || (one.startsWith(`${local}+`) && one.endsWith(`@${domain}`)));
}

const MESSAGE_ID = /^<[!-;=?-~]{3,250}>$/;

/** The Message-ID, when it is one. */
export const messageIdOf = (headers: readonly Header[]): string | null => {
  const [id = ''] = valuesOf(headers, 'message-id');
  return MESSAGE_ID.test(id) ? id : null;
};

/** The first mail of the conversation: the oldest id that this one refers to, or itself. */
export function threadOf(headers: readonly Header[]): string | null {
  const chain = [...valuesOf(headers, 'references'), ...valuesOf(headers, 'in-reply-to')]
    .flatMap((value) => value.slice(0, 20_000).split(/\s+/))
    .find((id) => MESSAGE_ID.test(id));
  return chain ?? messageIdOf(headers);
}

/** Why a mail was made by a machine, or null. Answering one is how two machines write to each other for ever. */
export function automaticBecause(headers: readonly Header[], from: string, own: string): string | null {
  const first = (name: string): string => (valuesOf(headers, name)[0] ?? '').toLowerCase();
  if (from === own.toLowerCase()) return 'it comes from the mailbox itself';
  if (/^(mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?)([+@-]|$)/.test(from))
    return 'its sender is no person';
  if (!/^(no\b|$)/.test(first('auto-submitted'))) return 'it was sent automatically';
  if (/^(bulk|list|junk|auto[_-]reply)\b/.test(first('precedence'))) return 'it was sent to many';
  if (first('list-id') !== '') return 'it comes from a mailing list';
  if (first('return-path') === '<>') return 'it is a delivery report';
  return headers.some((header) => /^x-auto-?(reply|respond)/.test(header.name)) ? 'it was sent automatically' : null;
}
