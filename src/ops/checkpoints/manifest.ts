// Owns the picture of a workspace at one moment: every entry with what is needed to bring it back, and what was left out.
// Pure; equal workspaces have equal pictures, byte for byte, so that one is stored once.

import { promisify } from 'node:util';
import { constants, deflateRaw, inflateRaw } from 'node:zlib';
import type { Found, LeftOut } from '../../platform/tree/walk.ts';

export type Entry = Found & {
  /** hash of a file's content; '' when it is not kept */
  readonly hash: string;
  /** why it is not: big, room, moving, unreadable, special */
  readonly why: string;
};
export type Manifest = { readonly entries: ReadonlyMap<string, Entry>; readonly leftOut: readonly LeftOut[] };

const [deflate, inflate] = [promisify(deflateRaw), promisify(inflateRaw)];
const MAX_INFLATED_BYTES = 128 * 1024 * 1024;
const KINDS = ['file', 'folder', 'link', 'other'] as const;

export function encode({ entries, leftOut }: Manifest): Promise<Buffer> {
  const rows = Array.from(entries.values(), (e) => {
    const head = [e.path, KINDS.indexOf(e.kind), e.mode];
    if (e.kind === 'link') return [...head, e.target];
    return e.kind === 'file' ? [...head, e.bytes, e.mtimeMs, e.ctimeMs, e.ino, e.hash, e.why] : head;
  });
  const text = JSON.stringify({ version: 1, rows, leftOut });
  return deflate(text, { level: constants.Z_BEST_SPEED });
}

export async function decode(data: Buffer): Promise<Manifest> {
  const text = (await inflate(data, { maxOutputLength: MAX_INFLATED_BYTES })).toString();
  const { rows, leftOut } = JSON.parse(text) as { rows: unknown[][]; leftOut: LeftOut[] };
  const entries = new Map<string, Entry>();
  for (const [path, number, mode, ...more] of rows as [string, number, number, ...unknown[]][]) {
    const kind = KINDS[number] ?? 'other';
    const head = { ...NOTHING, path, kind, mode };
    if (kind === 'link') entries.set(path, { ...head, target: String(more[0]) });
    else if (kind === 'file') {
      const [bytes, mtimeMs, ctimeMs, ino, hash, why] = more as [number, number, number, number, string, string];
      entries.set(path, { ...head, bytes, mtimeMs, ctimeMs, ino, hash, why });
    } else entries.set(path, kind === 'other' ? { ...head, why: 'special' } : head);
  }
  return { entries, leftOut };
}

const NOTHING = { bytes: 0, mtimeMs: 0, ctimeMs: 0, ino: 0, target: '', hash: '', why: '' };

/** Whether nothing needs to be done to make one of the other; of what was not kept, whether nobody touched it. */
export function same(a: Entry | undefined, b: Entry | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.kind !== b.kind) return false;
  if (a.kind === 'link') return a.target === b.target;
  if (a.kind === 'other') return true;
  if (a.mode !== b.mode) return false;
  if (a.kind === 'folder') return true;
  if (a.hash !== '' && b.hash !== '') return a.hash === b.hash;
  return a.bytes === b.bytes && a.mtimeMs === b.mtimeMs && a.ino === b.ino;
}

/** Whether nothing is known of this path, since it or a folder above it was left out. */
export function isUnknown({ leftOut }: Manifest, path: string): LeftOut['why'] | null {
  const found = leftOut.find((one) => one.path === '' || path === one.path || path.startsWith(`${one.path}/`));
  return found?.why ?? null;
}

/** Paths that differ, as far as both know of them. */
export function changed(from: Manifest, to: Manifest): string[] {
  const paths: string[] = [];
  for (const [path, entry] of from.entries) {
    const other = to.entries.get(path);
    if (!same(entry, other) && (other !== undefined || isUnknown(to, path) === null)) paths.push(path);
  }
  for (const path of to.entries.keys()) if (!from.entries.has(path) && isUnknown(from, path) === null) paths.push(path);
  return paths.sort();
}
