// What a machine, a person or a disk can do to a gateway: each ends in one clear line with its mend and a non-zero exit,
// or is survived, and nothing that was accepted is lost.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type ModelServer, startModelServer } from '../doubles/model-server.ts';
import {
  type CommandResult,
  freePort,
  newHome,
  runCommand,
  startTestGateway,
  type TestGateway,
} from '../support/gateway.ts';
import { configFor } from '../support/model-config.ts';
import { isRoot } from '../support/sandbox.ts';

type Json = Record<string, unknown>;

const undo: (() => void | Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

function home(): string {
  const made = newHome();
  undo.push(() => rmSync(made, { recursive: true, force: true }));
  return made;
}
async function start(where: string, more: Json = {}): Promise<TestGateway> {
  const gateway = await startTestGateway({ home: where, ...more });
  undo.push(() => gateway.stop());
  return gateway;
}
async function double(): Promise<ModelServer> {
  const model = await startModelServer();
  undo.push(() => model.close());
  return model;
}
const tryStart = async (where: string): Promise<CommandResult> =>
  runCommand(['gateway', 'run', '--port', String(await freePort())], { home: where });

/** One error, one mend, nothing else, and never a stack. */
function expectOneLine({ code, stdout, stderr }: CommandResult, exitCode: number, what: RegExp): void {
  expect(stderr).toMatch(/^error: [^\n]+\nfix: [^\n]+\n$/);
  expect(stderr).toMatch(what);
  expect([code, stdout]).toEqual([exitCode, '']);
}

/** Overwrites pages in the middle, as a bad disk does. */
function scribble(file: string): void {
  const fd = openSync(file, 'r+');
  for (let at = 1_024; at < statSync(file).size; at += 1_024) writeSync(fd, Buffer.alloc(200, 0xa5), 0, 200, at);
  closeSync(fd);
}

function mount(folder: string, options: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `mode=0700,${options}`, 'tmpfs', folder]);
  undo.push(() => void execFileSync('umount', [folder]));
}

/** Takes all the room that is left. Returns the way to give it back. */
function fill(folder: string): () => void {
  const file = join(folder, '.filler');
  const fd = openSync(file, 'w');
  for (const bytes of [65_536, 512]) {
    try {
      for (;;) writeSync(fd, Buffer.alloc(bytes));
    } catch {
      // full, which is what we want
    }
  }
  closeSync(fd);
  return () => rmSync(file);
}

describe('a damaged database', () => {
  const stateOf = (where: string): string => join(where, '.openclaw');

  test('is replaced by the last good snapshot: one warning, the conversation is there, the broken file is kept', async () => {
    const where = home();
    const first = await start(where);
    await first.cli('agent', '-m', 'write "kept" to note.txt');
    await first.stop();
    scribble(join(stateOf(where), 'state.sqlite'));
    const second = await start(where);
    const warned = /^WARNING: the database was damaged \(.*\): restored .*state-.*\.sqlite.*, kept the damaged one/gm;
    await expect.poll(() => second.output().match(warned)).toHaveLength(1);
    const { stdout } = await second.cli('sessions', 'show', 'main');
    expect(stdout).toContain('write "kept" to note.txt');
    const status = await second.cli('status');
    const broken = readdirSync(stateOf(where)).find((name) => name.startsWith('state.sqlite.broken-'));
    expect(status.stdout).toContain(`look at ${join(stateOf(where), broken ?? 'nothing kept')}`);
    expect((await second.cli('agent', '-m', 'help')).code).toBe(0);
  });

  test('without a snapshot is left as it is, and the line says how to start without it', async () => {
    const where = home();
    mkdirSync(stateOf(where), { mode: 0o700 });
    const file = join(stateOf(where), 'state.sqlite');
    writeFileSync(file, 'this was a database once '.repeat(400), { mode: 0o600 });
    const result = await tryStart(where);
    expectOneLine(result, 1, /is damaged.*no snapshot[^\n]*\nfix: .*mv /);
    expect(statSync(file).size).toBe(10_000);
    expect(existsSync(join(stateOf(where), 'gateway.lock'))).toBe(false);
  });
});

describe.skipIf(!isRoot)('a full disk', () => {
  test('refuses a new message as one to send again, answers it once there is room, and lives on', async () => {
    const where = home();
    const state = join(where, '.openclaw');
    mount(state, 'size=6m');
    const gateway = await start(where, { config: configFor(await double()) });
    const client = await gateway.connect();
    undo.push(() => client.close());
    expect((await client.chat('main', 'before')).state).toBe('final');
    const makeRoom = fill(state);
    const send = { sessionKey: 'main', message: '[[tokens:3]] now', idempotencyKey: crypto.randomUUID() };
    const refused = await client.request('chat.send', send).catch((error: unknown) => error as Json);
    expect(refused).toMatchObject({
      code: 'UNAVAILABLE',
      details: { code: 'DISK_FULL', fix: expect.stringContaining('df -h') },
    });
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
    expect((await client.request('chat.history', { sessionKey: 'main' }))['messages']).toHaveLength(2);
    makeRoom();
    const final = client.next(({ event, payload }) => event === 'chat' && payload['state'] === 'final');
    expect(await client.request('chat.send', send)).toMatchObject({ status: 'started' });
    expect(JSON.stringify((await final).payload)).toContain('w0 w1 w2');
    expect((await client.request('status'))['messages']).toMatchObject({ received: 2, answered: 2, queued: 0 });
  });

  test('in the middle of a turn: the accepted message is not lost, and is answered after the next start', async () => {
    const where = home();
    const state = join(where, '.openclaw');
    mount(state, 'size=6m');
    const model = await double();
    const config = configFor(model);
    const gateway = await start(where, { config });
    model.script({ text: 'cannot be stored', headersMs: 1_500 });
    const client = await gateway.connect();
    const turn = client.chat('main', 'keep this');
    await model.received(1);
    const makeRoom = fill(state);
    expect(await turn).toMatchObject({ state: 'error', error: expect.stringContaining('cannot write') });
    await client.close();
    makeRoom();
    await gateway.kill9();
    model.script({ text: 'stored this time' });
    const next = await start(where);
    const answered = async (): Promise<unknown> => ((await next.rpc('status'))['messages'] as Json)['answered'];
    await expect.poll(answered, { timeout: 10_000 }).toBe(1);
    const { stdout } = await next.cli('sessions', 'show', 'main');
    expect(stdout.match(/keep this/g)).toHaveLength(1);
    expect(stdout).toContain('stored this time');
    expect(stdout).not.toContain('cannot be stored');
  });

  test('at the start is said, with what to do', async () => {
    const where = home();
    const state = join(where, '.openclaw');
    mount(state, 'size=64k');
    fill(state);
    expectOneLine(await tryStart(where), 2, /the disk is full/);
  });
});

describe('a start that cannot be', () => {
  test('a state folder that cannot be used', async () => {
    const where = home();
    const state = join(where, '.openclaw');
    if (isRoot) mount(state, 'ro');
    else {
      mkdirSync(state);
      chmodSync(where, 0o500);
      chmodSync(state, 0);
      undo.push(() => chmodSync(where, 0o700));
    }
    expectOneLine(await tryStart(where), 78, /\.openclaw: (the file system is mounted read-only|permission denied)/);
  });

  test('a file in the place of the state folder', async () => {
    const where = home();
    writeFileSync(join(where, '.openclaw'), '');
    expectOneLine(await tryStart(where), 2, /something there is not a folder/);
  });

  test.each([
    ['a line break in it', `${'a1b2c3d4'.repeat(4)}\n${'e5f6a7b8'.repeat(4)}`, /contains a line break/],
    ['too few characters', 'short', /is too short/],
  ])('a token with %s', async (_what, token, why) => {
    const where = home();
    const folder = join(where, '.openclaw', 'credentials');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, 'gateway-token'), token, { mode: 0o600 });
    const result = await tryStart(where);
    expectOneLine(result, 78, why);
    expect(result.stderr).not.toContain('e5f6');
  });

  test('a second gateway on the same state folder is told about the first', async () => {
    const where = home();
    const gateway = await start(where);
    expectOneLine(await tryStart(where), 1, new RegExp(`already runs .*process ${gateway.pid}, port ${gateway.port}`));
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
  });

  test('a workspace that holds more than the assistant may touch, which stays as it was', async () => {
    const where = home();
    const wide = join(where, 'wide');
    mkdirSync(wide, { mode: 0o755 });
    const configPath = join(wide, 'openclaw.json');
    writeFileSync(configPath, JSON.stringify({ agents: { defaults: { workspace: wide } } }), { mode: 0o600 });
    const args = ['gateway', 'run', '--port', String(await freePort())];
    const result = await runCommand(args, { home: where, env: { OPENCLAW_CONFIG_PATH: configPath } });
    expectOneLine(result, 78, /workspace .*holds more than the assistant's files/);
    expect([statSync(wide).mode & 0o777, statSync(configPath).uid]).toEqual([0o755, process.getuid?.()]);
  });
});
