// Owns what the kernel's list of mounts says about a path: the options that a user namespace may not take away, and the
// mounts below it that would otherwise stay writable.
import { readFileSync } from 'node:fs';

type Mount = { readonly point: string; readonly options: readonly string[] };

/** A user namespace inherits these locked: a remount that does not repeat them is refused. */
const LOCKED = ['noexec', 'noatime', 'nodiratime'];

/** Options that a remount of `path` has to repeat. */
export function lockedOptions(path: string, table: readonly Mount[] = readMounts()): string[] {
  const holding = table.filter(({ point }) => `${path}/`.startsWith(point === '/' ? '/' : `${point}/`));
  const nearest = holding.reduce<Mount | undefined>(
    (best, mount) => (best === undefined || mount.point.length >= best.point.length ? mount : best),
    undefined,
  );
  return LOCKED.filter((option) => nearest?.options.includes(option) === true);
}

/** The mounts strictly below any of `paths`. */
export function mountsBelow(paths: readonly string[], table: readonly Mount[] = readMounts()): string[] {
  const points = new Set(table.map(({ point }) => point));
  return [...points].filter((point) => paths.some((path) => point.startsWith(`${path}/`))).sort();
}

/** Fields of proc(5) mountinfo: the fifth is the mount point, the sixth its options. */
export function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [, , , , point, options] = line.split(' ');
    if (point === undefined || options === undefined) return [];
    return [
      {
        point: point.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8))),
        options: options.split(','),
      },
    ];
  });
}

function readMounts(): Mount[] {
  return parseMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
}
