// Owns whether a mail is what its From says: a DKIM signature of the sender's own domain, checked here and now. What the
// mail claims about itself (Authentication-Results) is not looked at, and whatever cannot be checked is not verified.
import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { domainOf } from '../../net/mail-words.ts';
import { reasonOf } from '../../platform/errors.ts';
import { type Header, isAddressedTo, type Mail, repeated, valueIn } from './headers.ts';

export type ResolveTxt = (name: string) => Promise<string[][]>;
/** `seal` names the signed mail, whatever a relay adds around it. */
export type Evidence =
  | { readonly isVerified: true; readonly seal: string }
  | { readonly isVerified: false; readonly reason: string };

const MAX_SIGNATURES = 3;
const MIN_RSA_BITS = 1024;
const MAX_RSA_BITS = 8192;
const SKEW_S = 24 * 3600;
/** Longer than any server keeps trying to deliver, and shorter than we remember what was read: an old mail that somebody
 *  hands in again must not count as a new word of its sender. */
const MAX_AGE_S = 7 * 24 * 3600;
/** What the model or the deduplication relies on must be signed where the mail has it. */
const MUST_SIGN = ['from', 'subject', 'message-id'];
const ED25519_DER = Buffer.from('302a300506032b6570032100', 'hex');

type Tags = ReadonlyMap<string, string>;
class Refused extends Error {}
const refuse = (reason: string): never => {
  throw new Refused(reason);
};

/** SPF is not looked at: it speaks about the server that handed the mail to the provider, which we never see. */
export async function evidenceOf(
  mail: Mail,
  from: string,
  own: string,
  atMs: number,
  resolveTxt: ResolveTxt,
): Promise<Evidence> {
  const domain = domainOf(from);
  const no = (reason: string): Evidence => ({ isVerified: false, reason });
  if (!mail.isWellFormed) return no('its head is malformed');
  const twice = repeated(mail.headers);
  if (twice !== null) return no(`it has several ${twice} headers`);
  const signatures = mail.headers.filter((header) => header.name === 'dkim-signature');
  if (signatures.length === 0) return no('nobody signed it');
  let reason = `no signature is of ${domain}`;
  let tried = 0;
  for (const header of signatures) {
    const tags = tagsOf(valueIn(header));
    const signer = tags?.get('d')?.toLowerCase() ?? '';
    if (!tags || !isDomainOrParent(signer, domain)) continue;
    tried += 1;
    if (tried > MAX_SIGNATURES) break;
    try {
      await check(mail, header, tags, { signer, domain, own, atS: atMs / 1_000 }, resolveTxt);
      return {
        isVerified: true,
        seal: createHash('sha256')
          .update(tags.get('b') ?? '')
          .digest('hex'),
      };
    } catch (error) {
      reason = error instanceof Refused ? error.message : `its signature could not be checked: ${reasonOf(error)}`;
    }
  }
  return no(reason);
}

/** A domain may sign for those below it, which it has handed out; never the other way round. */
const isDomainOrParent = (signer: string, domain: string): boolean =>
  signer === domain || (signer.includes('.') && domain.endsWith(`.${signer}`));

type Expected = {
  readonly signer: string;
  readonly domain: string;
  readonly own: string;
  readonly atS: number;
};

async function check(
  mail: Mail,
  header: Header,
  tags: Tags,
  expected: Expected,
  resolveTxt: ResolveTxt,
): Promise<void> {
  const { signer, domain, own, atS } = expected;
  const need = (tag: string): string => tags.get(tag) ?? refuse(`its signature has no ${tag}=`);
  if (need('v') !== '1') refuse('its signature is of an unknown version');
  const algorithm = need('a').toLowerCase();
  if (algorithm !== 'rsa-sha256' && algorithm !== 'ed25519-sha256')
    refuse(`its signature uses ${algorithm.slice(0, 20)}`);
  // A signed beginning lets anybody write an end.
  if (tags.has('l')) refuse('its signature covers only the beginning');
  if (!(tags.get('q') ?? 'dns/txt').includes('dns/txt')) refuse('its key is not in the DNS');
  const until = secondsOf(tags.get('x'));
  const since = secondsOf(tags.get('t'));
  if (until !== null && !(until >= atS)) refuse('its signature has expired');
  if (since !== null && !(since <= atS + SKEW_S)) refuse('its signature is from the future');
  const identity = domainOf((tags.get('i') ?? `@${signer}`).toLowerCase());
  if (!isDomainOrParent(signer, identity)) refuse('its signature is for another domain');

  const signed = need('h').toLowerCase().split(':');
  for (const name of MUST_SIGN) {
    const isThere = name === 'from' || mail.headers.some((one) => one.name === name);
    if (isThere && !signed.includes(name)) refuse(`its ${name} is not signed`);
  }
  // Anybody who ever got a signed mail can hand it on as it is; the recipients it was written for do not change by that.
  const sealed = ['to', 'cc'].filter((name) => signed.includes(name));
  const named = sealed.length === 0 ? mail.headers : mail.headers.filter((one) => sealed.includes(one.name));
  if (!isAddressedTo(named, own)) refuse(`its signed recipients do not include ${own}`);

  const [head = 'simple', text = 'simple'] = (tags.get('c') ?? 'simple/simple').toLowerCase().split('/');
  const modes = new Set(['simple', 'relaxed']);
  if (!modes.has(head) || !modes.has(text)) refuse('its signature uses an unknown form');
  if (hashOf(mail.body, text === 'relaxed') !== need('bh')) refuse('its text was changed after it was signed');

  const selector = need('s');
  if (!/^[\w.-]{1,200}$/.test(selector)) refuse('its selector is malformed');
  const { key, isExact } = keyOf(await record(resolveTxt, `${selector}._domainkey.${signer}`), algorithm);
  if (isExact && identity !== signer) refuse('its key is for exactly one domain');
  const data = Buffer.from(signedHead(mail.headers, header, signed, head === 'relaxed'), 'latin1');
  const signature = Buffer.from(need('b'), 'base64');
  const isGood =
    algorithm === 'rsa-sha256'
      ? verify('sha256', data, key, signature)
      : verify(null, createHash('sha256').update(data).digest(), key, signature);
  if (!isGood) refuse('its signature is wrong');
  const writtenS = since ?? (signed.includes('date') ? dateIn(mail.headers) : null);
  if (writtenS === null) return refuse('nothing that is signed says when it was written');
  if (!(writtenS <= atS + SKEW_S)) refuse('it is dated in the future');
  if (atS - writtenS > MAX_AGE_S) refuse('it was signed long before it arrived, so somebody may have sent it again');
  if (signer !== domain && (await isStrict(resolveTxt, domain, signer)))
    refuse(`${domain} wants signatures of its own`);
}

/** The key record; none, several, or a DNS that does not answer all mean that nothing is verified. */
async function record(resolveTxt: ResolveTxt, name: string): Promise<Tags> {
  const found = await lookUp(resolveTxt, name);
  if (found.length !== 1)
    refuse(found.length === 0 ? `there is no key at ${name}` : `there are several keys at ${name}`);
  return tagsOf(found[0] ?? '') ?? refuse(`the key at ${name} is malformed`);
}

async function lookUp(resolveTxt: ResolveTxt, name: string): Promise<string[]> {
  try {
    return (await resolveTxt(name)).map((parts) => parts.join(''));
  } catch (error) {
    const code = (error as { code?: string }).code ?? '';
    if (code === 'ENOTFOUND' || code === 'ENODATA') return [];
    throw new Refused(`the DNS did not say what is at ${name} (${code === '' ? reasonOf(error) : code})`);
  }
}

function keyOf(tags: Tags, algorithm: string): { key: KeyObject; isExact: boolean } {
  const type = (tags.get('k') ?? 'rsa').toLowerCase();
  const flags = (tags.get('t') ?? '').toLowerCase().split(':');
  if ((tags.get('v') ?? 'DKIM1') !== 'DKIM1') refuse('its key is of an unknown version');
  if (!algorithm.startsWith(`${type}-`)) refuse('its key is of another kind than its signature');
  if (!(tags.get('h') ?? 'sha256').toLowerCase().split(':').includes('sha256')) refuse('its key is not for sha256');
  if (!/(^|:)(\*|email)(:|$)/.test((tags.get('s') ?? '*').toLowerCase())) refuse('its key is not for mail');
  if (flags.includes('y')) refuse('its domain only tries signatures out');
  const bytes = Buffer.from(tags.get('p') ?? '', 'base64');
  if (bytes.length === 0) refuse('its key was withdrawn');
  const isExact = flags.includes('s');
  if (type === 'ed25519') {
    return { key: createPublicKey({ key: Buffer.concat([ED25519_DER, bytes]), format: 'der', type: 'spki' }), isExact };
  }
  const key = createPublicKey({ key: bytes, format: 'der', type: 'spki' });
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== 'rsa' || bits < MIN_RSA_BITS || bits > MAX_RSA_BITS) refuse(`its key has ${bits} bits`);
  return { key, isExact };
}

/** DMARC `adkim=s`, from the policy that is nearest to the sender's domain. */
async function isStrict(resolveTxt: ResolveTxt, domain: string, signer: string): Promise<boolean> {
  for (let name = domain; name.length >= signer.length; name = name.slice(name.indexOf('.') + 1)) {
    const policies = (await lookUp(resolveTxt, `_dmarc.${name}`)).filter((text) =>
      /^v\s*=\s*DMARC1\s*(;|$)/.test(text),
    );
    if (policies.length > 0)
      return (
        tagsOf(policies[0] ?? '')
          ?.get('adkim')
          ?.toLowerCase() === 's'
      );
    if (name === signer) break;
  }
  return false;
}

/** `a=b; c=d` without white space inside values; null when a tag stands twice or is no tag. */
function tagsOf(text: string): Tags | null {
  const tags = new Map<string, string>();
  for (const part of text.split(';')) {
    if (part.trim() === '') continue;
    const at = part.indexOf('=');
    const name = part.slice(0, at).trim();
    if (at === -1 || !/^[a-zA-Z]\w{0,20}$/.test(name) || tags.has(name)) return null;
    tags.set(name, part.slice(at + 1).replace(/\s+/g, ''));
  }
  return tags;
}

function dateIn(headers: readonly Header[]): number | null {
  const header = headers.find(({ name }) => name === 'date');
  const ms = header ? Date.parse(valueIn(header)) : Number.NaN;
  return Number.isNaN(ms) ? null : ms / 1_000;
}

const secondsOf = (text: string | undefined): number | null =>
  text === undefined ? null : /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;

function signedHead(headers: readonly Header[], own: Header, signed: readonly string[], isRelaxed: boolean): string {
  const form = isRelaxed ? relaxedHeader : (line: string) => line;
  const left = new Map<string, Header[]>();
  for (const header of headers) {
    const same = left.get(header.name);
    if (same) same.push(header);
    else left.set(header.name, [header]);
  }
  // The lowest one first: what a relay puts on top is not what was signed.
  const lines = signed.flatMap((name) => left.get(name)?.pop()?.line ?? []).map((line) => `${form(line)}\r\n`);
  return lines.join('') + form(own.line.replace(/([;:\s])b(\s*=)[^;]*/, '$1b$2'));
}

const relaxedHeader = (line: string): string => {
  const at = line.indexOf(':');
  const value = line
    .slice(at + 1)
    .replace(/\r\n/g, '')
    .replace(/[ \t]+/g, ' ');
  return `${line.slice(0, at).trim().toLowerCase()}:${value.trim()}`;
};

const CR = 13;
const LF = 10;

const CHUNK_BYTES = 64 * 1024;

/** Without empty lines at the end; relaxed also without white space at the ends of lines, and with one space for any other. */
function hashOf(body: Buffer, isRelaxed: boolean): string {
  const hash = createHash('sha256');
  if (!isRelaxed) {
    let end = body.length;
    while (end >= 2 && body[end - 2] === CR && body[end - 1] === LF) end -= 2;
    return hash.update(body.subarray(0, end)).update('\r\n').digest('base64');
  }
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let size = 0;
  const write = (byte: number): void => {
    chunk[size++] = byte;
    if (size < CHUNK_BYTES) return;
    hash.update(chunk);
    size = 0;
  };
  let lines = 0;
  let hasSpace = false;
  let isEmpty = true;
  for (let at = 0; at < body.length; at++) {
    const byte = body[at] ?? 0;
    if (byte === 32 || byte === 9) {
      hasSpace = true;
    } else if (byte === CR && body[at + 1] === LF) {
      at += 1;
      lines += 1;
      hasSpace = false;
    } else {
      for (; lines > 0; lines--) {
        write(CR);
        write(LF);
      }
      if (hasSpace) write(32);
      write(byte);
      hasSpace = false;
      isEmpty = false;
    }
  }
  hash.update(chunk.subarray(0, size));
  return hash.update(isEmpty ? '' : '\r\n').digest('base64');
}
