import { linkSync, lstatSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { giveTree } from './ownership.ts';

const isRoot = process.getuid?.() === 0 && process.platform === 'linux';

test.runIf(isRoot)('hands over folders and files, but nothing that is or has a name outside', () => {
  const base = mkdtempSync(join(tmpdir(), 'ownership-'));
  try {
    const inside = join(base, 'inside');
    mkdirSync(join(inside, 'a/b'), { recursive: true });
    writeFileSync(join(inside, 'a/b/file'), '', { mode: 0o600 });
    writeFileSync(join(base, 'outside'), '');
    linkSync(join(base, 'outside'), join(inside, 'hard'));
    symlinkSync(join(base, 'outside'), join(inside, 'soft'));
    giveTree(inside, { uid: 65534, gid: 65534 });
    for (const path of ['.', 'a', 'a/b', 'a/b/file']) expect(statSync(join(inside, path)).uid, path).toBe(65534);
    expect(statSync(join(inside, 'a/b/file')).mode & 0o777).toBe(0o600);
    expect(statSync(join(base, 'outside')).uid).toBe(0);
    expect(lstatSync(join(inside, 'soft')).uid).toBe(0);
    expect(statSync(base).uid).toBe(0);
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
});
