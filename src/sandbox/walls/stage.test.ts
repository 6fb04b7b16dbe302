import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { prepareWorkspace } from '../workspace.ts';
import { openBinds } from './binds.ts';
import { openStage } from './stage.ts';

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'stage-'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

test('a folder that was swapped after it was looked at is not shown', async () => {
  const [workspace, source] = [join(base, 'workspace'), join(base, 'data')];
  prepareWorkspace(workspace);
  mkdirSync(source);
  const binds = openBinds(
    {
      ...{ workspace, workspaceAccess: 'rw', network: 'none', fixedFiles: [], hidden: [] },
      binds: [{ source, target: '/data', access: 'ro' }],
    },
    '/etc/proxy',
  );
  (await openStage({ workspace, binds })).close();
  renameSync(source, join(base, 'away'));
  symlinkSync(workspace, source);
  await expect(openStage({ workspace, binds })).rejects.toThrow(/is another folder now/);
});
