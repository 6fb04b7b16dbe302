// Owns where a unit lies and whether the one that lies there is ours: it names the state folder that it serves. It reads
// only.
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Env, Paths } from '../../config/paths.ts';
import { tryReadText } from '../../platform/files.ts';
import { LABEL } from './launchd-plist.ts';

export type Manager = 'systemd-user' | 'systemd-system' | 'launchd';
export type InstalledUnit = { readonly manager: Manager; readonly path: string; readonly text: string };

export const UNIT_NAME = 'openclaw-gateway.service';
const MAX_UNIT_BYTES = 64 * 1024;

export function unitPath(manager: Manager, env: Env): string {
  const home = env['HOME'] ?? homedir();
  if (manager === 'systemd-system') return join('/etc/systemd/system', UNIT_NAME);
  if (manager === 'launchd') return join(home, 'Library', 'LaunchAgents', `${LABEL}.plist`);
  return join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'systemd', 'user', UNIT_NAME);
}

/** The unit that runs the gateway of this state folder, or null. One of another state folder is none of ours. */
export function findInstalled(paths: Pick<Paths, 'stateDir'>, env: Env): InstalledUnit | null {
  const managers: readonly Manager[] = process.platform === 'darwin' ? ['launchd'] : ['systemd-user', 'systemd-system'];
  for (const manager of managers) {
    const path = unitPath(manager, env);
    let text: string | null = null;
    try {
      text = tryReadText(path, MAX_UNIT_BYTES);
    } catch {
      // Not ours to read, then not ours.
    }
    if (text !== null && servedBy(text) === paths.stateDir) return { manager, path, text };
  }
  return null;
}

/** The state folder that a unit of ours serves. */
export function servedBy(text: string): string | null {
  const systemd = /^WorkingDirectory=(.+)$/m.exec(text)?.[1]?.replaceAll('%%', '%');
  const launchd = /<key>WorkingDirectory<\/key>\s*<string>([^<]*)<\/string>/.exec(text)?.[1];
  return systemd ?? launchd?.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&') ?? null;
}
