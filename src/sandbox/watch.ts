// Owns the watch over a running sandbox: a few times a second it looks at the memory that it holds and at the disk that it
// fills, and makes what runs longer give way. It must never count or slow down the gateway.
import { setPriority } from 'node:os';
import type { StopReason } from '../platform/process/process.ts';
import { childrenOf, descendantsOf } from '../platform/process/tree.ts';
import { isNearlyFull } from './disk.ts';
import { availableBytes, holdsMoreThan } from './memory.ts';

const FIRST_LOOK_MS = 20;
const LOOK_EVERY_MS = 80;
const NICENESS = 10;
/** What the machine keeps for others, whatever kind of memory a command has found that nobody counts. */
const KEEP_FREE_BYTES = 256 * 1024 ** 2;

export type Bounds = {
  readonly memoryBytes: number;
  /** the folder on whose disk the command can write; null when it can write on none */
  readonly disk: string | null;
  readonly ownWalls: boolean;
};

/** For `run`'s `watch`: starts looking, and returns how to stop looking. */
export function watchSandbox(bounds: Bounds): (pid: number, stop: (why: StopReason) => void) => () => void {
  return (pid, stop) => {
    const slowed = new Set<number>();
    const floor = Math.min(KEEP_FREE_BYTES, (availableBytes() ?? 0) / 2);
    let isOver = false;
    const look = async (): Promise<void> => {
      const inside = { members: descendantsOf(pid), init: childrenOf(pid)[0], ownWalls: bounds.ownWalls };
      for (const member of inside.members) if (!slowed.has(member)) giveWay(member, slowed);
      const why = await judge(bounds, inside, floor);
      if (isOver) return;
      if (why === null) timer = setTimeout(look, LOOK_EVERY_MS);
      else stop(why);
    };
    let timer = setTimeout(look, FIRST_LOOK_MS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  };
}

async function judge(
  { memoryBytes, disk }: Bounds,
  inside: Parameters<typeof holdsMoreThan>[1],
  floor: number,
): Promise<StopReason | null> {
  if (disk !== null && isNearlyFull(disk)) return 'disk';
  if ((availableBytes() ?? floor) < floor || (await holdsMoreThan(memoryBytes, inside))) return 'memory';
  return null;
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
