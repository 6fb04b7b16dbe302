// Owns `<state>/.env`: KEY=value lines for what one would otherwise export. It never overrides the environment, never
// takes a name that steers a process, and knows one path only: a .env of the workspace is never read (attacks J09).
import { join } from 'node:path';
import { type HardshellError, misconfigured } from '../platform/errors.ts';
import { tryReadSecretAt } from './files.ts';

type Env = Readonly<Record<string, string | undefined>>;

const MAX_ENV_FILE_BYTES = 256 * 1024;
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

/** What loads code into a process, moves its files or redirects its programs. Such a line in a file is a trap. */
const STEERING: readonly RegExp[] = [
  /^(NODE|LD|DYLD|NPM|COREPACK|YARN|PNPM|BUN|DENO|PYTHON|PERL5?|RUBY|GEM|BUNDLE|JAVA|JDK|GIT|SSH|BASH|ZDOTDIR|XDG|DBUS|SYSTEMD|LISTEN|NOTIFY|GLIBC|MALLOC|GCONV|OPENSSL|DOCKER|PODMAN|CONTAINER|KUBE|ELECTRON|UV)_/i,
  /^(NODE|PATH|HOME|SHELL|USER|LOGNAME|PWD|OLDPWD|IFS|ENV|CDPATH|TERM|TERMINFO|TMPDIR|TMP|TEMP|EDITOR|VISUAL|PAGER|BROWSER|DISPLAY|LANG|LANGUAGE|LOCPATH|NLSPATH|HOSTALIASES|RES_OPTIONS|LOCALDOMAIN)$/i,
  /^(PYTHON|PERL|RUBY|JAVA|MALLOC)[A-Z0-9_]*$/i,
  /^(LC|SSLKEYLOG|SSL|CURL|REQUESTS)_?[A-Z_]*$/i,
  /^(STATE|CREDENTIALS|RUNTIME|CACHE|LOGS|CONFIGURATION)_DIRECTORY$/i,
  // Read before this file can be found, so here they would only look as if they counted.
  /^(OPENCLAW|CLAWDBOT|MOLTBOT)_(HOME|STATE_DIR|CONFIG_PATH|CONFIG_DIR)$/i,
];

/** Whether a variable of that name could take over a process that gets it. */
export const steersProcess = (name: string): boolean =>
  !/^(?!npm_config)[A-Z0-9]+_(TOKEN|API_KEY|SECRET|PASSWORD)$/i.test(name) &&
  STEERING.some((pattern) => pattern.test(name));

export type EnvEntry = { readonly name: string; readonly value: string; readonly line: number };

/** Lines as shells and dotenv know them; `$NAME` inside a value stays as it is. Throws at the first line that is none. */
export function parseEnvText(text: string, path: string): EnvEntry[] {
  const source = text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');
  const entries: EnvEntry[] = [];
  for (let at = 0, line = 1; at < source.length; ) {
    const end = endOfLine(source, at);
    const head = /^[ \t]*(?:export[ \t]+)?([^\s=#]+)[ \t]*=[ \t]*/.exec(source.slice(at, end));
    const name = head?.[1] ?? '';
    const from = line;
    if (head === null) {
      if (!/^\s*(#.*)?$/.test(source.slice(at, end))) throw invalid(path, line, 'is not KEY=value');
      at = end + 1;
      line += 1;
      continue;
    }
    if (!NAME.test(name)) throw invalid(path, line, 'has a name that no variable can have');
    const start = at + head[0].length;
    const quote = source[start];
    const value = quote === '"' || quote === "'" ? quotedValue(source, start, quote) : plainValue(source, start, end);
    if (value === null) throw invalid(path, from, 'opens a quote that is never closed');
    const rest = source.slice(value.end, endOfLine(source, value.end));
    if (!/^\s*(#.*)?$/.test(rest)) throw invalid(path, from, 'has something after its closing quote');
    if (value.text.includes('\0')) throw invalid(path, from, 'contains a NUL byte');
    entries.push({ name, value: value.text, line: from });
    const next = endOfLine(source, value.end) + 1;
    line += source.slice(at, next).split('\n').length - 1;
    at = next;
  }
  return entries;
}

export type LoadedEnv = {
  /** the environment, and under it what the file adds */
  readonly env: Env;
  readonly path: string;
  readonly exists: boolean;
  /** names that the file adds */
  readonly added: readonly string[];
  /** one line each, to be shown: what was in the file and does not count */
  readonly warnings: readonly string[];
};

export const envFileOf = (stateDir: string): string => join(stateDir, '.env');

/** Reads `<state>/.env`, which must be as private as a secret (S121, S124). */
export function loadEnvFile(stateDir: string, env: Env): LoadedEnv {
  const path = envFileOf(stateDir);
  const text = tryReadSecretAt(path, { maxBytes: MAX_ENV_FILE_BYTES });
  const added = new Map<string, string>();
  const warnings: string[] = [];
  for (const { name, value, line } of text === null ? [] : parseEnvText(text, path)) {
    if (steersProcess(name)) {
      warnings.push(`${path}:${line}: ${name} is ignored, since it steers processes; export it where you start this`);
    } else if (Object.hasOwn(env, name) && env[name]) {
      if (env[name] !== value) warnings.push(`${path}:${line}: ${name} is ignored, since the environment sets it`);
    } else {
      if (added.has(name)) warnings.push(`${path}:${line}: ${name} is there twice, this one counts`);
      added.set(name, value);
    }
  }
  return {
    env: { ...env, ...Object.fromEntries(added) },
    path,
    exists: text !== null,
    added: [...added.keys()],
    warnings,
  };
}

type Value = { readonly text: string; readonly end: number };

function endOfLine(source: string, at: number): number {
  const end = source.indexOf('\n', at);
  return end === -1 ? source.length : end;
}

/** To the end of the line or to a comment, which begins after a space: `a#b` is a value. */
function plainValue(source: string, start: number, end: number): Value {
  const text = source.slice(start, end);
  const comment = /^#|[ \t]#/.exec(text);
  return { text: (comment ? text.slice(0, comment.index) : text).trim(), end };
}

/** Single quotes keep all; double quotes know \n, \r, \t and a backslash before ", \, $ and `. Both may span lines. */
function quotedValue(source: string, start: number, quote: '"' | "'"): Value | null {
  let text = '';
  for (let at = start + 1; at < source.length; at++) {
    const char = source[at] ?? '';
    if (char === quote) return { text, end: at + 1 };
    if (char !== '\\' || quote === "'") {
      text += char;
      continue;
    }
    at += 1;
    const next = source[at] ?? '';
    text += ESCAPES[next] ?? (/["\\$`]/.test(next) ? next : `\\${next}`);
  }
  return null;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/** The line's number, never its content: it may be half of a key. */
function invalid(path: string, line: number, why: string): HardshellError {
  const message = `${path}:${line}: the line ${why}`;
  const fix = `write it as NAME=value or NAME="value"`;
  return misconfigured('ENV_FILE_INVALID', message, fix);
}
