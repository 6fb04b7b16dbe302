// Owns the descriptors that whoever started us left open: they would be handed on to every child, and a child may be
// hostile. It must never touch a descriptor that is ours.
import { constants, openSync, readdirSync, readFileSync } from 'node:fs';

const CLOSE_ON_EXEC = 0o2000000;

let inherited: readonly number[] | undefined;

/** Descriptors above the standard three that a child would get. Ours are all marked to be closed, so they never grow. */
function inheritedDescriptors(): readonly number[] {
  inherited ??= findInherited();
  return inherited;
}

function findInherited(): number[] {
  let names: string[];
  try {
    names = readdirSync('/proc/self/fdinfo');
  } catch {
    return [];
  }
  return names.map(Number).filter((fd) => fd > 2 && isHandedOn(fd));
}

function isHandedOn(fd: number): boolean {
  try {
    const flags = /^flags:\s+([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
  } catch {
    return false;
  }
}

/** For `spawn`'s `stdio`: what a child gets in the place of inherited descriptors, from number `from` on. */
export function coverInherited(from: number): ('ignore' | number)[] {
  const open = inheritedDescriptors().filter((fd) => fd >= from);
  if (open.length === 0) return [];
  const nothing = emptyDescriptor();
  return Array.from({ length: Math.max(...open) - from + 1 }, (_, index) =>
    open.includes(from + index) ? nothing : 'ignore',
  );
}

let empty: number | undefined;

/** One for all: an open /dev/null holds nothing and is never read. */
function emptyDescriptor(): number {
  empty ??= openSync('/dev/null', constants.O_RDONLY);
  return empty;
}
