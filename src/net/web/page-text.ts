// Owns the reading of a page from its bytes: which letters they are, and which text. Pure; whoever calls it for HTML does so
// aside (read-aside.ts), where it can be ended.
import { type PageText, textOfHtml } from './html-text.ts';

export type PageBytes = {
  readonly bytes: Uint8Array;
  readonly kind: 'html' | 'text';
  /** of the header, or '' */
  readonly charset: string;
  readonly url: string;
  readonly maxChars: number;
};

export function readBytes({ bytes, kind, charset, url, maxChars }: PageBytes): PageText {
  const text = decoded(bytes, charset, kind === 'html');
  if (kind === 'html') return textOfHtml(text, url, maxChars);
  return { title: '', text: text.slice(0, maxChars).toWellFormed(), isCut: text.length > maxChars };
}

const META = /<meta[^>]{0,300}?charset\s{0,9}=\s{0,9}["']?([\w-]{1,40})/i;

/** What stands first in the bytes counts before what the server says, that before what the page says of itself. */
export function decoded(bytes: Uint8Array, charset: string, isHtml: boolean): string {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 2_048));
  const said = isHtml ? (META.exec(head.toString('latin1'))?.[1] ?? '') : '';
  for (const label of [markOf(head), charset, /^utf-?16/i.test(said) ? 'utf-8' : said]) {
    const text = decodedAs(label, bytes);
    if (text !== null) return text;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // Half a letter at the end of what was cut is no other alphabet.
    const text = new TextDecoder().decode(bytes);
    const wrong = text.indexOf('\ufffd');
    return wrong >= text.length - 4 ? text : new TextDecoder('windows-1252').decode(bytes);
  }
}

function markOf(head: Buffer): string {
  if (head.subarray(0, 3).equals(Buffer.of(0xef, 0xbb, 0xbf))) return 'utf-8';
  if (head.subarray(0, 2).equals(Buffer.of(0xff, 0xfe))) return 'utf-16le';
  return head.subarray(0, 2).equals(Buffer.of(0xfe, 0xff)) ? 'utf-16be' : '';
}

/** Null where nobody knows such letters. */
function decodedAs(label: string, bytes: Uint8Array): string | null {
  if (label === '') return null;
  try {
    return new TextDecoder(label).decode(bytes);
  } catch {
    return null;
  }
}
