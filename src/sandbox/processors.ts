// Owns on how many processors a box runs, where no cgroup counts: its commands are put on that many of those that the
// gateway may use, in turn. What runs inside cannot move (walls/call-filter.ts); it must never take a share of them all.
import { readFileSync } from 'node:fs';
import { HardshellError } from '../platform/errors.ts';
import { findProgram } from './programs.ts';

/** `0-2,5` is 0, 1, 2 and 5. */
function processorsIn(list: string): number[] {
  return list
    .trim()
    .split(',')
    .flatMap((part) => {
      const [from = Number.NaN, to = from] = part.split('-').map(Number);
      return Number.isInteger(from) && Number.isInteger(to)
        ? Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index)
        : [];
    });
}

const usable = (): number[] =>
  processorsIn(/^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '');

/** What comes before the argv of each command; nothing where the box may use all that the gateway has. */
export function onProcessors(count: number): () => readonly string[] {
  const all = usable();
  if (count >= all.length) return () => [];
  const taskset = findProgram('taskset');
  if (taskset === undefined)
    throw new HardshellError({
      code: 'SANDBOX_UNAVAILABLE',
      message: 'taskset is not installed, so the limit on processors cannot be kept',
      fix: 'apt install util-linux',
    });
  let next = Math.floor(Math.random() * all.length);
  return () => {
    const chosen = Array.from({ length: count }, (_, index) => all[(next + index) % all.length]);
    next = (next + 1) % all.length;
    return [taskset, '-c', chosen.join(',')];
  };
}
