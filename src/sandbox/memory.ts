// Owns how much memory a running sandbox holds, where no cgroup tells: its processes, their page tables, its tmpfs, its
// sockets. What is exact takes long for who makes it so, so it must never be asked for on the event loop, nor for long.
import { readFileSync, statfsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { SHM_BYTES, TMP_BYTES } from './walls/layout.ts';

/** What an inode and a name cost the kernel, roughly; a tmpfs full of empty files is memory too. */
const INODE_BYTES = 1024;
/** Sockets that a command may have without being charged: most programs make a few and put little into them. */
const FREE_SOCKETS = 64;
/** A browser needs hundreds, among its parts and to pages. */
const FREE_OF_BROWSER = 256;
/** Below this the exact share of a process is not worth a walk over its pages. */
const SHARE_MATTERS_BYTES = 16 * 1024 ** 2;
/** For all exact figures of one look together. */
const MAX_WALK_MS = 500;

/** `init` is process 1 of the sandbox, once there is one. */
export type Inside = {
  readonly members: readonly number[];
  readonly init: number | undefined;
  /** a browser: see SandboxSpec */
  readonly ownWalls: boolean;
};

/** True when the sandbox holds more than `maxBytes`; pages that several of its processes share count once. */
export async function holdsMoreThan(maxBytes: number, { members, init, ownWalls }: Inside): Promise<boolean> {
  const own = members.map((pid) => ({ pid, bytes: residentBytes(pid) }));
  let total = own.reduce((sum, { bytes }) => sum + bytes, 0);
  if (init !== undefined) total += tmpfsBytes(init) + socketBytes(init, ownWalls);
  const shared = own.filter(({ bytes }) => bytes >= SHARE_MATTERS_BYTES).sort((a, b) => b.bytes - a.bytes);
  const untilMs = performance.now() + MAX_WALK_MS;
  for (const { pid, bytes } of shared) {
    // Whoever makes the walk long is taken at the higher figure.
    if (total <= maxBytes || performance.now() > untilMs) break;
    total -= Math.max(0, bytes - (await shareOf(pid, bytes)));
  }
  return total > maxBytes;
}

/** Cheap, and counts every shared page for each of its holders. What was swapped out is held all the same. */
function residentBytes(pid: number): number {
  const status = textOf(`/proc/${pid}/status`);
  return kilobytes(status, 'VmRSS') + kilobytes(status, 'VmPTE') + kilobytes(status, 'VmSwap');
}

/** A walk over all pages of the process, which waits for its locks: off the event loop, in a thread that may wait. */
async function shareOf(pid: number, otherwise: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  return kilobytes(text, 'Pss') + kilobytes(text, 'SwapPss') || otherwise;
}

/** What its network namespace could hold in buffers that belong to no process: Unix sockets nobody reads from. */
function socketBytes(init: number, ownWalls: boolean): number {
  const used = Number(/^sockets: used (\d+)$/m.exec(textOf(`/proc/${init}/net/sockstat`))?.[1] ?? 0);
  // A browser asks for no larger ones than it is given.
  if (ownWalls) return Math.max(0, used - FREE_OF_BROWSER) * limitOf('wmem_default');
  // The kernel doubles what a program asks for.
  return Math.max(0, used - FREE_SOCKETS) * 2 * limitOf('wmem_max');
}

const limitOf = (name: string): number => Number(textOf(`/proc/sys/net/core/${name}`) || 212_992);

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

/** What the machine could still give to anybody, caches included; null where the kernel does not tell. */
export function availableBytes(): number | null {
  return kilobytes(textOf('/proc/meminfo'), 'MemAvailable') || null;
}

function kilobytes(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0) * 1024;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It has ended meanwhile.
    return '';
  }
}
