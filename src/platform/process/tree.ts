// Owns the end of process trees: who descends from whom, and the signals that end them. It must never signal a process
// that does not descend from one that we started, and it must never throw.
import { readdirSync, readFileSync } from 'node:fs';

const GRACE_MS = 200;
const MAX_TREE = 4096;

/** Asks the tree to end, and after a grace kills what is left of it. */
export function killGently(pid: number, hasEnded: () => boolean): void {
  signalGroup(pid, 'SIGTERM');
  setTimeout(() => {
    if (hasEnded()) return;
    // Those that made a session of their own are no longer in the group, so they are named one by one.
    const tree = descendantsOf(pid);
    signalGroup(pid, 'SIGKILL');
    for (const member of tree) signalOne(member, 'SIGKILL');
  }, GRACE_MS);
}

/**
 * For a sandbox: kills the init of its pid namespace, so that its parent, which we wait for, ends only after the kernel
 * has ended everything inside. The parent itself is killed when it does not follow, or has no child yet.
 */
export function killAtOnce(pid: number, hasEnded: () => boolean): void {
  const children = childrenOf(pid);
  for (const child of children) signalOne(child, 'SIGKILL');
  if (children.length === 0) signalGroup(pid, 'SIGKILL');
  else setTimeout(() => !hasEnded() && signalGroup(pid, 'SIGKILL'), GRACE_MS);
}

/** Children, grandchildren and so on; empty where the system does not tell. */
export function descendantsOf(pid: number): number[] {
  const found: number[] = [];
  const queue = [pid];
  for (let next = queue.pop(); next !== undefined && found.length < MAX_TREE; next = queue.pop()) {
    const children = childrenOf(next);
    found.push(...children);
    queue.push(...children);
  }
  return found;
}

export function childrenOf(pid: number): number[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.flatMap((thread) => {
      const text = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim();
      return text === '' ? [] : text.split(' ').map(Number);
    });
  } catch {
    return [];
  }
}

export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  signalOne(-pid, signal);
}

function signalOne(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Already gone, which is what we want.
  }
}
