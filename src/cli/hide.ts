// Owns the last look at an error before a person sees it: what a command was given, or found in a file, may be a secret.
// Loaded only when a command failed. It must never fail itself: then the looks of tokens are all that is known.
import { type Env, resolvePaths } from '../config/paths.ts';
import { parseJson5, plainValue } from '../config/text/json5.ts';
import { createRedactor, type Redactor } from '../log/redact.ts';
import { errnoOf, HardshellError } from '../platform/errors.ts';
import { tryReadText } from '../platform/files.ts';
import { addFields, addStoredSecrets } from '../secrets/stored.ts';
import { placeholderIn } from '../secrets/strength.ts';

const MAX_CONFIG_BYTES = 4 * 1024 * 1024;

/** What was typed, or stands in a name, without what looks like a token: for what is said again when nothing failed. */
export function withoutTokens(text: string, env: Env): string {
  const redactor = createRedactor();
  addKnown(redactor, env);
  return redactor.sure.redact(text);
}

/** The same failure, without any secret in what it says. */
export function withoutSecrets(error: unknown, env: Env, argv: readonly string[]): unknown {
  const redactor = createRedactor();
  for (const source of [addGiven, addKnown, addConfigured]) {
    try {
      source(redactor, env, argv);
    } catch {
      // The error that is being told is mostly about the very file that cannot be read here.
    }
  }
  const { redact } = redactor.sure;
  if (error instanceof HardshellError) {
    const { code, message, fix, exitCode, httpStatus } = error;
    const told = { code, message: redact(message), exitCode, httpStatus };
    return withStack(
      new HardshellError({ ...told, ...(fix === undefined ? {} : { fix: redact(fix) }) }),
      error,
      redact,
    );
  }
  if (error instanceof Error) {
    const { path } = error as { readonly path?: unknown };
    const refusedAt = typeof path === 'string' ? { code: errnoOf(error), path: redact(path) } : {};
    return withStack(Object.assign(new Error(redact(error.message)), refusedAt), error, redact);
  }
  return redact(String(error));
}

function withStack(told: Error, error: Error, redact: (text: string) => string): Error {
  told.stack = redact(error.stack ?? '');
  return told;
}

function addGiven(redactor: Redactor, _env: Env, argv: readonly string[]): void {
  for (const [index, word] of argv.entries()) {
    const value = word === '--token' ? argv[index + 1] : /^--token=(.*)$/s.exec(word)?.[1];
    if (value) redactor.add(value);
  }
}

function addKnown(redactor: Redactor, env: Env): void {
  addStoredSecrets({ ...resolvePaths(env), env }, redactor.add);
}

/** By name, without the schema: what is broken has none, and it would take longer than the command did. */
function addConfigured(redactor: Redactor, env: Env): void {
  const text = tryReadText(resolvePaths(env).configPath, MAX_CONFIG_BYTES);
  if (text === null) return;
  addFields(plainValue(parseJson5(text).root), '', (value, isNamed) => {
    if (placeholderIn(value)?.code === 'environment-name' || (!isNamed && WORDS.test(value))) return;
    // Which variable is not set is what the error is about; only what is written around its name is a value.
    const parts = value.split(VARIABLE).filter((part) => part === value || part.length >= MIN_PART_CHARS);
    for (const part of parts) redactor.add(part);
  });
}

const VARIABLE = /\$\{[A-Z_][A-Z0-9_]*\}/;
const MIN_PART_CHARS = 8;
/** `anthropic/claude-sonnet-4-5-20250929`, a path, the name of a secret: told by name, they are what must be mended. */
const WORD = '(?:(?:[a-z]{1,20}|[A-Z]{1,20}|[A-Z][a-z]{1,20})\\d{0,3}|\\d{1,8})';
const WORDS = new RegExp(`^@?${WORD}(?:[-_./:@]${WORD})+$`);
