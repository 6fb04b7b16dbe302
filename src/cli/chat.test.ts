// The chat against a real gateway over a backend in memory, on a terminal that can be read like a screen.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTerminal, type TestTerminal } from '../../test/support/terminal.ts';
import { startServer, type TestServer, TOKEN } from '../../test/support/wire.ts';
import { run } from './main.ts';

const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
let server: TestServer;
let stateDir = '';
let terminal: TestTerminal;
const env = (): Record<string, string> => ({ OPENCLAW_STATE_DIR: stateDir, NO_COLOR: '1' });

beforeEach(async () => {
  server = await startServer();
  terminal = createTerminal(60);
  stateDir = mkdtempSync(join(tmpdir(), 'chat-'));
  mkdirSync(join(stateDir, 'credentials'), { mode: 0o700 });
  writeFileSync(join(stateDir, 'credentials', 'gateway-token'), TOKEN, { mode: 0o600 });
  lock();
});
afterEach(async () => {
  await server.close();
  rmSync(stateDir, { recursive: true, force: true });
});

function lock(): void {
  writeFileSync(
    join(stateDir, 'gateway.lock'),
    JSON.stringify({ pid: process.pid, port: server.port, startedAtMs: 1 }),
  );
}
const chat = (...argv: string[]): Promise<number> =>
  run(['chat', ...argv], env(), { ...terminal, stderr: terminal.stdout });
const shows = (text: string): Promise<void> => terminal.until((rows) => rows.some((row) => row.includes(text)));
const promptIs = (text: string): Promise<void> => terminal.until((rows) => rows.at(-1) === text.trimEnd());
async function leave(running: Promise<number>): Promise<void> {
  terminal.type(CTRL_D);
  expect(await running).toBe(0);
}
async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error('this never came true');
    await new Promise(setImmediate);
  }
}

describe('a conversation', () => {
  it('shows what was typed, then the answer, then the prompt again', async () => {
    const running = chat();
    await shows('session main');
    terminal.type('hello there\r');
    await terminal.until((rows) => rows.length >= 5 && rows.at(-1) === '>');
    expect(terminal.rows()).toEqual([
      'Enter sends, Ctrl-C stops a turn, /help lists the commands',
      'session main',
      '> hello there',
      'hello there',
      '>',
    ]);
    await leave(running);
  });
  it('shows the last messages at the start', async () => {
    await run(['agent', '-m', 'before'], env(), {
      stdin: new PassThrough(),
      stdout: new PassThrough(),
      stderr: new PassThrough(),
    });
    const running = chat();
    await terminal.until((rows) => rows.at(-1) === '>' && rows.includes('before'));
    expect(terminal.rows().slice(1)).toEqual(['session main', 'you: before', 'before', '>']);
    await leave(running);
  });
  it('streams above a line that is being typed, and leaves that line alone', async () => {
    server.backend.script = { kind: 'tokens', tokens: ['one ', 'two ', `${'x'.repeat(70)} `, 'end'] };
    const running = chat();
    await shows('session main');
    server.backend.script = { kind: 'hold', text: 'first part' };
    terminal.type('go\r');
    await shows('first part');
    terminal.type('half a thou');
    await promptIs('> half a thou');
    server.backend.emit(textOf(' and more, so much more that it does not fit into the sixty columns of this terminal'));
    await shows('this terminal');
    expect(terminal.rows().slice(3)).toEqual([
      'first part and more, so much more that it does not fit into',
      ' the sixty columns of this terminal',
      '> half a thou',
    ]);
    terminal.type('ght');
    await promptIs('> half a thought');
    server.backend.release();
    await until(() => server.backend.sent.length === 1);
    terminal.type('\r');
    await until(() => server.backend.sent.length === 2);
    expect(server.backend.sent[1]?.message).toBe('half a thought');
    await until(() => true);
    server.backend.release();
    await leave(running);
  });
  it('keeps a long typed line of several rows intact under the stream', async () => {
    server.backend.script = { kind: 'hold', text: 'a' };
    const running = chat();
    await shows('session main');
    terminal.type('go\r');
    await terminal.until((rows) => rows.includes('a'));
    const typed = 'word '.repeat(20).trim();
    terminal.type(typed);
    await shows('word word');
    for (const piece of ['b', 'c', 'd']) server.backend.emit(textOf(piece));
    await terminal.until((rows) => rows.includes('abcd'));
    await terminal.until(
      (rows) =>
        rows
          .slice(rows.indexOf('abcd') + 1)
          .join('')
          .replaceAll(' ', '') === `>${typed.replaceAll(' ', '')}`,
    );
    terminal.type(CTRL_C);
    await leaveByTwo(running);
  });
  it('sends pasted lines as one message', async () => {
    const running = chat();
    await shows('session main');
    terminal.type('line one\rline two\r');
    await until(() => server.backend.sent.length === 1);
    expect(server.backend.sent[0]?.message).toBe('line one\nline two');
    await leave(running);
  });
  it('shows tools as dim lines and failures with their reason', async () => {
    server.backend.script = { kind: 'tool', before: 'Looking.', after: 'Done.' };
    const running = chat();
    await shows('session main');
    terminal.type('go\r');
    await terminal.until((rows) => rows.includes('Done.') && rows.at(-1) === '>');
    expect(terminal.rows().slice(3)).toEqual(['Looking.', '> ls .', 'Done.', '>']);
    server.backend.script = { kind: 'fail', error: { kind: 'auth', message: 'the key was refused', fix: 'set a key' } };
    terminal.type('again\r');
    await shows('the turn failed: the key was refused (set a key)');
    await leave(running);
  });
  it('K04 shows control characters of the model instead of obeying them', async () => {
    server.backend.script = { kind: 'tokens', tokens: ['a\u001b', '[2J\u202e', '\u0007b'] };
    const running = chat();
    await shows('session main');
    terminal.type('go\r');
    await shows('a\\x1b[2J\\u{202e}\\x07b');
    await leave(running);
  });
  it('shows what the same session says elsewhere', async () => {
    const running = chat();
    await shows('session main');
    await run(['agent', '-m', 'from elsewhere'], env(), {
      stdin: new PassThrough(),
      stdout: new PassThrough(),
      stderr: new PassThrough(),
    });
    await terminal.until((rows) => rows.at(-1) === '>' && rows.includes('from elsewhere'));
    expect(terminal.rows().slice(2)).toEqual(['you: from elsewhere', 'from elsewhere', '>']);
    await leave(running);
  });
});

describe('Ctrl-C', () => {
  it('stops the turn, and a second one within two seconds leaves', async () => {
    server.backend.script = { kind: 'hold', text: 'half' };
    const running = chat();
    await shows('session main');
    terminal.type('go\r');
    await shows('half');
    terminal.type(CTRL_C);
    await shows('(stopped)');
    terminal.type(CTRL_C);
    expect(await running).toBe(0);
  });
  it('clears the typed line, and without one only warns', async () => {
    const running = chat();
    await shows('session main');
    terminal.type('nonsense');
    await promptIs('> nonsense');
    terminal.type(CTRL_C);
    await promptIs('>');
    expect(server.backend.sent).toEqual([]);
    terminal.type(CTRL_C);
    expect(await running).toBe(0);
  });
});

describe('Ctrl-D', () => {
  it('leaves in the middle of an answer', async () => {
    server.backend.script = { kind: 'hold', text: 'half' };
    const running = chat();
    await shows('session main');
    terminal.type('go\r');
    await shows('half');
    await leave(running);
  });
});

describe('an approval', () => {
  it('is asked inline; y allows it once', async () => {
    const running = chat();
    await shows('session main');
    const answered = nextDecision();
    server.backend.raise({ id: 'ap-1' });
    await shows('exec wants your approval (K7, ap-1)');
    await shows('  command   rm -rf build');
    await promptIs('allow this once? [y/N]');
    terminal.type('y\r');
    expect(await answered).toBe('allow-once');
    await leave(running);
  });
  it('is not answered by a message that was half typed when it came up', async () => {
    const running = chat();
    await shows('session main');
    terminal.type('yes, please do');
    await promptIs('> yes, please do');
    const answered = nextDecision();
    server.backend.raise({ id: 'ap-1' });
    await shows('exec wants your approval (K7, ap-1)');
    await promptIs('allow this once? [y/N]');
    terminal.type('\r');
    expect(await answered).toBe('deny');
    await promptIs('> yes, please do');
    expect(server.backend.sent).toEqual([]);
    terminal.type(CTRL_C);
    await leave(running);
  });
  it('goes away when somebody else answers it', async () => {
    const running = chat();
    await shows('session main');
    server.backend.raise({ id: 'ap-1' });
    await promptIs('allow this once? [y/N]');
    await run(['approvals', 'deny', 'ap-1'], env(), {
      stdin: new PassThrough(),
      stdout: new PassThrough(),
      stderr: new PassThrough(),
    });
    await promptIs('>');
    await leave(running);
  });
});

describe('commands', () => {
  it('/help lists them, /exit leaves', async () => {
    const running = chat();
    await shows('session main');
    terminal.type('/help\r');
    for (const name of ['/new', '/sessions', '/status', '/help', '/exit']) await shows(name);
    terminal.type('/exit\r');
    expect(await running).toBe(0);
  });
  it('/new talks in a new session, /session goes back', async () => {
    const running = chat();
    await shows('session main');
    terminal.type('/new\r');
    await shows('session chat-');
    terminal.type('hello\r');
    await until(() => server.backend.sent.length === 1);
    expect(server.backend.sent[0]?.sessionKey).toMatch(/^agent:main:chat-[0-9a-f]{8}$/);
    terminal.type('/session main\r');
    await terminal.until((rows) => rows.filter((row) => row === 'session main').length === 2);
    terminal.type('/sessions\r');
    await shows('KEY');
    await shows('chat-');
    await leave(running);
  });
  it('/status tells model and sandbox', async () => {
    const running = chat();
    await shows('session main');
    terminal.type('/status\r');
    await shows('model    ');
    await shows('sandbox  ');
    await leave(running);
  });
  it('never sends a mistyped command to the model', async () => {
    const running = chat();
    await shows('session main');
    terminal.type('/stauts\r');
    await shows('there is no command /stauts, did you mean /status?');
    expect(server.backend.sent).toEqual([]);
    await leave(running);
  });
});

describe('a gateway that goes away', () => {
  it('comes back without losing the typed line, the message on its way, or what was said meanwhile', async () => {
    const running = chat();
    await shows('session main');
    terminal.type('hello\r');
    await terminal.until((rows) => rows.includes('hello') && rows.at(-1) === '>');
    const { backend } = server;
    await server.close();
    await shows('trying again');
    terminal.type('sent while away\r');
    await shows('> sent while away');
    terminal.type('still typing');
    await promptIs('> still typing');
    server = await startServer({}, backend);
    lock();
    await shows('connected again');
    await until(() => backend.sent.length === 2);
    expect(backend.sent[1]?.message).toBe('sent while away');
    await terminal.until((rows) => rows.includes('sent while away') && rows.at(-1) === '> still typing');
    expect(new Set(backend.sent.map((sent) => sent.idempotencyKey)).size).toBe(2);
    terminal.type(CTRL_C);
    await leave(running);
  }, 15_000);
  it('does not say twice what was said before, when the turn ended meanwhile', async () => {
    server.backend.script = { kind: 'hold', text: 'the whole answer' };
    const running = chat();
    await shows('session main');
    terminal.type('go\r');
    await shows('the whole answer');
    const { backend } = server;
    await server.close();
    await shows('trying again');
    backend.release();
    server = await startServer({}, backend);
    lock();
    await shows('connected again');
    terminal.type('/status\r');
    await shows('model    ');
    expect(terminal.rows().filter((row) => row.includes('the whole answer'))).toHaveLength(1);
    await leave(running);
  }, 15_000);
  it('is an error at once when it was not there to begin with', async () => {
    await server.close();
    rmSync(join(stateDir, 'gateway.lock'));
    const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
    expect(await run(['chat', '--port', '1'], env(), streams)).toBe(69);
    server = await startServer();
  });
});

describe('on a pipe', () => {
  it('says one line after the other and prints the answers only', async () => {
    const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
    streams.stdin.end('one\ntwo\n');
    expect(await run(['chat'], env(), streams)).toBe(0);
    expect(String(streams.stdout.read())).toBe('one\ntwo\n');
    expect(server.backend.sent.map((sent) => sent.message)).toEqual(['one', 'two']);
  });
});

function textOf(delta: string) {
  const sent = server.backend.sent.at(-1);
  return {
    type: 'run.text',
    delta,
    runId: sent?.idempotencyKey ?? '',
    sessionKey: sent?.sessionKey ?? '',
    seq: 99,
  } as const;
}

function nextDecision(): Promise<string> {
  return new Promise((resolve) => {
    const stop = server.backend.subscribe((event) => {
      if (event.type !== 'approval.resolved') return;
      stop();
      resolve(event.approval.answered?.decision ?? '');
    });
  });
}

async function leaveByTwo(running: Promise<number>): Promise<void> {
  terminal.type(CTRL_C);
  expect(await running).toBe(0);
}
