import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { readPanic } from '../ops/panic/panic.ts';
import { run } from './main.ts';

let stateDir = '';
beforeAll(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'cli-'));
});
afterAll(() => rmSync(stateDir, { recursive: true, force: true }));

async function openclaw(...argv: string[]) {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  // Port 1 is never listened on here, so that no test can reach a gateway of this machine.
  const code = await run(argv, { OPENCLAW_STATE_DIR: stateDir, OPENCLAW_GATEWAY_PORT: '1' }, streams);
  const read = (stream: PassThrough): string => String(stream.read() ?? '');
  return { code, stdout: read(streams.stdout), stderr: read(streams.stderr) };
}

describe('usage', () => {
  it('shows help with examples and exits 0 when it is given nothing', async () => {
    const { code, stdout } = await openclaw();
    expect(code).toBe(0);
    expect(stdout).toContain('Examples:\n  $ npm start');
  });
  it('exits 64 with the nearest command for an unknown one', async () => {
    const { code, stdout, stderr } = await openclaw('statsu');
    expect(code).toBe(64);
    expect(stdout).toBe('');
    expect(stderr).toBe(
      'error: openclaw has no command "statsu".\nfix: did you mean openclaw status? Otherwise see openclaw --help\n',
    );
  });
  it('names the nearest subcommand and option', async () => {
    expect((await openclaw('sessions', 'lst')).stderr).toContain('did you mean openclaw sessions list?');
    expect((await openclaw('logs', '--tial', '3')).stderr).toContain(
      'openclaw logs has no option "--tial".\nfix: did you mean --tail?',
    );
    // Also where the group does something by itself.
    expect((await openclaw('sandbox', 'lst')).stderr).toContain('did you mean openclaw sandbox list?');
    expect((await openclaw('approvals', '--port', '1', 'shw', 'K7')).stderr).toContain(
      'openclaw approvals has no command "shw".\nfix: did you mean openclaw approvals show?',
    );
  });
  it('S112 never offers a verb that changes something', async () => {
    const { code, stderr } = await openclaw('approvals', 'approved');
    expect(code).toBe(64);
    expect(stderr).not.toContain('did you mean');
  });
  it('exits 64 when a group gets no verb, with its help on stderr', async () => {
    const { code, stdout, stderr } = await openclaw('gateway');
    expect([code, stdout]).toEqual([64, '']);
    expect(stderr).toContain('run it here, until Ctrl-C');
    expect(stderr).toContain('error: openclaw gateway needs one more word.');
  });
  it.each(['--help', '--json', '--until', '--'])(
    'takes %s for nobody’s reason, whichever option waits for a value',
    async (next) => {
      for (const words of [
        ['panic', '--why'],
        ['logs', '-n'],
        ['config', 'get', 'budget', '--port'],
      ]) {
        const { code, stdout, stderr } = await openclaw(...words, next);
        expect(code, words.join(' ')).toBe(64);
        expect(stdout + stderr).toContain(`${words.at(-1)} needs a value, and the next word begins with --`);
      }
      expect(readPanic(stateDir)).toBe(null);
      // What stands after the sign is a value, whatever it looks like.
      expect((await openclaw('logs', '--tail=--help')).stderr).not.toContain('needs a value');
    },
  );
  it.each([
    [['status', 'extra'], 'too many arguments'],
    [['sessions', 'show'], "missing required argument 'key'"],
    [['agent', '-m'], 'argument missing'],
    [['logs', '--tail', 'x'], '--tail x is not a whole number'],
    [['status', '--port', '99999'], '"99999" is not a port'],
  ])('exits 64 for %j', async (argv, words) => {
    const { code, stderr } = await openclaw(...argv);
    expect(code).toBe(64);
    expect(stderr).toContain(words);
    expect(stderr).toContain('fix: ');
  });
  it('says what is missing and what goes there', async () => {
    const { stderr } = await openclaw('channels', 'add');
    expect(stderr).toContain('fix: openclaw channels add <channel>   (telegram, discord, slack, mail or whatsapp)');
    expect((await openclaw('memory', 'show')).stderr).toContain('fix: openclaw memory show <file>   (see list)\n');
    expect((await openclaw('secrets', 'rm')).stderr).toMatch(/fix: openclaw secrets rm <name>\n$/);
  });
  it.each([
    [['channels', 'add', 'telegram', '123:very-secret']],
    [['channels', 'add', 'telegram', '--token', '123:very-secret']],
    [['channels', 'add', 'telegram', '--bot-token=123:very-secret']],
  ])('says why no token may be a word of a command, and repeats none: %j', async (argv) => {
    const { code, stderr } = await openclaw(...argv);
    expect(code).toBe(64);
    expect(stderr).toContain('can be read by others');
    expect(stderr).toContain('fix: openclaw channels add CHANNEL   (it asks, or reads standard input)');
    expect(stderr).not.toContain('very-secret');
  });
  it.each([
    ['agent', '-m', 'hi', '--session-key', ''],
    ['agent', '-m', 'hi', '--session', 'a\nb'],
    ['chat', '--session', '../x'],
    ['sessions', 'show', 'agent:main:ü'],
  ])('refuses a session key that cannot be one before it asks a gateway: %j', async (...argv) => {
    const { code, stderr } = await openclaw(...argv);
    expect(code).toBe(64);
    expect(stderr).toMatch(/^error: .* is not a session key\.\nfix: use `main` or .*\n$/);
  });
  it('answers a usage error as JSON too', async () => {
    const { code, stdout, stderr } = await openclaw('--json', 'statsu');
    expect([code, stderr]).toEqual([64, '']);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      error: { code: 'UNKNOWN_COMMAND', hint: expect.stringContaining('status') },
    });
  });
  it('says at once that a conversation has no JSON, before any gateway is asked', async () => {
    const { code, stdout } = await openclaw('chat', '--json');
    expect(code).toBe(64);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      error: { code: 'CHAT_HAS_NO_JSON', hint: expect.stringContaining('openclaw agent --json') },
    });
  });
  it.each(['--version', '-V', '-v', 'version'])('prints the version for %s', async (flag) => {
    expect(await openclaw(flag)).toEqual({ code: 0, stdout: `hardshell ${manifest.version}\n`, stderr: '' });
  });
  it('prints the version as JSON', async () => {
    expect(JSON.parse((await openclaw('--version', '--json')).stdout)).toEqual({
      ok: true,
      data: { version: manifest.version },
    });
  });
});

describe('help', () => {
  const commands = [
    'chat',
    'agent',
    'dashboard',
    'status',
    'health',
    'sessions list',
    'sessions show',
    'approvals list',
    'approvals approve',
    'approvals deny',
    'models list',
    'config get',
    'config file',
    'logs',
    'gateway run',
    'gateway status',
    'gateway health',
    'gateway call',
  ];
  it.each(commands)('of %s has an example', async (name) => {
    const { code, stdout } = await openclaw(...name.split(' '), '--help');
    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: openclaw ${name}`);
    expect(stdout).toMatch(/Examples:\n {2}\$ .*openclaw/);
  });
});

describe('without a gateway', () => {
  it.each([
    ['status'],
    ['health'],
    ['gateway', 'status'],
    ['gateway', 'health'],
    ['models', 'list'],
    ['sessions', 'list'],
    ['approvals', 'list'],
    ['dashboard'],
    ['agent', '-m', 'hi'],
    ['gateway', 'call', 'health'],
  ])('%s %s exits 69 at once and says what to start', async (...argv) => {
    const startedAt = performance.now();
    const { code, stderr } = await openclaw(...argv);
    expect(code).toBe(69);
    expect(stderr).toBe(
      'error: the gateway is not running on 127.0.0.1:1.\nfix: openclaw gateway start   (here, until Ctrl-C: openclaw gateway run)\n',
    );
    expect(performance.now() - startedAt).toBeLessThan(1000);
  });
  it('S034 status says where state and configuration would be', async () => {
    const { stdout } = await openclaw('status', '—deep');
    expect(stdout).toContain(`state   ${stateDir}\n`);
    expect(stdout).toContain(`config  ${join(stateDir, 'openclaw.json')} (not there: defaults)`);
  });
  it('status --json is one envelope with the same facts', async () => {
    const { code, stdout } = await openclaw('status', '--json');
    expect(code).toBe(69);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      error: { code: 'GATEWAY_NOT_RUNNING', details: { stateDir } },
    });
  });
  it('config get answers from the file', async () => {
    expect(await openclaw('config', 'get', 'gateway.port')).toEqual({ code: 0, stdout: '18789\n', stderr: '' });
    const { code, stderr } = await openclaw('config', 'get', 'gateway.prot');
    expect(code).toBe(1);
    expect(stderr).toContain('did you mean openclaw config get gateway.port?');
  });
  it('config file prints the path', async () => {
    expect((await openclaw('config', 'file')).stdout).toBe(`${join(stateDir, 'openclaw.json')}\n`);
  });
  it('logs of a state folder without a log is empty and no error', async () => {
    const { code, stdout } = await openclaw('logs', '--tail', '5');
    expect([code, stdout]).toEqual([0, '']);
  });
});
