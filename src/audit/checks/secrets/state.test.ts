// The state folder as files: each bad state is found under its id, its hardened twin has no finding, and looking changes
// nothing: content, modes, owners, names.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { openJournal } from '../../../journal/journal.ts';
import { noteProof } from '../../../ops/backup/proof.ts';
import { openStore } from '../../../store/open.ts';
import type { Check } from '../../check.ts';
import { gatherAuditFacts } from '../../facts.ts';
import { walkState } from '../../state-walk.ts';
import { RECORD_CHECKS } from '../records/records.ts';
import { STATE_CHECKS } from './secrets.ts';

const CHECKS: readonly Check[] = [...STATE_CHECKS, ...RECORD_CHECKS];
const KEY = ['sk', 'ant', 'api03-Zq8xW2vN5tR7yU1iO4pA6sD9fG3hJ0kL'].join('-');
const NOW = Date.now();
const OLD_S = NOW / 1000 - 200 * 86_400;

let template: string;
let home: string;
let state: string;
const at = (path: string): string => join(state, path);
function put(path: string, text: string, mode = 0o600): void {
  const whole = join(home, path);
  mkdirSync(dirname(whole), { recursive: true, mode: 0o700 });
  writeFileSync(whole, text);
  chmodSync(whole, mode);
}
const inState = (path: string, text: string, mode = 0o600): void => put(`.openclaw/${path}`, text, mode);

/** A state that was used, backed up, and left in order; made once, since a database takes its time. */
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'state-'));
  state = join(home, '.openclaw');
  mkdirSync(state, { mode: 0o700 });
  inState('.gitignore', '*\n');
  inState('openclaw.json', '{ gateway: { bind: "loopback" } }\n');
  inState('.env', `ANTHROPIC_API_KEY=${KEY}\n`);
  inState('credentials/gateway-token', `${createHash('sha256').update(home).digest('hex')}\n`);
  inState('logs/openclaw.log', '{}\n');
  inState('workspace/AGENTS.md', '# How\n', 0o644);
  inState('config-history/000001.json', '{}');
  const store = openStore(at('state.sqlite'));
  const journal = openJournal(store, () => NOW);
  store.commit(() => journal.record('gateway.grant', { a: 1 }));
  store.commit(() => journal.record('gateway.grant', { a: 2 }));
  store.close();
  inState('snapshots/state-20261121T000000000Z.sqlite', 'x');
  const file = 'x.tar.gz';
  const atMs = NOW - 3_600_000;
  noteProof(
    { stateDir: state },
    { made: { atMs, file, bytes: 1, encrypted: true }, proven: { atMs, file, tookMs: 1, sessions: 1 } },
  );
  template = home;
});
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'state-'));
  state = join(home, '.openclaw');
  execFileSync('cp', ['-a', `${template}/.`, home]);
});
afterEach(() => rmSync(home, { recursive: true, force: true }));
afterAll(() => rmSync(template, { recursive: true, force: true }));

async function audit(env: Record<string, string> = {}): Promise<readonly string[]> {
  const facts = await gatherAuditFacts(
    { HOME: home, OPENCLAW_HOME: home, ...env },
    { nowMs: NOW, version: '0', probeSandbox: async () => ({ driver: null, detail: '', fix: null }) },
  );
  const found: string[] = [];
  for (const check of CHECKS) {
    const outcome = await check.probe(facts);
    if ('findings' in outcome) for (const { severity } of outcome.findings) found.push(`${severity[0]} ${check.id}`);
  }
  return found.sort();
}

/** Everything that a look could have changed, except when something was last read. */
function hashOf(folder: string): string {
  const hash = createHash('sha256');
  const visit = (path: string): void => {
    const { mode, uid, mtimeMs, size } = lstatSync(path);
    const stats = lstatSync(path);
    hash.update(JSON.stringify([path, mode, uid, mtimeMs, stats.isDirectory() ? 0 : size]));
    if (stats.isFile()) hash.update(readFileSync(path));
    if (stats.isDirectory()) for (const name of readdirSync(path).sort()) visit(join(path, name));
  };
  visit(folder);
  return hash.digest('hex');
}

const git = (folder: string, ...args: string[]): void => {
  execFileSync('git', ['-c', 'safe.directory=*', ...args], {
    cwd: folder,
    stdio: 'ignore',
    env: { PATH: process.env['PATH'], HOME: home },
  });
};
const rows = (use: (store: ReturnType<typeof openStore>) => void): void => {
  const store = openStore(at('state.sqlite'));
  use(store);
  store.close();
};

test('S281 a hardened state has no finding, and looking at it changes nothing', async () => {
  const before = hashOf(home);
  expect(await audit()).toEqual([]);
  expect(hashOf(home)).toBe(before);
});

type Bad = readonly [what: string, make: () => void, expected: readonly string[]];
const BAD: readonly Bad[] = [
  ['S010 the state folder for all', () => chmodSync(state, 0o777), ['C fs.state_dir.perms']],
  ['the state folder readable', () => chmodSync(state, 0o755), ['W fs.state_dir.perms']],
  ['the configuration for all', () => chmodSync(at('openclaw.json'), 0o666), ['C fs.config.perms']],
  ['the configuration readable by a group', () => chmodSync(at('openclaw.json'), 0o640), ['W fs.config.perms']],
  [
    'the configuration is a link',
    () => {
      renameSync(at('openclaw.json'), join(home, 'real.json'));
      symlinkSync(join(home, 'real.json'), at('openclaw.json'));
    },
    ['W fs.config.perms'],
  ],
  [
    'an included file for all',
    () => {
      inState('openclaw.json', '{ $include: "more.json5" }\n');
      inState('more.json5', '{}', 0o666);
    },
    ['C fs.config_include.perms'],
  ],
  ['S206 the credentials folder open', () => chmodSync(at('credentials'), 0o755), ['W fs.credentials_dir.perms']],
  [
    'S010 a key that others may read',
    () => inState('credentials/anthropic-key', 'x1', 0o644),
    ['C fs.credential_files.perms'],
  ],
  ['S124 .env that others may change', () => chmodSync(at('.env'), 0o666), ['C fs.env_file.perms']],
  ['S124 .env in the home folder', () => put('.env', 'A=b\n', 0o644), ['C fs.env_file.perms']],
  ['S187 the database readable', () => chmodSync(at('state.sqlite'), 0o644), ['W fs.sessions_store.perms']],
  ['S187 a copy of it readable', () => chmodSync(at('snapshots'), 0o755), ['W fs.sessions_store.perms']],
  ['the log readable', () => chmodSync(at('logs/openclaw.log'), 0o644), ['W fs.log_file.perms']],
  [
    'S155 any other file',
    () => chmodSync(at('config-history/000001.json'), 0o646),
    ['C fs.files.all', 'C fs.files.perms'],
  ],
  [
    'a link among ours',
    () => symlinkSync('/etc/hostname', at('config-history/x')),
    ['W fs.files.all', 'W fs.files.perms'],
  ],
  ['a pipe among ours', () => execFileSync('mkfifo', [at('pipe')]), ['W fs.files.all', 'W fs.files.perms']],
  [
    'S063 a token in the configuration',
    () => inState('openclaw.json', `{ models: { providers: { anthropic: { apiKey: "${KEY}x" } } } }`),
    ['W secrets.plaintext_in_config'],
  ],
  [
    'S149 a placeholder as a key',
    () => inState('credentials/anthropic-key', 'your-api-key-here\n'),
    ['C secrets.placeholder', 'I secrets.shadowed'],
  ],
  ['S126 a key of half a year', () => utimesSync(at('credentials/gateway-token'), OLD_S, OLD_S), ['W secrets.age']],
  ['S069 one key in two places', () => inState('credentials/anthropic-key', `${KEY}\n`), ['W secrets.reused']],
  ['a copy with secrets', () => inState('openclaw.json.bak', `{ apiKey: "${KEY}" }`), ['W secrets.copies']],
  [
    'S063 a key in the log',
    () => inState('logs/openclaw.log', `{"m":"${KEY}"}\n`),
    ['C secrets.in_files', 'C secrets.in_recent_files'],
  ],
  ['a key deep in the workspace', () => inState('workspace/a/b/notes.txt', `key ${KEY}\n`), ['C secrets.in_files']],
  ['S125 no .gitignore', () => rmSync(at('.gitignore')), ['I fs.gitignore']],
  [
    'S070 .env staged in the state folder',
    () => {
      git(state, 'init', '-q');
      git(state, 'add', '-f', '.env');
      execFileSync('chmod', ['-R', 'go=', at('.git')]);
    },
    ['C fs.state_in_git'],
  ],
  [
    'S069 the state in a repository of the home folder',
    () => {
      git(home, 'init', '-q');
      git(home, 'add', '-f', '.openclaw/credentials');
    },
    ['C fs.state_in_git'],
  ],
  [
    'S142 a key in the repository of the workspace, version 4 of the index',
    () => {
      inState('workspace/deploy/server.key', 'x');
      inState('workspace/deploy/a-long-name', 'x');
      git(at('workspace'), 'init', '-q');
      git(at('workspace'), 'config', 'index.version', '4');
      git(at('workspace'), 'add', '.');
    },
    ['C fs.state_in_git'],
  ],
  [
    'the end of the journal cut off',
    () => rows((store) => store.db.exec('DELETE FROM journal WHERE seq = (SELECT max(seq) FROM journal)')),
    ['C journal.chain', 'C journal.head'],
  ],
  [
    'a record changed in the middle',
    () => rows((store) => store.db.exec(`UPDATE journal SET body = '{}' WHERE seq = 2`)),
    ['C journal.chain'],
  ],
  ['the head of the journal gone', () => rmSync(at('state.sqlite-head')), ['C journal.chain', 'C journal.head']],
  ['a log without end', () => inState('logs/openclaw.log', 'x'.repeat(22_000_000)), ['W logs.rotation']],
  [
    'S083 an old backup',
    () =>
      noteProof({ stateDir: state }, { made: { atMs: NOW - 60 * 86_400_000, file: 'x', bytes: 1, encrypted: true } }),
    ['W recovery.backup'],
  ],
  [
    'a backup that came to nothing',
    () => noteProof({ stateDir: state }, { failed: { atMs: NOW, reason: 'no room', fix: 'df -h' } }),
    ['W recovery.backup'],
  ],
  [
    'S234 a backup that nobody restored',
    () =>
      noteProof(
        { stateDir: state },
        { made: { atMs: NOW - 5 * 86_400_000, file: 'x', bytes: 1, encrypted: true }, proven: null },
      ),
    ['I recovery.restore_proven'],
  ],
  [
    'questions that pile up',
    () =>
      rows((store) => {
        for (let n = 0; n < 21; n++)
          store.db.exec(
            `INSERT INTO approvals (id, code, run_id, call_id, session_key, state, body, binding, created_at, expires_at, answer) VALUES ('${n}', '${n}', 'r', '${n}', 's', 'pending', '{}', '{}', 1, 2, '')`,
          );
      }),
    ['W approvals.waiting'],
  ],
  [
    'S239 a steering file changed past the assistant',
    () =>
      rows((store) =>
        store.db.exec(
          `INSERT INTO content_labels (hash, path, at, integrity, readers, sources) VALUES ('x', 'AGENTS.md', 1, 'owner', '"owner"', '[]')`,
        ),
      ),
    ['I memory.steering_changed'],
  ],
];

test('S017 the line of guide 000 about the credentials file, word by word, for a folder and for a file', async () => {
  const line = async (): Promise<unknown> => {
    const facts = await gatherAuditFacts(
      { HOME: home, OPENCLAW_HOME: home },
      { nowMs: NOW, version: '0', probeSandbox: async () => ({ driver: null, detail: '', fix: null }) },
    );
    return CHECKS.find(({ id }) => id === 'fs.credential_files.perms')?.probe(facts);
  };
  expect(await line()).toEqual({ pass: 'Credentials file: mode 0600 (secure)' });
  rmSync(at('credentials'), { recursive: true });
  inState('credentials', 'x1');
  expect(await line()).toEqual({ pass: 'Credentials file: mode 0600 (secure)' });
  chmodSync(at('credentials'), 0o644);
  expect(await line()).toHaveProperty('findings');
});

test.each(BAD)('found: %s', async (_what, make, expected) => {
  make();
  const before = hashOf(home);
  expect(await audit()).toEqual(expected);
  expect(hashOf(home)).toBe(before);
});

test.skipIf(process.geteuid?.() !== 0)('a folder and a file of somebody else are told of', async () => {
  chownSync(at('config-history/000001.json'), 4_242, 4_242);
  expect(await audit()).toEqual(['W fs.files.all', 'W fs.files.perms']);
  chownSync(state, 4_242, 4_242);
  // Of the rest, what is neither of the owner nor root's.
  expect(await audit()).toEqual(['W fs.state_dir.owner']);
});

test('what a browser keeps in its profile is its own business; the folder around it is ours', async () => {
  inState('browser/profile/Cookies', 'x', 0o644);
  symlinkSync('host-4242', at('browser/profile/SingletonLock'));
  chmodSync(at('browser'), 0o700);
  expect(await audit()).toEqual([]);
  chmodSync(at('browser'), 0o755);
  expect(await audit()).toEqual(['W fs.files.all', 'W fs.files.perms']);
});

test('a state folder that is a link, or lies in a synced folder, is told of', async () => {
  mkdirSync(join(home, 'Dropbox'));
  renameSync(state, join(home, 'Dropbox', 'claw'));
  symlinkSync(join(home, 'Dropbox', 'claw'), state);
  expect(await audit()).toEqual(['W fs.state_dir.symlink', 'W fs.synced_dir']);
});

test('no state folder, and one that cannot be read, are no failure', async () => {
  rmSync(state, { recursive: true });
  expect(await audit()).toEqual([]);
});

test('a database that the last gateway left open is not touched, and that is said', async () => {
  inState('state.sqlite-wal', 'x'.repeat(4_096));
  const before = hashOf(home);
  expect(await audit()).toEqual([]);
  expect(hashOf(home)).toBe(before);
});

test('a folder of very many files costs no more than was given', async () => {
  mkdirSync(at('many'), { mode: 0o700 });
  for (let n = 0; n < 700; n++) writeFileSync(at(`many/${n}`), '');
  const walk = await walkState(state, [], { maxEntries: 300, maxMs: 10_000 });
  expect([walk.entries, walk.stopped]).toEqual([300, 'there are more than 300 files']);
  expect((await walkState(state, [], { maxEntries: 100_000, maxMs: 0 })).stopped).toMatch(/0 ms were over/);
});
