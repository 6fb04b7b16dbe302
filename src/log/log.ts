// Owns the log: JSON lines in <state>/logs/openclaw.log, redacted, rotated by size. The only sink; it never throws into
// the caller, and control characters cannot reach a terminal through it (JSON escapes them).
import { join } from 'node:path';
import { ensureFolder, moveFile, openAppend } from '../platform/files.ts';
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

export type LogOptions = {
  readonly folder: string;
  readonly level: Level;
  readonly maxFileBytes: number;
  readonly redactor: Redactor;
  /** sees every written line as well, for `--verbose` */
  readonly echo?: (line: string) => void;
};

export function openLog(options: LogOptions): Log {
  ensureFolder(options.folder);
  const file = join(options.folder, 'openclaw.log');
  let out = openAppend(file);
  const least = ORDER.indexOf(options.level);

  const rotate = (): void => {
    out.close();
    for (let n = KEEP - 1; n >= 1; n--) tryMove(`${file}.${n}`, `${file}.${n + 1}`);
    tryMove(file, `${file}.1`);
    out = openAppend(file);
  };
  const write = (level: Level, message: string, fields: Fields = {}): void => {
    if (ORDER.indexOf(level) < least) return;
    const line = lineOf({ time: new Date().toISOString(), level, message, ...plain(fields) }, options.redactor);
    try {
      if (out.size() > options.maxFileBytes) rotate();
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

function tryMove(from: string, to: string): void {
  try {
    moveFile(from, to);
  } catch {
    // not there yet
  }
}
