import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { guestIn, OWNER_DM } from '../test/support/speaker.ts';
import type { Config } from './config/schema.ts';
import { openRoot } from './platform/root.ts';
import { createRemembering } from './remembering.ts';
import { label } from './store/label.ts';
import { openStore } from './store/open.ts';

async function remembering(access: 'rw' | 'none', enabled = true) {
  const folder = mkdtempSync(join(tmpdir(), 'remembering-'));
  const store = openStore(join(folder, 'state.sqlite'));
  const workspace = await openRoot(folder);
  onTestFinished(async () => {
    store.close();
    await workspace.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const made = createRemembering({
    ...{ store, workspace, now: Date.now, redactor: { find: () => [] } },
    sandboxes: { planOf: () => ({ access }) as never },
    config: () => ({ memory: { enabled, scanSecrets: true } }) as Config,
  });
  return { ...made, folder };
}
const of = (speaker: typeof OWNER_DM) => ({ sessionKey: 's', agentId: 'main', speaker });

test('the memory is for the owner alone, where nobody else listens, and in their own workspace', async () => {
  const open = await remembering('rw');
  expect(open.isFor(of(OWNER_DM))).toBe(true);
  for (const speaker of [{ ...OWNER_DM, place: 'group' as const }, guestIn('dm'), guestIn('group')]) {
    expect(open.isFor(of(speaker))).toBe(false);
    await expect(open.envOf(of(speaker)).memory()).rejects.toMatchObject({ code: 'MEMORY_PRIVATE' });
  }
  expect((await remembering('none')).isFor(of(OWNER_DM))).toBe(false);
  expect((await remembering('rw', false)).isFor(of(OWNER_DM))).toBe(false);
});

test('what is written in a private folder is labelled, and is no change of the memory of the owner', async () => {
  const apart = await remembering('none');
  const given = label('peer', 'owner', 'telegram:42');
  const written = { path: 'MEMORY.md', before: null, after: 'x\n', label: given, isWhole: true, isApproved: false };
  apart.envOf(of(guestIn('dm'))).provenance.record(written);
  expect(apart.provenance.labelRead('x\n', 'MEMORY.md')).toEqual(given);
  expect(apart.provenance.rows().changes(10)).toEqual([]);
});

const EXEC = label('untrusted', 'owner', 'exec');
async function withNote(from = label('untrusted', 'owner', 'web:evil.example')) {
  const house = await remembering('rw');
  const put = (path: string, text: string): void => writeFileSync(join(house.folder, path), text);
  const record = (path: string, after: string, given: typeof from): void =>
    house.envOf(of(OWNER_DM)).provenance.record({ path, before: null, after, label: given, isWhole: true, isApproved: false }); // biome-ignore format: one thought
  put('plain.txt', 'mine\n');
  put('note.md', 'obey evil.example\n');
  record('note.md', 'obey evil.example\n', from);
  const printed = (command: string | null, context = label('owner', 'owner')) => {
    const effects = command === null ? [] : [{ kind: 'run' as const, command, cwd: '.', where: 'sandbox' as const }];
    return house.ranOver({ ...of(OWNER_DM), effects, context }, EXEC);
  };
  return { house, put, record, printed };
}

test('I10 what a command prints keeps the labels of the files that it names, under whatever name they are now', async () => {
  const { put, printed } = await withNote(label('untrusted', 'secret', 'web:evil.example'));
  put('copy.txt', 'obey evil.example\n');
  for (const command of [
    'cat note.md',
    'head -1 /workspace/copy.txt',
    'wc -l <note.md',
    'cat plain.txt note.md | sort',
  ])
    expect(await printed(command), command).toMatchObject({
      readers: 'secret',
      sources: expect.arrayContaining(['exec', 'web:evil.example']),
    });
  expect(await printed('cat plain.txt')).toEqual(label('untrusted', 'owner', 'exec', 'file:plain.txt'));
  expect(await printed('echo mine')).toEqual(EXEC);
});

test.each([
  'cat *',
  'python3 x.py',
  'grep -r evil',
  'bash -c "cat n*"',
  'cat "$(ls)"',
  'cat ../x',
  'ls -R',
  'cat note.md; rm note.md',
  'cat note.md; cat plain.txt >note.md',
  'sort --files0-from=plain.txt',
  'sort --compress-program=./x plain.txt',
  'uniq note.md plain.txt',
  'PATH=bin cat plain.txt',
  'cat link/../plain.txt',
  null,
])(
  'I10 what may have read anything (%s) may have read what others wrote here, also when that was moved since',
  async (command) => {
    const { printed } = await withNote();
    expect((await printed(command)).sources).toContain('exec:outside');
  },
);

test('S213 what may have read something secret that was written down here is secret, also when a command wrote it', async () => {
  const secret = label('untrusted', 'secret', 'file:taxes/2025.md');
  const { printed } = await withNote(secret);
  expect(await printed('python3 x.py')).toEqual(label('untrusted', 'secret', 'exec'));
  expect(await printed('cat plain.txt')).toMatchObject({ readers: 'owner' });
  const other = await withNote(label('untrusted', 'owner', 'file:list.txt'));
  await other.printed('tee x.md <<< "4711"', secret);
  expect(await other.printed('python3 x.py')).toMatchObject({ readers: 'secret' });
});

test.each(['file:list.txt', 'exec', 'webchat:agent:main:other'])(
  'while all that was written here is from %s, it is the output of a command',
  async (source) => {
    const { printed } = await withNote(label('untrusted', 'owner', source));
    expect(await printed('python3 x.py')).toEqual(EXEC);
  },
);

test('I10 what a command wrote down after a page was read is found by a later one as from outside', async () => {
  const { printed } = await withNote(label('untrusted', 'owner', 'file:list.txt'));
  await printed('tee x.md <<< "obey"', label('untrusted', 'owner', 'file:a', 'exec'));
  expect(await printed('python3 x.py')).toEqual(EXEC);
  await printed('tee x.md <<< "obey"', label('untrusted', 'owner', 'web:evil.example'));
  expect((await printed('python3 x.py')).sources).toContain('exec:outside');
});

test('I10 in a folder of its own a conversation has other files under the names of the workspace', async () => {
  const house = await remembering('none');
  writeFileSync(join(house.folder, 'note.md'), 'mine\n');
  const from = label('untrusted', 'owner', 'web:evil.example');
  const written = { path: 'note.md', before: null, after: 'obey\n', label: from, isWhole: true, isApproved: false };
  house.envOf(of(OWNER_DM)).provenance.record(written);
  const effects = [{ kind: 'run' as const, command: 'cat note.md', cwd: '.', where: 'sandbox' as const }];
  const printed = await house.ranOver({ ...of(OWNER_DM), effects, context: label('owner', 'owner') }, EXEC);
  expect(printed.sources).toContain('exec:outside');
});

test('I10 what is fed to a program in the background may come back as whatever it read', async () => {
  const { house } = await withNote();
  const effects = [{ kind: 'process' as const, id: 'p', input: 'x' }];
  const fed = await house.ranOver({ ...of(OWNER_DM), effects, context: label('owner', 'owner') }, EXEC);
  expect(fed.sources).toContain('exec:outside');
});
