import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { copyFileDurable, ensureFolder, moveFile, openAppend, removeFile, replaceFile, tryReadText } from './files.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'files-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const modeOf = (path: string): number => statSync(path).mode & 0o777;
const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return 'no error';
};

describe('ensureFolder', () => {
  test('makes the folder and its parents private, whatever the umask', () => {
    const before = process.umask(0);
    try {
      ensureFolder(join(folder, 'a/b/c'));
      for (const part of ['a', 'a/b', 'a/b/c']) expect(modeOf(join(folder, part))).toBe(0o700);
    } finally {
      process.umask(before);
    }
  });
  test('narrows a folder that others could read', () => {
    ensureFolder(join(folder, 'a'));
    chmodSync(join(folder, 'a'), 0o777);
    ensureFolder(join(folder, 'a'));
    expect(modeOf(join(folder, 'a'))).toBe(0o700);
  });
  test('refuses a file in the place of the folder or of a parent, and says what to move', () => {
    writeFileSync(join(folder, 'f'), '');
    expect(() => ensureFolder(join(folder, 'f'))).toThrow(/cannot use the folder .*f: something there is not a folder/);
    expect(codeOf(() => ensureFolder(join(folder, 'f/g')))).toBe('NOT_A_FOLDER');
  });
  test('refuses a link to nowhere, and a place where no folder can be made, where Node itself would spin for ever', () => {
    const dangling = join(folder, 'unmounted');
    symlinkSync(join(folder, 'nowhere/state'), dangling);
    for (const path of [dangling, join(dangling, 'state'), '/proc/state/of/openclaw']) {
      // In a process of its own: a start that spins here would hear neither a signal nor the time limit of a test.
      const code = `import { ensureFolder } from ${JSON.stringify(join(import.meta.dirname, 'files.ts'))};
        try { ensureFolder(${JSON.stringify(path)}); } catch (error) { process.stdout.write(error.message); }`;
      const argv = ['--input-type=module', '--eval', code];
      const said = execFileSync(process.execPath, argv, { encoding: 'utf8', timeout: 10_000, killSignal: 'SIGKILL' });
      expect(said).toBe(`cannot use the folder ${path}: it cannot be made, or a link in its path leads nowhere`);
    }
  });
  test('takes a link to a folder that is there', () => {
    ensureFolder(join(folder, 'real'));
    symlinkSync(join(folder, 'real'), join(folder, 'link'));
    ensureFolder(join(folder, 'link/state'));
    expect(modeOf(join(folder, 'real/state'))).toBe(0o700);
  });
  test('leaves no probe file behind', () => {
    ensureFolder(join(folder, 'a'));
    expect(readdirSync(join(folder, 'a'))).toEqual([]);
  });
});

describe('replaceFile', () => {
  test('writes 0600 whatever the umask, replaces, and leaves nothing else', () => {
    const path = join(folder, 'x');
    const before = process.umask(0);
    try {
      replaceFile(path, 'one');
      replaceFile(path, 'two');
    } finally {
      process.umask(before);
    }
    expect(readFileSync(path, 'utf8')).toBe('two');
    expect(modeOf(path)).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['x']);
  });
  test('replaces a link instead of writing through it', () => {
    writeFileSync(join(folder, 'outside'), 'safe');
    symlinkSync('outside', join(folder, 'x'));
    replaceFile(join(folder, 'x'), 'new');
    expect(readFileSync(join(folder, 'outside'), 'utf8')).toBe('safe');
    expect(readFileSync(join(folder, 'x'), 'utf8')).toBe('new');
  });
  test('keeps the old content and no leftovers when the disk is full', () => {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) return;
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]);
    try {
      replaceFile(join(folder, 'x'), 'old');
      expect(codeOf(() => replaceFile(join(folder, 'x'), Buffer.alloc(200_000)))).toBe('DISK_FULL');
      expect(tryReadText(join(folder, 'x'))).toBe('old');
      expect(readdirSync(folder)).toEqual(['x']);
    } finally {
      execFileSync('umount', [folder]);
    }
  });
  test('says what happened when the folder is missing', () => {
    expect(codeOf(() => replaceFile(join(folder, 'no/x'), ''))).toBe('FILE_MISSING');
  });
});

describe('tryReadText', () => {
  test('is null only for a file that does not exist', () => {
    expect(tryReadText(join(folder, 'x'))).toBeNull();
    expect(codeOf(() => tryReadText(folder))).toBe('NOT_A_FILE');
    writeFileSync(join(folder, 'f'), '');
    expect(codeOf(() => tryReadText(join(folder, 'f/g')))).toBe('NOT_A_FOLDER');
  });
  test('does not hang on a pipe and does not swallow an endless file', () => {
    execFileSync('mkfifo', [join(folder, 'p')]);
    expect(codeOf(() => tryReadText(join(folder, 'p')))).toBe('NOT_A_FILE');
    expect(codeOf(() => tryReadText('/dev/zero'))).toBe('NOT_A_FILE');
    writeFileSync(join(folder, 'big'), 'x'.repeat(11));
    expect(codeOf(() => tryReadText(join(folder, 'big'), 10))).toBe('FILE_TOO_BIG');
    expect(tryReadText(join(folder, 'big'), 11)).toHaveLength(11);
  });
});

describe('openAppend', () => {
  test('appends whole lines, keeps the mode private, and follows a rotation on reopen', () => {
    const path = join(folder, 'log');
    writeFileSync(path, 'old\n', { mode: 0o644 });
    const log = openAppend(path);
    log.write('one');
    expect(modeOf(path)).toBe(0o600);
    expect(log.size()).toBe(8);
    moveFile(path, join(folder, 'log.1'));
    log.write('two');
    log.reopen();
    log.write('three');
    log.close();
    log.close();
    expect(readFileSync(join(folder, 'log.1'), 'utf8')).toBe('old\none\ntwo\n');
    expect(readFileSync(path, 'utf8')).toBe('three\n');
  });
  test('refuses a link and a pipe', () => {
    symlinkSync('elsewhere', join(folder, 'l'));
    expect(codeOf(() => openAppend(join(folder, 'l')))).toBe('PATH_LINK');
    expect(readdirSync(folder)).toEqual(['l']);
  });
});

test('copyFileDurable copies content and mode; removeFile does not mind a missing file', () => {
  writeFileSync(join(folder, 'a'), 'x'.repeat(3_000_000), { mode: 0o600 });
  copyFileDurable(join(folder, 'a'), join(folder, 'b'));
  expect(readFileSync(join(folder, 'b')).equals(readFileSync(join(folder, 'a')))).toBe(true);
  expect(modeOf(join(folder, 'b'))).toBe(0o600);
  removeFile(join(folder, 'a'));
  removeFile(join(folder, 'a'));
  expect(readdirSync(folder)).toEqual(['b']);
});
