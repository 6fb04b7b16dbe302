// Owns the answer to "which gateway, with which token": flags, environment, the lock of a running gateway, the
// configuration. It must never hand the local token to an address that is not this machine's.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalEnv } from '../config/environment.ts';
import { type Env, type Paths, portFromEnv, resolvePaths } from '../config/paths.ts';
import { EXIT, HardshellError, misused } from '../platform/errors.ts';
import { type LockFacts, readLiveLock } from '../platform/lock.ts';

export type TargetFlags = { readonly url?: string; readonly port?: string; readonly token?: string };

export type Target = {
  /** as people read it: `127.0.0.1:18789` */
  readonly address: string;
  readonly httpUrl: string;
  readonly wsUrl: string;
  readonly port: number;
  readonly local: boolean;
  readonly token: string | null;
  /** there is a token here, but nothing proves that who listens on this port is the gateway that it belongs to */
  readonly tokenWithheld: boolean;
  readonly paths: Paths;
  /** of a gateway that lives and has said its port */
  readonly lock: LockFacts | null;
  /** why the configuration could not be used, when something from it may be missing here */
  readonly configError: HardshellError | null;
};

const DEFAULT_PORT = 18_789;
const MAX_SMALL_FILE_BYTES = 4 * 1024 * 1024;

export async function resolveTarget(flags: TargetFlags, env: Env): Promise<Target> {
  const paths = resolvePaths(env);
  if (flags.url !== undefined) return remoteTarget(flags, env, paths, flags.url);
  const held = readLiveLock(paths.lockPath);
  const lock = held?.port ? held : null;
  const asked = flags.port === undefined ? portFromEnv(env) : parsePort(flags.port);
  const configured = await readConfigured(paths, env);
  const port = asked || (lock?.port ?? configured.port ?? DEFAULT_PORT);
  const address = `127.0.0.1:${port}`;
  // A file that was named and is not there is no reason to ask the default port; a gateway that runs has said its own.
  if (configured.missing && lock === null && !asked) throw configured.error;
  const { given, stored } = await findTokens(flags, paths, env, configured);
  // While the gateway is down anybody on this machine may listen on its port and wait for the token. So the stored one
  // goes only to the port that the lock of a living gateway names.
  const proven = lock?.port === port;
  return {
    address,
    httpUrl: `http://${address}`,
    wsUrl: `ws://${address}`,
    port,
    local: true,
    token: given ?? (proven ? stored : null),
    tokenWithheld: stored !== null && !proven,
    paths,
    lock,
    configError: configured.error,
  };
}

function remoteTarget(flags: TargetFlags, env: Env, paths: Paths, text: string): Target {
  const url = parseUrl(text);
  const secure = url.protocol === 'wss:' || url.protocol === 'https:';
  const local = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  if (!secure && !local) {
    const message = `${url.host} is another machine and ${url.protocol}// would send the token in the clear`;
    const fix = `use wss://${url.host}, or a tunnel: ssh -N -L 18789:127.0.0.1:18789 ${url.hostname}`;
    throw misused('URL_NOT_ENCRYPTED', message, fix);
  }
  // The token in the state folder belongs to the gateway of this folder, and whoever answers at a URL may be another.
  const variables = ['OPENCLAW_GATEWAY_TOKEN', 'GATEWAY_AUTH_TOKEN', 'OPENCLAW_GATEWAY_PASSWORD'];
  const token = flags.token ?? variables.map((name) => env[name]).find(Boolean);
  if (token === undefined) {
    throw misused(
      'URL_WITHOUT_TOKEN',
      'with --url the token must be given too: the stored one is only ever sent to the gateway of this state folder',
      'set OPENCLAW_GATEWAY_TOKEN to the token of that gateway',
    );
  }
  const path = url.pathname === '/' ? '' : url.pathname.replace(/\/$/, '');
  return {
    address: url.host,
    httpUrl: `${secure ? 'https' : 'http'}://${url.host}${path}`,
    wsUrl: `${secure ? 'wss' : 'ws'}://${url.host}${path}`,
    port: Number(url.port || (secure ? 443 : 80)),
    local: false,
    token,
    tokenWithheld: false,
    paths,
    lock: null,
    configError: null,
  };
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url && /^(wss?|https?):$/.test(url.protocol) && url.username === '' && url.password === '' && url.search === '')
    return url;
  throw misused(
    'URL_UNUSABLE',
    `--url ${text} is not the address of a gateway`,
    'write it like wss://assistant.example.net or ws://127.0.0.1:18789',
  );
}

export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw misused('PORT_UNUSABLE', `"${text}" is not a port`, 'use a number from 1 to 65535');
}

type Configured = {
  readonly port: number | null;
  readonly token: string | undefined;
  /** what opens the door instead of a token */
  readonly password?: string | undefined;
  readonly error: HardshellError | null;
  /** OPENCLAW_CONFIG_PATH names no file */
  readonly missing?: boolean;
};

/** Where nothing is asked for, anything may be shown; the page wants something to show. */
const NOT_NEEDED = 'no-token-needed';

/** Loads the configuration only when it can matter here, and of it what matters: the schema costs more than the rest. */
async function readConfigured(paths: Paths, env: Env): Promise<Configured> {
  const nothing: Configured = { port: null, token: undefined, error: null };
  const text = tryRead(paths.configPath);
  const missing = text === null && Boolean(canonicalEnv(env).env['OPENCLAW_CONFIG_PATH']);
  if (!missing && !/port|token|password|dangerouslyDisableAuth|\\/.test(text ?? '')) return nothing;
  try {
    const { loadConfig } = await import('../config/load.ts');
    const hasPassword = text?.includes('password');
    const opened = hasPassword ? await (await import('./commands/config/open.ts')).openConfig(env) : null;
    const { port, auth } = loadConfig(paths, opened?.env ?? env, {
      ...opened?.resolve,
      sections: ['gateway'],
    }).config.gateway;
    const { mode, token } = auth;
    const typed = opened?.env['OPENCLAW_GATEWAY_PASSWORD'] || auth.password;
    const password = mode === 'password' ? typed : mode === 'none' ? NOT_NEEDED : undefined;
    return { port, token, password, error: null };
  } catch (error) {
    if (error instanceof HardshellError) return { ...nothing, error, missing };
    throw error;
  }
}

/** The token that the person named, or the one that lies in the state folder and the configuration. */
async function findTokens(
  flags: TargetFlags,
  paths: Paths,
  env: Env,
  { token, password }: Configured,
): Promise<{ readonly given: string | null; readonly stored: string | null }> {
  if (flags.token !== undefined) return { given: flags.token, stored: null };
  if (password !== undefined) {
    return password === env['OPENCLAW_GATEWAY_PASSWORD']
      ? { given: password, stored: null }
      : { given: null, stored: password };
  }
  const { findGatewayToken } = await import('../secrets/gateway-token.ts');
  const found = findGatewayToken(paths, env, token);
  if (found?.source === 'environment') return { given: found.token, stored: null };
  return { given: null, stored: found?.token ?? null };
}

function tryRead(path: string): string | null {
  try {
    const text = readFileSync(path, 'utf8');
    return text.length > MAX_SMALL_FILE_BYTES ? null : text;
  } catch {
    return null;
  }
}

/** What to say when nobody listens: the same sentence from every command. */
export function notRunning(target: Target): HardshellError {
  const message = `the gateway is not running on ${target.address}`;
  const fix = 'openclaw gateway start   (here, until Ctrl-C: openclaw gateway run)';
  return new HardshellError({ code: 'GATEWAY_NOT_RUNNING', message, fix, exitCode: EXIT.unreachable });
}

/** Somebody listens and there is no token to show: because there is none, or because it was held back. */
export function noToken(target: Target): HardshellError {
  const { paths, configError } = target;
  const why = target.tokenWithheld
    ? `something listens there, but no gateway of ${paths.stateDir} runs, so its token was not sent`
    : (configError?.message ?? `there is none in ${join(paths.credentialsDir, 'gateway-token')}`);
  return new HardshellError({
    code: target.tokenWithheld ? 'TOKEN_WITHHELD' : 'TOKEN_MISSING',
    message: `no token for ${target.address}: ${why}`,
    fix:
      (target.tokenWithheld ? undefined : configError?.fix) ??
      'set OPENCLAW_STATE_DIR to the state folder of that gateway, or OPENCLAW_GATEWAY_TOKEN to its token',
    exitCode: EXIT.denied,
  });
}

export function wrongToken(target: Target): HardshellError {
  return new HardshellError({
    code: 'TOKEN_REFUSED',
    message: `the gateway on ${target.address} refused the token`,
    fix: target.local
      ? `set OPENCLAW_STATE_DIR to the state folder of that gateway (now ${target.paths.stateDir}), or OPENCLAW_GATEWAY_TOKEN to its token`
      : 'set OPENCLAW_GATEWAY_TOKEN to the token of that gateway',
    exitCode: EXIT.denied,
  });
}
