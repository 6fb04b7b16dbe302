// A backup is everything or says what is missing; one that everybody could open has no secret; a hostile one changes nothing.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { packTar, type TarHeader } from 'modern-tar';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeState, SECRETS, type TestState, VERSION } from '../../../test/support/backup-state.ts';
import { acquireLock } from '../../platform/lock.ts';
import { neverReadable } from '../../platform/never-readable.ts';
import { finishSwap, openStaging, swapIn } from '../../platform/tree/staging.ts';
import { type Manifest, staysInside, writeManifest } from './manifest.ts';
import { dropOld, listBackups, nameOf } from './places.ts';
import { openArchive, previewRestore, type RestoreOptions, restoreBackup, verifyArchive } from './restore.ts';
import { newKey, type Opening } from './seal.ts';
import { cronOf, nextDue } from './when.ts';

const OPEN: Opening = { identities: [] };
let state: TestState;
beforeEach(() => {
  state = makeState();
});
afterEach(() => state.remove());

type Extra = Partial<Pick<RestoreOptions, 'opening' | 'target' | 'inPlace' | 'version'>>;
async function withArchive<T>(file: string, extra: Extra, use: (options: RestoreOptions) => Promise<T>): Promise<T> {
  const archive = await openArchive(file);
  const target = join(state.home, 'new');
  try {
    return await use({ archive, opening: OPEN, version: VERSION, target, inPlace: false, nowMs: Date.now(), ...extra });
  } finally {
    await archive.close();
  }
}
const restore = (file: string, extra: Extra = {}) => withArchive(file, extra, restoreBackup);
const verify = (file: string, opening = OPEN, version = VERSION) =>
  withArchive(file, {}, ({ archive }) => verifyArchive(archive, opening, version));
const unpacked = (file: string): string => gunzipSync(readFileSync(file)).toString('latin1');
/** Everything below, as one text. */
const shown = (folder: string): string =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const stat = lstatSync(join(folder, name));
      const content = stat.isFile()
        ? createHash('sha256')
            .update(readFileSync(join(folder, name)))
            .digest('hex')
        : '';
      return `${name} ${(stat.mode & 0o777).toString(8)} ${content}`;
    })
    .join('\n');

test('an age file for more people than anybody has is refused before a key is tried, and none is made', async () => {
  const { identity, recipient } = await newKey();
  const file = join(state.home, 'crowd.tar.gz.age');
  const one = `-> X25519 ${'A'.repeat(43)}\n${'B'.repeat(43)}\n`;
  writeFileSync(file, `age-encryption.org/v1\n${one.repeat(100_000)}--- ${'C'.repeat(43)}\nbody`);
  const startedMs = performance.now();
  await expect(verify(file, { identities: [identity] })).rejects.toMatchObject({
    code: 'BACKUP_DAMAGED',
    message: expect.stringContaining('its head is larger than'),
  });
  expect(performance.now() - startedMs).toBeLessThan(2_000);
  const most = await state.backup({ sealing: { recipients: Array(100).fill(recipient) } });
  expect((await verify(most.file, { identities: [identity] })).secrets).toBe(true);
  await expect(state.backup({ sealing: { recipients: Array(101).fill(recipient) } })).rejects.toMatchObject({
    message: expect.stringContaining('101 recipients'),
  });
});

describe('what goes in', () => {
  test('without encryption no secret leaves, by value and wherever it stands, and each that is missing is named', async () => {
    const made = await state.backup();
    for (const secret of Object.values(SECRETS)) expect(unpacked(made.file)).not.toContain(secret);
    expect(made.settingsLeftOut).toEqual(['channels.telegram.botToken']);
    const paths = made.leftOut.filter(({ why }) => why === 'holds secrets').map(({ path }) => path);
    expect(paths.sort()).toEqual(['state/.env', 'state/credentials', 'state/workspace/project/.env']);
    await restore(made.file);
    expect(readFileSync(join(state.home, 'new', 'openclaw.json'), 'utf8')).toContain("dmScope: 'main'");
  });

  test('K07 copies of the settings that editors and older versions leave do not carry the secrets out', async () => {
    const bot = SECRETS.bot;
    const escaped = bot.replace(/^./, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
    const copies = {
      ...{ 'openclaw.json.bak': `{ botToken: "${escaped}" }`, 'openclaw.json~': bot, '.openclaw.json.swp': bot },
      ...{ 'old/openclaw.json': `{}`, 'clawdbot.json.bak.1': bot, 'notes-of-mine.txt': `it is ${bot}.` },
      ...{ 'in-base64.txt': Buffer.from(`it is ${bot}.`).toString('base64') },
      ...{ 'agents/main/auth.json': '{"x":{"api_key":"plain words of a key"}}', 'logs/old.log': `said ${bot}` },
    };
    for (const [path, text] of Object.entries(copies)) state.put(path, text);
    state.put('agents/main/plain.json', '{"name":"main","token":"${TOKEN}"}');
    const made = await state.backup();
    const manifest = await verify(made.file);
    const names = manifest.entries.map(({ path }) => path.replace('state/', ''));
    expect(names.filter((name) => name in copies)).toEqual([]);
    expect(names).toContain('agents/main/plain.json');
    expect(made.leftOut.map(({ path }) => path)).toEqual(
      expect.arrayContaining(Object.keys(copies).map((path) => `state/${path}`)),
    );
  });

  test('more files than a backup takes: nothing is made that could pass for one, and the owner is told how many', async () => {
    for (let n = 0; n < 40; n++) state.put(`workspace/many/${n}.txt`, 'x');
    await expect(state.backup({ maxFiles: 40 })).rejects.toMatchObject({
      code: 'BACKUP_TOO_MANY',
      message: expect.stringContaining('more than 40 files and folders'),
      exitCode: 1,
    });
    expect(readdirSync(join(state.home, 'backups'))).toEqual([]);
    await expect(state.backup({ maxFiles: 80 })).resolves.toMatchObject({ files: 48 });
  });

  test('the manifest comes first and knows every file; links stay inside, and what others may see is not taken', async () => {
    const made = await state.backup();
    const listed = spawnSync('tar', ['tzf', made.file], { encoding: 'utf8' });
    expect(listed).toMatchObject({ status: 0, stderr: '' });
    expect(listed.stdout.split('\n')[0]).toBe('manifest.json');
    expect(statSync(made.file).mode & 0o777).toBe(0o600);
    const manifest = await verify(made.file);
    const names = manifest.entries.map(({ path }) => path);
    expect(names.filter((name) => /snapshots|sqlite-wal/.test(name))).toEqual([]);
    expect(manifest.entries.filter(({ kind }) => kind === 'link')).toEqual([
      { kind: 'link', path: 'state/workspace/memory/all.md', target: '../MEMORY.md' },
    ]);
    expect(names).toEqual(expect.arrayContaining(['state/workspace/same.sh', 'state/workspace/tool.sh']));
    expect(names).not.toContain('state/workspace/stolen.txt');
    expect(made.leftOut).toEqual(
      expect.arrayContaining([
        { path: 'state/workspace/outside', why: 'is a link to a place outside the workspace' },
        { path: 'state/workspace/stolen.txt', why: 'has another name outside' },
      ]),
    );
  });

  test('a workspace elsewhere comes along, and a folder inside of what is backed up is refused', async () => {
    const elsewhere = join(state.home, 'notes');
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, 'MEMORY.md'), 'here');
    state.put('openclaw.json', JSON.stringify({ agents: { defaults: { workspace: elsewhere } } }));
    const made = await state.backup();
    const { manifest } = await restore(made.file);
    expect(manifest.workspace).toBe(elsewhere);
    expect(readFileSync(join(state.home, 'new', 'workspace', 'MEMORY.md'), 'utf8')).toBe('here');
    for (const folder of [join(state.paths.stateDir, 'x'), elsewhere])
      await expect(state.backup({ folder })).rejects.toMatchObject({ code: 'BACKUP_INSIDE' });
    symlinkSync(state.paths.stateDir, join(state.home, 'link'));
    await expect(state.backup({ folder: join(state.home, 'link') })).rejects.toMatchObject({ code: 'BACKUP_INSIDE' });
  });
});

describe('the way back', () => {
  test('an encrypted one brings all of it back, secrets and modes too, and only to whom it is for', async () => {
    const { identity, recipient } = await newKey();
    const made = await state.backup({ sealing: { recipients: [recipient] } });
    expect(made).toMatchObject({ secrets: true, settingsLeftOut: [] });
    expect(readFileSync(made.file).includes(Buffer.from('sqlite'))).toBe(false);
    await restore(made.file, { opening: { identities: [identity] } });
    const back = join(state.home, 'new');
    for (const name of [
      'openclaw.json',
      'credentials/anthropic-key',
      '.env',
      'workspace/project/.env',
      'workspace/tool.sh',
    ]) {
      expect(readFileSync(join(back, name), 'utf8')).toBe(readFileSync(join(state.paths.stateDir, name), 'utf8'));
      expect(statSync(join(back, name)).mode).toBe(statSync(join(state.paths.stateDir, name)).mode);
    }
    expect(readlinkSync(join(back, 'workspace', 'memory', 'all.md'))).toBe('../MEMORY.md');
    const { identity: other } = await newKey();
    await expect(verify(made.file, { identities: [other] })).rejects.toMatchObject({ code: 'BACKUP_LOCKED' });
  });

  test('a short passphrase and a word that is no key are not taken', async () => {
    for (const sealing of [{ passphrase: 'short' }, { recipients: ['age1nobody'] }])
      await expect(state.backup({ sealing })).rejects.toMatchObject({ code: 'BACKUP_KEY' });
    expect(listBackups(join(state.home, 'backups'))).toEqual([]);
  });

  test('what is there is put aside whole; secrets that the backup lacks stay; without --in-place nothing is touched', async () => {
    const made = await state.backup();
    state.put('workspace/MEMORY.md', 'changed since');
    const before = shown(state.paths.stateDir);
    const target = state.paths.stateDir;
    await expect(restore(made.file, { target })).rejects.toMatchObject({ code: 'STATE_OCCUPIED' });
    expect(shown(target)).toBe(before);
    const { aside, carried } = await restore(made.file, { target, inPlace: true });
    expect(shown(aside ?? '')).toBe(before);
    // It has all keys, and lies where a tool may be allowed to read.
    expect(neverReadable(join(aside ?? '', 'credentials', 'x'), 'read', false)).toBe('a state folder with its keys');
    expect(carried).toEqual(['credentials', '.env']);
    expect(readFileSync(join(target, 'workspace', 'MEMORY.md'), 'utf8')).toBe('# what I know\n');
    expect(readFileSync(join(target, 'credentials', 'anthropic-key'), 'utf8')).toBe(SECRETS.key);
    expect(readdirSync(state.home).filter((name) => /restor(ing|ed)-/.test(name))).toEqual([]);
  });

  test('panic: the mark that everything is stopped stays over a restore of what was made before it', async () => {
    const made = await state.backup();
    state.put('panic.json', '{"atMs":1,"by":"the terminal","why":""}');
    const { carried } = await restore(made.file, { target: state.paths.stateDir, inPlace: true });
    expect(carried).toContain('panic.json');
    expect(existsSync(join(state.paths.stateDir, 'panic.json'))).toBe(true);
  });

  test('--dry-run says what would change and writes nothing', async () => {
    const made = await state.backup();
    state.put('workspace/MEMORY.md', 'changed since');
    rmSync(join(state.paths.workspaceDir, 'tool.sh'));
    state.put('later.json', '{}');
    const before = shown(state.home);
    const { changes } = await withArchive(made.file, { target: state.paths.stateDir }, previewRestore);
    expect(changes.filter(({ path }) => !path.startsWith('state.sqlite') && path !== 'openclaw.json')).toEqual([
      { path: 'workspace/MEMORY.md', change: 'changed' },
      { path: 'workspace/tool.sh', change: 'added' },
      { path: 'later.json', change: 'gone' },
    ]);
    expect(shown(state.home)).toBe(before);
  });

  test('a gateway on that state, a newer version, a newer schema, another account: one line, nothing changed', async () => {
    const made = await state.backup();
    const target = state.paths.stateDir;
    const lock = acquireLock(state.paths.lockPath, Date.now());
    const before = shown(state.home);
    await expect(restore(made.file, { target, inPlace: true })).rejects.toMatchObject({
      code: 'GATEWAY_RUNS',
      fix: 'openclaw gateway stop, then try again',
    });
    expect(shown(state.home)).toBe(before);
    lock.release();
    await expect(verify(made.file, OPEN, '0.0.9')).rejects.toMatchObject({ code: 'BACKUP_NEWER' });
    await expect(verify(made.file, OPEN, '0.1.1')).resolves.toBeTruthy();
    const newerSchema = await hostile({ schema: 9_999 });
    await expect(restore(newerSchema)).rejects.toMatchObject({ code: 'BACKUP_NEWER' });
    await expect(verify(await hostile({ formatVersion: 2 as never }))).rejects.toMatchObject({ code: 'BACKUP_NEWER' });
    if (process.getuid?.() === 0) {
      spawnSync('chown', ['12345', target]);
      for (const attempt of [() => state.backup(), () => restore(made.file, { target, inPlace: true })])
        await expect(attempt()).rejects.toMatchObject({ code: 'STATE_OF_ANOTHER' });
    }
  });

  test('a state folder that is a link: the place it leads to is replaced, and the link still leads there', async () => {
    const made = await state.backup();
    const real = join(state.home, 'disk', '.openclaw');
    mkdirSync(join(state.home, 'disk'));
    spawnSync('mv', [state.paths.stateDir, real]);
    symlinkSync(real, state.paths.stateDir);
    const { aside } = await restore(made.file, { target: state.paths.stateDir, inPlace: true });
    expect(aside?.startsWith(`${real}.before-restore-`)).toBe(true);
    expect(readlinkSync(state.paths.stateDir)).toBe(real);
    rmSync(real, { recursive: true });
    await expect(state.backup()).rejects.toMatchObject({ code: 'STATE_MISSING' });
  });

  test('a kill between the two renames: whoever needs the folder next finishes it, and a folder that was removed stays so', async () => {
    const target = state.paths.stateDir;
    const staging = await openStaging(target, 'S1');
    await staging.makeFolder('workspace');
    await staging.finish();
    expect(finishSwap(target)).toBe(false);
    spawnSync('mv', [target, `${target}.before-restore-S1`]);
    expect(finishSwap(target)).toBe(true);
    expect(readdirSync(target)).toEqual(['workspace']);
    expect(finishSwap(target)).toBe(false);
    rmSync(target, { recursive: true });
    expect(finishSwap(target)).toBe(false);
    await openStaging(target, 'S2').then((one) => one.finish());
    expect(swapIn(target, 'S2')).toBeNull();
  });
});

type Part = readonly [header: Partial<TarHeader> & { name: string }, body: string];
const sha = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex');
const fileEntry = (path: string, text: string) =>
  ({ kind: 'file', path, bytes: text.length, mode: 0o600, mtimeMs: 0, sha256: sha(text) }) as const;
const STATE = { kind: 'folder', path: 'state', mode: 0o700 } as const;

/** An archive with a seal that is right and whatever else is asked for. */
async function hostile(
  head: Partial<Manifest>,
  parts: readonly Part[] = [[{ name: 'state/', type: 'directory' }, '']],
) {
  const manifest: Manifest = {
    ...{
      format: 'hardshell-backup',
      formatVersion: 1,
      version: VERSION,
      schema: 1,
      createdAt: '2026-11-21T00:00:00.000Z',
    },
    ...{ secrets: false, workspace: null, database: null, leftOut: [], entries: [STATE], ...head },
  };
  const entries = [[{ name: 'manifest.json' }, writeManifest(manifest)] as Part, ...parts].map(([header, body]) => ({
    header: { size: Buffer.byteLength(body), type: 'file', mode: 0o600, ...header } as TarHeader,
    body,
  }));
  const whole = gzipSync(await packTar(entries));
  const seal = [Buffer.from([31, 139, 8, 16, 0, 0, 0, 0, 0, 3]), Buffer.from(`hardshell-backup sha256=${sha(whole)}`)];
  const file = join(state.home, 'openclaw-20261121T000000000Z.tar.gz');
  writeFileSync(file, Buffer.concat([whole, ...seal, Buffer.from([0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0])]));
  return file;
}

describe('an archive of an enemy', () => {
  const one = 'x';
  const ROWS: readonly (readonly [what: string, entries: Manifest['entries'], parts: readonly Part[]])[] = [
    ['a way up', [STATE, fileEntry('state/../../evil', one)], []],
    ['an absolute name', [STATE, fileEntry('/tmp/evil', one)], []],
    ['a name of nobody', [STATE, fileEntry('elsewhere', one)], []],
    ['twice the same', [STATE, fileEntry('state/a', one), fileEntry('state/a', one)], []],
    ['twice the same to some disks', [STATE, fileEntry('state/\u00e9', one), fileEntry('state/e\u0301', one)], []],
    ['a file in a file', [STATE, fileEntry('state/a', one), fileEntry('state/a/b', one)], []],
    ['a link outside', [STATE, { kind: 'link', path: 'state/workspace/l', target: '../../../etc' }], []],
    ['a link in the state', [STATE, { kind: 'link', path: 'state/credentials', target: 'workspace' }], []],
    ...['gateway.lock', 'state.sqlite-wal', 'backups.json'].map(
      (name) =>
        [
          `smuggled ${name}`,
          [STATE, fileEntry(`state/${name}`, one)],
          [[{ name: `state/${name}` }, one]],
        ] as (typeof ROWS)[number],
    ),
    [
      'a smuggled program',
      [STATE, { kind: 'folder', path: 'state/extras', mode: 0o700 }],
      [[{ name: 'state/extras/', type: 'directory' }, '']],
    ],
    ['more than the manifest', [STATE], [[{ name: 'state/evil' }, one]]],
    ['less than the manifest', [STATE, fileEntry('state/a', one)], []],
    ['another content', [STATE, fileEntry('state/a', one)], [[{ name: 'state/a' }, 'y']]],
    ['another size', [STATE, fileEntry('state/a', one)], [[{ name: 'state/a' }, 'xx']]],
    [
      'a link in place of a file',
      [STATE, fileEntry('state/a', '')],
      [[{ name: 'state/a', type: 'symlink', linkname: '/etc/passwd' }, '']],
    ],
    [
      'a hard link',
      [STATE, fileEntry('state/a', '')],
      [[{ name: 'state/a', type: 'link', linkname: '/etc/passwd' }, '']],
    ],
    ['a device', [STATE, fileEntry('state/a', '')], [[{ name: 'state/a', type: 'character-device' }, '']]],
    [
      'a long name that is another',
      [STATE, fileEntry('state/a', one)],
      [[{ name: 'state/a', pax: { path: '../evil' } }, one]],
    ],
  ];
  test.each(ROWS)('%s is refused, and nothing is there afterwards', async (_, entries, parts) => {
    const file = await hostile({ entries }, [[{ name: 'state/', type: 'directory' }, ''], ...parts]);
    const before = readdirSync(state.home).sort();
    await expect(restore(file)).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
    expect(readdirSync(state.home).sort()).toEqual(before);
    expect(existsSync(join(state.home, '..', 'evil'))).toBe(false);
  });

  test('one that would burst, or says that it needs more than there is, is refused before anything is written', async () => {
    const huge = { ...fileEntry('state/a', ''), bytes: 400_000_000 };
    await expect(restore(await hostile({ entries: [STATE, huge] }))).rejects.toMatchObject({ code: 'BACKUP_BOMB' });
    const zeros = '\0'.repeat(3_000_000);
    const over = await hostile({ entries: [STATE, fileEntry('state/a', one)] }, [
      [{ name: 'state/', type: 'directory' }, ''],
      [{ name: 'state/a', pax: { size: '1' } }, zeros],
    ]);
    await expect(restore(over)).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
    for (const text of ['hello', '', '\u001f\u008b'])
      await expect(openAndRead(text)).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
  });
  const openAndRead = async (text: string): Promise<unknown> => {
    const file = join(state.home, 'some.tar.gz');
    writeFileSync(file, text, 'latin1');
    return restore(file);
  };

  test('setuid bits and rights of others do not come in with the state', async () => {
    const entries = [STATE, { ...fileEntry('state/a', one), mode: 0o4755 }];
    await expect(restore(await hostile({ entries }))).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
  });

  test('links of the workspace go up no further than it', () => {
    const at = (path: string, target: string): boolean => staysInside(path.split('/'), target);
    expect(at('state/workspace/a/b', '../c')).toBe(true);
    expect(at('workspace/b', 'c/d')).toBe(true);
    for (const target of ['/etc', '../../c', 'c/../../d', '', 'd/..'])
      expect(at('state/workspace/a/b', target)).toBe(false);
    expect(at('state/workspace', 'x')).toBe(false);
  });
});

test('of those that the schedule made the newest stay, within the number and the size, and never the only or proven one', () => {
  const folder = join(state.home, 'kept');
  mkdirSync(folder);
  const put = (nowMs: number, scheduled: boolean): string => {
    const file = join(folder, nameOf(nowMs, { scheduled, encrypted: true }));
    writeFileSync(file, 'x'.repeat(100));
    return file;
  };
  const files = [1, 2, 3, 4, 5].map((n) => put(n * 1_000, true));
  const own = put(500, false);
  expect(dropOld(folder, { keep: 3, maxBytes: 1_000, proven: files[0] ?? null })).toEqual([files[1]]);
  expect(dropOld(folder, { keep: 9, maxBytes: 250, proven: null })).toEqual([files[2], files[0]]);
  expect(dropOld(folder, { keep: 1, maxBytes: 1, proven: null })).toEqual([files[3]]);
  expect(listBackups(folder).map(({ file }) => file)).toEqual([files[4], own]);
});

test('when one is due: as cron says it, in the time of this machine', () => {
  const from = new Date(2026, 10, 21, 10, 35).getTime();
  const next = (words: string): string | undefined => {
    const at = nextDue(cronOf(words), from);
    return at === null ? undefined : new Date(at).toString().slice(0, 21);
  };
  expect(next('day')).toBe('Sun Nov 22 2026 03:17');
  expect(next('*/15 10 * * *')).toBe('Sat Nov 21 2026 10:45');
  expect(next('30 2 * * 1-5')).toBe('Mon Nov 23 2026 02:30');
  expect(next('0 0 1,15 * 7')).toBe('Sun Nov 22 2026 00:00');
  expect(next('0 0 29 2 *')).toBe('Tue Feb 29 2028 00:00');
  expect(next('0 0 31 2 *')).toBeUndefined();
  for (const bad of ['never', '60 * * * *', '* * * *', '5-1 * * * *', '*/0 * * * *', 'a b c d e'])
    expect(() => cronOf(bad)).toThrow(/says no time/);
});
