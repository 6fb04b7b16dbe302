// The way from a typed `openclaw` to a running Node, with real shells and real Nodes, in a package made for the test.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const LAUNCHER = join(import.meta.dirname, '..', '..', 'bin', 'openclaw.cjs');
const PACKAGED = `node-linux-${process.arch}`;
/** Prints what it was started as; `wait` stays until a signal. */
const PROGRAM = `
export async function run(args, env) {
  const signal = new Promise((resolve) => ['SIGTERM', 'SIGHUP'].forEach((s) => process.once(s, () => resolve(s))));
  process.stdout.write(JSON.stringify({ pid: process.pid, node: process.execPath, version: process.version, args }) + '\\n');
  if (args[0] === 'wait') {
    const timer = setInterval(() => {}, 1000);
    process.stdout.write((await signal) + '\\n');
    clearInterval(timer);
  }
  return 7;
}
`;

let folder = '';
let root = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'launcher-'));
  root = join(folder, 'package');
  for (const name of ['bin', 'dist']) mkdirSync(join(root, name), { recursive: true });
  copyFileSync(LAUNCHER, join(root, 'bin', 'openclaw.cjs'));
  chmodSync(join(root, 'bin', 'openclaw.cjs'), 0o755);
  writeFileSync(join(root, 'package.json'), JSON.stringify({ name: 'hardshell', version: '1.2.3' }, null, 2));
  writeFileSync(join(root, 'dist', 'openclaw.mjs'), PROGRAM);
  // The commands that the shell part needs, and no Node of this machine.
  path = join(folder, 'path');
  mkdirSync(path);
  for (const tool of ['readlink', 'uname']) symlinkSync(found(tool), join(path, tool));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function found(tool: string): string {
  const hit = ['/usr/bin', '/bin'].map((dir) => join(dir, tool)).find((file) => existsSync(file));
  if (hit === undefined) throw new Error(`this machine has no ${tool}`);
  return hit;
}

/** A `node` on the path: the real one, or one that only claims a version. */
function nodeOnPath(version?: string): void {
  if (version === undefined) symlinkSync(process.execPath, join(path, 'node'));
  else writeFileSync(join(path, 'node'), `#!/bin/sh\necho ${version}\n`, { mode: 0o755 });
}

function packagedNode(modules: string): string {
  const file = join(modules, PACKAGED, 'bin', 'node');
  mkdirSync(dirname(file), { recursive: true });
  symlinkSync(process.execPath, file);
  return file;
}

function link(name: string): string {
  const file = join(folder, name);
  symlinkSync(join(root, 'bin', 'openclaw.cjs'), file);
  return file;
}

type Options = { env?: Record<string, string>; args?: string[] };
function call(command: string, { env = {}, args = [] }: Options = {}) {
  const { status, stdout, stderr } = spawnSync(command, args, {
    env: { PATH: path, ...env },
    encoding: 'utf8',
    timeout: 20_000,
  });
  return { code: status, stdout, stderr, facts: stdout.startsWith('{') ? JSON.parse(stdout) : null };
}

describe('the shell part', () => {
  it('becomes Node: no parent process is left, words and exit code pass through', async () => {
    nodeOnPath();
    const child = spawn(link('openclaw'), ['a b', '–deep', "it's"], { env: { PATH: path } });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    const [code] = await once(child, 'close');
    expect(JSON.parse(stdout)).toMatchObject({ pid: child.pid, args: ['a b', '–deep', "it's"] });
    expect(code).toBe(7);
  });
  it('takes OPENCLAW_NODE before anything else', () => {
    nodeOnPath('v99.0.0');
    const node = packagedNode(join(folder, 'mine'));
    expect(call(link('openclaw'), { env: { OPENCLAW_NODE: node } }).code).toBe(7);
  });
  it('takes the packaged Node when the one on the path is too old', () => {
    nodeOnPath('v20.19.2');
    packagedNode(join(root, 'node_modules'));
    const { code, facts } = call(link('openclaw'));
    expect([code, facts.version]).toEqual([7, process.version]);
  });
  it('finds the packaged Node beside the package when it was hoisted', () => {
    packagedNode(folder);
    expect(call(link('openclaw')).code).toBe(7);
  });
  it('follows a symlink to a symlink', () => {
    packagedNode(join(root, 'node_modules'));
    const first = link('first');
    symlinkSync(first, join(folder, 'second'));
    expect(call(join(folder, 'second')).code).toBe(7);
  });
  it('says in one line what it needs when there is no Node at all', () => {
    const { code, stdout, stderr } = call(link('openclaw'), { args: ['status'] });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toBe(
      `error: openclaw found no Node on this machine and needs Node 24 or newer.\nfix: run npm ci in ${root} (it brings Node 24), or install Node 24 from https://nodejs.org\n`,
    );
  });
  it('says that OPENCLAW_NODE is wrong instead of guessing another', () => {
    nodeOnPath();
    const { code, stderr } = call(link('openclaw'), { env: { OPENCLAW_NODE: '/nowhere/node' } });
    expect(code).toBe(1);
    expect(stderr).toContain('error: OPENCLAW_NODE is set to /nowhere/node, which is not a program.\nfix: ');
  });
});

describe('--version', () => {
  it.each(['--version', '-V'])('%s needs neither Node nor the bundle, and 80 ms at most', (flag) => {
    const openclaw = link('openclaw');
    const times = Array.from({ length: 5 }, () => {
      const startedAt = performance.now();
      expect(call(openclaw, { args: [flag] })).toMatchObject({ code: 0, stdout: 'hardshell 1.2.3\n', stderr: '' });
      return performance.now() - startedAt;
    });
    expect(Math.min(...times)).toBeLessThan(80);
  });
  it('is answered by `node bin/openclaw.cjs` without the bundle too', () => {
    rmSync(join(root, 'dist'), { recursive: true });
    const { stdout } = call(process.execPath, { args: [join(root, 'bin', 'openclaw.cjs'), '--version'] });
    expect(stdout).toBe('hardshell 1.2.3\n');
  });
});

describe('old names', () => {
  it.each(['clawdbot', 'moltbot'])('S109 S237 %s works and prints one rename hint on stderr', (name) => {
    nodeOnPath();
    const command = link(name);
    const hint = `${name} is now called openclaw; please use that name.\n`;
    const { code, facts, stderr } = call(command, { args: ['pairing', 'list'] });
    expect([code, facts.args, stderr]).toEqual([7, ['pairing', 'list'], hint]);
    expect(call(command, { args: ['--version'] }).stderr).toBe(hint);
  });
  it('openclaw and hardshell print none', () => {
    nodeOnPath();
    expect(call(link('openclaw')).stderr).toBe('');
    expect(call(link('hardshell')).stderr).toBe('');
  });
});

describe('the compile cache', () => {
  it('fills a folder inside dist', () => {
    nodeOnPath();
    call(link('openclaw'));
    expect(readdirSync(join(root, 'dist', '.compile-cache')).length).toBeGreaterThan(0);
  });
  it('is done without when its folder cannot be made', () => {
    nodeOnPath();
    writeFileSync(join(root, 'dist', '.compile-cache'), 'in the way');
    expect(call(link('openclaw'))).toMatchObject({ code: 7, stderr: '' });
  });
});

const OLD_NODE = ['/usr/bin/node', '/usr/local/bin/node'].find((file) => {
  const version = existsSync(file) ? spawnSync(file, ['--version'], { encoding: 'utf8' }).stdout : '';
  return /^v(1[2-9]|2[0-3])\./.test(version);
});

describe.skipIf(OLD_NODE === undefined)('started as `node bin/openclaw.cjs` by an old Node', () => {
  const old = OLD_NODE ?? '';
  it('runs itself again under the packaged one and leaves as that leaves', () => {
    packagedNode(join(root, 'node_modules'));
    const { code, facts, stderr } = call(old, { args: [join(root, 'bin', 'openclaw.cjs'), 'x'] });
    expect([code, facts.version, facts.args, stderr]).toEqual([7, process.version, ['x'], '']);
  });
  it('says in one line what it found and what it needs when there is no other', () => {
    const { code, stdout, stderr } = call(old, { args: [join(root, 'bin', 'openclaw.cjs'), 'status'] });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /^error: openclaw runs on Node 24 or newer and found Node v\d+\.\d+\.\d+\.\nfix: run npm ci in .*\n$/,
    );
  });
  it.each(['SIGTERM', 'SIGHUP'] as const)('passes %s on and waits for the end', async (signal) => {
    packagedNode(join(root, 'node_modules'));
    const child = spawn(old, [join(root, 'bin', 'openclaw.cjs'), 'wait'], { env: { PATH: path } });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (stdout === '') child.kill(signal);
      stdout += text;
    });
    const [code] = await once(child, 'close');
    expect(stdout.trim().split('\n').at(-1)).toBe(signal);
    expect(code).toBe(7);
  });
});
