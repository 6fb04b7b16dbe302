// Owns the checks of what is around it: Node, the clock, the account, the port, the walls for commands, the unit.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { portFromEnv } from '../../config/paths.ts';
import { whyNotFree } from '../../net/port.ts';
import { tryNames } from '../../platform/files.ts';
import { USERADD_LINES } from '../unit/account.ts';
import { ownProgram, unitFacts, unitText } from '../unit/facts.ts';
import { findInstalled } from '../unit/places.ts';
import { type Answer, type Check, error, type Facts, info, ok, warning } from './check.ts';

const NODE_MAJOR = 24;
const DEFAULT_PORT = 18_789;
/** This program did not exist before. */
const EARLIEST_MS = Date.UTC(2026, 0, 1);
const SKEW_MS = 5 * 60_000;
const MS_PER_MINUTE = 60_000;

export const MACHINE_CHECKS: readonly Check[] = [
  { id: 'node', title: 'Node', ask: () => askNode(process.versions.node) },
  { id: 'clock', title: 'clock', ask: askClock },
  {
    id: 'account',
    title: 'account',
    ask: () =>
      process.geteuid?.() === 0
        ? warning('this runs as root; whoever breaks it has the machine', USERADD_LINES.join(' && '))
        : ok('not root'),
  },
  { id: 'port', title: 'port', ask: askPort },
  { id: 'sandbox', title: 'sandbox', ask: askSandbox },
  { id: 'unit', title: 'start with the machine', ask: askUnit },
];

function askNode(version: string): Answer {
  if (Number.parseInt(version, 10) >= NODE_MAJOR) return ok(version);
  return error(`Node ${version} is too old`, `install Node ${NODE_MAJOR} from https://nodejs.org, or run: npm ci`);
}

/** What was written in the future was written before somebody set the clock back, or the clock is wrong now. */
function askClock({ nowMs, paths }: Pick<Facts, 'nowMs' | 'paths'>): Answer {
  const fix = 'timedatectl set-ntp true';
  if (nowMs < EARLIEST_MS) return error(`it says ${new Date(nowMs).toISOString()}, which is long past`, fix);
  const newest = [
    paths.databasePath,
    `${paths.databasePath}-wal`,
    join(paths.logsDir, 'openclaw.log'),
    paths.configPath,
  ]
    .map((path) => ({ path, ms: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .reduce((a, b) => (b.ms > a.ms ? b : a));
  const aheadMs = newest.ms - nowMs;
  if (aheadMs <= SKEW_MS) return ok(new Date(nowMs).toISOString());
  return warning(`${newest.path} was written ${Math.round(aheadMs / MS_PER_MINUTE)} minutes in the future`, fix);
}

async function askPort({ lock, config, env }: Facts): Promise<Answer> {
  if (lock?.port) return ok(`${lock.port}, our gateway (process ${lock.pid})`);
  const port = portFromEnv(env) || config?.gateway.port || DEFAULT_PORT;
  const why = await whyNotFree(port, '127.0.0.1');
  if (why === null) return ok(`${port} is free`);
  return error(
    `${port} cannot be used: ${why}`,
    `ss -ltnp 'sport = :${port}' says who; or: openclaw config set gateway.port ${port + 1}`,
  );
}

async function askSandbox({ probeSandbox }: Facts): Promise<Answer> {
  const { driver, detail, fix } = await probeSandbox();
  if (driver !== null) return ok(`${driver} opens`);
  return warning(`commands cannot run: ${detail}`, fix || 'apt install bubblewrap');
}

function askUnit({ paths, env, config }: Facts): Answer {
  const unit = findInstalled(paths, env);
  if (unit === null) return info('not installed', 'openclaw gateway install');
  const user = /^User=(.+)$/m.exec(unit.text)?.[1] ?? null;
  const facts = unitFacts(paths, ownProgram(), {
    user,
    workspace: config?.agents.defaults.workspace,
    backups: config?.backup.folder,
  });
  const dropIns = tryNames(`${unit.path}.d`);
  const also = dropIns.length > 0 ? `, changed by ${dropIns.join(', ')}` : '';
  if (unit.text === unitText(unit.manager, facts)) return ok(`${unit.path}${also}`);
  const again = user === null ? 'openclaw gateway install' : `sudo openclaw gateway install --system-user ${user}`;
  return warning(`${unit.path} is not what this version would write`, again);
}
