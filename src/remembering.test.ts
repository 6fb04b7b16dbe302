import { mkdtempSync, rmSync } from 'node:fs';
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
  return createRemembering({
    ...{ store, workspace, now: Date.now, redactor: { find: () => [] } },
    sandboxes: { planOf: () => ({ access }) as never },
    config: () => ({ memory: { enabled, scanSecrets: true } }) as Config,
  });
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
