// Backups on a bad day: made under load, opened by age itself, flipped and cut ten thousand times, on disks that fill, killed
// at any moment. What comes back is all of it, or what was there.
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { openArchive, restoreBackup, verifyArchive } from '../../src/ops/backup/restore.ts';
import { newKey } from '../../src/ops/backup/seal.ts';
import { finishSwap } from '../../src/platform/tree/staging.ts';
import { makeState, type TestState, VERSION } from '../support/backup-state.ts';
import { cleanEnv, entry, newHome, REPO, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { percentile } from '../support/measure.ts';

const ATTEMPTS = Number(process.env['HARDSHELL_BACKUP_FLIPS'] ?? 10_000);
const KILLS = 24;
const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});
const newState = (): TestState => {
  const state = makeState();
  undo.push(state.remove);
  return state;
};
const folderOf = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'hardshell-bk-'));
  undo.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

/** Debian's own; there is no other way to come by one here. */
function stockAge(): string {
  if (!existsSync('/usr/bin/age')) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    spawnSync('apt-get', ['update', '-q'], { env, timeout: 240_000 });
    spawnSync('apt-get', ['install', '-q', '-y', '--no-install-recommends', 'age'], { env, timeout: 240_000 });
  }
  if (!existsSync('/usr/bin/age')) throw new Error('age is not installed: apt-get install age');
  return '/usr/bin/age';
}

type Balance = Record<'received' | 'answered' | 'declined' | 'queued' | 'failed', number>;
const statusOf = async (gateway: TestGateway) => {
  const headers = { authorization: `Bearer ${gateway.token}` };
  return (await (await fetch(`${gateway.url}/api/status`, { headers })).json()) as {
    messages: Balance;
    backups: { proven: { sessions: number } | null };
    repairs: { what: string }[];
  };
};
const sessionsOf = async (gateway: TestGateway): Promise<string[]> => {
  const { sessions } = (await gateway.rpc('sessions.list', { limit: 500 })) as { sessions: { key: string }[] };
  return sessions.map(({ key }) => key).sort();
};

/** Turns in many conversations until it is told to stop. */
async function loadOn(gateway: TestGateway) {
  const client = await gateway.connect();
  let isOn = true;
  const lanes = Array.from({ length: 12 }, async (_, lane) => {
    for (let n = 0; isOn; n++) await client.chat(`agent:main:load-${lane}-${n % 5}`, `message ${n}`).catch(() => null);
  });
  return async () => {
    isOn = false;
    await Promise.all(lanes);
    await client.close();
  };
}

test('made under load and opened by age: on an empty home the same sessions, an exact balance, a journal that verifies', async () => {
  const age = stockAge();
  const gateway = await startTestGateway();
  undo.push(gateway.dispose);
  const [folder, { identity, recipient }] = [folderOf(), await newKey()];
  writeFileSync(join(folder, 'key.txt'), `# made for a test\n${identity}\n`, { mode: 0o600 });
  const end = await loadOn(gateway);
  await sleep(1_500);
  const before = await sessionsOf(gateway);
  const files: string[] = [];
  for (let n = 0; n < 5; n++) {
    const { stdout, stderr } = await gateway.cli(
      'backup',
      'create',
      '--recipient',
      recipient,
      '--to',
      folder,
      '--json',
    );
    files.push((JSON.parse(stdout || stderr) as { data: { file: string } }).data.file);
  }
  await end();

  for (const file of files) {
    const plain = spawnSync(age, ['-d', '-i', join(folder, 'key.txt'), '-o', join(folder, 'plain.tar.gz'), file], {
      encoding: 'utf8',
    });
    expect(plain).toMatchObject({ status: 0, stderr: '' });
    const listed = spawnSync('tar', ['tzf', join(folder, 'plain.tar.gz')], { encoding: 'utf8' });
    expect(listed.status).toBe(0);
    expect(listed.stdout.split('\n')).toEqual(
      expect.arrayContaining(['manifest.json', 'state/state.sqlite', 'state/credentials/gateway-token']),
    );
    rmSync(join(folder, 'plain.tar.gz'));
  }

  const home = newHome();
  undo.push(() => rmSync(home, { recursive: true, force: true }));
  const restored = spawnSync(
    process.execPath,
    [...entry(), 'backup', 'restore', files.at(-1) ?? '', '--identity', join(folder, 'key.txt')],
    { env: cleanEnv(home), encoding: 'utf8' },
  );
  expect(restored.stderr).toContain('next: openclaw gateway start');
  const again = await startTestGateway({ home });
  undo.push(again.dispose);
  expect(again.token).toBe(gateway.token);
  expect(await sessionsOf(again)).toEqual(expect.arrayContaining(before));
  await expect.poll(async () => (await statusOf(again)).messages.queued, { timeout: 60_000, interval: 100 }).toBe(0);
  const { received, answered, declined, failed } = (await statusOf(again)).messages;
  expect(received).toBe(answered + declined + failed);
  expect(answered).toBeGreaterThan(20);
  expect((await again.cli('audit', 'verify', '--json')).code).toBe(0);
});

test('S232 ten plain tars of the live folder under load: a start on each copy has every conversation of before', async () => {
  const gateway = await startTestGateway();
  undo.push(gateway.dispose);
  const folder = folderOf();
  const end = await loadOn(gateway);
  await sleep(2_000);
  const rounds: { before: string[]; file: string }[] = [];
  for (let n = 0; n < 10; n++) {
    const file = join(folder, `${n}.tar.gz`);
    const before = await sessionsOf(gateway);
    const tar = spawn('tar', ['czf', file, '-C', gateway.home, '.openclaw'], { stdio: 'ignore' });
    const [code] = (await once(tar, 'close')) as [number];
    expect(code).toBeLessThan(2);
    rounds.push({ before, file });
    await sleep(300);
  }
  await end();
  await gateway.stop();
  for (const { before, file } of rounds) {
    const home = newHome();
    undo.push(() => rmSync(home, { recursive: true, force: true }));
    spawnSync('tar', ['xzf', file, '-C', home]);
    const copy = await startTestGateway({ home });
    expect(await sessionsOf(copy)).toEqual(expect.arrayContaining(before));
    await expect.poll(async () => (await statusOf(copy)).messages.queued, { timeout: 60_000, interval: 100 }).toBe(0);
    const { received, answered, declined, failed } = (await statusOf(copy)).messages;
    expect(received).toBe(answered + declined + failed);
    await copy.dispose();
  }
});

test('age opens one with a passphrase, and a wrong one is one clear line', async () => {
  const age = stockAge();
  const state = newState();
  const { file } = await state.backup({ sealing: { passphrase: 'correct horse battery' } });
  const out = join(state.home, 'plain');
  const typed = `import os, pty, sys, time
pid, fd = pty.fork()
if pid == 0: os.execv('${age}', ['age', '-d', '-o', '${out}', '${file}'])
time.sleep(1); os.write(fd, b'correct horse battery\\n')
try:
  while os.read(fd, 1000): pass
except OSError: pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))`;
  const opened = spawnSync('python3', ['-c', typed], { encoding: 'utf8', timeout: 60_000 });
  expect(opened.status, opened.stderr).toBe(0);
  expect(spawnSync('tar', ['tzf', out], { encoding: 'utf8' }).stdout).toContain('state/credentials/anthropic-key');
  const archive = await openArchive(file);
  undo.push(archive.close);
  const attempt = verifyArchive(archive, { identities: [], passphrase: 'wrong horse battery' }, VERSION);
  await expect(attempt).rejects.toMatchObject({
    code: 'BACKUP_LOCKED',
    message: 'this passphrase does not open the backup',
  });
});

test(`${ATTEMPTS} truncations and bit flips: every one is refused, and nothing is there afterwards`, async () => {
  const state = newState();
  const { identity, recipient } = await newKey();
  const kinds = [await state.backup(), await state.backup({ sealing: { recipients: [recipient] } })].map(({ file }) =>
    readFileSync(file),
  );
  const file = join(state.home, 'openclaw-broken.tar.gz');
  const target = join(state.home, 'restored');
  const names = readdirSync(state.home).sort();
  const codes: Record<string, number> = {};
  const accepted: string[] = [];
  for (let n = 0; n < ATTEMPTS; n++) {
    // Every fifth is encrypted: that takes four times as long.
    const whole = kinds[n % 5 === 4 ? 1 : 0] ?? Buffer.alloc(0);
    const broken = Buffer.from(whole);
    const at = randomInt(whole.length);
    const isCut = n % 3 === 0;
    if (!isCut) broken[at] = (broken[at] ?? 0) ^ (1 << randomInt(8));
    writeFileSync(file, isCut ? broken.subarray(0, at) : broken);
    try {
      const archive = await openArchive(file);
      try {
        await restoreBackup({
          archive,
          opening: { identities: [identity] },
          version: VERSION,
          target,
          inPlace: false,
          nowMs: Date.now(),
        });
      } finally {
        await archive.close();
      }
      accepted.push(`${isCut ? 'cut' : 'flip'} at ${at} of ${whole.length}`);
      rmSync(target, { recursive: true });
    } catch (error) {
      const code = String((error as { code?: string }).code ?? error);
      codes[code] = (codes[code] ?? 0) + 1;
    }
    rmSync(file);
    if (n % 100 === 0) expect(readdirSync(state.home).sort()).toEqual(names);
  }
  console.log(codes);
  expect(accepted).toEqual([]);
  expect(readdirSync(state.home).sort()).toEqual(names);
  expect(Object.keys(codes).filter((code) => !code.startsWith('BACKUP_'))).toEqual([]);
});

test('a disk that fills, where the backup goes and where the state is: one clear line, and all of it as before', async () => {
  const state = newState();
  writeFileSync(join(state.paths.workspaceDir, 'big.bin'), randomBytes(6_000_000));
  const small = folderOf();
  const command = (args: string): string =>
    `${[process.execPath, ...entry()].map((word) => `'${word}'`).join(' ')} backup ${args}`;
  const inNamespace = (script: string) =>
    spawnSync('unshare', ['-Urm', 'bash', '-c', script], {
      env: cleanEnv(state.home),
      encoding: 'utf8',
      timeout: 60_000,
    });
  const there = inNamespace(
    `mount -t tmpfs -o size=2m tmpfs ${small} && ${command(`create --to ${small}`)}; code=$?; ls -A ${small}; exit $code`,
  );
  expect(there.stderr).toMatch(/^error: cannot write .*: the disk is full\.$/m);
  expect(there).toMatchObject({ status: 2, stdout: '' });

  const { recipient } = await newKey();
  const full = join(small, '.openclaw');
  const here = inNamespace(
    `mount -t tmpfs -o size=11m tmpfs ${small} && cp -a ${state.paths.stateDir} ${full} && export OPENCLAW_STATE_DIR=${full} && ${command(`create --recipient ${recipient} --to ${state.home}/out`)}; code=$?; ls -A ${full} ${state.home}/out; diff -r ${state.paths.stateDir} ${full} && echo same; exit $code`,
  );
  expect(here.stderr).toMatch(/the disk is full\.$/m);
  expect(here.status).toBe(2);
  expect(here.stdout).toMatch(/same\n$/);
  expect(here.stdout).not.toMatch(/tar\.gz|\.tmp/);

  const { file } = await state.backup({ folder: join(state.home, 'good') });
  const back = inNamespace(
    `mount -t tmpfs -o size=3m tmpfs ${small} && ${command(`restore ${file} --to ${full}`)}; code=$?; ls -A ${small}; exit $code`,
  );
  expect(back.stderr).toMatch(/^error: it takes \d+ bytes, and .* has room for \d+\.$/m);
  expect(back.stdout).toBe('');
});

const RESTORE = `
const [file, target] = process.argv.slice(1);
const { openArchive, restoreBackup } = await import('${REPO}/src/ops/backup/restore.ts');
const archive = await openArchive(file);
console.log('begun');
const options = { archive, opening: { identities: [] }, version: '${VERSION}', target, inPlace: true, nowMs: Date.now() };
await restoreBackup(options);
console.log('done');
`;

/** Names and contents, but for what says who runs. */
const contentOf = (folder: string): string =>
  readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .map(
      (one) =>
        join(one.parentPath, one.name) +
        (one.isFile() ? ` ${readFileSync(join(one.parentPath, one.name)).toString('base64')}` : ''),
    )
    .filter((line) => !/gateway\.lock|\.probe-/.test(line))
    .map((line) => line.slice(folder.length))
    .sort()
    .join('\n');

test(`${KILLS} restores killed at any moment: the old state or the new one, and the next one works`, async () => {
  const state = newState();
  for (let n = 0; n < 300; n++) state.put(`workspace/many/${n}.bin`, randomBytes(6_000).toString('hex'));
  const { file } = await state.backup();
  for (let n = 0; n < 300; n++) state.put(`workspace/many/${n}.bin`, `since ${n}`);
  const work = folderOf();
  const target = join(work, '.openclaw');
  /** `whole`: from the moment on that everything is unpacked, when the renames come. */
  const attempt = async (killAfterMs: number | null, whole = false): Promise<{ text: string; ms: number }> => {
    for (const name of readdirSync(work)) rmSync(join(work, name), { recursive: true, force: true });
    cpSync(state.paths.stateDir, target, { recursive: true, verbatimSymlinks: true });
    const script = ['--input-type=module', '-e', RESTORE, file, target];
    const child = spawn(process.execPath, script, { stdio: ['ignore', 'pipe', 'inherit'] });
    const closed = once(child, 'close');
    await once(child.stdout, 'data');
    const startMs = performance.now();
    const isWhole = (): boolean =>
      readdirSync(work).some((name) => name.includes('.restored-')) || child.exitCode !== null;
    while (whole && !isWhole()) await new Promise(setImmediate);
    if (killAfterMs !== null) {
      await sleep(killAfterMs);
      child.kill('SIGKILL');
    }
    await closed;
    const ms = performance.now() - startMs;
    if (finishSwap(target)) seen.between += 1;
    return { ms, text: contentOf(target) };
  };
  const seen = { old: 0, new: 0, half: 0, between: 0 };
  cpSync(state.paths.stateDir, target, { recursive: true, verbatimSymlinks: true });
  const old = contentOf(target);
  const { text: fresh, ms } = await attempt(null);
  expect(fresh).not.toBe(old);
  for (let n = 0; n < KILLS; n++) {
    const { text } = n % 2 === 0 ? await attempt((ms * n) / KILLS) : await attempt((n % 5) / 2, true);
    seen[text === old ? 'old' : text === fresh ? 'new' : 'half'] += 1;
  }
  console.log(seen, `${Math.round(ms)} ms a restore`);
  expect(seen.half).toBe(0);
  expect(seen.old).toBeGreaterThan(0);
  expect(seen.new).toBeGreaterThan(0);
  // What the killed ones left beside it is gone with the next one.
  await attempt(ms / 2);
  const archive = await openArchive(file);
  await restoreBackup({
    archive,
    opening: { identities: [] },
    version: VERSION,
    target,
    inPlace: true,
    nowMs: Date.now(),
  });
  await archive.close();
  expect(readdirSync(work).filter((name) => /restor(ing|ed)-/.test(name))).toEqual([]);
});

test('100 MB: a backup and a restore take seconds and little memory', async () => {
  const state = newState();
  for (let n = 0; n < 100; n++)
    writeFileSync(
      join(state.paths.workspaceDir, `${n}.bin`),
      n % 2 === 0 ? randomBytes(1_000_000) : Buffer.alloc(1_000_000, 'some text of a person, again and again. '),
    );
  const { identity, recipient } = await newKey();
  writeFileSync(join(state.home, 'key.txt'), identity);
  const measured: Record<string, string> = {};
  const run = async (what: string, ...args: string[]): Promise<{ ms: number; peakMb: number; stdout: string }> => {
    const startMs = performance.now();
    const child = spawn(process.execPath, [...entry(), 'backup', ...args, '--json'], {
      env: cleanEnv(state.home),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let [stdout, peakMb, isOver] = ['', 0, false];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    const closed = once(child, 'close').then(([code]) => {
      isOver = true;
      expect(code).toBe(0);
    });
    while (!isOver) {
      try {
        peakMb = Math.max(
          peakMb,
          Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024,
        );
      } catch {}
      await sleep(20);
    }
    await closed;
    const ms = performance.now() - startMs;
    measured[what] = `${(ms / 1000).toFixed(1)} s, ${Math.round(peakMb)} MB`;
    return { ms, peakMb, stdout };
  };
  const plain = await run('create', 'create');
  const locked = await run('create encrypted', 'create', '--recipient', recipient);
  const { file } = (JSON.parse(locked.stdout) as { data: { file: string } }).data;
  const verified = await run('verify encrypted', 'verify', file, '--identity', join(state.home, 'key.txt'));
  const restored = await run(
    'restore encrypted',
    'restore',
    file,
    '--identity',
    join(state.home, 'key.txt'),
    '--to',
    join(state.home, 'new'),
  );
  console.log(measured);
  for (const { ms, peakMb } of [plain, locked, verified, restored]) {
    expect(ms).toBeLessThan(30_000);
    expect(peakMb).toBeLessThan(300);
  }
});

test('the gateway makes one by its schedule, proves it, and answers quickly meanwhile', async () => {
  const gateway = await startTestGateway();
  undo.push(gateway.dispose);
  await gateway.cli('agent', '-m', 'hello');
  writeFileSync(join(gateway.stateDir, 'workspace', 'big.bin'), randomBytes(40_000_000));
  expect((await gateway.cli('backup', 'schedule', '--every', '* * * * *', '--keep', '1')).code).toBe(0);
  const waits: number[] = [];
  const deadline = Date.now() + 150_000;
  let proven = null;
  while (proven === null && Date.now() < deadline) {
    const startMs = performance.now();
    await fetch(`${gateway.url}/healthz`).then((response) => response.text());
    waits.push(performance.now() - startMs);
    if (waits.length % 20 === 0) ({ proven } = (await statusOf(gateway)).backups);
    await sleep(20);
  }
  console.log({ p50: percentile(waits, 0.5), p99: percentile(waits, 0.99), max: Math.max(...waits) });
  expect(proven).toMatchObject({ sessions: 1 });
  expect(percentile(waits, 0.99)).toBeLessThan(50);
  expect((await gateway.cli('backup', 'list')).stdout).toMatch(/encrypted, scheduled, proven/);
  const { stdout } = await gateway.cli('status');
  expect(stdout).toMatch(/backup +the last .*; last proven restore/);
}, 240_000);

test('backup run proves itself, and status, list and schedule say so', async () => {
  const home = newHome();
  undo.push(() => rmSync(home, { recursive: true, force: true }));
  const gateway = await startTestGateway({ home });
  undo.push(gateway.dispose);
  await gateway.cli('agent', '-m', 'hello');
  expect((await gateway.cli('backup', 'schedule', '--every', 'day', '--keep', '2', '--max-bytes', '1GB')).code).toBe(0);
  expect(readFileSync(join(home, '.openclaw', 'openclaw.json'), 'utf8')).toContain('17 3 * * *');
  const run = await gateway.cli('backup', 'run');
  expect(run.stdout, run.stderr).toMatch(/proven: restored and started in .*, 1 session, the journal verifies/);
  expect((await gateway.cli('status')).stdout).toMatch(/backup +the last .*; last proven restore .*(ago|now)/);
  expect((await gateway.cli('backup', 'list')).stdout).toMatch(/encrypted, scheduled, proven/);
  expect((await gateway.cli('backup', 'schedule')).stdout).toMatch(/^next .*; 2 are kept, 1 GB at most/);
  expect(existsSync(join(home, '.openclaw', 'rehearsal'))).toBe(false);
  expect((await gateway.cli('backup', 'schedule', '--off')).code).toBe(0);
});
