import { execFileSync } from 'node:child_process';
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Paths, reachOn, zonesFor } from '../../test/support/reach.ts';
import { createReach, type Reach } from './reach.ts';

let base: string;
let workspace: string;
const at = (name: string): string => join(base, name);
const put = (name: string, text = 'SECRET'): void => {
  mkdirSync(dirname(at(name)), { recursive: true });
  writeFileSync(at(name), text);
};
const reach = (paths: Paths = {}): Reach => reachOn(workspace, { stateDir: at('state'), ...paths });
const codeOf = (error: unknown): string => String((error as { code?: unknown }).code ?? error);

const read = async (files: Reach, path: string): Promise<string> =>
  files
    .at(path, 'read')
    .then(({ root, name }) => root.read(name, 1_000))
    .then(String, codeOf);
const write = async (files: Reach, path: string): Promise<string> =>
  files
    .at(path, 'write')
    .then(({ root, name }) => root.replace(name, 'WRITTEN'))
    .then(() => 'written', codeOf);

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'reach-')));
  workspace = at('workspace');
  mkdirSync(workspace);
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

describe('S129 S183 an allowed folder', () => {
  test('is read and written, one with :ro only read, and a file alone is no folder', async () => {
    put('data/a', 'one');
    put('docs/a', 'two');
    put('lone/file', 'three');
    put('lone/other');
    const files = reach({ allowed: [at('data'), `${at('docs')}:ro`, at('lone/file')] });
    expect([await read(files, at('data/a')), await write(files, at('data/new/b'))]).toEqual(['one', 'written']);
    expect([await read(files, at('docs/a')), await write(files, at('docs/a'))]).toEqual(['two', 'PATH_READ_ONLY']);
    expect([await read(files, at('lone/file')), await write(files, at('lone/file'))]).toEqual(['three', 'written']);
    for (const path of ['lone/other', 'lone', 'data-other/a', ''])
      expect([path, await read(files, at(path))]).toEqual([path, 'PATH_OUTSIDE']);
    expect(readFileSync(at('docs/a'), 'utf8')).toBe('two');
  });
  test('may be a link of the owner, and one that appears later is there', async () => {
    put('real/a', 'one');
    symlinkSync(at('real'), at('link'));
    const files = reach({ allowed: [at('link'), at('later')] });
    expect(await read(files, at('link/a'))).toBe('one');
    expect(await read(files, at('later/a'))).toBe('FILE_MISSING');
    put('later/a', 'two');
    expect(await read(files, at('later/a'))).toBe('two');
  });
  test('the workspace is spelled as the sandbox or as the host sees it', async () => {
    put('workspace/a', 'one');
    expect([await read(reach(), 'a'), await read(reach(), join(workspace, 'a'))]).toEqual(['one', 'one']);
  });
});

describe('what lies inside cannot lead outside', () => {
  test('F03 F06 a link below an allowed folder, for reading, writing and making', async () => {
    put('outside/secret');
    mkdirSync(at('data'));
    symlinkSync(at('outside'), at('data/link'));
    symlinkSync(at('outside/secret'), at('data/file'));
    const files = reach({ allowed: [at('data')] });
    expect(await read(files, at('data/link/secret'))).toBe('PATH_LINK');
    expect(await read(files, at('data/file'))).toBe('PATH_LINK');
    expect(await write(files, at('data/link/new/x'))).toBe('PATH_LINK');
    expect(readdirSync(at('outside'))).toEqual(['secret']);
  });
  test('an allowed folder inside one that can be written is never followed when it has become a link', async () => {
    put('outside/secret');
    mkdirSync(at('data'));
    symlinkSync(at('outside'), at('data/sub'));
    symlinkSync(at('outside'), join(workspace, 'sub'));
    const files = reach({ allowed: [at('data'), at('data/sub'), join(workspace, 'sub')] });
    expect(await read(files, at('data/sub/secret'))).toBe('PATH_LINK');
    expect(await read(files, join(workspace, 'sub/secret'))).toBe('PATH_LINK');
  });
  test('F04 a hard link to a file elsewhere', async () => {
    put('outside/secret');
    linkSync(at('outside/secret'), join(workspace, 'hard'));
    expect([await read(reach(), 'hard'), await write(reach(), 'hard')]).toEqual(['PATH_HARD_LINK', 'PATH_HARD_LINK']);
  });
  test('F02 F07 F10 dots, homes, devices and endless names', async () => {
    execFileSync('mkfifo', [join(workspace, 'pipe')]);
    const files = reach({ workspaceOnly: false });
    expect(await read(files, 'pipe')).toBe('NOT_A_FILE');
    expect(await read(files, '/dev/zero')).toBe('PATH_DENIED');
    expect(await read(files, '/proc/self/environ')).toBe('PATH_DENIED');
    expect(await read(files, `/proc/self/root${at('workspace/a')}`)).toBe('PATH_DENIED');
    expect(await read(reach(), '../x')).toBe('PATH_OUTSIDE');
    expect(await read(files, `${at('')}/../x`)).toMatch(/^PATH_/);
    expect(await read(files, 'x'.repeat(5_000))).toBe('PATH_TOO_LONG');
  });
});

describe('what is denied is denied by what it is', () => {
  test('deny wins, also over a folder that is allowed inside it', async () => {
    put('data/private/a');
    put('data/keep/a', 'old');
    const files = reach({
      allowed: [at('data'), at('data/private/a')],
      denied: [at('data/private'), `${at('data/keep')}:w`],
    });
    expect([await read(files, at('data/private/a')), await write(files, at('data/private/b'))]).toEqual([
      'PATH_DENIED',
      'PATH_DENIED',
    ]);
    expect([await read(files, at('data/keep/a')), await write(files, at('data/keep/a'))]).toEqual([
      'old',
      'PATH_DENIED',
    ]);
    expect(readdirSync(at('data/private'))).toEqual(['a']);
  });
  test('S185 F10 a .env in the workspace and below, but not its example', async () => {
    for (const name of ['.env', 'deep/er/.env.local', '.env.example']) put(`workspace/${name}`);
    expect(
      await Promise.all(['.env', 'deep/er/.env.local', '.env.example'].map((path) => read(reach(), path))),
    ).toEqual(['PATH_DENIED', 'PATH_DENIED', 'SECRET']);
    expect(await write(reach(), '.env')).toBe('PATH_DENIED');
  });
  test('moved to another name it stays closed, also the folder that it is', async () => {
    put('workspace/private/key');
    put('workspace/token');
    const files = reach({ denied: ['private', 'token'] });
    renameSync(join(workspace, 'private'), join(workspace, 'public'));
    renameSync(join(workspace, 'token'), join(workspace, 'notes'));
    expect(await read(files, 'public/key')).toBe('PATH_DENIED');
    expect(await write(files, 'public/new/deep')).toBe('PATH_DENIED');
    expect(readdirSync(join(workspace, 'public'))).toEqual(['key']);
    expect(await read(files, 'notes')).toBe('PATH_DENIED');
    expect(await write(files, 'other')).toBe('written');
  });
  test('mounted at another name, from the same disk', async () => {
    if (process.getuid?.() !== 0 || process.platform !== 'linux') return;
    put('home/.ssh/id_rsa');
    mkdirSync(join(workspace, 'mounted'));
    put('workspace/file', '');
    execFileSync('mount', ['--bind', at('home/.ssh'), join(workspace, 'mounted')]);
    execFileSync('mount', ['--bind', at('home/.ssh/id_rsa'), join(workspace, 'file')]);
    try {
      expect([await read(reach(), 'mounted/id_rsa'), await read(reach(), 'file')]).toEqual([
        'PATH_OUTSIDE',
        'PATH_OUTSIDE',
      ]);
      expect(await write(reach(), 'mounted/new')).toBe('PATH_OUTSIDE');
    } finally {
      execFileSync('umount', [join(workspace, 'mounted')]);
      execFileSync('umount', [join(workspace, 'file')]);
    }
  });
  test('S128 without workspaceOnly anything else is read, and nothing closed, however it is reached', async () => {
    put('elsewhere/a', 'plain');
    put('home/.ssh/id_rsa');
    put('state/credentials/token');
    symlinkSync(at('home/.ssh'), at('elsewhere/keys'));
    const files = reach({ workspaceOnly: false });
    expect(await read(files, at('elsewhere/a'))).toBe('plain');
    expect(await write(files, at('elsewhere/a'))).toBe('PATH_OUTSIDE');
    expect(await read(files, at('elsewhere/keys/id_rsa'))).toBe('PATH_LINK');
    expect(await read(files, at('home/.ssh/id_rsa'))).toBe('PATH_DENIED');
    expect(await read(files, at('state/credentials/token'))).toBe('PATH_DENIED');
    renameSync(at('state/credentials'), at('elsewhere/moved'));
    expect(await read(files, '/etc/hostname')).not.toMatch(/^PATH/);
  });
  test('an edit of the settings counts at once', async () => {
    put('data/a', 'one');
    let zones = zonesFor(workspace);
    const files = createReach(() => zones);
    expect(await read(files, at('data/a'))).toBe('PATH_OUTSIDE');
    zones = zonesFor(workspace, { allowed: [at('data')] });
    const open = await files.at(at('data/a'), 'read');
    expect(String(await open.root.read(open.name, 10))).toBe('one');
    zones = zonesFor(workspace);
    await expect(open.root.read(open.name, 10)).rejects.toMatchObject({ code: 'PATH_OUTSIDE' });
  });
  test('a list names what is closed and does not enter it', async () => {
    for (const name of ['.env', 'a', 'private/x']) put(`workspace/${name}`);
    const folder = await reach({ denied: ['private'] }).at('.', 'read');
    expect(['.env', 'a', 'private'].map((name) => folder.isClosed(name))).toEqual([true, false, true]);
    await expect(reach({ denied: ['private'] }).at('private', 'read')).rejects.toMatchObject({ code: 'PATH_DENIED' });
  });
});
