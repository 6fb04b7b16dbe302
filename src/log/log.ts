// Owns the log: JSON lines in <state>/logs/openclaw.log, redacted, rotated by size and age. The only sink; it never throws into
// the caller, and control characters cannot reach a terminal through it (JSON escapes them).
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ensureFolder, moveFile, openAppend, removeFile } from '../platform/files.ts';
import { type Redactor, redactValue } from './redact.ts';

export type Level = 'debug' | 'info' | 'warn' | 'error';
export type Fields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  readonly file: string;
  /** after an outside rotation (SIGHUP) */
  reopen(): void;
  close(): void;
}

const ORDER: readonly Level[] = ['debug', 'info', 'warn', 'error'];
const KEEP = 5;
const DAY_MS = 24 * 60 * 60_000;
const LOOK_EVERY_MS = 60 * 60_000;

export type LogOptions = {
  readonly folder: string;
  readonly level: Level;
  readonly maxFileBytes: number;
  /** how many old ones stay beside the one that is written */
  readonly maxFiles?: number;
  /** lines older than this go, also when there are few */
  readonly maxAgeDays?: number;
  readonly now?: () => number;
  readonly redactor: Redactor;
  /** sees every written line as well, for `--verbose` */
  readonly echo?: (line: string) => void;
};

export function openLog(options: LogOptions): Log {
  ensureFolder(options.folder);
  const file = join(options.folder, 'openclaw.log');
  const keep = options.maxFiles ?? KEEP;
  const now = options.now ?? Date.now;
  const maxAgeMs = (options.maxAgeDays ?? Number.POSITIVE_INFINITY) * DAY_MS;
  // A file holds a part of the time only, so that old lines can go without the new ones.
  const partMs = maxAgeMs / (keep + 1);
  let out = openAppend(file);
  let begunAtMs = out.size() > 0 ? begunAt(file, now()) : now();
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  const least = ORDER.indexOf(options.level);

  const rotate = (): void => {
    out.close();
    for (let n = keep - 1; n >= 1; n--) tryMove(`${file}.${n}`, `${file}.${n + 1}`);
    tryMove(file, `${file}.1`);
    out = openAppend(file);
    begunAtMs = now();
  };
  const lookAtAge = (): void => {
    lookedAtMs = now();
    if (out.size() > 0 && now() - begunAtMs > partMs) rotate();
    for (const name of readdirSync(options.folder)) {
      const [, number] = /^openclaw\.log\.(\d+)$/.exec(name) ?? [];
      if (number === undefined) continue;
      const old = join(options.folder, name);
      if (Number(number) > keep || now() - statSync(old).mtimeMs > maxAgeMs - partMs) removeFile(old);
    }
  };
  const write = (level: Level, message: string, fields: Fields = {}): void => {
    if (ORDER.indexOf(level) < least) return;
    const line = lineOf({ time: new Date(now()).toISOString(), level, message, ...plain(fields) }, options.redactor);
    try {
      if (out.size() > options.maxFileBytes) rotate();
      if (now() - lookedAtMs > LOOK_EVERY_MS) lookAtAge();
      out.write(line);
      options.echo?.(line);
    } catch {
      // A full disk must not stop a turn; the store reports it where it matters.
    }
  };
  return {
    file,
    debug: (message, fields) => write('debug', message, fields),
    info: (message, fields) => write('info', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    error: (message, fields) => write('error', message, fields),
    reopen: () => out.reopen(),
    close: () => out.close(),
  };
}

/** Whatever is logged: a field that JSON cannot say must not throw into the caller. */
function lineOf(entry: Fields, redactor: Redactor): string {
  try {
    return redactor.redact(JSON.stringify(entry));
  } catch {
    return JSON.stringify(redactValue(redactor, entry));
  }
}

/** Errors become message and stack; nothing else is special. */
function plain(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key,
      value instanceof Error ? { message: value.message, stack: value.stack } : value,
    ]),
  );
}

/** Not every disk knows when a file was made; then its last line is the best guess. */
function begunAt(file: string, nowMs: number): number {
  const { birthtimeMs, mtimeMs } = statSync(file);
  return birthtimeMs > 0 ? birthtimeMs : Math.min(mtimeMs, nowMs);
}

function tryMove(from: string, to: string): void {
  try {
    moveFile(from, to);
  } catch {
    // not there yet
  }
}
