// Owns how many tasks an account has on this machine: where a container has no ids of its own, the kernel counts them all
// against the limit of a command. It must never take long: it is asked before each command.
import { readdirSync, statSync } from 'node:fs';
import { workspaceOwner } from '../workspace.ts';

/** The account that commands run as. Threads are tasks; a folder has as many links as it has folders in it, and two. */
export function tasksOf(): number {
  const uid = boxOwner().uid;
  let count = 0;
  for (const name of readdirSync('/proc')) {
    if (name.charCodeAt(0) > 57) continue;
    try {
      const { uid: owner, nlink } = statSync(`/proc/${name}/task`);
      if (owner === uid) count += nlink - 2;
    } catch {
      // It has ended meanwhile.
    }
  }
  return count;
}

/** Never root: nobody when the gateway is root, else the gateway's own account, so that files belong to the owner. */
export function boxOwner(): { readonly uid: number; readonly gid: number } {
  return workspaceOwner().owner ?? { uid: process.getuid?.() ?? 1000, gid: process.getgid?.() ?? 1000 };
}
