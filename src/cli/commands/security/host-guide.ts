// Owns `openclaw security host-guide`: the commands for the machine, with this installation's values. It runs none of them.
import { existsSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspectConfig } from '../../../config/inspect.ts';
import { portFromEnv, resolvePaths } from '../../../config/paths.ts';
import { hostSteps } from '../../../ops/host-guide.ts';
import { readLiveLock } from '../../../platform/lock.ts';
import type { Context } from '../../context.ts';
import { span } from '../../output.ts';

const PORT = 18_789;
const USER = 'openclaw';

export async function run({ out, env }: Context): Promise<undefined> {
  const paths = resolvePaths(env);
  const { config } = inspectConfig(paths, env);
  const isRoot = process.getuid?.() === 0;
  const values = {
    port: (readLiveLock(paths.lockPath)?.port || portFromEnv(env)) ?? config?.gateway.port ?? PORT,
    user: isRoot ? USER : userInfo().username,
    stateDir: isRoot ? `/home/${USER}/.openclaw` : paths.stateDir,
    deployDir: deployDir(),
    name: hostname(),
  };
  const steps = hostSteps(values);
  out.data({ ...values, steps });
  out.note(span('dim', 'read each before you run it; none of them was run'));
  for (const { title, why, commands } of steps) {
    out.line(span('bold', `# ${title}`), span('dim', `: ${why}`));
    for (const command of commands) out.text(`${command}\n`);
    out.line();
  }
}

/** Above this file in the sources, above the chunk in the bundle. */
function deployDir(): string {
  const found = ['../../../../deploy', '../../deploy', '../deploy']
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(join(path, 'fail2ban')));
  return found ?? 'deploy';
}
