// Owns where state lives. The only place that turns environment variables into paths; it touches no file.
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { misconfigured } from '../platform/errors.ts';
import { canonicalEnv, type Env } from './environment.ts';

export type { Env };

export type Paths = {
  readonly stateDir: string;
  readonly configPath: string;
  readonly credentialsDir: string;
  readonly workspaceDir: string;
  readonly logsDir: string;
  readonly snapshotsDir: string;
  readonly databasePath: string;
  /** JSON {pid, port, startedAtMs} while a gateway runs on this state folder */
  readonly lockPath: string;
};

/** `OPENCLAW_HOME` stands in for the home folder, `OPENCLAW_STATE_DIR` for `~/.openclaw` (config-cli-audit.md 4). */
export function resolvePaths(given: Env): Paths {
  const { env } = canonicalEnv(given);
  const home = absolute(env['OPENCLAW_HOME'] || env['HOME'] || homedir(), '/');
  const stateDir = absolute(env['OPENCLAW_STATE_DIR'] || join(home, '.openclaw'), home);
  return {
    stateDir,
    configPath: absolute(env['OPENCLAW_CONFIG_PATH'] || join(stateDir, 'openclaw.json'), home),
    credentialsDir: join(stateDir, 'credentials'),
    workspaceDir: join(stateDir, 'workspace'),
    logsDir: join(stateDir, 'logs'),
    snapshotsDir: join(stateDir, 'snapshots'),
    databasePath: join(stateDir, 'state.sqlite'),
    lockPath: join(stateDir, 'gateway.lock'),
  };
}

function absolute(path: string, home: string): string {
  if (path === '~' || path.startsWith('~/')) return join(home, path.slice(1));
  return isAbsolute(path) ? path : resolve(path);
}

/** `OPENCLAW_GATEWAY_PORT`, or undefined. 0 means any free port. */
export function portFromEnv(env: Env): number | undefined {
  const text = canonicalEnv(env).env['OPENCLAW_GATEWAY_PORT'];
  if (!text) return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw misconfigured(
    'BAD_PORT',
    `OPENCLAW_GATEWAY_PORT is "${text.slice(0, 20)}", which is not a port`,
    'use a number from 1 to 65535',
  );
}
