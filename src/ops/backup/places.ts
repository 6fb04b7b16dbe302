// Owns where backups lie, what they are called, which of them go when there are too many, and which folder may not hold
// any. It removes only what a schedule has made.
import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { Paths } from '../../config/paths.ts';
import { misused } from '../../platform/errors.ts';
import { ensureFolder } from '../../platform/files.ts';
import { dropFile } from '../../platform/tree/staging.ts';

const NAME = /^openclaw-(\d{8}T\d{9}Z)(-scheduled)?\.tar\.gz(\.age)?$/;

export type Kept = {
  readonly file: string;
  readonly atMs: number;
  readonly bytes: number;
  readonly isScheduled: boolean;
  readonly isEncrypted: boolean;
};

export const stampOf = (nowMs: number): string => new Date(nowMs).toISOString().replace(/[-:.]/g, '');

export const nameOf = (nowMs: number, { scheduled, encrypted }: { scheduled: boolean; encrypted: boolean }): string =>
  `openclaw-${stampOf(nowMs)}${scheduled ? '-scheduled' : ''}.tar.gz${encrypted ? '.age' : ''}`;

/** Beside the state folder, unless a setting or a word of a command says where. */
export const defaultFolder = ({ stateDir }: Pick<Paths, 'stateDir'>): string => `${stateDir}-backups`;

/** Makes it when it is missing. What lies in the state folder would be in the next backup, and gone with it. */
export function useFolder(folder: string, inside: readonly string[]): string {
  const path = resolve(folder);
  const refuse = (place: string): void => {
    const way = relative(place, path);
    if (way.startsWith('..')) return;
    throw misused(
      'BACKUP_INSIDE',
      `${path} lies in ${place}, which is what the backup is of`,
      'choose a folder outside, best on another disk: --to FOLDER',
    );
  };
  inside.forEach(refuse);
  if (!existsSync(path)) ensureFolder(path);
  const real = realpathSync(path);
  for (const place of inside)
    if (existsSync(place) && !relative(realpathSync(place), real).startsWith('..')) refuse(path);
  return real;
}

/** Newest first. */
export function listBackups(folder: string): Kept[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((name): Kept[] => {
      const [, stamp, scheduled, age] = NAME.exec(name) ?? [];
      const file = join(folder, name);
      const found = stamp === undefined ? undefined : statSync(file, { throwIfNoEntry: false });
      if (stamp === undefined || !found?.isFile()) return [];
      const iso = stamp.replace(/^(....)(..)(..)T(..)(..)(..)(...)Z$/, '$1-$2-$3T$4:$5:$6.$7Z');
      return [
        {
          file,
          atMs: Date.parse(iso),
          bytes: found.size,
          isScheduled: scheduled !== undefined,
          isEncrypted: age !== undefined,
        },
      ];
    })
    .sort((a, b) => b.atMs - a.atMs);
}

/** Removes the oldest ones of the schedule; the newest stays whatever its size, and so does the last that was proven. */
export function dropOld(
  folder: string,
  { keep, maxBytes, proven }: { keep: number; maxBytes: number; proven: string | null },
): string[] {
  const scheduled = listBackups(folder).filter((one) => one.isScheduled);
  let bytes = 0;
  const dropped = scheduled.filter((one, index) => {
    bytes += one.bytes;
    return index > 0 && one.file !== proven && (index >= keep || bytes > maxBytes);
  });
  for (const { file } of dropped) dropFile(file);
  return dropped.map(({ file }) => file);
}
