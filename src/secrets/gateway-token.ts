// Owns the gateway's token: where it comes from, what it must look like, making it on the first start and replacing it.
// It is never printed by this module and never written anywhere but credentials/gateway-token (0600 in 0700); of the
// token before it only a hash is kept, until its grace ends.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { statSync } from 'node:fs';
import { type HardshellError, misconfigured, misused } from '../platform/errors.ts';
import { newToken } from '../platform/ids.ts';
import { removeSecret, secretPath, tryReadSecret, writeSecret } from './files.ts';
import { weaknessOf } from './strength.ts';

type Where = { readonly credentialsDir: string };
type Env = Readonly<Record<string, string | undefined>>;

const FILE = 'gateway-token';
const PREVIOUS_FILE = 'gateway-token.previous';
/** The first is ours; the second is what one of the guides exports (S120). */
export const TOKEN_VARIABLES: readonly string[] = ['OPENCLAW_GATEWAY_TOKEN', 'GATEWAY_AUTH_TOKEN'];
const MIN_CHARS = 16;
const MAX_CHARS = 1_024;
const MAX_GRACE_MS = 30 * 24 * 60 * 60_000;

export type FoundToken = {
  readonly token: string;
  readonly source: 'environment' | 'configuration' | 'file';
  /** the variable, key or path, to be named in a sentence */
  readonly from: string;
};

/** Order: environment, configuration, credentials/gateway-token. */
export function findGatewayToken(where: Where, env: Env, configured?: string): FoundToken | null {
  for (const name of TOKEN_VARIABLES) {
    const value = env[name];
    if (value) return { token: checked(value, name), source: 'environment', from: name };
  }
  const file = secretPath(where.credentialsDir, FILE);
  if (configured !== undefined) {
    // A reference to our own file is that file: it may be rotated.
    const source = configured === tryOrNull(() => tryReadSecret(where.credentialsDir, FILE)) ? 'file' : 'configuration';
    return { token: checked(configured, 'gateway.auth.token'), source, from: 'gateway.auth.token' };
  }
  const text = tryReadSecret(where.credentialsDir, FILE);
  return text === null ? null : { token: checked(text, file), source: 'file', from: file };
}

/** null when none exists yet. What a client sends; how strong it is, is for the gateway that made it to judge. */
export function readGatewayToken(where: Where, env: Env, configured?: string): string | null {
  return findGatewayToken(where, env, configured)?.token ?? null;
}

/** The token to serve with: the existing one, or a new 64-digit one on the first start (S091, S100). */
export function ensureGatewayToken(where: Where, env: Env, configured?: string): string {
  const found = findGatewayToken(where, env, configured);
  if (found) return strong(found);
  const token = newToken(32);
  writeSecret(where.credentialsDir, FILE, token);
  return token;
}

export type Rotation = {
  readonly token: string;
  /** until when the old one still works; null when it ended at once */
  readonly previousUntilMs: number | null;
  readonly note?: string;
};

/** Replaces the token in the file. With a grace, the old one works until its end, unless it was too weak to keep. */
export function rotateGatewayToken(
  where: Where,
  env: Env,
  options: { readonly configured?: string; readonly graceMs?: number; readonly nowMs: number },
): Rotation {
  const { configured, graceMs = 0, nowMs } = options;
  if (!(graceMs >= 0 && graceMs <= MAX_GRACE_MS)) throw badGrace();
  // What must be replaced may be anything, even something that would no longer be accepted.
  const set = TOKEN_VARIABLES.find((name) => env[name]);
  const old = tryReadSecret(where.credentialsDir, FILE);
  const from = set ?? (configured !== undefined && configured !== old ? 'gateway.auth.token' : null);
  if (from !== null) throw notOurs(from);

  const isWeak = old !== null && (problemOf(old) !== null || weaknessOf(old) !== null);
  const keepUntilMs = old !== null && graceMs > 0 && !isWeak ? nowMs + graceMs : null;
  // The hash first: a crash in between leaves the old token in force, which it was anyway.
  if (old !== null && keepUntilMs !== null) keepPrevious(where, old, keepUntilMs);
  else removeSecret(where.credentialsDir, PREVIOUS_FILE);
  const token = newToken(32);
  writeSecret(where.credentialsDir, FILE, token);
  const note = isWeak && graceMs > 0 ? { note: 'the old token was guessable, so it ended at once' } : {};
  return { token, previousUntilMs: keepUntilMs, ...note };
}

export type PreviousToken = { readonly salt: string; readonly hash: string; readonly untilMs: number };

/** The hash of the token before this one, or null; whatever is damaged or expired counts as none. */
export function readPreviousToken(where: Where, nowMs: number): PreviousToken | null {
  return tryOrNull(() => {
    const kept = JSON.parse(tryReadSecret(where.credentialsDir, PREVIOUS_FILE) ?? 'null') as PreviousToken | null;
    const whole = kept !== null && /^[0-9a-f]{32}$/.test(kept.salt) && /^[0-9a-f]{64}$/.test(kept.hash);
    return whole && Number.isFinite(kept.untilMs) && nowMs < kept.untilMs ? kept : null;
  });
}

/** Takes the same time for a right and a wrong candidate. */
export function isPreviousToken(previous: PreviousToken | null, candidate: string, nowMs: number): boolean {
  if (previous === null || nowMs >= previous.untilMs) return false;
  return timingSafeEqual(hashOf(candidate, previous.salt), Buffer.from(previous.hash, 'hex'));
}

export type LiveToken = {
  /** as of now: a rotation by another process counts from the next call on */
  current(): string;
  /** whether it is the token before this one and its grace has not ended */
  isPrevious(candidate: string): boolean;
};

/** The token for as long as the gateway runs. A file that becomes unusable changes nothing and is reported. */
export function openGatewayToken(
  where: Where,
  env: Env,
  options: { readonly configured?: string; readonly now: () => number; readonly onChange?: (what: LiveChange) => void },
): LiveToken {
  const { configured, now, onChange } = options;
  let token = ensureGatewayToken(where, env, configured);
  const isFile = findGatewayToken(where, env, configured)?.source === 'file';
  let previous = readPreviousToken(where, now());
  let seen = stampOf(where);

  const refresh = (): void => {
    if (!isFile) return;
    const stamp = stampOf(where);
    if (stamp === seen) return;
    seen = stamp;
    try {
      const text = tryReadSecret(where.credentialsDir, FILE);
      // A file that is gone is no rotation; whoever wants to lock everybody out stops the gateway.
      const next = text === null ? token : strong({ token: checked(text, FILE), source: 'file', from: FILE });
      previous = readPreviousToken(where, now());
      if (next === token) return;
      token = next;
      onChange?.({ token });
    } catch (error) {
      onChange?.({ error });
    }
  };
  return {
    current() {
      refresh();
      return token;
    },
    isPrevious(candidate) {
      refresh();
      return isPreviousToken(previous, candidate, now());
    },
  };
}

export type LiveChange = { readonly token: string } | { readonly error: unknown };

/** Another content has another inode, since files are only ever replaced, and an editor changes time or size. */
function stampOf({ credentialsDir }: Where): string {
  return [FILE, PREVIOUS_FILE]
    .map((name) => {
      const stat = tryOrNull(() => statSync(secretPath(credentialsDir, name), { bigint: true, throwIfNoEntry: false }));
      return stat ? `${stat.ino}.${stat.mtimeNs}.${stat.ctimeNs}.${stat.size}` : '-';
    })
    .join(' ');
}

function keepPrevious(where: Where, token: string, untilMs: number): void {
  const salt = randomBytes(16).toString('hex');
  const kept: PreviousToken = { salt, hash: hashOf(token, salt).toString('hex'), untilMs };
  writeSecret(where.credentialsDir, PREVIOUS_FILE, JSON.stringify(kept));
}

const hashOf = (token: string, salt: string): Buffer => createHmac('sha256', salt).update(token).digest();

function problemOf(token: string): string | null {
  if (/[\s\p{Cc}]/u.test(token)) return 'contains a line break, space or control character';
  if (token.length < MIN_CHARS) return `is too short (${token.length} characters, at least ${MIN_CHARS})`;
  if (token.length > MAX_CHARS) return `is longer than ${MAX_CHARS.toLocaleString('en')} characters`;
  return null;
}

function checked(token: string, from: string): string {
  const why = problemOf(token);
  if (why === null) return token;
  throw unusable('TOKEN_UNUSABLE', from, why, 'or remove it and a new one is made');
}

function strong({ token, source, from }: FoundToken): string {
  const weakness = weaknessOf(token);
  if (weakness === null) return token;
  const instead = source === 'file' ? 'or: openclaw token rotate' : 'or remove it and a strong one is made';
  throw unusable('TOKEN_WEAK', from, weakness.why, instead);
}

function unusable(code: string, from: string, why: string, instead: string): HardshellError {
  const message = `the gateway token from ${from} ${why}`;
  const fix = `put the output of \`openssl rand -hex 32\` there, ${instead}`;
  return misconfigured(code, message, fix);
}

function notOurs(from: string): HardshellError {
  return misconfigured(
    'TOKEN_SET_ELSEWHERE',
    `the gateway token is set by ${from}, so a new one in the credentials folder would change nothing`,
    `set ${from} to the output of \`openssl rand -hex 32\` and restart, or remove it and rotate again`,
  );
}

function badGrace(): HardshellError {
  const message = 'the grace for the old token must be between 0 and 30 days';
  return misused('BAD_GRACE', message, 'for example --grace 1h');
}

function tryOrNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

/** The header by which the audit's own knocks are told from an attack in the record: it opens nothing. */
export const KNOCK_HEADER = 'x-openclaw-audit';
const KNOCK_LIFE_MS = 60_000;

/** Only who has the token can say it, and they have no need to guess. */
export const knockMark = (token: string, atMs: number): string =>
  `${atMs}.${createHmac('sha256', token).update(`knock of the audit ${atMs}`).digest('hex')}`;

export function isKnockMark(mark: string | string[] | undefined, token: string, nowMs: number): boolean {
  const atMs = Number(/^(\d{1,15})\.[0-9a-f]{64}$/.exec(String(mark))?.[1] ?? Number.NaN);
  if (token === '' || typeof mark !== 'string' || !(Math.abs(nowMs - atMs) < KNOCK_LIFE_MS)) return false;
  const wanted = Buffer.from(knockMark(token, atMs));
  return wanted.length === mark.length && timingSafeEqual(Buffer.from(mark, 'latin1'), wanted);
}
