// Owns the encrypted vault: one file, read afresh at every use, replaced as a whole at every change, one writer at a time.
// It never says a value or a key, and never gives out anything from a file that somebody else changed.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { HardshellError, misconfigured } from '../platform/errors.ts';
import { ensureFolder, replaceFile } from '../platform/files.ts';
import { acquireLock } from '../platform/lock.ts';
import { checkName, checkRotation, checkValue, tryReadPrivate } from './files.ts';
import { newDataKey, readSealed, type Sealed, type Secrets, type StoredSecret, seal } from './vault-format.ts';
import {
  type KeySlot,
  newSlot,
  prepareKey,
  prepareNextKey,
  type Stretching,
  type VaultKey,
  wrappingKeys,
} from './vault-key.ts';

export type VaultEntry = { readonly name: string; readonly createdAtMs: number; readonly rotatedAtMs: number };

export type Vault = {
  list(): VaultEntry[];
  /** null when there is none of that name */
  get(name: string): string | null;
  /** a new one, or a new value for one that is there */
  set(name: string, value: string): void;
  /** a new value for one that must be there, and must differ */
  rotate(name: string, value: string): void;
  /** false when there was none */
  remove(name: string): boolean;
  /** a new data key under a new key; what opened the vault until now opens it no longer */
  rekey(next: VaultKey): void;
};

export type VaultOptions = {
  readonly path: string;
  readonly key: VaultKey;
  readonly now: () => number;
  /** how costly a passphrase is made; only for a new vault or key */
  readonly stretching?: Stretching;
};

const MAX_VAULT_BYTES = 16 * 1024 * 1024;
const MAX_SECRETS = 1_000;

export const vaultPathOf = (stateDir: string): string => join(stateDir, 'vault');
/** Beside the vault it protects a copied vault, not a copied folder: backups leave it out, people may keep it elsewhere. */
export const vaultKeyPathOf = (stateDir: string): string => join(stateDir, 'vault.key');

/** What opens the vault there, so that a command knows what to ask for; null when there is none. */
export function vaultKind(path: string): VaultKey['kind'] | null {
  return existsSync(path) ? readFile(path).slot.kind : null;
}

/** A new, empty vault; makes the key file when there is none. */
export function createVault(options: VaultOptions): Vault {
  const { path, key } = options;
  ensureFolder(dirname(path));
  locked(path, () => {
    if (existsSync(path))
      throw misconfigured('VAULT_EXISTS', `there is a vault at ${path} already`, 'use it, or move it away');
    prepareKey(key);
    const slot = newSlot(key, options.stretching);
    replaceFile(path, seal(new Map(), slot, firstKey(slot, key), newDataKey()), 0o600);
  });
  return openVault(options);
}

/** Fails at once when the key does not fit or the file was changed. */
export function openVault(options: VaultOptions): Vault {
  const { path, now } = options;
  let key = options.key;
  let known: { readonly lock: string; readonly dataKey: Buffer; readonly slot: KeySlot; readonly wrappingKey: Buffer };

  const load = (): Secrets => {
    const sealed = readFile(path);
    if (sealed.lock !== known?.lock) known = unlock(path, sealed, key);
    const secrets = sealed.open(known.dataKey);
    if (secrets === null) throw damaged(path);
    return secrets;
  };
  const change = <T>(edit: (secrets: Map<string, StoredSecret>) => T): T =>
    locked(path, () => {
      const secrets = new Map(load());
      const result = edit(secrets);
      if (secrets.size > MAX_SECRETS)
        throw misconfigured('VAULT_FULL', `a vault holds ${MAX_SECRETS} secrets`, 'remove some');
      replaceFile(path, seal(secrets, known.slot, known.wrappingKey, known.dataKey), 0o600);
      return result;
    });
  load();

  return {
    list: () => [...load()].map(([name, { createdAtMs, rotatedAtMs }]) => ({ name, createdAtMs, rotatedAtMs })),
    get(name) {
      checkName(name);
      return load().get(name)?.value ?? null;
    },
    set(name, value) {
      checkName(name);
      checkValue(value, name);
      change((secrets) => {
        const rotatedAtMs = now();
        secrets.set(name, { value, createdAtMs: secrets.get(name)?.createdAtMs ?? rotatedAtMs, rotatedAtMs });
      });
    },
    rotate(name, value) {
      checkName(name);
      checkValue(value, name);
      change((secrets) => {
        const old = secrets.get(name);
        checkRotation(old?.value ?? null, name, value);
        secrets.set(name, { value, createdAtMs: old?.createdAtMs ?? now(), rotatedAtMs: now() });
      });
    },
    remove(name) {
      checkName(name);
      if (!load().has(name)) return false;
      return change((secrets) => secrets.delete(name));
    },
    rekey(next) {
      locked(path, () => {
        const secrets = load();
        const prepared = prepareNextKey(next);
        const slot = newSlot(prepared, options.stretching);
        replaceFile(path, seal(secrets, slot, firstKey(slot, prepared), newDataKey()), 0o600);
        key = next;
        load();
      });
    },
  };
}

function unlock(path: string, sealed: Sealed, key: VaultKey) {
  const { slot, lock } = sealed;
  if (slot.kind !== key.kind) {
    const message = `the vault ${path} opens with ${KINDS[slot.kind]}, not with ${KINDS[key.kind]}`;
    throw misconfigured('VAULT_KEY_KIND', message, `give it ${KINDS[slot.kind]}, or: openclaw secrets vault rekey`);
  }
  for (const one of wrappingKeys(slot, key)) {
    const dataKey = sealed.unwrap(one.key);
    if (dataKey === null) continue;
    one.adopt();
    return { lock, slot, dataKey, wrappingKey: one.key };
  }
  const message = `the vault ${path} does not open with this ${slot.kind === 'passphrase' ? 'passphrase' : 'key'}`;
  throw misconfigured(
    'VAULT_KEY_WRONG',
    message,
    'give the right one; if it is, the file was damaged: take it from a backup',
  );
}

const KINDS: Readonly<Record<VaultKey['kind'], string>> = {
  file: 'a key file',
  passphrase: 'a passphrase',
  systemd: 'a systemd credential',
};

function firstKey(slot: KeySlot, key: VaultKey): Buffer {
  const first = wrappingKeys(slot, key)[0];
  if (first === undefined) throw new Error('a key that was prepared gives a wrapping key');
  return first.key;
}

function readFile(path: string): Sealed {
  const bytes = tryReadPrivate(path, { maxBytes: MAX_VAULT_BYTES });
  if (bytes === null)
    throw misconfigured('VAULT_MISSING', `there is no vault at ${path}`, 'openclaw secrets vault init');
  const sealed = readSealed(bytes);
  if (sealed === null) throw damaged(path);
  return sealed;
}

/** One writer at a time; a holder that died is no holder. */
function locked<T>(path: string, act: () => T): T {
  let lock: ReturnType<typeof acquireLock>;
  try {
    lock = acquireLock(`${path}.lock`, Date.now());
  } catch (error) {
    if (!(error instanceof HardshellError) || error.code !== 'ALREADY_RUNNING') throw error;
    throw misconfigured('VAULT_BUSY', `another command is changing the vault ${path}`, 'wait for it, then try again');
  }
  try {
    return act();
  } finally {
    lock.release();
  }
}

const damaged = (path: string): HardshellError =>
  misconfigured(
    'VAULT_DAMAGED',
    `the vault ${path} was changed or damaged, so nothing in it is used`,
    'take it from a backup',
  );
