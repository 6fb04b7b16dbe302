// Owns the watch over a running sandbox, where no cgroup can be made: a few times a second it sums up the memory of the
// processes and the tmpfs, and makes what runs longer give way. It must never count or slow down the gateway.
import { readFileSync, statfsSync } from 'node:fs';
import { setPriority } from 'node:os';
import type { StopReason } from '../platform/process.ts';
import { childrenOf, descendantsOf } from '../platform/process-tree.ts';
import { SHM_BYTES, TMP_BYTES } from './walls/layout.ts';

const FIRST_LOOK_MS = 20;
const LOOK_EVERY_MS = 80;
const NICENESS = 10;
/** What an inode and a name cost the kernel, roughly; a tmpfs full of empty files is memory too. */
const INODE_BYTES = 1024;

/** For `run`'s `watch`: starts looking, and returns how to stop looking. */
export function watchSandbox(maxBytes: number): (pid: number, stop: (why: StopReason) => void) => () => void {
  return (pid, stop) => {
    const slowed = new Set<number>();
    const look = (): void => {
      const members = descendantsOf(pid);
      for (const member of members) if (!slowed.has(member)) giveWay(member, slowed);
      if (memoryOf(pid, members) > maxBytes) stop('memory');
      else timer = setTimeout(look, LOOK_EVERY_MS);
    };
    let timer = setTimeout(look, FIRST_LOOK_MS);
    return () => clearTimeout(timer);
  };
}

/** A quick command keeps its full speed; a fork bomb must not take the processor away from the gateway. */
function giveWay(member: number, slowed: Set<number>): void {
  slowed.add(member);
  try {
    setPriority(member, NICENESS);
  } catch {
    // It has ended meanwhile.
  }
}

function memoryOf(pid: number, members: readonly number[]): number {
  const init = childrenOf(pid)[0];
  return sum(members.map((member) => residentBytes(member))) + (init === undefined ? 0 : tmpfsBytes(init));
}

/** Its share of what it has in memory, where the kernel tells; a page that ten processes share then counts once. */
function residentBytes(pid: number): number {
  const own = kilobytes(`/proc/${pid}/status`, /^VmRSS:\s+(\d+) kB$/m);
  // The exact figure costs a walk over all pages, so it is asked for only where it can matter.
  if (own < SHARE_MATTERS_BYTES) return own;
  return Math.min(own, kilobytes(`/proc/${pid}/smaps_rollup`, /^Pss:\s+(\d+) kB$/m) || own);
}
const SHARE_MATTERS_BYTES = 16 * 1024 ** 2;

function kilobytes(path: string, line: RegExp): number {
  try {
    return Number(line.exec(readFileSync(path, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

function tmpfsBytes(init: number): number {
  return usedOf(`/proc/${init}/root/tmp`, TMP_BYTES) + usedOf(`/proc/${init}/root/dev/shm`, SHM_BYTES);
}

/** Before the sandbox stands, the same path is the host's /tmp; only ours has exactly our size. */
function usedOf(path: string, sizeBytes: number): number {
  try {
    const { bsize, blocks, bfree, files, ffree } = statfsSync(path);
    return bsize * blocks === sizeBytes ? bsize * (blocks - bfree) + INODE_BYTES * (files - ffree) : 0;
  } catch {
    return 0;
  }
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
