// Owns what the system has and allows for building a sandbox. Programs are looked for in the system's own folders only;
// PATH and the workspace must never decide.
import { accessSync, constants, readFileSync } from 'node:fs';

const FOLDERS = ['/usr/bin', '/bin', '/usr/sbin', '/sbin'] as const;

/** The absolute path of a system program, or undefined when it is not installed. */
export function findProgram(name: string): string | undefined {
  return FOLDERS.map((folder) => `${folder}/${name}`).find(isExecutable);
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Switches of the kernel that forbid a user to build a sandbox, what they say then, and the command that allows it. */
const SWITCHES = [
  ['kernel/unprivileged_userns_clone', '0', 'sysctl kernel.unprivileged_userns_clone=1'],
  ['kernel/apparmor_restrict_unprivileged_userns', '1', 'sysctl kernel.apparmor_restrict_unprivileged_userns=0'],
  ['user/max_user_namespaces', '0', 'sysctl user.max_user_namespaces=15000'],
] as const;

/** What to do when the programs are there and the walls still cannot be put up. */
export function howToAllow(read: (path: string) => string | null = readSwitch): string {
  const off = SWITCHES.find(([path, forbids]) => read(path)?.trim() === forbids);
  return off?.[2] ?? 'run the gateway outside of a container, or in one that allows user namespaces';
}

function readSwitch(path: string): string | null {
  try {
    return readFileSync(`/proc/sys/${path}`, 'utf8');
  } catch {
    return null;
  }
}
