// Owns writing what was taken over beside the configuration: secrets and variables, each only where nothing is. Until the
// configuration stands, all of it can be undone; the old folder is never touched.
import type { Paths } from '../../config/paths.ts';
import { removeFile, replaceFile } from '../../platform/files.ts';
import type { Root } from '../../platform/root.ts';
import { envFileOf, parseEnvText } from '../../secrets/env-file.ts';
import { removeSecret, tryReadSecretAt, writeSecret } from '../../secrets/files.ts';
import { applyMigration, type SecretStores } from '../../secrets/migrate.ts';
import { prepareState } from '../../store/folders.ts';
import type { How, Takeover } from './plan.ts';

const MAX_ENV_BYTES = 256 * 1024;

/** Returns the way back. */
export function writeSecrets(
  { secrets, settings, files, variables }: Takeover,
  paths: Paths,
  stores: SecretStores,
): () => void {
  const undo: (() => void)[] = [];
  const back = (): void => {
    for (const step of undo.splice(0).reverse()) step();
  };
  prepareState(paths);
  try {
    for (const { name, place, how } of secrets.moves) {
      if (how !== 'write') continue;
      undo.push(
        () => void (place === 'vault' ? stores.vault?.remove(name) : removeSecret(stores.credentialsDir, name)),
      );
    }
    applyMigration(secrets, settings, stores);
    for (const { name, value, how } of files) {
      if (how !== 'write') continue;
      writeSecret(stores.credentialsDir, name, value);
      undo.push(() => void removeSecret(stores.credentialsDir, name));
    }
    const added = variables.filter(({ how }) => how === 'write');
    if (added.length > 0) {
      const path = envFileOf(paths.stateDir);
      const before = tryReadSecretAt(path, { maxBytes: MAX_ENV_BYTES });
      const start = before === null ? '' : before.replace(/\n?$/, '\n');
      replaceFile(path, `${start}${added.map(({ name, value }) => `${lineOf(name, value)}\n`).join('')}`);
      undo.push(() => (before === null ? removeFile(path) : replaceFile(path, `${before}\n`)));
    }
    return back;
  } catch (error) {
    back();
    throw error;
  }
}

/** As `.env` reads it back, byte by byte. */
function lineOf(name: string, value: string): string {
  const forms = [value, `'${value}'`, `"${value.replace(/["\\$`]/g, '\\$&')}"`];
  const form = forms.find((one) => sameAfter(`${name}=${one}`, name, value));
  return `${name}=${form ?? JSON.stringify(value)}`;
}

function sameAfter(line: string, name: string, value: string): boolean {
  try {
    const entries = parseEnvText(line, '.env');
    return entries.length === 1 && entries[0]?.name === name && entries[0].value === value;
  } catch {
    return false;
  }
}

/** What would happen to each text in the workspace here; `starters` are those that every new workspace begins with. */
export async function placesOf(
  { notes }: Takeover,
  root: Pick<Root, 'tryRead'> | null,
  starters: Readonly<Record<string, string>>,
): Promise<{ readonly name: string; readonly how: How }[]> {
  return Promise.all(
    notes.map(async ({ name, text }) => {
      const here = (await root?.tryRead(name, MAX_NOTE_BYTES).catch(() => Buffer.alloc(0)))?.toString('utf8') ?? null;
      const how =
        here === null || (here !== text && here === starters[name]) ? 'write' : here === text ? 'keep' : 'other';
      return { name, how } as const;
    }),
  );
}

const MAX_NOTE_BYTES = 1024 * 1024;

export async function writeNotes(
  { notes }: Takeover,
  places: readonly { name: string; how: How }[],
  root: Root,
): Promise<void> {
  for (const { name, how } of places) {
    const text = notes.find((note) => note.name === name)?.text;
    if (how === 'write' && text !== undefined) await root.replace(name, text);
  }
}
