// Questions to the owner from end to end: the whole program, killed while a turn sleeps; answered by a button in Telegram
// and from the terminal.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type ModelServer, startModelServer } from '../doubles/model-server.ts';
import {
  DIRECT,
  PERSON,
  startTelegramServer,
  TELEGRAM_TOKEN,
  type TelegramServer,
} from '../doubles/telegram-server.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { configFor } from '../support/model-config.ts';

type Json = Record<string, unknown>;

let model: ModelServer;
let telegram: TelegramServer | undefined;
const gateways: TestGateway[] = [];

beforeAll(async () => {
  model = await startModelServer();
});
afterAll(() => model.close());
afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.dispose();
  await telegram?.close();
  telegram = undefined;
});

async function start(config: object, home?: string): Promise<TestGateway> {
  const gateway = await startTestGateway({ config, ...(home ? { home } : {}) });
  gateways.push(gateway);
  return gateway;
}
const soul = (gateway: TestGateway): string => {
  const path = join(gateway.stateDir, 'workspace', 'SOUL.md');
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
};
const change = (content: string) => ({ toolCalls: [{ name: 'write', args: { path: 'SOUL.md', content } }] });
const pending = async (gateway: TestGateway): Promise<Json[]> =>
  (JSON.parse((await gateway.cli('approvals', '--json')).stdout) as { data: { approvals: Json[] } }).data.approvals;

describe('E25-E29 approvals, end to end', () => {
  test('killed while it waits, the question is still there, and its button works once, for the owner alone', async () => {
    telegram = await startTelegramServer();
    const server = telegram;
    const config = {
      ...configFor(model),
      commands: { ownerAllowFrom: [`telegram:${PERSON.id}`] },
      channels: { telegram: { apiRoot: server.url, botToken: TELEGRAM_TOKEN, allowFrom: [PERSON.id, 777] } },
    };
    const first = await start(config);
    model.script(change('kind'));
    server.say({ text: 'be kind' });
    await server.until(() => server.sent.length === 1);
    const letter = server.sent[0];
    if (!letter) throw new Error('no question came');
    expect(letter).toMatchObject({ chat: String(DIRECT.id) });
    expect(letter.text).toMatch(/^Question ([A-Z]\d): may I use write\?/);
    expect(letter.text).toContain('content: kind');
    expect(letter.buttons.map(({ text }) => text)).toEqual(['Allow once', 'Deny']);
    const yes = letter.buttons[0]?.callback_data ?? '';
    await first.kill9();

    const before = model.requests.length;
    const second = await start(config, first.home);
    const [asked] = await pending(second);
    expect(asked).toMatchObject({ tool: 'write', state: 'pending', asker: { kind: 'owner', channel: 'telegram' } });
    server.press(letter, yes, { id: 777, is_bot: false, first_name: 'Eve' });
    await server.until(() => server.sent.some(({ text }) => text === 'Only my owner can answer that.'));
    expect(soul(second)).not.toContain('kind');
    model.script({ text: 'I am kind now.' });
    server.press(letter, yes);
    server.press(letter, yes);
    await server.until(() => server.sent.some(({ text }) => text === 'I am kind now.'));
    expect(soul(second)).toBe('kind');
    await server.until(() => server.sent.some(({ text }) => /was answered already: allowed, this once/.test(text)));
    expect(server.sent.find(({ id }) => id === letter.id)?.buttons).toEqual([]);
    expect(model.requests.length).toBe(before + 1);
    expect(await pending(second)).toEqual([]);
  }, 60_000);

  test('the terminal lists, shows, denies and says who was first; grants are listed', async () => {
    const gateway = await start(configFor(model));
    model.script(change('rude'), { text: 'Then not.' });
    const running = gateway.cli('agent', '-m', 'be rude');
    let asked: Json | undefined;
    while (!asked) [asked] = await pending(gateway);
    const code = String(asked['code']);
    const shown = await gateway.cli('approvals', 'show', code);
    expect(shown.stdout).toContain('rude');
    expect(shown.stdout).toMatch(/risky +>>SOUL\.md<</);
    expect(await gateway.cli('approvals', 'deny', code)).toMatchObject({ code: 0 });
    expect((await running).stdout).toContain('Then not.');
    const late = await gateway.cli('approvals', 'approve', String(asked['id']));
    expect([late.code, late.stderr]).toEqual([
      1,
      expect.stringContaining('was answered already: denied by the terminal'),
    ]);
    expect(soul(gateway)).not.toBe('rude');
    const grants = await gateway.cli('approvals', 'grants', '--json');
    expect([grants.code, JSON.parse(grants.stdout)]).toMatchObject([0, { data: { grants: [] } }]);
  }, 60_000);

  test('a command: changed between the yes and the start it does not run; always covers exactly it, until revoked', async () => {
    const gateway = await start({ ...configFor(model), tools: { exec: { mode: 'ask' } } });
    const file = join(gateway.stateDir, 'workspace', 'notes.txt');
    const run = (command: string) => ({ toolCalls: [{ name: 'exec', args: { command } }] });
    const next = async (): Promise<string> => {
      for (;;) {
        const [asked] = await pending(gateway);
        if (asked) return String(asked['code']);
      }
    };
    const say = (text: string) => gateway.cli('agent', '-m', text);
    writeFileSync(file, 'one', { mode: 0o644 });
    model.script(run('cat notes.txt'), { text: 'It was refused.' });
    const first = say('read it');
    const code = await next();
    writeFileSync(file, 'two');
    await gateway.cli('approvals', 'approve', code);
    expect((await first).stdout).toContain('It was refused.');
    expect(model.requests.at(-1)?.result).toContain('what was approved has changed: the file notes.txt');

    model.script(run('cat notes.txt'), { text: 'Read once.' });
    const second = say('again');
    const allowed = await gateway.cli('approvals', 'approve', await next(), '--always');
    expect(allowed.stdout + allowed.stderr).toMatch(/always: .*cat.*notes\.txt/);
    expect((await second).stdout).toContain('Read once.');
    expect(model.requests.at(-1)?.result).toContain('two');

    model.script(run('cat notes.txt'), { text: 'Read without asking.' });
    expect((await say('and again')).stdout).toContain('Read without asking.');
    const { stdout } = await gateway.cli('approvals', 'grants', '--json');
    const [grant] = (JSON.parse(stdout) as { data: { grants: Json[] } }).data.grants;
    expect(grant).toMatchObject({ kind: 'exec', uses: 1 });
    expect(await gateway.cli('approvals', 'revoke', String(grant?.['id']).slice(0, 8))).toMatchObject({ code: 0 });
    model.script(run('cat notes.txt'), { text: 'Not this time.' });
    const last = say('once more');
    await gateway.cli('approvals', 'deny', await next());
    expect((await last).stdout).toContain('Not this time.');
  }, 60_000);

  test('I16 one card for the calls of one answer, over kill -9: answered in Telegram by one code and in the terminal by line', async () => {
    telegram = await startTelegramServer();
    const server = telegram;
    const config = {
      ...configFor(model),
      tools: { exec: { mode: 'ask' } },
      commands: { ownerAllowFrom: [`telegram:${PERSON.id}`] },
      channels: { telegram: { apiRoot: server.url, botToken: TELEGRAM_TOKEN, allowFrom: [PERSON.id] } },
    };
    const first = await start(config);
    const run = (name: string) => ({ name: 'exec', args: { command: `echo ${name} > ${name}.txt` } });
    model.script({ toolCalls: [run('one'), run('two'), run('three')] });
    server.say({ text: 'make three' });
    await server.until(() => server.sent.length === 1);
    const letter = server.sent[0];
    if (!letter) throw new Error('no question came');
    const [, code = ''] = /^Question ([A-Z]\d): may I do these 3 things\?/.exec(letter.text) ?? [];
    expect(letter.buttons.map(({ text }) => text)).toEqual(['Allow all once', 'Deny all']);
    await first.kill9();

    const second = await start(config, first.home);
    expect((await pending(second)).map((one) => one['line'])).toEqual([1, 2, 3]);
    const listed = await second.cli('approvals');
    expect(listed.stdout).toContain(`3 calls of one answer wait together (${code})`);
    const shown = await second.cli('approvals', 'show', `${code}.2`);
    expect([shown.stdout.includes('two.txt'), shown.stdout.includes('one.txt')]).toEqual([true, false]);
    expect(await second.cli('approvals', 'approve', code, '--always')).toMatchObject({ code: 1 });
    expect(await second.cli('approvals', 'deny', `${code}.2`)).toMatchObject({ code: 0 });
    model.script({ text: 'Made what I may.' });
    server.press(letter, letter.buttons[0]?.callback_data ?? '');
    await server.until(() => server.sent.some(({ text }) => text === 'Made what I may.'));
    const made = (name: string): boolean => existsSync(join(second.stateDir, 'workspace', `${name}.txt`));
    expect(['one', 'two', 'three'].map(made)).toEqual([true, false, true]);
    expect(server.sent.filter(({ text }) => text.startsWith('Question'))).toHaveLength(1);
    expect(await pending(second)).toEqual([]);
  }, 60_000);

  test('I16 a run pauses after three cards, and a yes for the task is listed until the run is over', async () => {
    const gateway = await start({ ...configFor(model), tools: { exec: { mode: 'ask' } } });
    const run = (command: string) => ({ toolCalls: [{ name: 'exec', args: { command } }] });
    const next = async (): Promise<string> => {
      for (;;) {
        const [asked] = await pending(gateway);
        if (asked) return String(asked['code']);
      }
    };
    model.script(run('ls -A'), run('ls -A'), run('ls -1'), run('ls -s'), run('ls -t'));
    const running = gateway.cli('agent', '-m', 'look around');
    const allowed = await gateway.cli('approvals', 'approve', await next(), '--task');
    expect(allowed.stdout).toContain('allowed for its task');
    const second = await next();
    expect((await gateway.cli('approvals', 'grants')).stdout).toMatch(
      /ls.*-A[\s\S]*for its task, used 1 time, ends with its run/,
    );
    await gateway.cli('approvals', 'deny', second);
    await gateway.cli('approvals', 'deny', await next());
    const { code, stdout } = await running;
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/Paused after 3 questions[\s\S]*ls -t[\s\S]*say "go on"/),
    ]);
    expect((await gateway.cli('approvals', 'grants', '--json')).stdout).toContain('"grants":[]');
    expect((await gateway.cli('audit', 'log', '--json')).stdout).toContain('approval.paused');
  }, 60_000);
});
