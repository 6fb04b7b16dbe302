import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bestOf } from '../../test/support/measure.ts';
import { type Paths, zonesFor } from '../../test/support/reach.ts';
import { createSandboxReach } from './reach.ts';

let base: string;
let workspace: string;
const at = (name: string): string => join(base, name);
const put = (name: string, text = ''): void => {
  mkdirSync(dirname(at(name)), { recursive: true });
  writeFileSync(at(name), text);
};
const reach = (paths: Paths = {}) => {
  const zones = zonesFor(workspace, { stateDir: at('state'), ...paths });
  return createSandboxReach(() => zones, at('home'));
};

beforeEach(() => {
  base = realpathSync(mkdtempSync('/var/tmp/box-'));
  workspace = at('workspace');
  mkdirSync(workspace);
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

describe('what a box hides', () => {
  test('S185 each .env, each denied path, and whatever holds keys; not their examples, not links', async () => {
    for (const name of ['.env', 'app/.env.local', 'app/.env.example', 'app/a', 'private/x', 'kept/x', 'v.kdbx'])
      put(`workspace/${name}`);
    symlinkSync('app', join(workspace, '.env.link'));
    const box = reach({ denied: ['private', 'kept:w', 'gone'] });
    expect(await box.masked()).toEqual(['.env', 'app/.env.local', 'kept', 'private', 'v.kdbx']);
    expect(box.uncovered()).toBe('');
  });
  test('below an allowed folder too, by the path that a command sees; one that is only read need not hide :w', async () => {
    for (const name of ['real/.env', 'real/.ssh/id_rsa', 'real/a', 'docs/kept/x']) put(name);
    symlinkSync(at('real'), at('link'));
    const box = reach({ allowed: [at('link'), `${at('docs')}:ro`], denied: [`${at('docs/kept')}:w`] });
    expect(box.binds()).toEqual([
      { source: at('real'), target: at('link'), access: 'rw' },
      { source: at('docs'), target: at('docs'), access: 'ro' },
    ]);
    expect(await box.masked()).toEqual([at('link/.env'), at('link/.ssh')].sort());
  });
  test('what is new, gone or moved is seen at once, whatever its times say', async () => {
    put('workspace/app/a');
    const box = reach({ denied: ['deep/er/key'] });
    expect(await box.masked()).toEqual([]);
    await sleep(150);
    expect(await box.masked()).toEqual([]);
    put('workspace/app/.env');
    utimesSync(at('workspace/app'), 1, 1);
    expect(await box.masked()).toEqual(['app/.env']);
    renameSync(at('workspace/app'), at('workspace/other'));
    expect(await box.masked()).toEqual(['other/.env']);
    rmSync(at('workspace/other/.env'));
    expect(await box.masked()).toEqual([]);
  });
  test('what was hidden stays so wherever it is moved: out of sight, below a name that is skipped, or too deep', async () => {
    for (const name of ['deep/key', 'app/.env', 'app/lib/.env']) put(`workspace/${name}`);
    mkdirSync(at('workspace/node_modules'));
    mkdirSync(at('workspace/1/2/3/4/5/6/7'), { recursive: true });
    const box = reach({ denied: ['deep/key'] });
    expect(await box.masked()).toEqual(['app/.env', 'app/lib/.env', 'deep/key']);
    renameSync(at('workspace/deep'), at('workspace/open'));
    expect(await box.masked()).toEqual(['app/.env', 'app/lib/.env', 'open/key']);
    renameSync(at('workspace/app/lib'), at('workspace/1/2/3/4/5/6/7/lib'));
    renameSync(at('workspace/app'), at('workspace/node_modules/app'));
    renameSync(at('workspace/open/key'), at('workspace/notes'));
    const all = ['1/2/3/4/5/6/7/lib/.env', 'node_modules/app/.env', 'notes'];
    expect(await box.masked()).toEqual(all);
    expect(await box.masked()).toEqual(all);
  });
  test('what is saved anew or removed is not looked for in vain, and what is denied no more is shown', async () => {
    put('workspace/deep/key');
    let zones = zonesFor(workspace, { denied: ['deep/key'] });
    const box = createSandboxReach(() => zones, at('home'));
    expect(await box.masked()).toEqual(['deep/key']);
    rmSync(at('workspace/deep/key'));
    put('workspace/deep/key', 'saved anew');
    expect(await box.masked()).toEqual(['deep/key']);
    renameSync(at('workspace/deep/key'), at('workspace/key'));
    zones = zonesFor(workspace, { denied: ['deep/key', 'other'] });
    expect(await box.masked()).toEqual(['key']);
    zones = zonesFor(workspace);
    expect(await box.masked()).toEqual([]);
    zones = zonesFor(workspace, { denied: ['key'] });
    expect(await box.masked()).toEqual(['key']);
    rmSync(at('workspace/key'));
    expect(await box.masked()).toEqual([]);
  });
  test('what is not looked into is said', async () => {
    put('workspace/node_modules/x/.env');
    put('workspace/1/2/3/4/5/.env');
    put(`workspace/${Array.from({ length: 26 }, (_, n) => n).join('/')}/.env`);
    const box = reach();
    expect(await box.masked()).toEqual(['1/2/3/4/5/.env']);
    expect(box.uncovered()).toBe('what lies more than 24 folders deep');
  });
  test('five thousand files cost little, and less the second time', async () => {
    for (let i = 0; i < 50; i += 1) for (let k = 0; k < 90; k += 1) put(`workspace/d${i}/f${k}`);
    await sleep(150);
    const box = reach();
    const timed = async (): Promise<number> => {
      const startMs = performance.now();
      await box.masked();
      return performance.now() - startMs;
    };
    await timed();
    expect(await bestOf(20, (ms) => ms < 20, timed)).toBeLessThan(20);
    // Flooding the workspace hides nothing that comes after it.
    for (let k = 0; k < 600; k += 1) put(`workspace/d60/f${k}`);
    put('workspace/late/.env');
    expect(await box.masked()).toEqual(['late/.env']);
    expect(box.uncovered()).toBe('');
  });
});

test('a box is shown no single file, no folder twice, nothing of the system, of keys or of the state', () => {
  for (const name of ['one', 'data/sub/x', 'state/x', 'home/.ssh/x', 'home/docs/x']) put(name);
  const allowed = ['one', 'data', 'data/sub', 'state', 'home/.ssh', 'home', 'home/docs', 'gone', 'workspace/in'].map(
    at,
  );
  expect(
    reach({ allowed: [...allowed, '/etc', '/usr/share', base] })
      .binds()
      .map(({ target }) => target),
  ).toEqual([at('data'), at('home/docs')]);
});
