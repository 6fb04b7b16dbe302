// The commands against a real gateway over a backend in memory.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTerminal } from '../../test/support/terminal.ts';
import { startServer, type TestServer, TOKEN } from '../../test/support/wire.ts';
import { run } from './main.ts';

let server: TestServer;
let stateDir = '';
const env = (): Record<string, string> => ({ OPENCLAW_STATE_DIR: stateDir, NO_COLOR: '1' });

beforeEach(async () => {
  server = await startServer();
  stateDir = mkdtempSync(join(tmpdir(), 'cli-'));
  mkdirSync(join(stateDir, 'credentials'), { mode: 0o700 });
  writeFileSync(join(stateDir, 'credentials', 'gateway-token'), TOKEN, { mode: 0o600 });
  writeFileSync(
    join(stateDir, 'gateway.lock'),
    JSON.stringify({ pid: process.pid, port: server.port, startedAtMs: 1 }),
  );
});
afterEach(async () => {
  await server.close();
  rmSync(stateDir, { recursive: true, force: true });
});

async function openclawWith(more: Record<string, string>, input: string, ...argv: string[]) {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  streams.stdin.end(input);
  const code = await run(argv, { ...env(), ...more }, streams);
  const read = (stream: PassThrough): string => String(stream.read() ?? '');
  return { code, stdout: read(streams.stdout), stderr: read(streams.stderr) };
}
const openclaw = (...argv: string[]) => openclawWith({}, '', ...argv);

describe('a state folder that cannot be looked into', () => {
  it.each(['audit log', 'audit report', 'undo list', 'pairing list', 'pairing approved', 'config history'])(
    '%s says so, and not that there is nothing',
    async (words) => {
      const OPENCLAW_STATE_DIR = join(stateDir, 'gateway.lock');
      const { code, stderr } = await openclawWith({ OPENCLAW_STATE_DIR }, '', ...words.split(' '));
      expect(code).not.toBe(0);
      expect(stderr).toMatch(/^error: cannot [^\n]* not a folder/);
    },
  );
});

describe('sandbox explain', () => {
  it('says of a tool that is switched off which setting has done that, and not that it is allowed', async () => {
    const write = (config: object) => writeFileSync(join(stateDir, 'openclaw.json'), JSON.stringify(config));
    write({ memory: { enabled: false }, tools: { web: { fetch: { enabled: false } } } });
    const { stdout } = await openclaw('sandbox', 'explain');
    for (const line of ['browser +off   (browser.enabled)', 'web_fetch +off   (tools.web.fetch.enabled)'])
      expect(stdout).toMatch(new RegExp(`^${line.replaceAll(/[().]/g, '\\$&')}$`, 'm'));
    expect(stdout).toMatch(/^memory_search +off {3}\(memory\.enabled\)$/m);
    expect(stdout).toMatch(/^message +off {3}\(channels\)$/m);
    write({
      browser: { enabled: true },
      channels: { telegram: { botToken: '12345678:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' } },
    });
    const on = (await openclaw('sandbox', 'explain')).stdout;
    expect(on).toMatch(/^(browser|message) +allow$/m);
    expect(on).not.toMatch(/^(browser|message|memory_search|web_fetch) +off/m);
  });
  it('names as further folders those that a box shows, and the others apart', async () => {
    const own = join(stateDir, '..', 'cli-allowed-own');
    writeFileSync(
      join(stateDir, 'openclaw.json'),
      JSON.stringify({ security: { allowedPaths: ['/var/tmp:ro', own] } }),
    );
    const { stdout } = await openclaw('sandbox', 'explain');
    expect(stdout).toMatch(/^further folders +\/var\/tmp$/m);
    expect(stdout).toMatch(/^not in the box +\/tmp\/cli-allowed-own: file tools alone reach it$/m);
  });
});

describe('agent', () => {
  it('prints the answer and nothing else on stdout', async () => {
    expect(await openclaw('agent', '-m', 'hello there')).toEqual({ code: 0, stdout: 'hello there\n', stderr: '' });
    expect(server.backend.sent).toMatchObject([{ sessionKey: 'agent:main:main', message: 'hello there' }]);
  });
  it('asks for the scopes that it needs and no more', async () => {
    await openclaw('agent', '-m', 'hi');
    const grants = server.backend.journal.filter((entry) => entry.kind === 'gateway.grant');
    expect(grants.map((entry) => entry.body['scopes'])).toEqual([
      ['operator.read', 'operator.write', 'operator.approvals'],
    ]);
  });
  it('takes the message from standard input when none is given', async () => {
    expect((await openclawWith({}, 'from a pipe\n', 'agent')).stdout).toBe('from a pipe\n');
  });
  it.each(['—message', '–m', '--message'])('S189 understands %s', async (flag) => {
    expect((await openclaw('agent', flag, 'hi')).stdout).toBe('hi\n');
  });
  it.each([
    ['--session-key', 'holiday', 'agent:main:holiday'],
    ['--session', 'agent:main:x', 'agent:main:x'],
  ])('%s %s talks in %s', async (flag, key, full) => {
    await openclaw('agent', '-m', 'hi', flag, key);
    expect(server.backend.sent[0]?.sessionKey).toBe(full);
  });
  it('shows tool calls as one line each on stderr', async () => {
    server.backend.script = { kind: 'tool', before: 'Looking. ', after: 'Done.' };
    expect(await openclaw('agent', '-m', 'hi')).toEqual({ code: 0, stdout: 'Done.\n', stderr: '> ls .\n' });
  });
  it('prints one envelope with --json', async () => {
    const { code, stdout } = await openclaw('agent', '-m', 'hi', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      data: {
        status: 'ok',
        text: 'hi',
        sessionKey: 'agent:main:main',
        model: 'test/echo',
        usage: { input: 5, output: 7 },
      },
    });
  });
  it('exits 1 with the reason and the fix when the turn failed', async () => {
    server.backend.script = { kind: 'fail', error: { kind: 'auth', message: 'the key was refused', fix: 'set a key' } };
    expect(await openclaw('agent', '-m', 'hi')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'error: the turn failed: the key was refused.\nfix: set a key\n',
    });
  });
  it('exits 1 and says where the answer will be when it takes too long', async () => {
    server.backend.script = { kind: 'hold', text: '' };
    const { code, stderr } = await openclaw('agent', '-m', 'hi', '--timeout', '1');
    expect(code).toBe(1);
    expect(stderr).toContain('fix: openclaw sessions show main');
  });
  it('stops the turn on Ctrl-C and exits 1', async () => {
    server.backend.script = { kind: 'hold', text: 'half' };
    const listeners = process.listenerCount('SIGINT');
    const running = openclaw('agent', '-m', 'hi');
    await until(() => server.backend.sent.length === 1);
    await new Promise(setImmediate);
    expect(process.listenerCount('SIGINT')).toBe(listeners + 1);
    process.emit('SIGINT');
    const { code, stderr } = await running;
    expect([code, stderr]).toEqual([1, expect.stringContaining('error: the turn was stopped before it was done.')]);
  });
  it('waits for a gateway that is back and has not written down its port yet', async () => {
    server.backend.script = { kind: 'hold', text: 'done' };
    const { port, backend } = server;
    const running = openclaw('agent', '-m', 'hi', '--port', String(port));
    await until(() => backend.sent.length === 1);
    const lock = (facts: object) =>
      writeFileSync(join(stateDir, 'gateway.lock'), JSON.stringify({ pid: process.pid, startedAtMs: 1, ...facts }));
    lock({});
    await server.close();
    server = await startServer({ port }, backend);
    await until(() => backend.journal.some(({ kind }) => kind === 'gateway.refused'));
    lock({ port });
    backend.release();
    expect(await running).toMatchObject({ code: 0, stdout: 'done\n' });
  });
  it('says which command answers an approval when nobody sits at a terminal', async () => {
    server.backend.script = { kind: 'hold', text: '' };
    const running = openclaw('agent', '-m', 'hi');
    await until(() => server.backend.sent.length === 1);
    server.backend.raise({ id: 'ap-1', facts: [{ name: 'command', value: 'rm -rf \u001b[2J/' }] });
    await until(async () => (await openclaw('approvals', 'approve', 'ap-1')).code === 0);
    server.backend.release();
    const { stderr } = await running;
    expect(stderr).toContain('answer it with: openclaw approvals approve K7   (or: deny)');
    expect(stderr).toMatch(/command +rm -rf \\x1b\[2J\//);
  });
  it('asks y/N at a terminal, and only y is a yes', async () => {
    for (const [typed, decision] of [
      ['y\r', 'allow-once'],
      ['\r', 'deny'],
    ] as const) {
      server.backend.script = { kind: 'hold', text: '' };
      const terminal = createTerminal(100);
      const before = server.backend.sent.length;
      const running = run(['agent', '-m', 'hi'], env(), { ...terminal, stderr: terminal.stdout });
      await until(() => server.backend.sent.length === before + 1);
      const answered = new Promise<string>((resolve) => {
        const stop = server.backend.subscribe((event) => {
          if (event.type !== 'approval.resolved') return;
          stop();
          resolve(event.approval.answered?.decision ?? '');
        });
      });
      server.backend.raise({ id: `ap-${typed.length}` });
      await terminal.until((rows) => rows.at(-1)?.includes('Allow this once? [y/N]') ?? false);
      terminal.type(typed);
      expect(await answered).toBe(decision);
      server.backend.release();
      expect(await running).toBe(0);
    }
  });
  it('streams on a terminal, tool lines between the text', async () => {
    server.backend.script = { kind: 'tool', before: 'Looking.', after: 'Two \u001b[31mfiles.' };
    const terminal = createTerminal(100);
    await run(['agent', '-m', 'hi'], env(), { ...terminal, stderr: terminal.stdout });
    expect(terminal.rows()).toEqual(['Looking.', '> ls .', 'Two \\x1b[31mfiles.']);
  });
});

describe('looking', () => {
  it('status shows the balance, the model and where everything is', async () => {
    const { code, stdout } = await openclaw('status');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Hardshell 0\.0\.0-test runs on http:\/\/127\.0\.0\.1:\d+ for /);
    expect(stdout).toMatch(/^messages {2}\d+ received = \d+ answered \+ \d+ declined \+ \d+ queued \+ \d+ failed$/m);
  });
  it('S034 status --deep shows the channels and a real round trip', async () => {
    await openclaw('agent', '-m', 'hi');
    const { code, stdout } = await openclaw('status', '—deep');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^round trip +.* to connect, .* a request$/m);
    expect(stdout).toMatch(/^channel \w+ +1 session, last used just now$/m);
  });
  it('status --json is the report', async () => {
    expect(JSON.parse((await openclaw('status', '--json')).stdout)).toMatchObject({
      ok: true,
      data: { version: '0.0.0-test' },
    });
  });
  it.each([['health'], ['gateway', 'health']])('%s %s says ok and how long it took', async (...argv) => {
    expect((await openclaw(...argv)).stdout).toMatch(/^ok: 127\.0\.0\.1:\d+ answered in \d+(\.\d+)? ms\n$/);
  });
  it('gateway status says that it runs', async () => {
    expect((await openclaw('gateway', 'status')).stdout).toMatch(/^running on http/);
  });
  it('K04 sessions list escapes titles and aligns', async () => {
    await openclaw('agent', '-m', 'hi');
    await openclaw('agent', '-m', 'hi', '--session', 'other');
    await openclaw('gateway', 'call', 'sessions.patch', '--params', '{"key":"main","label":"\\u001b]0;x\\u0007你好"}');
    const { stdout } = await openclaw('sessions', 'list');
    const [head = '', ...rows] = stdout.trimEnd().split('\n');
    expect(head).toMatch(/^KEY +TITLE +MESSAGES +MODEL +USED$/);
    expect(rows.join('\n')).toContain('\\x1b]0;x\\x07你好');
    expect(rows).toHaveLength(2);
  });
  it('sessions show prints what was said, and knows that a session does not exist', async () => {
    await openclaw('agent', '-m', 'hi');
    const { stdout } = await openclaw('sessions', 'show', 'main');
    expect(stdout).toMatch(/^user .*\nhi\n\ntest\/echo .*\nhi\n\n$/);
    expect(await openclaw('sessions', 'show', 'nope')).toMatchObject({
      code: 1,
      stderr: 'error: there is no session agent:main:nope.\nfix: openclaw sessions list\n',
    });
    expect(JSON.parse((await openclaw('sessions', 'show', 'main', '--json')).stdout).data.messages).toHaveLength(2);
  });
  it('models list names provider and model', async () => {
    expect((await openclaw('models', 'list')).stdout).toMatch(/^MODEL +NAME +CONTEXT +USABLE\n\w+/);
  });
  it('config get shows no secret', async () => {
    const { code, stdout } = await openclaw('config', 'get');
    expect(code).toBe(0);
    expect(stdout).not.toContain(TOKEN);
  });
  it('dashboard prints the signed-in address, token in the fragment', async () => {
    expect((await openclaw('dashboard')).stdout).toBe(`http://127.0.0.1:${server.port}/#token=${TOKEN}\n`);
  });
  it('logs reads the file of this state folder, newest last, for eyes and for grep', async () => {
    mkdirSync(join(stateDir, 'logs'));
    const lines = [1, 2, 3].map((n) =>
      JSON.stringify({ time: `T${n}`, level: 'warn', message: 'unauthorized ip=127.0.0.1', n }),
    );
    writeFileSync(join(stateDir, 'logs', 'openclaw.log'), `${lines.join('\n')}\n`);
    expect((await openclaw('logs', '--tail', '2')).stdout).toBe(
      'T2 warn  unauthorized ip=127.0.0.1 n=2\nT3 warn  unauthorized ip=127.0.0.1 n=3\n',
    );
    expect((await openclaw('logs', '--limit', '1')).stdout).toContain('n=3');
    expect(JSON.parse((await openclaw('logs', '—tail', '1', '--json')).stdout).data.lines).toMatchObject([{ n: 3 }]);
  });
  it('gateway call asks for the scope of the method, and prints JSON', async () => {
    const { stdout } = await openclaw('gateway', 'call', 'sessions.list', '--params', '{"limit":1}');
    expect(JSON.parse(stdout)).toMatchObject({ sessions: [] });
    expect(server.backend.journal.find((entry) => entry.kind === 'gateway.grant')?.body['scopes']).toEqual([
      'operator.read',
    ]);
    expect((await openclaw('gateway', 'call', 'health', '--params', '[]')).code).toBe(64);
    expect((await openclaw('gateway', 'call', 'no.such')).stderr).toContain('unknown method: no.such');
  });
});

describe('approvals', () => {
  it('list shows the facts of the machine and the command that answers', async () => {
    server.backend.raise({ id: 'abcdef-1' });
    const { stdout } = await openclaw('approvals', 'list');
    expect(stdout).toContain('exec wants your approval (K7, abcdef-1)\n');
    expect(stdout).toMatch(/^ {2}command +rm -rf build\n {2}risky +>>rm -rf<<\n/m);
    expect(stdout).toContain('  openclaw approvals approve K7   or   deny K7\n');
    const untimed = (text: string): string => text.replace(/^ {2}expires .*$/m, '');
    expect(untimed((await openclaw('approvals')).stdout)).toBe(untimed(stdout));
    expect((await openclaw('approvals', 'show', 'k7')).stdout).toContain('leaves the sandbox');
  });
  it('answers by the beginning of an id when it names one only', async () => {
    server.backend.raise({ id: 'abcd-1' });
    server.backend.raise({ id: 'abcd-2' });
    expect(await openclaw('approvals', 'deny', 'abcd')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('2 approvals begin with abcd'),
    });
    expect(await openclaw('approvals', 'deny', 'abcd-1')).toMatchObject({ code: 0, stdout: 'denied: exec (abcd-1)\n' });
    expect(await openclaw('approvals', 'approve', 'abcd')).toMatchObject({
      code: 0,
      stdout: 'allowed, this once: exec (abcd-2)\n',
    });
    expect(await openclaw('approvals', 'approve', 'abcd')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('openclaw approvals list'),
    });
  });
});

describe('a wrong token', () => {
  it.each([['status'], ['health'], ['agent', '-m', 'hi'], ['sessions', 'list']])(
    '%s exits 77 and says what to set',
    async (...argv) => {
      const { code, stdout, stderr } = await openclawWith({ OPENCLAW_GATEWAY_TOKEN: 'w'.repeat(64) }, '', ...argv);
      expect([code, stdout.includes('www')]).toEqual([77, false]);
      expect(stderr).toContain(`error: the gateway on 127.0.0.1:${server.port} refused the token.\nfix: `);
      expect(stderr).not.toContain('wwww');
    },
  );
  it('is not sent at all to a port that our lock does not name', async () => {
    rmSync(join(stateDir, 'gateway.lock'));
    const { code, stderr } = await openclaw('status', '--port', String(server.port));
    expect(code).toBe(77);
    expect(stderr).toContain('so its token was not sent');
  });
});

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('this never came true');
    await new Promise(setImmediate);
  }
}
