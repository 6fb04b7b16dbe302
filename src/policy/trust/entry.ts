// Owns how the owner's people, chats, hosts and accounts are written in the registry: one spelling each. What could pass
// for something else, or names nothing exactly, is refused.
import { EXIT, HardshellError } from '../../platform/errors.ts';
import { namedIn } from '../flow/canonical.ts';

export const TRUST_KINDS = ['person', 'chat', 'host', 'account'] as const;
export type TrustKind = (typeof TRUST_KINDS)[number];
export type TrustEntry = { readonly kind: TrustKind; readonly value: string };

const MAIL = /^[\p{L}\p{N}._%+-]{1,64}@(?:[\p{L}\p{N}-]{1,63}\.){1,20}\p{L}{2,24}$/u;
const HOST = /^(?:[a-z0-9-]{1,63}\.){1,20}[a-z]{2,24}$/;
/** A chat of a channel, and no address of another kind. */
const CHAT = /^(?!(?:mailto|tel|sms|https?|file):)[a-z]{2,20}:[^\s:]{1,100}(?::[^\s]{1,150})?$/;
const ACCOUNT = /^[A-Z0-9][A-Z0-9._-]{4,63}$/;
const PHONE = /^\+?\d{7,15}$/;

/** Null: it is none of these. */
export function entryOf(kind: TrustKind, written: string): TrustEntry | null {
  const value = FORMS[kind](written.normalize('NFKC').trim());
  // The registry is compared by the same reading, so what that does not find would vouch for nothing.
  return value !== null && namedIn(value).has(value) ? { kind, value } : null;
}

/** The kind that it can only be; a word of digits could be a phone or an account, so that is asked for. */
export function guessKind(written: string): TrustKind | null {
  const text = written.trim();
  if (MAIL.test(text) || /^\+[\d\s()./-]{7,24}$/.test(text)) return 'person';
  if (/^https?:\/\//i.test(text) || HOST.test(text.toLowerCase())) return 'host';
  if (/^[A-Z]{2}\d{2}[A-Z0-9 ]{10,36}$/.test(text)) return 'account';
  return CHAT.test(text) ? 'chat' : null;
}

const FORMS: Readonly<Record<TrustKind, (text: string) => string | null>> = {
  person(text) {
    const mail = text.toLowerCase().replace(/^mailto:/, '');
    if (MAIL.test(mail)) return mail;
    const phone = text.replace(/^tel:/i, '').replace(/[\s()./-]/g, '').replace(/^00(?=[1-9])/, '+'); // biome-ignore format: one chain
    if (PHONE.test(phone)) return phone;
    return /^@[\p{L}\p{N}_.]{2,64}$/u.test(text) ? text.toLowerCase() : null;
  },
  chat(text) {
    const chat = text.replace(/^([a-z]+):default:/, '$1:');
    return CHAT.test(chat) ? chat : null;
  },
  host(text) {
    const url = /^https?:\/\//i.test(text) ? text : `https://${text}`;
    if (!URL.canParse(url)) return null;
    const { hostname, username, password, port, pathname, search, hash } = new URL(url);
    const isBare = [username, password, port, search, hash].every((part) => part === '') && pathname === '/';
    // Letters of other scripts come out as xn--…, which nobody can check by looking.
    return isBare && HOST.test(hostname) && !hostname.includes('xn--') ? hostname : null;
  },
  account(text) {
    const account = text.replace(/\s/g, '').toUpperCase();
    return ACCOUNT.test(account) && /\d/.test(account) ? account : null;
  },
};

export function requireEntry(kind: TrustKind, written: string): TrustEntry {
  const found = entryOf(kind, written);
  if (found !== null) return found;
  throw new HardshellError({
    code: 'TRUST_ENTRY_UNUSABLE',
    message: `${JSON.stringify(written.slice(0, 80))} is no ${kind} that can be told from every other`,
    fix: `write it like ${{ person: 'ann@example.net or +49 171 5550123', chat: 'telegram:123456', host: 'example.net', account: 'DE02120300000000202051' }[kind]}`, // biome-ignore format: one command
    exitCode: EXIT.usage,
  });
}
