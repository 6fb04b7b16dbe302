// Owns the containers of gateways that are no more: their names say who made them. It must never touch one whose gateway
// lives, or one that is not ours.
import { readFileSync, readlinkSync } from 'node:fs';
import { newToken, sha256 } from '../../platform/ids.ts';
import type { Engine } from './engine.ts';

const PREFIX = 'openclaw-sandbox';
const OURS = new RegExp(`^${PREFIX}-([0-9a-f]{8})-(\\d+)-(\\d+)-[0-9a-f]+$`);

/** Who made it: which boot and which world of process ids, which process, started when. */
export function newName(): string {
  return `${PREFIX}-${scope()}-${process.pid}-${startOf(process.pid)}-${newToken(6)}`;
}

/** The names of those that were removed. */
export async function removeLeftovers(engine: Engine): Promise<string[]> {
  const listed = await engine.ask(['ps', '--all', '--filter', 'label=openclaw.sandbox=1', '--format', '{{.Names}}']);
  if (listed.exitCode !== 0) return [];
  const left = listed.stdout.split('\n').filter((name) => isLeft(name.trim()));
  if (left.length > 0) await engine.ask(['rm', '--force', ...left]);
  return left;
}

/** Of another boot or another world nothing is known, so it stays. */
function isLeft(name: string): boolean {
  const [, where, pid, start] = OURS.exec(name) ?? [];
  if (where !== scope()) return false;
  const found = startOf(Number(pid));
  return found !== start;
}

function scope(): string {
  const world = [
    textOf(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
    textOf(() => readlinkSync('/proc/self/ns/pid')),
  ];
  return sha256(world.join()).slice(0, 8);
}

/** In ticks since the boot; 0 where no process has that number, or none can be asked. */
function startOf(pid: number): string {
  const stat = textOf(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0';
}

function textOf(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
