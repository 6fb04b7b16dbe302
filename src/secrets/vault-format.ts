// Owns the vault's bytes: how secrets are encrypted, bound to their names and ages, and sealed as a whole. One changed
// byte anywhere, also outside the values, makes all of it unreadable; nothing here touches a file.
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { checkName } from './files.ts';
import { isSlot, type KeySlot } from './vault-key.ts';

export type StoredSecret = { readonly value: string; readonly createdAtMs: number; readonly rotatedAtMs: number };
export type Secrets = ReadonlyMap<string, StoredSecret>;

/** The part that can be read without a key; believed only after the seal was checked. */
export type Sealed = {
  readonly slot: KeySlot;
  /** the wrapped data key with all that is bound to it; equal lines mean an equal data key */
  readonly lock: string;
  unwrap(wrappingKey: Buffer): Buffer | null;
  /** null when anything was changed */
  open(dataKey: Buffer): Secrets | null;
};

const FORMAT = 'hardshell-vault';
const VERSION = 1;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

type Entry = { readonly createdAtMs: number; readonly rotatedAtMs: number; readonly data: string };
type Body = {
  readonly format: string;
  readonly version: number;
  readonly id: string;
  readonly slot: KeySlot;
  readonly key: string;
  readonly secrets: Readonly<Record<string, Entry>>;
};

export const newDataKey = (): Buffer => randomBytes(KEY_BYTES);

/** Two lines: the body as JSON, and the seal over its bytes. */
export function seal(secrets: Secrets, slot: KeySlot, wrappingKey: Buffer, dataKey: Buffer): string {
  const id = randomBytes(16).toString('hex');
  const valueKey = subkey(dataKey, 'values');
  const entries = [...secrets]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { value, ...ages }]) => {
      const data = encrypt(valueKey, value, bindValue(id, name, ages));
      return [name, { ...ages, data }] as const;
    });
  const body: Body = {
    format: FORMAT,
    version: VERSION,
    id,
    slot,
    key: encrypt(wrappingKey, dataKey, bindKey(id, slot)),
    secrets: Object.fromEntries(entries),
  };
  const line = JSON.stringify(body);
  return `${line}\n${sealOf(dataKey, Buffer.from(line)).toString('hex')}\n`;
}

/** null when the bytes are no vault at all. */
export function readSealed(bytes: Buffer): Sealed | null {
  const end = bytes.indexOf(0x0a);
  const line = bytes.subarray(0, end === -1 ? bytes.length : end);
  const mark = /^([0-9a-f]{64})\n$/.exec(bytes.subarray(line.length + 1).toString('latin1'))?.[1];
  const body = mark === undefined ? null : parseBody(line);
  if (body === null || mark === undefined) return null;
  return {
    slot: body.slot,
    lock: JSON.stringify([body.id, body.slot, body.key]),
    unwrap: (wrappingKey) => {
      const key = decrypt(wrappingKey, body.key, bindKey(body.id, body.slot));
      return key?.length === KEY_BYTES ? key : null;
    },
    open(dataKey) {
      if (!timingSafeEqual(sealOf(dataKey, line), Buffer.from(mark, 'hex'))) return null;
      const valueKey = subkey(dataKey, 'values');
      const secrets = new Map<string, StoredSecret>();
      for (const [name, { data, createdAtMs, rotatedAtMs }] of Object.entries(body.secrets)) {
        const value = decrypt(valueKey, data, bindValue(body.id, name, { createdAtMs, rotatedAtMs }));
        if (value === null) return null;
        secrets.set(name, { value: value.toString('utf8'), createdAtMs, rotatedAtMs });
      }
      return secrets;
    },
  };
}

function parseBody(line: Buffer): Body | null {
  try {
    const body = JSON.parse(line.toString('utf8')) as Body | null;
    const whole =
      body?.format === FORMAT &&
      body.version === VERSION &&
      typeof body.id === 'string' &&
      typeof body.key === 'string' &&
      isSlot(body.slot) &&
      typeof body.secrets === 'object' &&
      body.secrets !== null &&
      Object.entries(body.secrets).every(([name, entry]) => isEntry(name, entry));
    return whole ? body : null;
  } catch {
    return null;
  }
}

function isEntry(name: string, entry: unknown): entry is Entry {
  checkName(name);
  const { createdAtMs, rotatedAtMs, data } = (entry ?? {}) as Entry;
  return Number.isSafeInteger(createdAtMs) && Number.isSafeInteger(rotatedAtMs) && typeof data === 'string';
}

/** A list as JSON cannot be read in two ways, as joined strings can. */
const bindKey = (id: string, slot: KeySlot): Buffer =>
  Buffer.from(
    JSON.stringify([FORMAT, VERSION, 'key', id, slot.kind, slot.salt, slot.memoryKib, slot.passes, slot.lanes]),
  );

const bindValue = (id: string, name: string, ages: Pick<Entry, 'createdAtMs' | 'rotatedAtMs'>): Buffer =>
  Buffer.from(JSON.stringify([FORMAT, VERSION, 'value', id, name, ages.createdAtMs, ages.rotatedAtMs]));

const subkey = (dataKey: Buffer, use: string): Buffer =>
  Buffer.from(hkdfSync('sha256', dataKey, Buffer.alloc(0), `${FORMAT} ${VERSION} ${use}`, KEY_BYTES));

const sealOf = (dataKey: Buffer, line: Uint8Array): Buffer =>
  createHmac('sha256', subkey(dataKey, 'seal')).update(line).digest();

/** nonce, ciphertext and tag, in this order. */
function encrypt(key: Buffer, plain: string | Buffer, bound: Buffer): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES }).setAAD(bound);
  const data = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([nonce, data, cipher.getAuthTag()]).toString('base64url');
}

function decrypt(key: Buffer, text: string, bound: Buffer): Buffer | null {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return null;
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(bound).setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    return null;
  }
}
