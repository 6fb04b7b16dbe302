// The rows of the guides about where commands run, held by the real program: whose commands are boxed, what a box has of the
// workspace, that an engine which is down stops commands and nothing else, and what openclaw sandbox says and does.
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, test } from 'vitest';
import { PERSON, startTelegramServer, TELEGRAM_TOKEN, type TelegramServer } from '../doubles/telegram-server.ts';
import { newHome, runCommand, startTestGateway, type TestGateway, writeConfig } from '../support/gateway.ts';

let gateway: TestGateway | undefined;
let telegram: TelegramServer | undefined;
afterEach(async () => {
  await gateway?.dispose();
  await telegram?.close();
  gateway = undefined;
  telegram = undefined;
});

const boxOf = (sandbox: object, more: object = {}): object => ({ agents: { defaults: { sandbox } }, ...more });
async function start(config: object, env: Record<string, string> = {}): Promise<TestGateway> {
  gateway = await startTestGateway({ config, env });
  return gateway;
}
/** What the offline model answers: it does what it is told and reports what the tools said. */
async function say(words: string): Promise<string> {
  const { stdout, stderr } = await (gateway as TestGateway).cli('agent', '-m', words);
  return stdout + stderr;
}
async function data(...words: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await (gateway as TestGateway).cli('sandbox', ...words, '--json');
  return (JSON.parse(stdout) as { data: Record<string, unknown> }).data;
}
const inWorkspace = (name: string): string => join((gateway as TestGateway).stateDir, 'workspace', name);
/** The files of the conversations that have nothing of the workspace. */
function privateFiles(): string[] {
  const top = join((gateway as TestGateway).stateDir, 'sandboxes');
  const folders = existsSync(top) ? readdirSync(top).map((name) => join(top, name, 'workspace')) : [];
  return folders.filter((folder) => existsSync(folder)).flatMap((folder) => readdirSync(folder));
}

describe('the box of your own conversation', () => {
  test('S003 S159 S160 S164 S287 is there at the first start, without an engine, and without a network', async () => {
    await start({});
    expect(await say('$ id -u; echo made >made.txt; getent hosts example.com || echo nothing')).toMatch(
      /1000[\s\S]*nothing/,
    );
    expect(readFileSync(inWorkspace('made.txt'), 'utf8')).toBe('made\n');
    const { boxes } = (await data('list')) as { boxes: object[] };
    expect(boxes).toMatchObject([{ scopeKey: 'agent:main', running: 0 }]);
    const status = await data('status');
    expect(status).toMatchObject({ mode: 'all', network: 'none', by: 'the gateway', state: { fix: null } });
    const { state, limits } = status as {
      state: { atMs: number; driver: string };
      limits: { what: string; value: string; by: string }[];
    };
    expect(Date.now() - state.atMs).toBeLessThan(120_000);
    expect(limits.find(({ what }) => what === 'processes')).toMatchObject({
      value: '256',
      by: expect.stringContaining('namespace'),
    });
    expect((await (gateway as TestGateway).cli('sandbox')).stdout).toContain(`works  ${state.driver}`);
  });

  test('S165 follows the settings at once: read-only, a private folder, and back; recreate and prune end it', async () => {
    const { home } = await start({});
    const until = async (sandbox: object, words: string, expected: RegExp): Promise<void> => {
      writeConfig(home, boxOf(sandbox));
      await expect.poll(() => say(words), { timeout: 20_000 }).toMatch(expected);
    };
    writeFileSync(inWorkspace('mine.txt'), 'mine');
    await until({ workspaceAccess: 'ro' }, '$ cat mine.txt; touch tried.txt', /mine[\s\S]*Read-only file system/);
    // What would change a file is not even offered.
    await say('write "x" to new.txt');
    expect(existsSync(inWorkspace('new.txt'))).toBe(false);
    await until({ workspaceAccess: 'none' }, '$ cat mine.txt; echo theirs >own.txt', /No such file/);
    expect(await say('read own.txt')).toContain('theirs');
    await say('write "by a tool" to tool.txt');
    expect(await say('$ cat tool.txt')).toContain('by a tool');
    expect(privateFiles().sort()).toEqual(['own.txt', 'tool.txt']);
    expect(existsSync(inWorkspace('own.txt'))).toBe(false);
    await until({}, '$ cat mine.txt', /mine/);
    expect(await data('recreate', '--all')).toMatchObject({ ended: expect.any(Number) });
    expect(await data('list')).toEqual({ boxes: [] });
    expect(await say('$ cat mine.txt')).toContain('mine');
    expect(await data('prune')).toEqual({ ended: 0 });
    expect(await data('prune', '--all')).toEqual({ ended: 1 });
    const { code, stderr } = await (gateway as TestGateway).cli('sandbox', 'recreate');
    expect([code, stderr]).toEqual([64, expect.stringContaining('--all, --session KEY and --agent NAME')]);
  });

  test('G07 S160 with an engine that is down no command runs, on the host neither, and it is said what to do', async () => {
    await start(boxOf({ backend: 'docker' }), { DOCKER_HOST: 'unix:///nonexistent/docker.sock' });
    const marker = join((gateway as TestGateway).home, 'ran');
    const answer = await say(`$ touch ${marker}`);
    expect(answer).toMatch(/SANDBOX_UNAVAILABLE|no sandbox can be opened/);
    expect(existsSync(marker)).toBe(false);
    // Files need no engine.
    await say('write "x" to fine.txt');
    expect(readFileSync(inWorkspace('fine.txt'), 'utf8').trim()).toBe('x');
    const { code, stdout } = await (gateway as TestGateway).cli('sandbox', 'status');
    expect([code, stdout]).toEqual([1, expect.stringMatching(/OFF[\s\S]*fix {2,}\S/)]);
    const status = await (gateway as TestGateway).cli('status');
    expect(status.stdout).toContain('exec is off');
  });

  test.each(['off', 'non-main'])(
    'S002 S163 S284 with mode %s your own commands leave the box, and are denied unless you open that',
    async (mode) => {
      await start(boxOf({ mode }));
      const marker = join((gateway as TestGateway).home, 'ran');
      await say(`$ touch ${marker}`);
      expect(existsSync(marker)).toBe(false);
      expect(await data('explain')).toMatchObject({ isBoxed: false, mode });
      const group = await data('explain', '--session', 'agent:main:telegram:group:-100');
      expect(group).toMatchObject({ isBoxed: mode === 'non-main' });
    },
  );

  test('network allowlist: an unlisted host is refused with the command that allows it, and written down', async () => {
    await start(boxOf({ allowedHosts: ['allowed.test'], docker: { network: 'allowlist' } }));
    const ask = (host: string): string =>
      `$ exec 3<>/dev/tcp/127.0.0.1/3128; printf 'GET http://${host}/secret HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3`;
    const answer = await say(ask('other.test'));
    expect(answer).toContain('other.test is not among the hosts that commands may reach');
    expect(answer).toContain(
      `openclaw config set agents.defaults.sandbox.allowedHosts '["allowed.test","other.test"]'`,
    );
    expect(await say(ask('127.0.0.1'))).toContain('is not among the hosts');
    await (gateway as TestGateway).stop();
    const db = new DatabaseSync(join((gateway as TestGateway).stateDir, 'state.sqlite'), { readOnly: true });
    const rows = db.prepare(`SELECT body FROM journal WHERE kind = 'sandbox.request' ORDER BY seq`).all();
    db.close();
    const bodies = rows.map(({ body }) => String(body));
    expect(JSON.parse(bodies[0] ?? '{}')).toMatchObject({
      host: 'other.test',
      method: 'GET',
      sessions: ['agent:main:main'],
    });
    expect(bodies).toHaveLength(2);
    expect(bodies.join()).not.toContain('secret');
  });
});

test("S038 S039 S040 S041 S082 the guide's sandbox for groups: exec refused, files in a folder of the group", async () => {
  telegram = await startTelegramServer();
  const group = { id: -1001, type: 'supergroup', title: 'Family' };
  telegram.chats.set('-1001', group);
  await start({
    commands: { ownerAllowFrom: [`telegram:${PERSON.id}`] },
    channels: {
      telegram: {
        ...{ apiRoot: telegram.url, botToken: TELEGRAM_TOKEN, allowFrom: [PERSON.id] },
        groups: { '-1001': { requireMention: false } },
      },
    },
    tools: {
      policies: { group: { read: 'allow', write: 'allow', exec: 'allow' } },
      sandbox: {
        mode: 'non-main',
        tools: { allow: ['read', 'write', 'edit'], deny: ['browser', 'exec', 'nodes', 'cron'] },
      },
    },
  });
  writeFileSync(inWorkspace('private.txt'), 'of the owner');
  const told = telegram;
  const inGroup = async (text: string): Promise<string> => {
    const before = told.sent.length;
    told.say({ text, chat: group });
    await told.until(() => told.sent.length > before);
    return told.sent.at(-1)?.text ?? '';
  };
  await inGroup('write "for all" to note.txt');
  expect(privateFiles()).toEqual(['note.txt']);
  expect(existsSync(inWorkspace('note.txt'))).toBe(false);
  expect(await inGroup('read private.txt')).not.toContain('of the owner');
  const marker = inWorkspace('ran');
  await inGroup(`$ touch /workspace/ran`);
  expect([existsSync(marker), privateFiles()]).toEqual([false, ['note.txt']]);
});

describe('without a gateway', () => {
  test('S270 binds of the system, and a bridge, are refused at validation with what to write instead', async () => {
    const home = newHome();
    for (const [sandbox, said] of [
      [{ docker: { binds: ['/etc:/data:ro'] } }, /would show \/etc/],
      [{ docker: { binds: ['/var/run/docker.sock:/s'] } }, /this can not be allowed|would show/],
      [{ docker: { network: 'bridge' } }, /write "allowlist"/],
      [{ docker: { network: 'host' } }, /write "allowlist"/],
    ] as const) {
      writeConfig(home, boxOf(sandbox));
      const { code, stdout, stderr } = await runCommand(['config', 'validate'], { home });
      expect([code === 0, stdout + stderr]).toEqual([false, expect.stringMatching(said)]);
    }
  });

  test('the probe tries more than thirty ways out of a real box, and says what became of each', async () => {
    const home = newHome();
    mkdirSync(join(home, '.ssh'));
    const { code, stdout } = await runCommand(['sandbox', 'probe', '--json'], { home });
    const { data: found } = JSON.parse(stdout) as {
      data: { through: number; outcomes: { id: string; refused: boolean }[] };
    };
    expect([code, found.through]).toEqual([0, 0]);
    expect(found.outcomes.length).toBeGreaterThan(30);
    expect(statSync(join(home, '.openclaw')).mode & 0o777).toBe(0o700);
    const unknown = await runCommand(['sandbox', 'probe', '--driver', 'nothing'], { home });
    expect([unknown.code, unknown.stderr]).toEqual([64, expect.stringContaining('fix: one of auto, bubblewrap')]);
  });

  test('S271 explain shows the box of the guide, and the setting behind each line', async () => {
    const home = newHome();
    writeConfig(home, { sandbox: { mode: 'all', workspace: 'ro', network: false } });
    const { stdout } = await runCommand(['sandbox', 'explain'], { home });
    expect(stdout).toMatch(/in a box {3}\(agents\.defaults\.sandbox\.mode: all\)/);
    expect(stdout).toMatch(/to read {3}\(agents\.defaults\.sandbox\.workspaceAccess\)/);
    expect(stdout).toMatch(/network +none/);
    expect(stdout).toMatch(/write +deny/);
  });
});
