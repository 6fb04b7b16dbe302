// Owns the codes that people pass on: how one is made, read back and compared. A code is never stored or logged, only its
// keyed hash is; and nothing that somebody typed is ever repeated at length.
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, randomInt } from 'node:crypto';

/** Without 0 O 1 I, which are mistaken for each other. */
const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';
export const CODE_CHARS = 8;
/** An invitation is tried by strangers in the chat, so it is twice as long: 80 bits. */
export const INVITE_CHARS = 16;

export const newCode = (chars = CODE_CHARS): string =>
  Array.from({ length: chars }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');

/** Keyed, so that a copy of the database alone cannot be searched for the code. */
export const hashCode = (key: Buffer, code: string): string =>
  createHmac('sha256', key).update(`pairing-code\0${code}`).digest('base64url');

export type ReadCode = { readonly code: string } | { readonly problem: string; readonly fix: string };

/** What was typed, as a code: case, blanks and hyphens do not matter; what cannot be one is said, with what was meant. */
export function readCode(typed: string): ReadCode {
  const code = typed.replace(/[\s-]/g, '').toUpperCase();
  const again = 'openclaw pairing list   (shows who waits)';
  if (!/^[\p{L}\p{N}]*$/u.test(code) || code === '') return { problem: 'that is no pairing code', fix: again };
  const odd = [...new Set(code)].filter((char) => !ALPHABET.includes(char));
  const lookAlike = odd.filter((char) => '0O1I'.includes(char));
  if (lookAlike.length > 0 && lookAlike.length === odd.length) {
    const named = lookAlike.map((char) => (char === '0' ? '0 (zero)' : char)).join(' and ');
    return {
      problem: `a code has no ${named}, since 0 and O, 1 and I look alike`,
      fix: `look again: ${lookAlike.some((c) => '0O'.includes(c)) ? '0 or O is a Q, a D or an 8' : '1 or I is an L, a J or a 7'}`,
    };
  }
  if (odd.length > 0) return { problem: 'a code has only the letters A to Z and the digits 2 to 9', fix: again };
  if (code.length !== CODE_CHARS)
    return { problem: `a code has ${CODE_CHARS} characters, and this has ${code.length}`, fix: again };
  return { code };
}

/** The invitation in a first message: the code itself, or what a link to a Telegram bot makes of it. */
export function invitationIn(text: string): string | null {
  if (text.length > 64) return null;
  const found = /^(?:\/start(?:@\w+)?\s+)?([A-HJ-NP-Za-hj-np-z2-9-]{16,24})$/.exec(text.trim());
  const code = found?.[1]?.replace(/-/g, '').toUpperCase();
  return code?.length === INVITE_CHARS ? code : null;
}

const IV_BYTES = 12;
const TAG_BYTES = 16;
const sealKey = (key: Buffer): Buffer => Buffer.from(hkdfSync('sha256', key, '', 'hardshell held message', 32));

export function seal(key: Buffer, text: string): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', sealKey(key), iv);
  return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

/** Null when it was not sealed with this key, or was changed. */
export function unseal(key: Buffer, sealed: Uint8Array): string | null {
  const bytes = Buffer.from(sealed);
  try {
    const decipher = createDecipheriv('aes-256-gcm', sealKey(key), bytes.subarray(0, IV_BYTES));
    decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
    const text = decipher.update(bytes.subarray(IV_BYTES, bytes.length - TAG_BYTES));
    return Buffer.concat([text, decipher.final()]).toString('utf8');
  } catch {
    return null;
  }
}
