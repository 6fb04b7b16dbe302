// The command line against a real gateway process, as a person in a second terminal uses it.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startModelServer } from '../doubles/model-server.ts';
import {
  cleanEnv,
  entry,
  freePort,
  newHome,
  runCommand,
  startTestGateway,
  type TestGateway,
  writeConfig,
} from '../support/gateway.ts';
import { configFor } from '../support/model-config.ts';

describe('beside a running gateway', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway?.dispose());

  it('`openclaw agent -m "list the files in my workspace"` answers from the offline model, using a tool', async () => {
    const { code, stdout, stderr } = await gateway.cli('agent', '-m', 'list the files in my workspace');
    expect(stdout).toContain('AGENTS.md');
    expect(stderr).toContain('> ls');
    expect(code).toBe(0);
  });
  it('the conversation is in `sessions list` and `sessions show`', async () => {
    await gateway.cli('agent', '-m', 'help', '--session-key', 'agent:main:flow');
    expect((await gateway.cli('sessions', 'list')).stdout).toMatch(/^flow +help/m);
    expect((await gateway.cli('sessions', 'show', 'flow')).stdout).toMatch(/^user .*\nhelp\n/);
  });
  it('`agent --json` says which model answered, and what it cost', async () => {
    const { code, stdout } = await gateway.cli('agent', '-m', 'help', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, data: { status: 'ok', model: 'offline/hardshell' } });
  });
  it('S034 `status –deep` shows balance, model, sandbox, channels', async () => {
    const { code, stdout } = await gateway.cli('status', '–deep');
    expect(code).toBe(0);
    for (const word of ['messages', 'model', 'sandbox', 'round trip', 'channel ']) expect(stdout).toContain(word);
  });
  it.each([
    ['health'],
    ['gateway', 'status'],
    ['models', 'list'],
    ['approvals', 'list'],
    ['config', 'get'],
    ['logs', '--tail', '5'],
    ['dashboard', '--no-open'],
  ])('`%s %s` exits 0, and with --json prints one envelope', async (...argv) => {
    expect((await gateway.cli(...argv)).code).toBe(0);
    const { code, stdout } = await gateway.cli(...argv, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true });
  });
  it('S074 `logs --tail 1000` holds a line with "unauthorized" after a wrong token, and no token', async () => {
    const wrong = 'f00dface'.repeat(8);
    const refused = await runCommand(['health'], {
      home: gateway.home,
      env: { ...gateway.env, OPENCLAW_GATEWAY_TOKEN: wrong },
    });
    expect(refused.code).toBe(77);
    const { stdout } = await gateway.cli('logs', '--tail', '1000');
    expect(stdout).toMatch(/unauthorized ip=127\.0\.0\.1/);
    expect(stdout).not.toContain(wrong);
    expect(stdout).not.toContain(gateway.token);
  });
  it('`logs --follow` shows what comes, and ends with Ctrl-C', async () => {
    const child = spawn(process.execPath, [...entry(), 'logs', '--follow', '--tail', '1'], {
      env: cleanEnv(gateway.home, gateway.env),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'close');
    let seen = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      seen += text;
      if (seen.includes('agent:main:followed') && seen.includes('run ended')) child.kill('SIGINT');
    });
    await once(child.stdout, 'data');
    await gateway.cli('agent', '-m', 'help', '--session-key', 'agent:main:followed');
    expect(await ended).toEqual([0, null]);
    expect(seen).toContain('agent:main:followed');
  });
  const inShell = (words: string) => {
    const command = `"$0" ${entry()
      .map((word) => `'${word}'`)
      .join(' ')} ${words}`;
    const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', command, process.execPath], {
      env: cleanEnv(gateway.home, gateway.env),
      encoding: 'utf8',
    });
    return [status, stdout, stderr];
  };
  it('a reader that leaves early, as `| head` does, is no error', () => {
    expect(inShell('config get | head -n 1')).toEqual([0, '{\n', '']);
    // The reader is gone before the first word of the help.
    expect(inShell('--help | (exec <&-; sleep 1)')).toEqual([0, '', '']);
  });
  it.skipIf(!existsSync('/dev/full'))('an answer that cannot be written is one line and a failure', () => {
    const said = 'error: the answer could not be written: ENOSPC: no space left on device, write.\n';
    for (const words of ['status', '--help', 'status --json']) {
      expect(inShell(`${words} > /dev/full`)).toEqual([1, '', said]);
    }
  });

  const SCRIPT = '/usr/bin/script';
  it.skipIf(!existsSync(SCRIPT))(
    '`openclaw chat` on a real terminal: say something, read the answer, leave',
    async () => {
      const words = [process.execPath, ...entry(), 'chat', '--session-key', 'tty'].map((word) => `'${word}'`).join(' ');
      const child = spawn(SCRIPT, ['-qec', words, '/dev/null'], {
        env: { ...cleanEnv(gateway.home, gateway.env), TERM: 'xterm', COLUMNS: '80' },
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      let screen = '';
      const ended = once(child, 'close');
      const shows = (text: string): Promise<void> =>
        new Promise((resolve, reject) => {
          const timer = setTimeout(() => reject(new Error(`never showed ${text}:\n${screen}`)), 60_000);
          const check = (): void => {
            if (!screen.includes(text)) return;
            clearTimeout(timer);
            child.stdout.off('data', check);
            resolve();
          };
          child.stdout.on('data', check);
          check();
        });
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        screen += text;
      });
      await shows('session tty');
      child.stdin.write('list the files in my workspace\r');
      await shows('AGENTS.md');
      child.stdin.write('\u0004');
      expect(await ended).toEqual([0, null]);
    },
  );
});

describe('a gateway that dies while a message is on its way', () => {
  it('answers it after the restart; the waiting command prints that answer, and nothing was said twice', async () => {
    const model = await startModelServer();
    const config = configFor(model);
    const first = await startTestGateway({ config });
    let second: TestGateway | undefined;
    try {
      model.script('hang');
      const waiting = runCommand(['agent', '-m', 'are you there'], {
        home: first.home,
        env: first.env,
        timeoutMs: 120_000,
      });
      await model.received(1);
      model.script({ text: 'still here' });
      await first.kill9();
      second = await startTestGateway({ config, home: first.home, port: first.port });
      const { code, stdout, stderr } = await waiting;
      expect(stderr).toContain('the connection was lost; the message is safe');
      expect([code, stdout]).toEqual([0, 'still here\n']);
      const { messages } = JSON.parse((await second.cli('sessions', 'show', 'main', '--json')).stdout).data;
      expect(messages.filter((message: { role: string }) => message.role === 'user')).toHaveLength(1);
    } finally {
      await (second ?? first).dispose();
      await model.close();
    }
  });
});

describe('gateway run', () => {
  const homes: string[] = [];
  afterEach(() => {
    for (const home of homes.splice(0)) rmSync(home, { recursive: true, force: true });
  });
  const home = (): string => {
    const made = newHome();
    homes.push(made);
    return made;
  };

  it('ends with exit code 0 on SIGTERM, and status then says that it is down', async () => {
    const gateway = await startTestGateway();
    try {
      expect(gateway.output()).toContain(`http://127.0.0.1:${gateway.port}/#token=`);
      expect(await gateway.stop()).toBe(0);
      const { code, stderr } = await gateway.cli('status');
      expect(code).toBe(69);
      expect(stderr).toContain(
        `error: the gateway is not running on 127.0.0.1:${gateway.port}.\nfix: openclaw gateway start`,
      );
    } finally {
      await gateway.dispose();
    }
  });
  it('counts one Ctrl-C once, though npm and the shell both pass it on', async () => {
    const gateway = await startTestGateway();
    try {
      for (let i = 0; i < 3; i += 1) process.kill(gateway.pid, 'SIGINT');
      expect(await gateway.stop()).toBe(0);
    } finally {
      await gateway.dispose();
    }
  });
  it('stops at once on a second Ctrl-C, though a turn is under way', async () => {
    const model = await startModelServer();
    const gateway = await startTestGateway({ config: configFor(model) });
    try {
      model.script('hang');
      const waiting = gateway.cli('agent', '-m', 'hi', '--timeout', '5');
      await model.received(1);
      process.kill(gateway.pid, 'SIGINT');
      await expect.poll(() => gateway.output()).toContain('once more stops at once');
      // A person is slower than npm; there is nothing to wait for but the time itself.
      await new Promise((resolve) => setTimeout(resolve, 400));
      process.kill(gateway.pid, 'SIGINT');
      const startedAt = performance.now();
      expect(await gateway.stop()).toBe(130);
      expect(performance.now() - startedAt).toBeLessThan(500);
      await waiting;
    } finally {
      await gateway.dispose();
      await model.close();
    }
  });
  it('names the port that is taken and the way out', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    const { port } = blocker.address() as { port: number };
    const { code, stdout, stderr } = await runCommand(['gateway', 'run', '--port', String(port)], { home: home() });
    blocker.close();
    expect(code).not.toBe(0);
    expect(stdout).not.toContain('ready');
    expect(stderr).toMatch(new RegExp(`^error: port ${port} is .*\\.\\nfix: .*\\n$`, 'm'));
  });
  it('refuses a configuration with a typo in one line, exit code 78', async () => {
    const where = home();
    writeConfig(where, '{ gatway: {} }');
    const { code, stderr } = await runCommand(['gateway', 'run', '--port', String(await freePort())], { home: where });
    expect(code).toBe(78);
    expect(stderr).toMatch(/^error: .*gatway.*\nfix: .*\n$/);
    const down = await runCommand(['status', '--port', String(await freePort())], { home: where });
    expect(down.code).toBe(69);
    expect(down.stdout).toContain('gatway');
  });
  it('says it in JSON when asked: one envelope, ready or not', async () => {
    const where = home();
    writeConfig(where, 'nonsense');
    const { code, stdout } = await runCommand(['gateway', 'run', '--json'], { home: where });
    expect(code).toBe(78);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining(join(where, '.openclaw')), hint: expect.any(String) },
    });
  });
});
