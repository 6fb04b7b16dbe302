// Owns the database connection and its transactions: one writer, WAL, synchronous=FULL. Whatever must survive kill -9
// goes through commit(); nothing else in the program begins a transaction.
import { statSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { EXIT, HardshellError, reasonOf } from '../platform/errors.ts';
import { makePrivate } from '../platform/files.ts';
import { refuseOdd } from './plain.ts';
import { MIGRATIONS } from './schema.ts';

export interface Store {
  prepare(sql: string): StatementSync;
  /** Runs `work` and everything deferred in one durable transaction; throws HardshellError when the disk refuses. */
  commit<T>(work: () => T): T;
  /** Runs with the next commit, at the latest after `DEFER_MS`: for facts that may be derived again after a crash. */
  defer(work: () => void): void;
  /** called inside every transaction, last */
  beforeCommit(hook: () => void): void;
  /** called after a transaction is durable */
  afterCommit(hook: () => void): void;
  /** called after a transaction came to nothing */
  afterRollback(hook: () => void): void;
  /** called when the last transaction is through */
  onClose(hook: () => void): void;
  /** what happens when a deferred transaction fails; the caller of commit() gets its own error thrown */
  onFailure(listener: (error: HardshellError) => void): void;
  /** what stands in the log of writes; its size on the disk does not tell */
  logPages(): number;
  /** Carries the log over into the database as far as nobody reads it. Takes about 3 ms for each thousand pages. */
  checkpoint(): void;
  readonly path: string;
  readonly db: DatabaseSync;
  close(): void;
}

/** Small pages keep the bytes per commit low: a turn writes about 30 kB with 1 kB pages, 70 kB with 4 kB ones. */
const PAGE_BYTES = 1_024;
/** When at the latest: a gateway does it earlier, at a time of its own (rescue/checkpoints.ts). */
const CHECKPOINT_PAGES = 24_000;
const DEFER_MS = 250;
/** larger files are checked only after an unclean end, so that starting stays fast */
const ALWAYS_CHECK_BYTES = 24_000_000;

/** Throws a HardshellError with code DATABASE_CORRUPT when the file is not a sound database. */
export function openStore(path: string): Store {
  const db = openDatabase(path);
  try {
    migrate(db, path);
  } catch (error) {
    db.close();
    throw asStoreError(error, path);
  }
  makePrivate(path);
  return storeOver(db, path);
}

function openDatabase(path: string): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    refuseOdd(path);
    db = new DatabaseSync(path, { timeout: 5_000 });
    db.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
      PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;
      PRAGMA cell_size_check = ON; PRAGMA cache_size = -2000; PRAGMA temp_store = MEMORY;
      PRAGMA journal_size_limit = 16000000;`);
    if (statSync(path).size <= ALWAYS_CHECK_BYTES || !endedCleanly(db)) checkIntegrity(db, path);
    return db;
  } catch (error) {
    db?.close();
    throw asStoreError(error, path);
  }
}

function endedCleanly(db: DatabaseSync): boolean {
  return db.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'meta'`).get() !== undefined
    ? db.prepare(`SELECT value FROM meta WHERE key = 'clean'`).get()?.['value'] === '1'
    : true;
}

function checkIntegrity(db: DatabaseSync, path: string): void {
  const found = db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
  if (found !== 'ok') throw corrupt(path, String(found));
}

function migrate(db: DatabaseSync, path: string): void {
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  if (version > MIGRATIONS.length) {
    const message = `${path} was written by a newer version (schema ${version}, this one knows ${MIGRATIONS.length})`;
    const fix = 'start the newer version again, or restore a snapshot from the snapshots folder beside it';
    throw new HardshellError({ code: 'DATABASE_NEWER', message, fix, exitCode: EXIT.config });
  }
  for (let next = version; next < MIGRATIONS.length; next++) {
    db.exec(`BEGIN IMMEDIATE; ${MIGRATIONS[next]}; PRAGMA user_version = ${next + 1}; COMMIT`);
  }
}

function storeOver(db: DatabaseSync, path: string): Store {
  const before: (() => void)[] = [];
  const after: (() => void)[] = [];
  const undone: (() => void)[] = [];
  const closing: (() => void)[] = [];
  let failed: (error: HardshellError) => void = () => {};
  let deferred: (() => void)[] = [];
  let timer: NodeJS.Timeout | undefined;
  const begin = db.prepare('BEGIN IMMEDIATE');
  const end = db.prepare('COMMIT');
  const undo = db.prepare('ROLLBACK');
  const logState = db.prepare('PRAGMA wal_checkpoint(NOOP)');

  const commit = <T>(work: () => T): T => {
    const riding = deferred;
    deferred = [];
    clearTimeout(timer);
    timer = undefined;
    try {
      begin.run();
      for (const late of riding) late();
      const result = work();
      for (const hook of before) hook();
      end.run();
      for (const hook of after) hook();
      return result;
    } catch (error) {
      if (db.isTransaction) undo.run();
      deferred = [...riding, ...deferred];
      for (const hook of undone) hook();
      throw asStoreError(error, path);
    }
  };
  const flush = (): void => {
    timer = undefined;
    try {
      commit(() => {});
    } catch (error) {
      failed(error as HardshellError);
    }
  };
  return {
    path,
    db,
    prepare: (sql) => db.prepare(sql),
    commit,
    defer(work) {
      deferred.push(work);
      timer ??= setTimeout(flush, DEFER_MS).unref();
    },
    beforeCommit: (hook) => void before.push(hook),
    afterCommit: (hook) => void after.push(hook),
    afterRollback: (hook) => void undone.push(hook),
    onClose: (hook) => void closing.push(hook),
    onFailure: (listener) => {
      failed = listener;
    },
    logPages: () => Number(logState.get()?.['log'] ?? 0),
    checkpoint: () => db.exec('PRAGMA wal_checkpoint(PASSIVE)'),
    close() {
      commit(() => db.exec(`INSERT INTO meta VALUES ('clean', '1') ON CONFLICT DO UPDATE SET value = '1'`));
      for (const hook of closing) hook();
      db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      db.close();
    },
  };
}

/** Called once the gateway begins to accept work: from here on, an end without close() is an unclean one. */
export function markRunning(store: Store): void {
  store.commit(() => store.db.exec(`INSERT INTO meta VALUES ('clean', '0') ON CONFLICT DO UPDATE SET value = '0'`));
}

const SQLITE_PERM = 3;
const SQLITE_READONLY = 8;
const SQLITE_CANTOPEN = 14;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;
const SQLITE_BUSY = 5;
const SQLITE_IOERR = 10;

/** Turns what SQLite says into what a person can act on; our own bugs pass through unchanged. */
function asStoreError(error: unknown, path: string): Error {
  if (error instanceof HardshellError) return error;
  const primary = Number((error as { errcode?: unknown }).errcode ?? 0) & 0xff;
  if (primary === SQLITE_CORRUPT || primary === SQLITE_NOTADB) return corrupt(path, reasonOf(error));
  if (primary === SQLITE_FULL || primary === SQLITE_IOERR) {
    const message = `cannot write ${path}: ${reasonOf(error)}`;
    const fix = `free space on that disk (df -h), then try again; nothing that was accepted is lost`;
    return new HardshellError({ code: 'DISK_FULL', message, fix, httpStatus: 507, cause: error });
  }
  if (primary === SQLITE_CANTOPEN || primary === SQLITE_READONLY || primary === SQLITE_PERM) {
    return new HardshellError({
      code: 'DATABASE_DENIED',
      message: `cannot open ${path}: ${reasonOf(error)}`,
      fix: `ls -ld ${path}* shows what to correct: plain files of this user (0600) on a disk that can be written`,
      exitCode: EXIT.couldNotRun,
      cause: error,
    });
  }
  if (primary === SQLITE_BUSY) {
    return new HardshellError({
      code: 'DATABASE_LOCKED',
      message: `another program holds ${path}`,
      fix: 'stop it, then start again',
      httpStatus: 503,
      cause: error,
    });
  }
  return error instanceof Error ? error : new Error(String(error));
}

function corrupt(path: string, detail: string): HardshellError {
  return new HardshellError({
    code: 'DATABASE_CORRUPT',
    message: `${path} is damaged: ${detail.split('\n')[0]?.slice(0, 160)}`,
    fix: 'restore a snapshot from the snapshots folder beside it',
  });
}
