// Owns encryption of backups as age does it, so that Debian's own `age` opens them without us. The only file that knows the
// library. A passphrase or key is never in a message.
import { Readable } from 'node:stream';
import { EXIT, HardshellError, misused } from '../../platform/errors.ts';
import type { Chunks } from './archive.ts';
import { damaged } from './manifest.ts';

/** Whom it is for: people with a key, or whoever knows the passphrase. */
export type Sealing = { readonly recipients: readonly string[] } | { readonly passphrase: string };
export type Opening = { readonly identities: readonly string[]; readonly passphrase?: string };

export const MIN_PASSPHRASE = 10;
const HEAD = 'age-encryption.org/v1\n';
const HEAD_END = '\n--- ';
/** Each entry in it costs a try for each key; so many of any kind fit in. */
const MAX_HEAD_BYTES = 256 * 1024;
const MAX_RECIPIENTS = 100;

export type Lock = 'none' | 'passphrase' | 'key';

/** From the first bytes of a file; null when they belong to no backup. */
export function lockOf(first: Uint8Array): Lock | null {
  if (first[0] === 0x1f && first[1] === 0x8b) return 'none';
  const text = Buffer.from(first).toString('latin1');
  if (!text.startsWith(HEAD)) return null;
  return text.startsWith('-> scrypt ', HEAD.length) ? 'passphrase' : 'key';
}

export async function newKey(): Promise<{ identity: string; recipient: string }> {
  const { generateX25519Identity, identityToRecipient } = await import('age-encryption');
  const identity = await generateX25519Identity();
  return { identity, recipient: await identityToRecipient(identity) };
}

export async function recipientOf(identity: string): Promise<string> {
  const { identityToRecipient } = await import('age-encryption');
  return identityToRecipient(identity).catch(() => Promise.reject(badKey('the key', 'one line, AGE-SECRET-KEY-1…')));
}

/** Keys of a file as age-keygen writes it. */
export const identitiesIn = (text: string): string[] =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line.startsWith('AGE-SECRET-KEY-'));

export async function encrypt(plain: Chunks, sealing: Sealing): Promise<Chunks> {
  const { Encrypter } = await import('age-encryption');
  const encrypter = new Encrypter();
  if ('passphrase' in sealing) {
    if (sealing.passphrase.length < MIN_PASSPHRASE)
      throw badKey(
        'the passphrase',
        `at least ${MIN_PASSPHRASE} characters: whoever has the file can try as often as they like`,
      );
    encrypter.setPassphrase(sealing.passphrase);
  } else if (sealing.recipients.length > MAX_RECIPIENTS)
    throw badKey(`a list of ${sealing.recipients.length} recipients`, `at most ${MAX_RECIPIENTS}`);
  else for (const one of sealing.recipients) addTo(encrypter, one);
  return (await encrypter.encrypt(
    Readable.toWeb(Readable.from(plain)) as ReadableStream<Uint8Array>,
  )) as unknown as Chunks;
}

/** Throws unless something can be encrypted for each of them. */
export async function checkRecipients(recipients: readonly string[]): Promise<void> {
  const { Encrypter } = await import('age-encryption');
  for (const one of recipients) addTo(new Encrypter(), one);
}

function addTo(encrypter: { addRecipient(one: string): void }, one: string): void {
  try {
    encrypter.addRecipient(one);
  } catch {
    throw badKey(`"${one.slice(0, 80)}"`, 'a recipient such as age1…, which age-keygen prints as the public key');
  }
}

export async function* decrypt(sealed: Chunks, lock: Lock, { identities, passphrase }: Opening): Chunks {
  const { Decrypter } = await import('age-encryption');
  const decrypter = new Decrypter();
  if (lock === 'passphrase') decrypter.addPassphrase(passphrase ?? '');
  else for (const one of identities) decrypter.addIdentity(one);
  let opened: Chunks;
  try {
    opened = (await decrypter.decrypt(
      Readable.toWeb(Readable.from(withHead(sealed))) as ReadableStream<Uint8Array>,
    )) as unknown as Chunks;
  } catch (error) {
    if (error instanceof HardshellError) throw error;
    if (/no identity matched/i.test(String(error))) throw wrongKey(lock);
    throw damaged('its head is cut off or was changed');
  }
  try {
    yield* opened;
  } catch {
    throw damaged('it is cut off or was changed');
  }
}

async function* withHead(chunks: Chunks): Chunks {
  let head: Buffer | null = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (head !== null) {
      head = Buffer.concat([head, chunk]);
      const isWhole = head.subarray(0, MAX_HEAD_BYTES).includes(HEAD_END);
      if (!isWhole && head.length >= MAX_HEAD_BYTES)
        throw damaged(`its head is larger than ${MAX_HEAD_BYTES} bytes: it is for more than anybody has keys`);
      if (isWhole) head = null;
    }
    yield chunk;
  }
}

const wrongKey = (lock: Lock): HardshellError =>
  new HardshellError({
    code: 'BACKUP_LOCKED',
    message:
      lock === 'passphrase' ? 'this passphrase does not open the backup' : 'none of the keys here opens the backup',
    fix:
      lock === 'passphrase'
        ? 'enter the one that it was made with; nothing was changed'
        : 'name the file with its key: --identity FILE; nothing was changed',
    exitCode: EXIT.denied,
  });

const badKey = (what: string, wanted: string): HardshellError =>
  misused('BACKUP_KEY', `${what} cannot be used`, `it takes ${wanted}`);
