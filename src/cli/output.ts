// Owns what reaches stdout and stderr: data on one, words for people on the other, errors as what, why, what to do.
// Plain strings are escaped on the way out; the only way to colour is a span, so text from outside can never do it.
import type { Readable, Writable } from 'node:stream';
import type { Env } from '../config/paths.ts';
import { EXIT, errnoOf, HardshellError, reasonOf } from '../platform/errors.ts';
import { fileFailure } from '../platform/file-errors.ts';
import { escapeJson, escapeLine, escapeText } from './print/text.ts';

type Screen = Writable & { readonly isTTY?: boolean; readonly columns?: number };
export type Streams = {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Screen;
  readonly stderr: Screen;
};

const STYLES = {
  bold: ['1', '22'],
  dim: ['2', '22'],
  red: ['31', '39'],
  green: ['32', '39'],
  yellow: ['33', '39'],
} as const;
export type Style = keyof typeof STYLES;
export type Span = { readonly style: Style; readonly text: string };
export const span = (style: Style, text: string): Span => ({ style, text });

export type Output = {
  readonly json: boolean;
  /** columns of stdout on a terminal, else 0: never shorten what a program reads */
  readonly width: number;
  readonly streams: Streams;
  /** one line of data for people; silent with --json */
  line(...parts: readonly (string | Span)[]): void;
  /** text of several lines or a piece of a line, as it is but for what a terminal would obey */
  text(text: string): void;
  /** the answer for programs: `{ok:true,data}`; silent without --json */
  data(value: unknown): void;
  /** one JSON value a line, for streams such as `logs --follow --json` */
  record(value: unknown): void;
  /** progress and remarks: stderr */
  note(...parts: readonly (string | Span)[]): void;
  /** prints and returns the exit code; `details` are for programs */
  fail(error: unknown, details?: unknown): number;
  /** a styled, escaped string, for a caller that owns the screen */
  paint(stream: 'stdout' | 'stderr', ...parts: readonly (string | Span)[]): string;
};

export function createOutput(streams: Streams, env: Env, json: boolean): Output {
  const plain = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  const paint: Output['paint'] = (stream, ...parts) => {
    const coloured = !plain && streams[stream].isTTY === true;
    return parts.map((part) => (typeof part === 'string' ? escapeLine(part) : colour(part, coloured))).join('');
  };
  const note: Output['note'] = (...parts) => void streams.stderr.write(`${paint('stderr', ...parts)}\n`);
  const print = (value: unknown): void => {
    const indent = streams.stdout.isTTY ? 2 : undefined;
    streams.stdout.write(`${escapeJson(JSON.stringify(value, null, indent))}\n`);
  };
  return {
    json,
    get width() {
      return streams.stdout.isTTY ? (streams.stdout.columns ?? 80) : 0;
    },
    streams,
    line: (...parts) => {
      if (!json) streams.stdout.write(`${paint('stdout', ...parts)}\n`);
    },
    text: (text) => {
      if (!json) streams.stdout.write(escapeText(text));
    },
    data: (value) => {
      if (json) print({ ok: true, data: value ?? null });
    },
    record: (value) => void streams.stdout.write(`${escapeJson(JSON.stringify(value))}\n`),
    note,
    fail(error, details) {
      const { code, message, fix, exitCode } = describe(error);
      if (json) {
        const more = { ...(fix === undefined ? {} : { hint: fix }), ...(details === undefined ? {} : { details }) };
        print({ ok: false, error: { code, message, ...more } });
      } else {
        note(span('red', 'error:'), ` ${endWithPeriod(message)}`);
        if (fix !== undefined) note(span('bold', 'fix:'), ` ${fix}`);
      }
      if (env['OPENCLAW_DEBUG'] && error instanceof Error) streams.stderr.write(`${escapeText(error.stack ?? '')}\n`);
      return exitCode;
    },
    paint,
  };
}

/**
 * Streams that are opened when they are first used. Their reader may leave early, as in `openclaw logs | head`, which is
 * no error; an answer that cannot be written, on a full disk, is one, and is said where there still is room.
 */
export function guarded(given: Streams): Streams {
  const known = new Set<Screen>();
  const guard = (screen: Screen): Screen => {
    if (known.has(screen)) return screen;
    known.add(screen);
    screen.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(EXIT.ok);
      if (screen !== given.stderr) {
        given.stderr.write(`error: the answer could not be written: ${escapeLine(reasonOf(error))}.\n`);
      }
      process.exit(EXIT.failure);
    });
    return screen;
  };
  return {
    get stdin() {
      return given.stdin;
    },
    get stdout() {
      return guard(given.stdout);
    },
    get stderr() {
      return guard(given.stderr);
    },
  };
}

function colour(part: Span, coloured: boolean): string {
  const text = escapeLine(part.text);
  const [on, off] = STYLES[part.style];
  return coloured ? `\u001b[${on}m${text}\u001b[${off}m` : text;
}

type Described = { code: string; message: string; fix: string | undefined; exitCode: number };

function describe(thrown: unknown): Described {
  const path = (thrown as { path?: unknown } | null)?.path;
  const error = typeof path === 'string' && errnoOf(thrown) ? fileFailure('use', path, thrown) : thrown;
  if (error instanceof HardshellError) {
    return { code: error.code, message: error.message, fix: error.fix, exitCode: error.exitCode };
  }
  return {
    code: 'INTERNAL',
    message: `this is a bug in openclaw: ${reasonOf(error)}`,
    fix: 'run the command again with OPENCLAW_DEBUG=1 and report what it prints',
    exitCode: EXIT.failure,
  };
}

const endWithPeriod = (text: string): string => (/[.?!]$/.test(text) ? text : `${text}.`);
