import { createHash } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { msWithin } from '../../../test/support/measure.ts';
import { openCheckpoints } from './checkpoints.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function open(maxBytes?: number) {
  const folder = mkdtempSync(join(tmpdir(), 'hardshell-undo-'));
  folders.push(folder);
  const top = join(folder, 'workspace');
  mkdirSync(top);
  const again = () =>
    openCheckpoints({ folder: join(folder, 'checkpoints'), top, now: Date.now, ...(maxBytes ? { maxBytes } : {}) });
  return { folder, top, again, points: again(), at: (path: string) => join(top, path) };
}
type House = ReturnType<typeof open>;

/** Everything that an undo promises to bring back. */
function pictureOf(top: string, path = ''): string[] {
  return readdirSync(join(top, path))
    .sort()
    .flatMap((name) => {
      const inner = path === '' ? name : `${path}/${name}`;
      const stats = lstatSync(join(top, inner));
      const mode = (stats.mode & 0o7777).toString(8);
      if (stats.isSymbolicLink()) return [`${inner} -> ${readlinkSync(join(top, inner))}`];
      if (stats.isDirectory()) return [`${inner}/ ${mode}`, ...pictureOf(top, inner)];
      return [
        `${inner} ${mode} ${createHash('sha256')
          .update(readFileSync(join(top, inner)))
          .digest('hex')}`,
      ];
    });
}

async function turn({ points }: House, id: string, change: () => void, session = 'main'): Promise<void> {
  await points.before(id, session);
  change();
  await points.ended(id);
}

/** The same numbers for the same seed, so that a failure can be looked at again. */
function dice(seed: number) {
  let state = seed;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  return next;
}

function changeAtRandom(top: string, next: (below: number) => number): void {
  const folder = ['', 'a', 'b', 'a/deep', 'b/x'][next(5)] ?? '';
  const path = join(top, folder, ['one', 'two', 'three', 'Ünï ☃', 'x'][next(5)] ?? 'one');
  try {
    switch (next(8)) {
      case 0:
        rmSync(path, { recursive: true, force: true });
        break;
      case 1:
        mkdirSync(path, { recursive: true });
        break;
      case 2:
        // A write below may follow it: what it leads to outside must be nothing that this account could change.
        symlinkSync(['/proc/version', '..', 'one', 'nowhere'][next(4)] ?? '', path);
        break;
      case 3:
        chmodSync(path, [0o600, 0o755, 0o444, 0o700][next(4)] ?? 0o600);
        break;
      case 4:
        renameSync(path, join(top, 'moved'));
        break;
      default:
        mkdirSync(join(top, folder), { recursive: true });
        writeFileSync(path, Buffer.alloc(next(3) * next(400_000), next(256)));
    }
  } catch {
    // Not every change is possible on every tree.
  }
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  'whatever a turn did to any tree, its undo gives the tree of before (seed %i)',
  async (seed) => {
    const house = open();
    const next = dice(seed);
    for (let i = 0; i < 25; i++) changeAtRandom(house.top, next);
    const pictures: string[][] = [];
    for (let t = 0; t < 4; t++) {
      pictures.push(pictureOf(house.top));
      await turn(house, `turn-${t}`, () => {
        for (let i = 0; i < 12; i++) changeAtRandom(house.top, next);
      });
    }
    const end = pictureOf(house.top);
    for (let t = 3; t >= 0; t--) {
      if (pictureOf(house.top).join('\n') === pictures[t]?.join('\n')) continue;
      const done = await house.points.apply({ turnId: `turn-${t}` });
      expect(done).toMatchObject({ conflicts: [], cannot: [], failed: [] });
      expect(pictureOf(house.top)).toEqual(pictures[t]);
    }
    const undos = (await house.points.list()).filter(({ kind }) => kind === 'undo');
    for (const { turnId } of undos) await house.points.apply({ turnId });
    expect(pictureOf(house.top)).toEqual(end);
  },
);

test('a turn that only looked leaves nothing to undo, and nobody is kept waiting for a second look', async () => {
  const house = open();
  for (let i = 0; i < 1_000; i++) {
    mkdirSync(house.at(`d${i % 20}`), { recursive: true });
    writeFileSync(house.at(`d${i % 20}/f${i}`), `text ${i}`);
    utimesSync(house.at(`d${i % 20}/f${i}`), 1_000, 1_000);
  }
  await new Promise((resolve) => setTimeout(resolve, 60));
  await turn(house, 'first', () => {});
  let turns = 1;
  // Measured: 27 ms for the checkpoint, the end of the turn and what is written down about it.
  expect(await msWithin(400, () => turn(house, `turn ${++turns}`, () => {}))).toBeLessThan(400);
  expect(await house.points.list()).toEqual([]);
  await expect(house.points.apply({})).rejects.toMatchObject({ code: 'NOTHING_TO_UNDO' });
});
