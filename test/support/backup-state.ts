// Owns a small state folder for tests of backups: a database, a configuration, secrets, a workspace with traps in it.
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolvePaths } from '../../src/config/paths.ts';
import { openJournal } from '../../src/journal/journal.ts';
import { type CreateOptions, createBackup } from '../../src/ops/backup/create.ts';
import { openStore } from '../../src/store/open.ts';

export const VERSION = '0.1.0';
export const SECRETS = {
  bot: '123456789:AAF0abcdefghijklmnopqrstuvwxyz01234',
  key: 'sk-ant-api03-Zq7xV1bT9mKc2LwR4yHs8DnE6jPu',
};

export function makeState() {
  const home = mkdtempSync(join(tmpdir(), 'hardshell-backup-'));
  const env = { HOME: home, PATH: process.env['PATH'] ?? '' };
  const paths = resolvePaths(env);
  const put = (name: string, text: string, mode = 0o600): void => {
    const path = join(paths.stateDir, name);
    mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
    writeFileSync(path, text, { mode });
  };
  put(
    'openclaw.json',
    `{\n  // the bot; its token was ${SECRETS.bot}\n  channels: { telegram: { enabled: true, botToken: '${SECRETS.bot}' } },\n  session: { dmScope: 'main' },\n}\n`,
  );
  put('credentials/anthropic-key', SECRETS.key);
  put('.env', `ANTHROPIC_API_KEY=${SECRETS.key}\n`);
  put('workspace/MEMORY.md', '# what I know\n');
  put('workspace/memory/2026-11-21.md', 'it rained\n');
  put('workspace/tool.sh', '#!/bin/sh\n', 0o755);
  put('workspace/project/.env', `TOKEN=${SECRETS.key}\n`);
  put('logs/openclaw.log', '{}\n');
  put('snapshots/state-20261121T000000000Z.sqlite', 'x'.repeat(5_000));
  symlinkSync('../MEMORY.md', join(paths.workspaceDir, 'memory', 'all.md'));
  symlinkSync('/etc/passwd', join(paths.workspaceDir, 'outside'));
  linkSync(join(paths.workspaceDir, 'tool.sh'), join(paths.workspaceDir, 'same.sh'));
  writeFileSync(join(home, 'private.txt'), 'mine');
  linkSync(join(home, 'private.txt'), join(paths.workspaceDir, 'stolen.txt'));
  const store = openStore(paths.databasePath);
  const journal = openJournal(store, Date.now);
  for (let n = 0; n < 20; n++) store.commit(() => journal.record('test.entry', { n }));
  store.close();
  return {
    ...{ home, env, paths, put },
    backup: (options: Partial<CreateOptions> = {}) =>
      createBackup({
        ...{ paths, env, version: VERSION, folder: join(home, 'backups'), sealing: null, scheduled: false },
        ...{ nowMs: Date.now(), ...options },
      }),
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
}
export type TestState = ReturnType<typeof makeState>;
