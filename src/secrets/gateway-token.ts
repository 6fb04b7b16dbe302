// Owns the gateway's token: where it comes from, what it must look like, and making it on the first start.
// It is never printed by this module and never written anywhere but credentials/gateway-token (0600 in 0700).
import { join } from 'node:path';
import { EXIT, HardshellError } from '../platform/errors.ts';
import { ensureFolder, replaceFile, tryReadText } from '../platform/files.ts';
import { newToken } from '../platform/ids.ts';

type Where = { readonly credentialsDir: string };
type Env = Readonly<Record<string, string | undefined>>;

/** null when none exists yet. Order: environment, configuration, credentials/gateway-token. */
export function readGatewayToken(where: Where, env: Env, configured?: string): string | null {
  const fromEnv = env['OPENCLAW_GATEWAY_TOKEN'];
  if (fromEnv !== undefined && fromEnv !== '') return checked(fromEnv, 'OPENCLAW_GATEWAY_TOKEN');
  if (configured !== undefined) return checked(configured, 'gateway.auth.token');
  const file = join(where.credentialsDir, 'gateway-token');
  const text = tryReadText(file, 4_096);
  // `openssl rand -hex 32 > gateway-token` ends in a newline; that one is not part of the token.
  return text === null ? null : checked(text.replace(/\r?\n$/, ''), file);
}

/** The token to serve with: the existing one, or a new 64-digit one on the first start (S091, S100). */
export function ensureGatewayToken(where: Where, env: Env, configured?: string): string {
  const existing = readGatewayToken(where, env, configured);
  if (existing !== null) return existing;
  const token = newToken(32);
  ensureFolder(where.credentialsDir);
  replaceFile(join(where.credentialsDir, 'gateway-token'), `${token}\n`, 0o600);
  return token;
}

function checked(token: string, source: string): string {
  const refuse = (why: string): never => {
    throw new HardshellError({
      code: 'TOKEN_UNUSABLE',
      message: `the gateway token from ${source} ${why}`,
      fix: 'put the output of `openssl rand -hex 32` there, or remove it and a new one is made',
      exitCode: EXIT.config,
    });
  };
  if (/[\s\p{Cc}]/u.test(token)) refuse('contains a line break, space or control character');
  if (token.length < 16) refuse(`is too short (${token.length} characters, at least 16)`);
  if (token.length > 1_024) refuse('is longer than 1,024 characters');
  return token;
}
