// Owns finding every secret that lies on this machine for the gateway, whether a setting refers to it or not: what it can
// be asked for, it must know to hide. It hands values to the redactor and to nobody else, and a file that cannot be read
// is none of its business: whoever needs it will say so.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { tryReadText } from '../platform/files.ts';
import { envFileOf, parseEnvText } from './env-file.ts';
import { MAX_SECRET_BYTES } from './files.ts';
import { openVaultOf } from './open-vault.ts';
import { estimateBits, MIN_SECRET_BITS } from './strength.ts';
import { type Vault, vaultKind, vaultPathOf } from './vault.ts';

export type StoredPlaces = {
  readonly stateDir: string;
  readonly credentialsDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
};

const SECRET_NAME =
  /(TOKEN|SECRET|PASSW(OR)?D|PASSPHRASE|_PASS|_PAT|_DSN|API_?KEY|(PRIVATE|ACCESS|AUTH|SIGNING|MASTER)_?KEY|_KEY)$/i;
const MAX_ENV_FILE_BYTES = 256 * 1024;

/**
 * Adds what lies in credentials/, the vault, `.env` and the environment. What it returns looks again, and reads only when
 * something was changed: it may be called for every message.
 */
export function addStoredSecrets(places: StoredPlaces, add: (secret: string) => void): () => void {
  for (const [name, value] of Object.entries(places.env))
    if (value && SECRET_NAME.test(name) && !isWordOrPath(value)) add(value);
  let seen = '';
  const look = (): void => {
    const now = stampOf(places);
    if (now === seen) return;
    seen = now;
    attempt(() => addFiles(places.credentialsDir, add));
    attempt(() => addEnvFile(places.stateDir, add));
    attempt(() => addVault(places, add));
  };
  look();
  return look;
}

/** Every value of an open vault. */
export function addVaulted(vault: Vault, add: (secret: string) => void): void {
  for (const { name } of vault.list()) {
    const value = vault.get(name);
    if (value !== null) add(value);
  }
}

function addFiles(folder: string, add: (secret: string) => void): void {
  for (const name of readdirSync(folder)) {
    // One that others may read is refused elsewhere; it is hidden all the same.
    const text = attempt(() => tryReadText(join(folder, name), MAX_SECRET_BYTES));
    if (!text) continue;
    const fields = text.startsWith('{') ? attempt(() => JSON.parse(text) as unknown) : undefined;
    if (fields === undefined) add(text.trim());
    else addFields(fields, '', add);
  }
}

/** A file of several: those whose name or looks say what they are. */
export function addFields(value: unknown, name: string, add: (secret: string, isNamed: boolean) => void): void {
  if (typeof value === 'string') {
    const isNamed = SECRET_NAME.test(name);
    if (isNamed || looksSecret(value)) add(value, isNamed);
  } else if (value !== null && typeof value === 'object') {
    for (const [key, item] of Object.entries(value)) addFields(item, key, add);
  }
}

function addEnvFile(stateDir: string, add: (secret: string) => void): void {
  const path = envFileOf(stateDir);
  for (const { name, value } of parseEnvText(tryReadText(path, MAX_ENV_FILE_BYTES) ?? '', path))
    if ((SECRET_NAME.test(name) && !isWordOrPath(value)) || looksSecret(value)) add(value);
}

/** Only one that opens without a passphrase: trying that takes a quarter of a second. */
function addVault({ stateDir, env }: StoredPlaces, add: (secret: string) => void): void {
  if (vaultKind(vaultPathOf(stateDir)) !== 'file') return;
  const vault = openVaultOf({ stateDir, env, now: Date.now });
  if (vault) addVaulted(vault, add);
}

/** `DB_PASSWORD=postgres` protects nothing, and hiding that word everywhere would hide what people need to read. */
const isWordOrPath = (value: string): boolean => /^[a-z]{1,12}$/i.test(value) || /^~?\/[\w./-]*$/.test(value);

/** No path, no address, no sentence, and more than anybody would guess. */
const looksSecret = (value: string): boolean =>
  !/^([/~.]|https?:)|\s/.test(value) && value.length <= MAX_SECRET_BYTES && estimateBits(value) >= MIN_SECRET_BITS;

function stampOf({ stateDir, credentialsDir }: StoredPlaces): string {
  const names = attempt(() => readdirSync(credentialsDir)) ?? [];
  const paths = [...names.map((name) => join(credentialsDir, name)), envFileOf(stateDir), vaultPathOf(stateDir)];
  // For every message, so without the cost of an error for what is not there.
  const timeOf = (path: string): number | undefined =>
    attempt(() => statSync(path, { throwIfNoEntry: false })?.mtimeMs);
  return paths.map((path) => `${path} ${timeOf(path)}`).join('\n');
}

function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
