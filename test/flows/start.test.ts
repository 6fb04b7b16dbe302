// Owns the promises of `npm start` around the gateway: what it installs, builds and links, when it does nothing, and
// the one line it says when it cannot. npm and the build are stand-ins here, so that every failure can be had at will.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { REPO } from '../support/gateway.ts';

let folder: string;
let repo: string;
let children: ChildProcess[];

const CI = 'ci --ignore-scripts --no-audit --no-fund --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=5000';

/** Says what it was called with, then does as FAKE_NPM tells: `ok`, `slow`, or fail with that code. */
const FAKE_NPM = `#!/bin/sh
echo "$@" >> "$CALLS"
case $FAKE_NPM in
  ok) mkdir -p node_modules/node-linux-$ARCH/bin && ln -sf "$NODE" node_modules/node-linux-$ARCH/bin/node ;;
  slow) echo $$ > "$CALLS.pid"; exec sleep 60 ;;
  *) echo "npm error code $FAKE_NPM" >&2; echo "npm error it went wrong" >&2; exit 1 ;;
esac
`;

const FAKE_BUILD = `
const { appendFileSync, mkdirSync, writeFileSync } = require('node:fs');
appendFileSync(process.env.CALLS, 'build\\n');
if (process.env.FAKE_BUILD === 'broken') { console.log('src/a.ts:1 does not parse'); process.exit(1); }
const { sourceStamp } = require('../bin/sources.cjs');
mkdirSync('dist', { recursive: true });
writeFileSync('dist/.stamp', sourceStamp(process.cwd()));
`;

/** Starts like the real launcher: by itself, under the Node that npm start has found. */
const FAKE_GATEWAY = `#!/bin/sh
':' /*
exec "$OPENCLAW_NODE" "$0" "$@"
*/
process.on('SIGTERM', () => { console.log('stopping'); process.exit(7); });
setInterval(() => {}, 1000);
console.log('gateway ' + process.argv.slice(2).join(' '));
`;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hardshell-start-'));
  repo = join(folder, 'repo');
  children = [];
  for (const part of ['bin', 'scripts', 'src', 'tools']) mkdirSync(join(repo, part), { recursive: true });
  for (const name of ['start', 'prepare', 'progress', 'sources', 'link']) {
    cpSync(join(REPO, 'bin', `${name}.cjs`), join(repo, 'bin', `${name}.cjs`));
  }
  write('bin/openclaw.cjs', FAKE_GATEWAY);
  chmodSync(join(repo, 'bin', 'openclaw.cjs'), 0o755);
  write('scripts/build.ts', FAKE_BUILD);
  write('scripts/package.json', '{"type":"commonjs"}');
  write('package-lock.json', '{"packages":{"":{},"node_modules/a":{"version":"1.0.0","integrity":"sha512-x"}}}');
  write('src/a.ts', 'export const a = 1;');
  write('tools/npm', FAKE_NPM);
  chmodSync(join(repo, 'tools', 'npm'), 0o755);
});

afterEach(async () => {
  for (const child of children) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'close');
    }
  }
  rmSync(folder, { recursive: true, force: true });
});

function write(name: string, text: string): void {
  writeFileSync(join(repo, name), text);
}

const calls = (): string[] =>
  existsSync(join(folder, 'calls')) ? readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n') : [];

type Started = {
  child: ChildProcess;
  output: () => string;
  until: (text: string) => Promise<void>;
  ended: Promise<number | null>;
};

function start(env: Record<string, string> = {}, ...args: string[]): Started {
  const child = spawn(process.execPath, [join(repo, 'bin', 'start.cjs'), ...args], {
    cwd: repo,
    env: {
      PATH: `${join(repo, 'tools')}:/usr/bin:/bin`,
      HOME: folder,
      CALLS: join(folder, 'calls'),
      NODE: process.execPath,
      ARCH: process.arch,
      FAKE_NPM: 'ok',
      HARDSHELL_NO_LINK: '1',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let output = '';
  const waiting = new Set<() => void>();
  const collect = (text: string): void => {
    output += text;
    for (const check of waiting) check();
  };
  child.stdout?.setEncoding('utf8').on('data', collect);
  child.stderr?.setEncoding('utf8').on('data', collect);
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const until = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        if (output.includes(text)) resolve();
      };
      waiting.add(check);
      check();
      ended.then(() => reject(new Error(`it ended without saying "${text}":\n${output}`)));
    });
  return { child, output: () => output, until, ended };
}

/** Starts, waits for the gateway, stops it. */
async function startOnce(env: Record<string, string> = {}): Promise<string> {
  const run = start(env);
  await run.until('gateway gateway run');
  run.child.kill('SIGTERM');
  await run.ended;
  return run.output();
}

describe('npm start', () => {
  test('a fresh clone is installed as locked, built, and becomes the gateway with the arguments passed on', async () => {
    const run = start({}, '--port', '4321');
    await run.until('gateway gateway run --port 4321');
    expect(calls()).toEqual([CI, 'build']);
    expect(run.output()).toContain('installing packages');
    expect(run.output()).toContain('building');
  });

  test('the gateway gets the signal, and its exit code is the exit code', async () => {
    const run = start();
    await run.until('gateway gateway run');
    run.child.kill('SIGTERM');
    expect(await run.ended).toBe(7);
    expect(run.output()).toContain('stopping');
  });

  test('the second start installs nothing and builds nothing', async () => {
    await startOnce();
    expect(await startOnce()).not.toMatch(/installing|building/);
    expect(calls()).toHaveLength(2);
  });

  test('a changed source is built again, a changed lock is installed again, a changed test is neither', async () => {
    await startOnce();
    appendFileSync(join(repo, 'src', 'a.ts'), '// more');
    await startOnce();
    expect(calls().slice(2)).toEqual(['build']);
    write('src/a.test.ts', '// a test');
    await startOnce();
    expect(calls().slice(3)).toEqual([]);
    appendFileSync(join(repo, 'package-lock.json'), '\n');
    await startOnce();
    expect(calls().slice(3)).toEqual([CI, 'build']);
  });

  test('packages that were installed by hand are recognised', async () => {
    mkdirSync(join(repo, 'node_modules', 'a'), { recursive: true });
    write('node_modules/a/package.json', '{}');
    cpSync(join(repo, 'package-lock.json'), join(repo, 'node_modules', '.package-lock.json'));
    await startOnce();
    expect(calls()).toEqual(['build']);
  });

  test('two starts at once install and build once', async () => {
    const [one, two] = [start(), start()];
    await Promise.all([one.until('gateway gateway run'), two.until('gateway gateway run')]);
    expect(calls()).toHaveLength(2);
  });

  test('a start that was killed while installing does not lock the next one out', async () => {
    const run = start({ FAKE_NPM: 'slow' });
    await once(run.child.stderr ?? run.child, 'data');
    await pidOfNpm();
    run.child.kill('SIGKILL');
    process.kill(await pidOfNpm(), 'SIGKILL');
    await run.ended;
    await startOnce();
    expect(calls().slice(1)).toEqual([CI, 'build']);
  });

  test('a signal while installing ends npm too', async () => {
    const run = start({ FAKE_NPM: 'slow' });
    const npm = await pidOfNpm();
    run.child.kill('SIGTERM');
    expect(await run.ended).toBe(143);
    await gone(npm);
  });

  test.each([
    ['ENOTFOUND', 'could not reach the package registry (ENOTFOUND)'],
    ['ENOSPC', 'the disk is full'],
    ['EACCES', 'npm may not write here (EACCES)'],
    ['EINTEGRITY', 'is not the one in package-lock.json'],
    ['EUSAGE', 'package-lock.json does not fit package.json'],
    ['EWHATEVER', 'npm ci failed (EWHATEVER): it went wrong'],
  ])('%s from npm is one line and a non-zero exit', async (code, line) => {
    const run = start({ FAKE_NPM: code });
    expect(await run.ended).toBe(1);
    const errors = run
      .output()
      .trim()
      .split('\n')
      .filter((text) => text.startsWith('error: '));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(line);
    expect(run.output()).not.toMatch(/\n {4}at /);
    expect(existsSync(join(repo, 'dist'))).toBe(false);
  });

  test('a machine without npm is told to install it', async () => {
    const run = start({ PATH: '/nowhere' });
    expect(await run.ended).toBe(1);
    expect(run.output()).toContain('error: npm was not found; install it (Debian: apt install npm)');
  });

  test('a failed build says where and leaves what was built before', async () => {
    await startOnce();
    const stamp = readFileSync(join(repo, 'dist', '.stamp'), 'utf8');
    appendFileSync(join(repo, 'src', 'a.ts'), 'oops');
    const run = start({ FAKE_BUILD: 'broken' });
    expect(await run.ended).toBe(1);
    expect(run.output()).toContain('src/a.ts:1 does not parse');
    expect(run.output()).toContain('error: the build failed');
    expect(readFileSync(join(repo, 'dist', '.stamp'), 'utf8')).toBe(stamp);
  });
});

describe('the openclaw command', () => {
  const bin = (): string => join(folder, '.local', 'bin');
  const link = (): string => join(bin(), 'openclaw');
  /** Only folders of this test are on the path, so that nothing on the machine is found or changed. */
  const linking = (): Record<string, string> => ({ HARDSHELL_NO_LINK: '', PATH: `${join(repo, 'tools')}:${bin()}` });

  beforeEach(async () => {
    await startOnce();
    mkdirSync(bin(), { recursive: true });
  });

  test('is linked into ~/.local/bin, with a word on how to undo it, once', async () => {
    expect(await startOnce(linking())).toContain(`(to undo: rm ${link()})`);
    expect(readlinkSync(link())).toBe(join(repo, 'bin', 'openclaw.cjs'));
    expect(await startOnce(linking())).not.toContain('linked');
  });

  test('that belongs to another program is left alone', async () => {
    writeFileSync(link(), 'another program', { mode: 0o755 });
    expect(await startOnce(linking())).toContain(`note: the openclaw command is ${link()}, another program`);
    expect(readFileSync(link(), 'utf8')).toBe('another program');
  });

  test('replaces our own link to a folder that is gone, and nothing else', async () => {
    symlinkSync('/gone/bin/openclaw.cjs', link());
    await startOnce(linking());
    expect(readlinkSync(link())).toBe(join(repo, 'bin', 'openclaw.cjs'));
    rmSync(link());
    symlinkSync('/gone/something-else', link());
    await startOnce(linking());
    expect(readlinkSync(link())).toBe('/gone/something-else');
  });

  test('is not linked into a folder that is not on the path; the way to call it is printed', async () => {
    const said = await startOnce({ ...linking(), PATH: join(repo, 'tools').replace('tools', 'none') });
    expect(said).toContain('note: openclaw is not on the PATH');
    expect(said).toContain(`so call it by: ${join(repo, 'bin', 'openclaw.cjs')}\n`);
    expect(existsSync(link())).toBe(false);
  });

  test.each([{ HARDSHELL_NO_LINK: '1' }, { CI: 'true' }])('is not linked with %o', async (env) => {
    expect(await startOnce({ ...linking(), ...env })).not.toContain('openclaw command');
    expect(existsSync(link())).toBe(false);
  });
});

async function pidOfNpm(): Promise<number> {
  const file = join(folder, 'calls.pid');
  await poll(() => existsSync(file) && readFileSync(file, 'utf8').trim() !== '');
  return Number(readFileSync(file, 'utf8'));
}

async function gone(pid: number): Promise<void> {
  await poll(() => !existsSync(join('/proc', String(pid))));
}

/** For what gives no event: a file written, or a process ended, by somebody else. */
async function poll(isTrue: () => boolean): Promise<void> {
  const deadline = Date.now() + 50_000;
  while (!isTrue()) {
    if (Date.now() > deadline) throw new Error(`waited fifty seconds in ${dirname(folder)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
