import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HardshellError } from './errors.ts';
import type { Root } from './root.ts';
import { openRoot } from './root.ts';

let base: string;
let inside: string;
let outside: string;
let root: Root;

beforeEach(async () => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'root-')));
  inside = join(base, 'workspace');
  outside = join(base, 'outside');
  mkdirSync(inside);
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret'), 'OUTSIDE');
  root = await openRoot(inside);
});
afterEach(async () => {
  await root.close();
  rmSync(base, { recursive: true, force: true });
});

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error: unknown) => (error instanceof HardshellError ? error.code : `not ours: ${String(error)}`),
  );
const openDescriptors = (): number => readdirSync('/proc/self/fd').length;

describe('a plain path', () => {
  test('is written, read back, replaced and listed', async () => {
    await root.replace('notes/über/今日.md', 'one');
    await root.replace('notes/über/今日.md', 'two');
    expect((await root.read('./notes//über/今日.md', 10)).toString()).toBe('two');
    expect(await root.list('notes', 10)).toMatchObject({
      entries: [{ name: 'über', kind: 'folder' }],
      truncated: false,
    });
    expect((await root.list('.', 10)).entries.map((entry) => entry.name)).toEqual(['notes']);
    expect(readdirSync(join(inside, 'notes/über'))).toEqual(['今日.md']);
  });

  test('is private whatever the umask, and a script stays executable when it is replaced', async () => {
    const before = process.umask(0);
    try {
      await root.create('a/b', 'x');
    } finally {
      process.umask(before);
    }
    expect(statSync(join(inside, 'a')).mode & 0o777).toBe(0o700);
    expect(statSync(join(inside, 'a/b')).mode & 0o777).toBe(0o600);
    chmodSync(join(inside, 'a/b'), 0o755);
    await root.replace('a/b', 'y');
    expect(statSync(join(inside, 'a/b')).mode & 0o777).toBe(0o700);
  });

  test('may be spelled as the sandbox or the host sees it', async () => {
    await root.replace('/workspace/a.txt', 'x');
    expect((await root.read(join(inside, 'a.txt'), 10)).toString()).toBe('x');
    expect((await root.list('/workspace', 10)).entries).toHaveLength(1);
    expect(await codeOf(root.read(`${inside}-other/a.txt`, 10))).toBe('PATH_OUTSIDE');
  });

  test('is one file however its accents were typed', async () => {
    await root.replace('cafe\u0301.txt', 'x');
    expect(readdirSync(inside)).toEqual(['caf\u00e9.txt']);
    expect((await root.read('caf\u00e9.txt', 10)).toString()).toBe('x');
    writeFileSync(join(inside, 'a\u0301'), 'decomposed');
    expect((await root.read('a\u0301', 10)).toString()).toBe('decomposed');
  });

  test('create refuses what exists, tryRead is null only for what does not', async () => {
    await root.create('a', 'one');
    expect(await codeOf(root.create('a', 'two'))).toBe('FILE_EXISTS');
    expect(readFileSync(join(inside, 'a'), 'utf8')).toBe('one');
    expect(readdirSync(inside)).toEqual(['a']);
    expect(await root.tryRead('b', 10)).toBeNull();
    expect(await root.tryRead('no/such/folder/b', 10)).toBeNull();
    expect(await codeOf(root.tryRead('a/b', 10))).toBe('NOT_A_FOLDER');
  });

  test('lists at most the limit, sorted, and says when there is more', async () => {
    for (const name of ['c', 'a', 'b']) await root.create(name, name);
    const { entries, truncated } = await root.list('.', 2);
    expect(entries.map((entry) => entry.name)).toEqual(['a', 'b']);
    expect(truncated).toBe(true);
  });

  test('F14 belongs to the given owner, with every folder made on the way', async () => {
    if (process.getuid?.() !== 0) return;
    const owned = await openRoot(inside, { owner: { uid: 65534, gid: 65534 } });
    await owned.replace('x/y/z', 'data');
    await owned.create('x/new', 'data');
    for (const path of ['x', 'x/y', 'x/y/z', 'x/new']) expect(statSync(join(inside, path)).uid, path).toBe(65534);
  });
});

describe('a path that leads outside is refused in one clear line', () => {
  const REFUSED: readonly (readonly [string, string])[] = [
    ['F01 an absolute path', '/etc/hostname'],
    ['F02 dots', '../outside/secret'],
    ['F02 dots in the middle', 'a/../../outside/secret'],
    ['F02 dots after the workspace name', '/workspace/../etc/passwd'],
    ['F02 a home folder', '~/.ssh/id_rsa'],
    ['F02 the home folder of somebody', '~root/x'],
    ['F02 proc', '/proc/self/environ'],
    ['F08 a NUL', 'x\0y'],
    ['F08 a line feed', 'x\ny'],
    ['F08 an escape sequence', 'x\u001b[2J'],
    ['F08 a direction override', 'x\u202egpj.exe'],
    ['F08 half a surrogate pair', 'x\ud800'],
    ['a backslash', '..\\outside'],
    ['nothing', ''],
    ['F10 a 4 kB name', 'x'.repeat(4096)],
    ['too deep', 'a/'.repeat(100)],
  ];
  test.each(REFUSED)('%s', async (_what, path) => {
    const attempts = [
      () => root.read(path, 10),
      () => root.replace(path, 'x'),
      () => root.create(path, 'x'),
      () => root.list(path, 10),
    ];
    for (const attempt of attempts) {
      const error = await attempt().then(
        () => null,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(HardshellError);
      const { code, message, fix } = error as HardshellError;
      expect(code).toMatch(/^PATH_/);
      expect(fix).toBeTruthy();
      expect(message).not.toMatch(/[\n\0\u001b]/);
    }
    expect(readdirSync(inside)).toEqual([]);
  });

  test('any string at all: nothing appears outside, and every failure is one of ours', async () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '..',
        '.',
        '',
        '~',
        'a',
        'link',
        'link/secret',
        '/',
        '\0',
        '\\',
        '//',
        'workspace',
        '%2e%2e',
        '。。',
        '../'.repeat(9),
      ),
      fc.string({ unit: 'binary', maxLength: 12 }),
    );
    const hostile = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join('/'));
    symlinkSync(outside, join(inside, 'link'));
    const absolute = hostile.map((path) => `${inside}/${path}`);
    await fc.assert(
      fc.asyncProperty(fc.oneof(hostile, absolute), async (path) => {
        const codes = await Promise.all([codeOf(root.replace(path, 'WRITTEN')), codeOf(root.create(path, 'WRITTEN'))]);
        for (const code of codes) expect(code).toMatch(/^(no error|[A-Z_]+)$/);
        const text = await root.read(path, 100).then(String, () => 'refused');
        expect(['refused', 'WRITTEN']).toContain(text);
        expect(readdirSync(base).sort()).toEqual(['outside', 'workspace']);
        expect(readdirSync(outside)).toEqual(['secret']);
      }),
      { numRuns: 400 },
    );
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('OUTSIDE');
  });
});

describe('what is in the workspace cannot lead outside', () => {
  test('F03 a symlinked folder, for reading, writing, making and listing', async () => {
    symlinkSync(outside, join(inside, 'link'));
    expect(await codeOf(root.read('link/secret', 10))).toBe('PATH_LINK');
    expect(await codeOf(root.replace('link/secret', 'x'))).toBe('PATH_LINK');
    expect(await codeOf(root.create('link/new', 'x'))).toBe('PATH_LINK');
    expect(await codeOf(root.list('link', 10))).toBe('PATH_LINK');
    expect(readdirSync(outside)).toEqual(['secret']);
  });
  test('F03 a symlinked file, also one that points nowhere', async () => {
    symlinkSync(join(outside, 'secret'), join(inside, 'link'));
    symlinkSync(join(outside, 'new'), join(inside, 'dangling'));
    expect(await codeOf(root.read('link', 10))).toBe('PATH_LINK');
    expect(await codeOf(root.replace('link', 'x'))).toBe('PATH_LINK');
    expect(await codeOf(root.replace('dangling', 'x'))).toBe('PATH_LINK');
    expect(await codeOf(root.create('dangling', 'x'))).toBe('FILE_EXISTS');
    expect(readdirSync(outside)).toEqual(['secret']);
  });
  test('F04 a hard link to an outside file', async () => {
    linkSync(join(outside, 'secret'), join(inside, 'hard'));
    expect(await codeOf(root.read('hard', 10))).toBe('PATH_HARD_LINK');
    expect(await codeOf(root.replace('hard', 'x'))).toBe('PATH_HARD_LINK');
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('OUTSIDE');
  });
  test('F06 a missing leaf below a symlinked parent', async () => {
    symlinkSync(outside, join(inside, 'link'));
    expect(await codeOf(root.replace('link/a/b/c', 'x'))).toBe('PATH_LINK');
    expect(readdirSync(outside)).toEqual(['secret']);
  });
  test('F07 a pipe, a socket, a folder and a huge file do not hang or fill memory', async () => {
    execFileSync('mkfifo', [join(inside, 'pipe')]);
    const server = createServer().listen(join(inside, 'socket'));
    await once(server, 'listening');
    expect(await codeOf(root.read('pipe', 10))).toBe('NOT_A_FILE');
    expect(await codeOf(root.replace('pipe', 'x'))).toBe('NOT_A_FILE');
    expect(await codeOf(root.read('socket', 10))).toBe('NOT_A_FILE');
    expect(await codeOf(root.read('.', 10))).toBe('IS_A_FOLDER');
    writeFileSync(join(inside, 'big'), 'x'.repeat(11));
    expect(await codeOf(root.read('big', 10))).toBe('FILE_TOO_BIG');
    server.close();
  });
  test('another disk mounted below it is refused', async () => {
    if (process.getuid?.() !== 0 || process.platform !== 'linux') return;
    mkdirSync(join(inside, 'mounted'));
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', join(inside, 'mounted')]);
    try {
      expect(await codeOf(root.replace('mounted/x', 'x'))).toBe('PATH_OUTSIDE');
      expect(await codeOf(root.list('mounted', 1))).toBe('PATH_OUTSIDE');
    } finally {
      execFileSync('umount', [join(inside, 'mounted')]);
    }
  });
  test('a full disk is one clear line, the old content stays, and no temporary file is left', async () => {
    if (process.getuid?.() !== 0 || process.platform !== 'linux') return;
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', inside]);
    try {
      await root.replace('a', 'old');
      expect(await codeOf(root.replace('a', Buffer.alloc(100_000)))).toBe('DISK_FULL');
      expect((await root.read('a', 10)).toString()).toBe('old');
      expect(readdirSync(inside)).toEqual(['a']);
    } finally {
      execFileSync('umount', [inside]);
    }
  });
});

/** Swaps the folder `a` of the workspace for a link to the outside and back, now at once, now after a moment. */
const SWAPPER = `
  const fs = require('node:fs');
  const [inside, outside] = process.argv.slice(1);
  const pause = () => { for (const end = performance.now() + Math.random() * 0.3; performance.now() < end; ); };
  process.stdout.write('up');
  for (;;) {
    try { fs.renameSync(inside + '/a', inside + '/real'); } catch {}
    try { fs.symlinkSync(outside, inside + '/a'); } catch {}
    pause();
    try { fs.unlinkSync(inside + '/a'); } catch {}
    try { fs.renameSync(inside + '/real', inside + '/a'); } catch {}
    pause();
  }`;

describe('while another process swaps a folder for a link', () => {
  let swapper: ChildProcess;
  afterEach(async () => {
    swapper.kill('SIGKILL');
    await once(swapper, 'exit');
  });

  test('2,000 writes and reads never touch or show the outside, and leave no descriptor open', async () => {
    mkdirSync(join(inside, 'a'));
    writeFileSync(join(inside, 'a/secret'), 'INSIDE');
    swapper = spawn(process.execPath, ['-e', SWAPPER, inside, outside], { stdio: ['ignore', 'pipe', 'inherit'] });
    if (swapper.stdout) await once(swapper.stdout, 'data');
    const before = openDescriptors();
    const outcomes = new Map<string, number>();
    const note = (what: string): void => void outcomes.set(what, (outcomes.get(what) ?? 0) + 1);
    const endMs = performance.now() + 30_000;
    // The race has to be a race: it goes on until both sides of the swap were met.
    const met = (): boolean => outcomes.has('read: INSIDE') && outcomes.has('read: PATH_LINK');
    for (let i = 0; i < 1_000 || (!met() && performance.now() < endMs); i += 1) {
      const [text, wrote] = await Promise.all([
        root.read('a/secret', 100).then(String, (error: { code: string }) => error.code),
        i % 2 === 0 ? codeOf(root.replace(`a/new-${i}`, 'x')) : codeOf(root.create(`a/deep-${i}/x`, 'x')),
      ]);
      note(`read: ${text}`);
      note(`write: ${wrote}`);
    }
    expect(openDescriptors()).toBeLessThanOrEqual(before + 1);
    expect(readdirSync(outside)).toEqual(['secret']);
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('OUTSIDE');
    expect([...outcomes.keys()].filter((key) => key.includes('OUTSIDE') || key.includes('not ours'))).toEqual([]);
    expect(met()).toBe(true);
  }, 60_000);
});
