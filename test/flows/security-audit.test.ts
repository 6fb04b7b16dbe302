// `openclaw security audit` as a command: exit codes, forms of the report, what is asked for, and that nothing is touched.
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { run } from '../../src/cli/main.ts';
import { openStore } from '../../src/store/open.ts';

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'audit-flow-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function write(config: string): void {
  mkdirSync(join(home, '.openclaw'), { recursive: true, mode: 0o700 });
  writeFileSync(join(home, '.openclaw', 'openclaw.json'), config, { mode: 0o600 });
}

const SETTINGS = 'outside,talk,do,money';
async function audit(...flags: string[]): Promise<{ code: number; out: string; err: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const said = { out: '', err: '' };
  stdout.on('data', (chunk) => {
    said.out += chunk;
  });
  stderr.on('data', (chunk) => {
    said.err += chunk;
  });
  const env = { HOME: home, OPENCLAW_HOME: home, PATH: process.env['PATH'] ?? '' };
  const only = flags.some((flag) => flag === '--only' || flag === '--explain') ? [] : ['--only', SETTINGS];
  const code = await run(['security', 'audit', ...only, ...flags], env, { stdin: Readable.from([]), stdout, stderr });
  return { code, ...said };
}

describe('exit codes, for gates', () => {
  test('S006 0 in order, 1 warnings, 2 critical; INFO counts for nothing', async () => {
    expect((await audit()).code).toBe(0);
    write('{ session: { dmScope: "main" } }');
    expect((await audit()).code).toBe(0);
    write('{ session: { groupScope: "main" } }');
    expect((await audit()).code).toBe(1);
    write('{ session: { groupScope: "main" }, gateway: { bind: "lan" } }');
    expect((await audit()).code).toBe(2);
    expect((await audit('--only', 'talk')).code).toBe(1);
    expect((await audit('--only', 'money')).code).toBe(0);
  });

  test('--min-severity is for the gate as well', async () => {
    write('{ session: { groupScope: "main" } }');
    const { code, out } = await audit('--min-severity', 'critical', '--quiet');
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/^0 critical, 0 warnings, 0 info, 1 not shown, \d+ passed in [\d.]+ s\n$/),
    ]);
  });

  test('S006 3 when it could not run, with what stood in the way, and nothing that passes for a report', async () => {
    const config = '{ channels: { telegram: { enabled: true, dmPolicy: "open", allowFrom: ["*"] } } }';
    write(config);
    // Where --fix writes down how it is taken back is no file, so it may mend nothing.
    const record = join(home, '.openclaw', 'audit-fixes.json');
    mkdirSync(record);
    const { code, out, err } = await audit('--fix', '--yes');
    expect([code, err]).toEqual([
      3,
      expect.stringMatching(/^error: .*audit-fixes\.json is not a regular file\.\nfix: /),
    ]);
    expect(out).not.toMatch(/passed in|mended:/);
    expect(readFileSync(join(home, '.openclaw', 'openclaw.json'), 'utf8')).toBe(config);
    const asked = await audit('--fix', '--yes', '--json');
    expect([asked.code, JSON.parse(asked.out).ok]).toEqual([3, false]);
    rmSync(record, { recursive: true });
    expect((await audit('--fix', '--yes')).code).toBe(0);
  });

  test('a file where the state folder should be is said in one line each', async () => {
    writeFileSync(join(home, '.openclaw'), 'a file where the folder should be');
    const { code, out, err } = await audit();
    expect([code, err]).toEqual([2, '']);
    expect(out).toMatch(/❌ cannot read .*\.env: a part of the path is not a folder\n/);
  });

  test('words that mean nothing are refused with what was meant', async () => {
    expect(await audit('--min-severity', 'grave')).toMatchObject({
      code: 64,
      err: expect.stringContaining('critical, warning or info'),
    });
    expect(await audit('--only', 'mony')).toMatchObject({
      code: 64,
      err: expect.stringContaining('did you mean money?'),
    });
  });
});

test('S281 what onboard writes has nothing to say', async () => {
  const env = { HOME: home, OPENCLAW_HOME: home, PATH: process.env['PATH'] ?? '' };
  const streams = { stdin: Readable.from([]), stdout: new PassThrough().resume(), stderr: new PassThrough().resume() };
  const words = ['onboard', '--yes', '--no-open', '--provider', 'ollama', '--model', 'qwen3'];
  await run(words, env, streams);
  expect(readFileSync(join(home, '.openclaw', 'openclaw.json'), 'utf8')).toContain('qwen3');
  const { code, out } = await audit('--quiet');
  expect([code, out]).toEqual([0, expect.stringMatching(/^0 critical, 0 warnings, 0 info/)]);
});

test('S189 the dash of guide C is understood', async () => {
  expect((await audit('–quiet')).code).toBe(0);
});

test('--json has the shape of upstream at its top, and every check below', async () => {
  write('{ gateway: { bind: "lan" } }');
  const { code, out } = await audit('--json');
  const report = JSON.parse(out);
  expect([code, report.ok, report.summary]).toEqual([2, true, { critical: 1, warn: 0, info: 0 }]);
  expect(report.findings).toMatchObject([{ checkId: 'gateway.bind_network_accessible', severity: 'critical' }]);
  expect(report.data.checks).toContainEqual(
    expect.objectContaining({ id: 'browser.enabled', state: 'passed', pass: 'Browser control: off' }),
  );
});

test('--sarif is SARIF', async () => {
  write('{ gateway: { bind: "lan" } }');
  const { runs } = JSON.parse((await audit('--sarif')).out);
  expect(runs[0].results).toMatchObject([{ ruleId: 'gateway.bind_network_accessible', level: 'error' }]);
  expect(runs[0].tool.driver.rules[runs[0].results[0].ruleIndex].id).toBe('gateway.bind_network_accessible');
});

test('--explain says what, why, and how things stand', async () => {
  const { code, out } = await audit('--explain', 'gateway.bind_network_accessible');
  expect(code).toBe(0);
  expect(out).toMatch(
    /Can other machines reach the gateway\?[\s\S]*asked by the guides: .*S016[\s\S]*why: [\s\S]*✅ Gateway bind: 127\.0\.0\.1 \(local-only\)/,
  );
});

test('a terminal is never given what stands in a file to obey', async () => {
  write('{ channels: { telegram: { groupAllowFrom: ["\\u001b[2Jx"] } } }');
  expect((await audit()).out).not.toContain('\u001b');
});

/** Every name with mode, size, time and content. */
function hashOf(folder: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(folder, name);
    const { mode, size, mtimeMs } = lstatSync(path);
    hash.update(`${name} ${mode} ${size} ${mtimeMs}\n`);
    if (lstatSync(path).isFile()) hash.update(readFileSync(path));
  }
  return hash.digest('hex');
}

test('it changes no file, whatever is wrong with it', async () => {
  write('{ gateway: { bnd: 1, auth: { token: { source: "file", id: "gateway-token" } } }, hooks: { enabled: true } }');
  const credentials = join(home, '.openclaw', 'credentials');
  openStore(join(home, '.openclaw', 'state.sqlite')).close();
  mkdirSync(credentials, { mode: 0o711 });
  writeFileSync(join(credentials, 'gateway-token'), 'changeme', { mode: 0o644 });
  writeFileSync(join(home, '.openclaw', '.env'), 'A=b', { mode: 0o666 });
  const before = hashOf(home);
  for (const group of ['outside', 'talk', 'do', 'supply', 'money'])
    expect((await audit('--only', group)).code).toBeLessThan(3);
  expect(hashOf(home)).toBe(before);
});
