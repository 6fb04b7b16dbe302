// Owns the promises of `npm test` around the tests: what it brings first, in which order it checks, that a failure
// anywhere is its failure, and what its last line says. Everything it would call is a stand-in here.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { REPO } from '../support/gateway.ts';

let folder: string;
let repo: string;

const tool = (name: string, exitFrom: string): string => `
const { appendFileSync } = require('node:fs');
appendFileSync(process.env.CALLS, '${name} ' + process.argv.slice(2).filter((word) => !word.includes('/')).join(' ') + '\\n');
process.exitCode = Number(process.env.${exitFrom} ?? 0);
`;

/** Writes the report that the real one writes, where it was told to. */
const FAKE_VITEST = `
import { appendFileSync, writeFileSync } from 'node:fs';
const words = process.argv.slice(2);
appendFileSync(process.env.CALLS, 'vitest ' + words.filter((word) => !word.startsWith('--')).join(' ') + '\\n');
const file = words.find((word) => word.startsWith('--outputFile.json=')).split('=')[1];
const isAgain = file.endsWith('again.json');
const [passed, failed] = ((isAgain ? process.env.AGAIN : process.env.COUNTS) ?? '5,0').split(',').map(Number);
const names = Array.from({ length: Number(process.env.FILES ?? 0) }, (_, n) => process.cwd() + '/test/' + n + '.test.ts');
const testResults = names.map((name) => ({ name, status: failed > 0 ? 'failed' : 'passed' }));
const report = { numPassedTests: passed, numFailedTests: failed, testResults };
if (process.env.COUNTS !== 'none') writeFileSync(file, JSON.stringify(report));
process.exitCode = failed > 0 || process.env.COUNTS === 'none' ? 1 : 0;
`;

const FAKE_APT = `#!/bin/sh
echo "apt-get $*" >> "$CALLS"
[ "$FAKE_APT" = broken ] && { echo 'E: Unable to locate package' >&2; exit 100; }
exit 0
`;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hardshell-test-command-'));
  repo = join(folder, 'repo');
  for (const name of ['test', 'prepare', 'progress', 'sources']) {
    write(`bin/${name}.cjs`, readFileSync(join(REPO, 'bin', `${name}.cjs`), 'utf8'));
  }
  write('.ci/run', readFileSync(join(REPO, '.ci', 'run'), 'utf8'), 0o755);
  write('package-lock.json', '{"packages":{"":{}}}');
  write('package.json', '{"scripts":{"test":"exec node bin/test.cjs","test:long":"exec node bin/test.cjs long"}}');
  write('src/a.ts', '');
  write('node_modules/.package-lock.json', '{"packages":{}}');
  write('node_modules/@biomejs/biome/bin/biome', tool('biome', 'BIOME'));
  write('node_modules/typescript/bin/tsc', tool('tsc', 'TSC'));
  write('node_modules/vitest/vitest.mjs', FAKE_VITEST);
  write('tools/apt-get', FAKE_APT, 0o755);
  write('tools/chromium', '', 0o755);
  write('tools/bwrap', '', 0o755);
  mkdirSync(join(repo, 'node_modules', `node-linux-${process.arch}`, 'bin'), { recursive: true });
  symlinkSync(process.execPath, join(repo, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node'));
  mkdirSync(join(repo, 'dist'));
  const { sourceStamp } = createRequire(import.meta.url)('../../bin/sources.cjs') as {
    sourceStamp(repo: string): string;
  };
  write('dist/.stamp', sourceStamp(repo));
  // Anybody may use the folder, so that a test can run as somebody who is not root.
  chmodSync(folder, 0o777);
  for (const name of ['.', '.cache', 'test-results', 'node_modules']) {
    mkdirSync(join(repo, name), { recursive: true });
    chmodSync(join(repo, name), 0o777);
  }
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(join(repo, name)), { recursive: true });
  writeFileSync(join(repo, name), text, { mode });
}

const calls = (): string[] =>
  existsSync(join(folder, 'calls')) ? readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n') : [];

type Run = { code: number | null; lines: string[] };

async function run(
  file: string,
  args: readonly string[],
  env: Record<string, string> = {},
  uid?: number,
): Promise<Run> {
  const child = spawn(file, args, {
    cwd: repo,
    env: {
      PATH: `${join(repo, 'tools')}:${dirname(process.execPath)}`,
      HOME: folder,
      CALLS: join(folder, 'calls'),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid === undefined ? {} : { uid }),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, lines: output.trim().split('\n') };
}

const npmTest = (env: Record<string, string> = {}, uid?: number): Promise<Run> =>
  run(process.execPath, ['bin/test.cjs'], env, uid);

describe('npm test', () => {
  test('formats, lints, checks types, then runs unit and system tests, and ends with the counts', async () => {
    const { code, lines } = await npmTest();
    expect(calls()).toEqual([
      'biome format .',
      'biome lint . --error-on-warnings',
      'tsc --noEmit',
      'tsc --noEmit -p ui',
      'vitest run unit system',
    ]);
    expect(lines.at(-1)).toMatch(/^npm test: 9 passed, 0 failed in \d+\.\d s; all is well$/);
    expect(code).toBe(0);
  });

  test.each([
    ['a lint error', { BIOME: '1' }, /^npm test: 7 passed, 2 failed .* not well: format, lint$/],
    ['a type error', { TSC: '2' }, /not well: typecheck, typecheck ui$/],
    ['a failed test', { COUNTS: '4,1' }, /^npm test: 8 passed, 1 failed .* not well: unit and system$/],
    ['a test run that dies', { COUNTS: 'none' }, /^npm test: 4 passed, 1 failed .* not well: unit and system$/],
  ])('%s is a failure, after everything else has run all the same', async (_what, env, line) => {
    const { code, lines } = await npmTest(env as Record<string, string>);
    expect(calls()).toHaveLength(5);
    expect(lines.at(-1)).toMatch(line);
    expect(code).toBe(1);
  });

  test.each([
    ['passes alone is told as unsteady', { FILES: '2' }, 2, /^npm test: 9 passed, 0 failed .*; well, but only the second time: test\/0\.test\.ts, test\/1\.test\.ts$/, 0], // biome-ignore format: one row a case
    [
      'fails alone too is a failure',
      { FILES: '2', AGAIN: '0,1' },
      1,
      /8 passed, 1 failed .* not well: unit and system$/,
      1,
    ],
    ['is one of many is not tried again', { FILES: '3' }, 0, /8 passed, 1 failed .* not well: unit and system$/, 1],
  ])('a file that failed and %s', async (_what, env, again, line, exitCode) => {
    const { code, lines } = await npmTest({ COUNTS: '4,1', ...env } as Record<string, string>);
    expect(calls().slice(5)).toEqual([0, 1].slice(0, again).map((n) => `vitest run unit system test/${n}.test.ts`));
    expect(lines.at(-1)).toMatch(line);
    expect(code).toBe(exitCode);
  });

  test('brings the Debian packages that are missing, and says so', async () => {
    rmSync(join(repo, 'tools', 'chromium'));
    rmSync(join(repo, 'tools', 'bwrap'));
    const { lines } = await npmTest();
    if (process.getuid?.() === 0) {
      expect(calls().slice(0, 2)).toEqual([
        'apt-get update',
        'apt-get install -y --no-install-recommends chromium bubblewrap',
      ]);
    }
    expect(lines.join('\n')).toContain('chromium');
  });

  test('says in one line what to type when it may not install them', async () => {
    rmSync(join(repo, 'tools', 'bwrap'));
    const { code, lines } = await npmTest({}, process.getuid?.() === 0 ? 65_534 : undefined);
    expect(lines).toEqual(['error: the tests need bubblewrap; install them with: sudo apt-get install -y bubblewrap']);
    expect(calls()).toEqual([]);
    expect(code).toBe(1);
  });

  test.runIf(process.getuid?.() === 0)('gives the reason of apt-get when that fails', async () => {
    rmSync(join(repo, 'tools', 'bwrap'));
    const { code, lines } = await npmTest({ FAKE_APT: 'broken' });
    expect(lines.at(-1)).toContain('apt-get could not install bubblewrap (Unable to locate package)');
    expect(code).toBe(1);
  });
});

describe('.ci/run', () => {
  const ci = (env: Record<string, string> = {}): Promise<Run> =>
    run('/bin/bash', ['.ci/run'], { PATH: `${join(repo, 'tools')}:${process.env['PATH']}`, ...env });

  test('ends with the sum of both runs, alone on its line', async () => {
    const { code, lines } = await ci();
    expect(calls().filter((line) => line.startsWith('vitest'))).toEqual(['vitest run unit system', 'vitest run long']);
    expect(lines.at(-1)).toBe('14 passed, 0 failed');
    expect(code).toBe(0);
  });

  test('fails when a test fails, and when a run dies before it could count', async () => {
    const failed = await ci({ COUNTS: '4,1' });
    expect(failed.lines.at(-1)).toBe('12 passed, 2 failed');
    expect(failed.code).toBe(1);
    cpSync(join(repo, 'bin', 'progress.cjs'), join(repo, 'bin', 'test.cjs'));
    const silent = await ci();
    expect(silent.lines.at(-1)).toBe('0 passed, 2 failed');
    expect(silent.code).toBe(1);
  });
});
