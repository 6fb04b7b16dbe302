// Owns finding an older state folder and reading it: never through a link, never more than a cap, never changing a byte.
// What cannot be read is left out with its reason; only the configuration itself must be readable.
import { existsSync, lstatSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { Paths } from '../../config/paths.ts';
import { FILE_SPELLINGS } from '../../config/spellings.ts';
import { EXIT, HardshellError, reasonOf } from '../../platform/errors.ts';
import { openRoot, type Root } from '../../platform/root.ts';
import { type EnvEntry, parseEnvText } from '../../secrets/env-file.ts';
import type { LeftOut } from './left-out.ts';

export type OldState = {
  /** the folder, without links; null when only a file was named */
  readonly dir: string | null;
  readonly configPath: string;
  /** it is the state folder of this program: only its configuration is rewritten */
  readonly inPlace: boolean;
};

const MAX_ENV_BYTES = 256 * 1024;
const MAX_SECRET_BYTES = 60 * 1024;
const MAX_STORE_BYTES = 1024 * 1024;
const MAX_NOTE_BYTES = 1024 * 1024;
const MAX_NOTES = 2_000;
const NAMES_READ = 2_000;
const OLD_NAMES = ['.clawdbot', '.moltbot'];

/** `from` is a folder or a configuration file; without it the usual places are looked at. */
export function findOldState(paths: Paths, home: string, from?: string): OldState {
  if (from !== undefined) return named(paths, resolve(from.replace(/^~(?=\/|$)/, home)));
  const here = realOf(paths.stateDir);
  const old = OLD_NAMES.map((name) => join(home, name)).filter((path) => existsSync(path) && realOf(path) !== here);
  const [first, ...more] = old.map((path) => named(paths, path));
  if (first && more.length > 0) {
    const message = `there are several older folders: ${old.join(', ')}`;
    throw refused('OLD_STATE_SEVERAL', message, `name one: openclaw migrate --from ${old[0]} --dry-run`, EXIT.usage);
  }
  if (first) return first;
  if (existsSync(paths.configPath)) return { dir: null, configPath: paths.configPath, inPlace: true };
  const message = `there is nothing to take over: no ${OLD_NAMES.map((name) => `~/${name}`).join(', no ')}, no ${paths.configPath}`;
  throw refused('OLD_STATE_MISSING', message, 'openclaw migrate --from /path/to/the/old/folder --dry-run', EXIT.config);
}

function named(paths: Paths, path: string): OldState {
  if (!existsSync(path)) {
    throw refused('OLD_STATE_MISSING', `there is no ${path}`, 'name the old folder or its openclaw.json', EXIT.config);
  }
  const real = realOf(path);
  if (!statSync(real).isDirectory()) {
    const inPlace = real === realOf(paths.configPath);
    // The link itself is refused where it is read.
    return { dir: null, configPath: inPlace ? paths.configPath : path, inPlace };
  }
  const inPlace = real === realOf(paths.stateDir);
  const found = ['openclaw.json', ...FILE_SPELLINGS].find((name) =>
    lstatSync(join(real, name), { throwIfNoEntry: false }),
  );
  return { dir: inPlace ? null : real, configPath: join(real, found ?? 'openclaw.json'), inPlace };
}

export type OldFiles = {
  readonly variables: readonly EnvEntry[];
  /** files of credentials/ that are one secret each */
  readonly credentials: readonly { readonly name: string; readonly value: string }[];
  /** stores of who was let in, by file name */
  readonly stores: readonly { readonly name: string; readonly text: string }[];
  readonly left: readonly LeftOut[];
};

/** `.env` and `credentials/`. */
export async function readOldFiles({ dir }: OldState): Promise<OldFiles> {
  const variables: EnvEntry[] = [];
  const credentials: { name: string; value: string }[] = [];
  const stores: { name: string; text: string }[] = [];
  const left: LeftOut[] = [];
  if (dir === null) return { variables, credentials, stores, left };
  const root = await openRoot(dir);
  try {
    const env = await textOf(root, '.env', MAX_ENV_BYTES, left);
    if (env !== null) variables.push(...parseEnvText(env, join(dir, '.env')));
    for (const { name, kind } of await entriesOf(root, 'credentials', left)) {
      const key = `credentials/${name}`;
      const say = (why: string, loud = true): void => void left.push({ key, why, loud });
      const isStore = /-(allowFrom|pairing)\.json$/.test(name);
      if (kind === 'folder') say('a login of another program; log in again here', false);
      else if (kind !== 'file') say('it is a link or no plain file, and is not followed');
      else if (!isStore && !/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name)) say('it cannot be the name of a secret');
      else if (!isStore && /\.(json|db|sqlite|lock|bak)$/.test(name)) say('nothing here reads it', false);
      else {
        const text = await textOf(root, key, isStore ? MAX_STORE_BYTES : MAX_SECRET_BYTES, left);
        if (text === null) continue;
        if (isStore) stores.push({ name, text });
        else if (text.trim() === '') say('it is empty', false);
        else credentials.push({ name, value: text.replace(/\r?\n$/, '') });
      }
    }
    return { variables, credentials, stores, left };
  } finally {
    await root.close();
  }
}

export type Note = { readonly name: string; readonly text: string };

/** What the assistant wrote down: the texts at the top of its folder, and in memory/. */
export async function readNotes(folder: string, left: LeftOut[]): Promise<Note[]> {
  if (lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  const root = await openRoot(folder);
  try {
    const notes: Note[] = [];
    const other: string[] = [];
    for (const below of ['', 'memory/']) {
      for (const { name, kind } of await entriesOf(root, below.slice(0, -1) || '.', left)) {
        if (name.startsWith('.') || (below === '' && name === 'memory')) continue;
        const path = below + name;
        if (kind === 'other')
          left.push({ key: path, why: 'it is a link or no plain file, and is not followed', loud: true });
        else if (kind === 'folder' || !/\.md$/i.test(name)) other.push(path);
        else if (notes.length >= MAX_NOTES) left.push({ key: path, why: `more than ${MAX_NOTES} notes`, loud: true });
        else {
          const text = await textOf(root, path, MAX_NOTE_BYTES, left);
          if (text !== null) notes.push({ name: path, text });
        }
      }
    }
    const why = 'only AGENTS.md and the other texts at the top and in memory/ are copied; copy by hand what you trust';
    if (other.length > 0) left.push({ key: `in the old workspace: ${shortened(other)}`, why, loud: false });
    return notes;
  } finally {
    await root.close();
  }
}

const shortened = (names: readonly string[]): string =>
  names.length > 8 ? `${names.slice(0, 8).join(', ')} and ${names.length - 8} more` : names.join(', ');

async function entriesOf(root: Root, folder: string, left: LeftOut[]) {
  try {
    const { entries, truncated } = await root.list(folder, NAMES_READ);
    if (truncated) left.push({ key: folder, why: `only ${NAMES_READ} of its files are looked at`, loud: true });
    return entries;
  } catch (error) {
    const missing = error instanceof HardshellError && error.code === 'FILE_MISSING';
    if (!missing) left.push({ key: folder, why: reasonOf(error), loud: true });
    return [];
  }
}

async function textOf(root: Root, path: string, maxBytes: number, left: LeftOut[]): Promise<string | null> {
  try {
    const bytes = await root.tryRead(path, maxBytes);
    if (bytes === null) return null;
    const text = bytes.toString('utf8');
    if (!text.includes('\0') && Buffer.from(text).equals(bytes)) return text;
    left.push({ key: path, why: 'it is not text', loud: true });
  } catch (error) {
    if (!(error instanceof HardshellError)) throw error;
    left.push({ key: path, why: error.message, loud: true });
  }
  return null;
}

/** Whether `path` is `folder` or lies in it. */
export function liesIn(folder: string, path: string): boolean {
  const way = relative(realOf(folder), realOf(path));
  return way === '' || !(way.startsWith('..') || isAbsolute(way));
}

/** As far as it exists. */
function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path === dirname(path) ? path : join(realOf(dirname(path)), basename(path));
  }
}

const refused = (code: string, message: string, fix: string, exitCode: number): HardshellError =>
  new HardshellError({ code, message, fix, exitCode });
