// Owns what opens the vault: a key file (0600), a passphrase through argon2id, or a systemd credential. It derives the
// wrapping key and never stores one; a new key file is only ever made here, and never in the place of a missing one.
import { argon2Sync, hkdfSync, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type HardshellError, misconfigured, misused } from '../platform/errors.ts';
import { ensureFolder, moveFile, replaceFile } from '../platform/files.ts';
import { newToken } from '../platform/ids.ts';
import { checkName, quoted, tryReadSecretAt } from './files.ts';
import { estimateBits, MIN_PASSPHRASE_BITS, weaknessOf } from './strength.ts';

export type VaultKey =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'passphrase'; readonly passphrase: string }
  /** `folder` is $CREDENTIALS_DIRECTORY of the unit */
  | { readonly kind: 'systemd'; readonly folder: string; readonly name: string };

/** How the wrapping key is derived; lies in the clear in the vault, and is bound to what it opens. */
export type KeySlot = {
  readonly kind: VaultKey['kind'];
  readonly salt: string;
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
};

export type Stretching = Pick<KeySlot, 'memoryKib' | 'passes' | 'lanes'>;

/** RFC 9106, second recommended choice: 64 MiB, three passes, four lanes. */
const STRETCHING: Stretching = { memoryKib: 65_536, passes: 3, lanes: 4 };
/** A planted vault may ask for neither so little that it is guessable nor so much that it takes the machine down. */
const LIMITS = { memoryKib: [19_456, 1_048_576], passes: [2, 16], lanes: [1, 16] } as const;
const NO_STRETCHING: Stretching = { memoryKib: 0, passes: 0, lanes: 0 };
const KEY_BYTES = 32;
const MIN_KEY_BITS = 128;

export function newSlot(key: VaultKey, stretching = STRETCHING): KeySlot {
  const salt = randomBytes(16).toString('base64url');
  return { kind: key.kind, salt, ...(key.kind === 'passphrase' ? stretching : NO_STRETCHING) };
}

export function isSlot(value: unknown): value is KeySlot {
  const slot = value as KeySlot | null;
  if (typeof slot !== 'object' || slot === null || !/^[\w-]{22}$/.test(slot.salt)) return false;
  if (slot.kind === 'passphrase') {
    return (['memoryKib', 'passes', 'lanes'] as const).every((name) => {
      const [least, most] = LIMITS[name];
      return Number.isInteger(slot[name]) && slot[name] >= least && slot[name] <= most;
    });
  }
  return (
    (slot.kind === 'file' || slot.kind === 'systemd') && slot.memoryKib === 0 && slot.passes === 0 && slot.lanes === 0
  );
}

/** The keys to try, in order: the key itself, and for a file the new one of a rekey that did not end. */
export function wrappingKeys(slot: KeySlot, key: VaultKey): { readonly key: Buffer; readonly adopt: () => void }[] {
  const nothing = (): void => {};
  if (key.kind === 'passphrase') return [{ key: stretch(slot, key.passphrase), adopt: nothing }];
  if (key.kind === 'systemd') return [{ key: derive(slot, readMaterial(key)), adopt: nothing }];
  const tries = [];
  if (existsSync(key.path)) tries.push({ key: derive(slot, readMaterial(key)), adopt: nothing });
  const next = nextPath(key.path);
  if (existsSync(next)) {
    const material = readMaterial({ kind: 'file', path: next });
    tries.push({ key: derive(slot, material), adopt: () => moveFile(next, key.path) });
  }
  if (tries.length === 0) throw missing(key.path);
  return tries;
}

/** Makes the key file of a new vault, unless there is one; a passphrase is judged before it protects anything. */
export function prepareKey(key: VaultKey): void {
  if (key.kind === 'passphrase') checkPassphrase(key.passphrase);
  if (key.kind === 'file' && !existsSync(key.path)) makeKeyFile(key.path);
}

/**
 * The key for a rekey. A new key file is written beside the old one and takes its place when the vault is opened with it,
 * so after the vault was written: at every moment one of the two opens it.
 */
export function prepareNextKey(key: VaultKey): VaultKey {
  if (key.kind !== 'file') {
    prepareKey(key);
    return key;
  }
  const path = nextPath(key.path);
  makeKeyFile(path);
  return { kind: 'file', path };
}

const nextPath = (path: string): string => `${path}.new`;

function makeKeyFile(path: string): void {
  if (!existsSync(dirname(path))) ensureFolder(dirname(path));
  replaceFile(path, `${newToken(KEY_BYTES)}\n`, 0o600);
}

function readMaterial(key: Exclude<VaultKey, { kind: 'passphrase' }>): string {
  if (key.kind === 'systemd') checkName(key.name);
  const path = key.kind === 'file' ? key.path : join(key.folder, key.name);
  const text = tryReadSecretAt(path, { groupMayReadRoots: key.kind === 'systemd' });
  if (text === null) throw missing(path);
  if (estimateBits(text) >= MIN_KEY_BITS) return text;
  throw misconfigured(
    'VAULT_KEY_WEAK',
    `the vault key in ${path} is too weak (less than ${MIN_KEY_BITS} bits)`,
    `openssl rand -hex 32 > ${quoted(path)}   (for a new vault)`,
  );
}

function derive(slot: KeySlot, material: string): Buffer {
  return Buffer.from(
    hkdfSync('sha256', material, Buffer.from(slot.salt, 'base64url'), `vault ${slot.kind}`, KEY_BYTES),
  );
}

function stretch(slot: KeySlot, passphrase: string): Buffer {
  return argon2Sync('argon2id', {
    message: passphrase.normalize('NFKC'),
    nonce: Buffer.from(slot.salt, 'base64url'),
    parallelism: slot.lanes,
    memory: slot.memoryKib,
    passes: slot.passes,
    tagLength: KEY_BYTES,
  });
}

function checkPassphrase(passphrase: string): void {
  const weakness = weaknessOf(passphrase, MIN_PASSPHRASE_BITS);
  if (weakness === null) return;
  throw misused(
    'PASSPHRASE_WEAK',
    `the passphrase ${weakness.why}`,
    'take five or more words that nobody would put together',
  );
}

function missing(path: string): HardshellError {
  return misconfigured(
    'VAULT_KEY_MISSING',
    `the vault is locked: its key is not at ${path}`,
    'put the key back, from where you keep it; without it nothing in the vault can be read',
  );
}
