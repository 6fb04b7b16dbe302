// Every way in which a configuration file can be wrong ends in one clear line with its mend and exit 78, for the start and
// for whoever only reads; and a gateway that runs does not notice.
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import {
  type CommandResult,
  freePort,
  newHome,
  runCommand,
  startTestGateway,
  writeConfig,
} from '../support/gateway.ts';
import { isRoot } from '../support/sandbox.ts';

const undo: (() => void | Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

function home(): string {
  const made = newHome();
  undo.push(() => rmSync(made, { recursive: true, force: true, maxRetries: 3 }));
  mkdirSync(join(made, '.openclaw'), { mode: 0o700 });
  return made;
}

const fileOf = (where: string, name = 'openclaw.json'): string => join(where, '.openclaw', name);
const put = (where: string, text: string | Buffer, name?: string): void =>
  writeFileSync(fileOf(where, name), text, { mode: 0o600 });

/** One error, one mend, nothing else, and never a stack. */
function expectOneLine({ code, stdout, stderr }: CommandResult, says: RegExp): void {
  expect(stderr).toMatch(/^error: [^\n]+\nfix: [^\n]+\n$/);
  expect(stderr).toMatch(says);
  expect([code, stdout]).toEqual([78, '']);
}

type Bad = readonly [string, (where: string) => void, RegExp];
const BAD: readonly Bad[] = [
  [
    'a circular $include',
    (where) => {
      put(where, '{ $include: "./a.json5" }');
      put(where, '{ $include: "./openclaw.json" }', 'a.json5');
    },
    /goes in a circle: openclaw\.json -> a\.json5 -> openclaw\.json/,
  ],
  [
    'an $include outside the folder',
    (where) => {
      writeFileSync(join(where, 'outside.json5'), '{}');
      put(where, '{ $include: "../outside.json5" }');
    },
    /lies outside the config folder/,
  ],
  [
    'an $include whose link leads outside',
    (where) => {
      writeFileSync(join(where, 'outside.json5'), '{}');
      symlinkSync(join(where, 'outside.json5'), fileOf(where, 'in.json5'));
      put(where, '{ $include: "./in.json5" }');
    },
    /lies outside the config folder/,
  ],
  [
    'an $include that others may write',
    (where) => {
      put(where, '{ $include: "./in.json5" }');
      put(where, '{}', 'in.json5');
      chmodSync(fileOf(where, 'in.json5'), 0o666);
    },
    /in\.json5 can be changed by every user of this machine.*\nfix: chmod 600 [^\n]*in\.json5/,
  ],
  ['50 MB', (where) => put(where, Buffer.alloc(50 * 1024 * 1024, 0x20)), /has 52428800 bytes, at most/],
  ['a NUL byte', (where) => put(where, '{ gateway: {\0} }'), /a NUL byte at line 1/],
  ['a __proto__ key', (where) => put(where, '{ "__proto__": { a: 1 } }'), /__proto__/],
  ['a byte order mark', (where) => put(where, '\ufeff{}'), /byte order mark.*\nfix: remove it: sed /],
  ['bytes that are not UTF-8', (where) => put(where, Buffer.from('{ a: "\xff" }', 'latin1')), /not UTF-8 at line 1/],
  [
    'a mistake in JSON5',
    (where) => put(where, '{\n  gateway: { port 1 },\n}'),
    /is not JSON5: .*line 2.*gateway: \{ port 1 \}/,
  ],
  [
    'a wrong type',
    (where) => put(where, '{ gateway: { port: "many" } }'),
    /gateway\.port: "many" is not usable: it takes a number/,
  ],
  [
    'a base URL that is none',
    (where) => put(where, '{ models: { providers: { x: { baseUrl: "models.example" } } } }'),
    /models\.providers\.x\.baseUrl: .*http or https address/,
  ],
  [
    'a file that everybody may write',
    (where) => {
      put(where, '{}');
      chmodSync(fileOf(where), 0o666);
    },
    /can be changed by every user of this machine.*\nfix: chmod 600 /,
  ],
  [
    'a file that its group may write',
    (where) => {
      put(where, '{}');
      chmodSync(fileOf(where), 0o660);
    },
    /can be changed by everybody in its group.*\nfix: chmod 600 /,
  ],
  [
    'a link',
    (where) => {
      writeFileSync(join(where, 'elsewhere.json'), '{}');
      symlinkSync(join(where, 'elsewhere.json'), fileOf(where));
    },
    /is a symbolic link/,
  ],
  ['a folder in its place', (where) => mkdirSync(fileOf(where)), /is not a regular file/],
];

describe('a configuration file with', () => {
  test.each(BAD)('%s ends the start and `config get` in one line', async (_what, make, says) => {
    const where = home();
    make(where);
    const before = existsSync(fileOf(where)) ? execFileSync('ls', ['-ld', fileOf(where)]).toString() : '';
    const port = String(await freePort());
    expectOneLine(await runCommand(['gateway', 'run', '--port', port], { home: where }), says);
    expectOneLine(await runCommand(['config', 'get'], { home: where }), says);
    expectOneLine(await runCommand(['config', 'set', 'logging.level', 'debug'], { home: where }), says);
    expect(execFileSync('ls', ['-ld', fileOf(where)]).toString()).toBe(before);
  });

  test('a base URL whose port is none is refused by what would start with it', async () => {
    const where = home();
    put(where, '{ models: { providers: { x: { baseUrl: "http://h:99999/v1" } } } }');
    const says = /models\.providers\.x\.baseUrl is no http or https address/;
    expectOneLine(await runCommand(['gateway', 'run', '--port', String(await freePort())], { home: where }), says);
    expectOneLine(await runCommand(['config', 'set', 'logging.level', 'debug'], { home: where }), says);
  });

  test.skipIf(!isRoot)('another owner is refused with the chown line', async () => {
    const where = home();
    put(where, '{}');
    chownSync(fileOf(where), 12_345, 12_345);
    const says = /belongs to another user \(uid 12345, this is uid 0\).*\nfix: chown 0 /;
    expectOneLine(await runCommand(['gateway', 'run', '--port', String(await freePort())], { home: where }), says);
    expectOneLine(await runCommand(['config', 'get'], { home: where }), says);
  });

  test.skipIf(!isRoot)('a folder that is read-only can be read, and a change says why it cannot be made', async () => {
    const where = home();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=0700', 'tmpfs', join(where, '.openclaw')]);
    undo.push(() => void execFileSync('umount', [join(where, '.openclaw')]));
    put(where, '{ gateway: { port: 19001 } }');
    execFileSync('mount', ['-o', 'remount,ro', join(where, '.openclaw')]);
    expect((await runCommand(['config', 'get', 'gateway.port'], { home: where })).stdout).toContain('19001');
    const { code, stdout, stderr } = await runCommand(['config', 'set', 'gateway.port', '19002'], { home: where });
    expect(stderr).toMatch(/^error: [^\n]*mounted read-only[^\n]*\nfix: [^\n]+\n$/);
    expect([code, stdout]).toEqual([78, '']);
  });
});

describe('a gateway that runs', () => {
  test('is not touched by any of them, and status says what is wrong', async () => {
    const where = home();
    const gateway = await startTestGateway({ home: where, config: {} });
    undo.push(() => gateway.stop());
    const client = await gateway.connect();
    undo.push(() => client.close());
    for (const [, make] of BAD.filter(([what]) => !/link|folder in its place|included|outside/.test(what))) {
      make(where);
      process.kill(gateway.pid, 'SIGHUP');
    }
    await expect
      .poll(async () => JSON.stringify(await gateway.rpc('status')), { timeout: 10_000 })
      .toMatch(/is broken, so/);
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
    await client.request('health');
    writeConfig(where, {});
    chmodSync(fileOf(where), 0o600);
    process.kill(gateway.pid, 'SIGHUP');
    await expect.poll(async () => JSON.stringify(await gateway.rpc('status'))).not.toMatch(/is broken, so/);
  });
});

describe('OPENCLAW_CONFIG_PATH that names no file', () => {
  const says = /OPENCLAW_CONFIG_PATH names [^\n]*nowhere\.json, and there is no such file/;

  test('is an error for the start and for whoever only reads', async () => {
    const where = home();
    const env = { OPENCLAW_CONFIG_PATH: join(where, 'nowhere.json') };
    const run = (...args: string[]): Promise<CommandResult> => runCommand(args, { home: where, env });
    expectOneLine(await run('gateway', 'run', '--port', String(await freePort())), says);
    expectOneLine(await run('config', 'get'), says);
    expectOneLine(await run('status'), says);
    const validated = await run('config', 'validate');
    expect([validated.code, validated.stdout]).toEqual([78, expect.stringMatching(says)]);
    expect(existsSync(join(where, 'nowhere.json'))).toBe(false);
  });

  test.each([
    ['config set', ['config', 'set', 'gateway.port', '19001']],
    ['onboard', ['onboard', '--yes']],
  ])('is made by %s', async (_what, args) => {
    const where = home();
    const env = { OPENCLAW_CONFIG_PATH: join(where, 'nowhere.json') };
    const { code, stderr } = await runCommand(args, { home: where, env });
    expect(code, stderr).toBe(0);
    expect(readFileSync(join(where, 'nowhere.json'), 'utf8')).toMatch(/^\{/);
    expect((await runCommand(['config', 'validate'], { home: where, env })).code).toBe(0);
  });
});
