// The folders that a gateway may take for itself: what happens when a variable is wrong must not cost anybody a folder.
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { resolvePaths } from '../config/paths.ts';
import { prepareState, refuseWideWorkspace } from './folders.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hardshell-folders-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const pathsFor = (stateDir: string) => resolvePaths({ HOME: folder, OPENCLAW_STATE_DIR: stateDir });
const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return 'taken';
};
const take = (dir: string): string => codeOf(() => prepareState(pathsFor(dir)));

test('a folder of the system, a shared one and a home are never taken for state, nor changed', () => {
  const before = statSync('/tmp').mode;
  const shared = join(folder, 'shared');
  mkdirSync(shared);
  chmodSync(shared, 0o1777);
  const link = join(folder, 'link');
  symlinkSync('/tmp', link);
  for (const dir of [
    '/',
    '/tmp',
    '/tmp/',
    '/etc',
    '/etc/openclaw',
    '/usr/share/x',
    '/proc/x',
    homedir(),
    shared,
    link,
  ]) {
    expect(`${dir}: ${take(dir)}`).toBe(`${dir}: STATE_FOLDER_FOREIGN`);
  }
  expect(statSync('/tmp').mode).toBe(before);
  expect(statSync(shared).mode & 0o7777).toBe(0o1777);
});

test('a folder that holds something else is refused, by name, and stays as it is', () => {
  writeFileSync(join(folder, 'package.json'), '{}');
  mkdirSync(join(folder, 'src'));
  chmodSync(folder, 0o755);
  expect(() => prepareState(pathsFor(folder))).toThrow(/would be .*, which holds something else \(package.json, src\)/);
  expect(statSync(folder).mode & 0o777).toBe(0o755);
  expect(readdirSync(folder)).toEqual(['package.json', 'src']);
});

test('a new folder, an empty one, a fresh disk and an old state folder are taken, with a .gitignore', () => {
  const dirs = ['new/state', 'empty', 'disk', 'old', '.openclaw'].map((name) => join(folder, name));
  for (const name of ['empty', 'disk/lost+found', 'old/agents', 'old/else', '.openclaw/else']) {
    mkdirSync(join(folder, name), { recursive: true });
  }
  for (const dir of dirs) {
    expect(`${dir}: ${take(dir)}`).toBe(`${dir}: taken`);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    expect(readdirSync(dir)).toContain('.gitignore');
  }
});

test('a workspace is never a folder of the system, a home, nor what holds the state, a link to one neither', () => {
  const state = join(folder, 'a/state');
  mkdirSync(state, { recursive: true });
  const link = join(folder, 'link');
  symlinkSync(join(folder, 'a'), link);
  const judge = (dir: string): string => codeOf(() => refuseWideWorkspace(dir, pathsFor(state)));
  for (const dir of [
    '/',
    '/etc',
    '/usr/local/share',
    '/home',
    '/tmp',
    homedir(),
    folder,
    join(folder, 'a'),
    state,
    link,
  ]) {
    expect(`${dir}: ${judge(dir)}`).toBe(`${dir}: WORKSPACE_TOO_WIDE`);
  }
  for (const dir of [join(state, 'workspace'), join(folder, 'files'), join(folder, 'a/..files'), '/srv/assistant']) {
    expect(`${dir}: ${judge(dir)}`).toBe(`${dir}: taken`);
  }
});
