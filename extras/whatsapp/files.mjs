// Owns what the side process keeps on disk: the keys of the link, and messages that the gateway has not stored yet. Every
// file is whole or not there (written aside, synced, renamed) and for the owner only.
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

let written = 0;

/** @param {string} path @param {string} text */
export function replaceWhole(path, text) {
  written += 1;
  const aside = `${path}.${process.pid}.${written}.tmp`;
  const file = openSync(aside, 'wx', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(aside, path);
}

/** @param {string} path */
export function readOr(path, /** @type {string | null} */ otherwise = null) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return otherwise;
    throw error;
  }
}

/**
 * The state that Baileys needs, one file a key. A damaged file of the credentials is an error, never a new identity: a
 * new one would unlink the phone without a word.
 * @param {string} folder @param {any} baileys
 */
export function openAuth(folder, { initAuthCreds, BufferJSON, proto }) {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const pathOf = (/** @type {string} */ name) => join(folder, `${name.replaceAll(/[^A-Za-z0-9._@-]/g, '_')}.json`);
  const write = (/** @type {string} */ name, /** @type {unknown} */ value) =>
    replaceWhole(pathOf(name), JSON.stringify(value, BufferJSON.replacer));
  const read = (/** @type {string} */ name) => {
    const text = readOr(pathOf(name));
    return text === null ? null : JSON.parse(text, BufferJSON.reviver);
  };
  const creds = read('creds') ?? initAuthCreds();
  return {
    isLinked: () => creds.me !== undefined,
    save: () => write('creds', creds),
    state: {
      creds,
      keys: {
        get: async (/** @type {string} */ type, /** @type {string[]} */ ids) => {
          const found = ids.map((id) => {
            const value = read(`${type}-${id}`);
            const isSyncKey = type === 'app-state-sync-key' && value !== null;
            return [id, isSyncKey ? proto.Message.AppStateSyncKeyData.fromObject(value) : value];
          });
          return Object.fromEntries(found);
        },
        set: async (/** @type {Record<string, Record<string, unknown>>} */ data) => {
          for (const [type, values] of Object.entries(data)) {
            for (const [id, value] of Object.entries(values)) {
              if (value) write(`${type}-${id}`, value);
              else rmSync(pathOf(`${type}-${id}`), { force: true });
            }
          }
        },
      },
    },
  };
}

/**
 * Messages on their way to the gateway: one file each, gone once the gateway says that it has stored it.
 * @param {string} folder
 */
export function openSpool(folder) {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const waiting = () =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .sort();
  let last = waiting().reduce((highest, name) => Math.max(highest, Number.parseInt(name, 10) || 0), 0);
  return {
    /** @param {unknown} message */
    keep(message) {
      last += 1;
      const id = String(last).padStart(12, '0');
      replaceWhole(join(folder, `${id}.json`), JSON.stringify(message));
      return id;
    },
    /** @param {string} id */
    done: (id) => rmSync(join(folder, `${id.replaceAll(/\D/g, '')}.json`), { force: true }),
    all: () =>
      waiting().map((name) => ({
        id: name.slice(0, -5),
        message: JSON.parse(readFileSync(join(folder, name), 'utf8')),
      })),
  };
}
