// The way back, as a person takes it: the assistant of a real gateway writes and removes in the real sandbox, and the command
// line brings the workspace back, with the gateway and without it.
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ModelServer, startModelServer } from '../doubles/model-server.ts';
import { PERSON, startTelegramServer, TELEGRAM_TOKEN } from '../doubles/telegram-server.ts';
import { newHome, runCommand, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { configFor } from '../support/model-config.ts';

let model: ModelServer;
let gateway: TestGateway;
const at = (path: string): string => join(gateway.stateDir, 'workspace', path);
const write = (path: string, content: string) => ({ toolCalls: [{ name: 'write', args: { path, content } }] });
const exec = (command: string) => ({ toolCalls: [{ name: 'exec', args: { command } }] });
const say = (text: string, session = 'main') =>
  gateway.cli('agent', '-m', text, '--session-key', `agent:main:${session}`);
const dataOf = (text: string) => (JSON.parse(text) as { data: Record<string, unknown> }).data;

beforeAll(async () => {
  model = await startModelServer();
  // From before the start, when all of the workspace is handed to the account of the commands.
  const home = newHome();
  const files = join(home, '.openclaw', 'workspace');
  mkdirSync(join(files, 'plans'), { recursive: true, mode: 0o700 });
  writeFileSync(join(files, 'plans/trip.md'), 'Vienna\nGraz\n');
  writeFileSync(join(files, 'tool.sh'), '#!/bin/sh\necho hi\n');
  chmodSync(join(files, 'tool.sh'), 0o755);
  symlinkSync('plans/trip.md', join(files, 'latest'));
  gateway = await startTestGateway({ config: configFor(model), home });
});
afterAll(async () => {
  await gateway?.dispose();
  await model?.close();
});

test('S159 S216 a turn that wrote and then removed everything is shown, and brought back whole', async () => {
  model.script(write('new.md', 'mine\n'), exec('rm -rf /workspace/* ; echo gone'), { text: 'cleaned up' });
  expect((await say('clean up')).code).toBe(0);
  expect(existsSync(at('plans'))).toBe(false);

  const listed = dataOf((await gateway.cli('undo', 'list', '--json')).stdout)['turns'] as { turnId: string }[];
  expect(listed).toHaveLength(1);
  const dry = await gateway.cli('undo', '--dry-run');
  expect(dry.stdout).toContain('come back  plans/trip.md');
  expect(dry.stdout).toContain('+Vienna');
  expect(existsSync(at('plans'))).toBe(false);
  expect((await gateway.cli('undo')).code).toBe(64);

  const undone = await gateway.cli('undo', '--yes');
  expect(undone).toMatchObject({ code: 0, stdout: expect.stringContaining('brought back') });
  expect(readFileSync(at('latest'), 'utf8')).toBe('Vienna\nGraz\n');
  expect(statSync(at('tool.sh')).mode & 0o777).toBe(0o755);
  expect(existsSync(at('new.md'))).toBe(false);
  expect(existsSync(at('AGENTS.md'))).toBe(true);
});

test('what somebody changed since is named and left alone, and an undo can be undone', async () => {
  model.script(write('plans/trip.md', 'Linz\n'), write('other.md', 'other\n'), { text: 'done' });
  await say('change it');
  writeFileSync(at('plans/trip.md'), 'by hand\n');
  const undone = await gateway.cli('undo', '--yes', '--json');
  const data = dataOf(undone.stdout) as { undoId: string; removed: string[]; conflicts: { path: string }[] };
  expect(data.conflicts.map(({ path }) => path)).toEqual(['plans/trip.md']);
  expect(data.removed).toEqual(['other.md']);
  expect(readFileSync(at('plans/trip.md'), 'utf8')).toBe('by hand\n');
  expect((await gateway.cli('undo', '--turn', data.undoId, '--yes')).code).toBe(0);
  expect(readFileSync(at('other.md'), 'utf8')).toBe('other\n');
});

test('after kill -9 in the middle of a turn, and without a gateway, the way back still leads to before it', async () => {
  model.script(write('half.md', 'half\n'), 'hang');
  void say('never ends', 'killed');
  await model.received(model.requests.length + 2);
  expect(existsSync(at('half.md'))).toBe(true);
  await gateway.kill9();
  const undone = await runCommand(['undo', '--yes'], { home: gateway.home, env: gateway.env });
  expect(undone).toMatchObject({ code: 0 });
  expect(existsSync(at('half.md'))).toBe(false);
  expect(readFileSync(at('other.md'), 'utf8')).toBe('other\n');
});

test('/undo is the owner’s, in the direct chat: it shows first and then does what was shown', async () => {
  const telegram = await startTelegramServer();
  const FRIEND = {
    from: { id: 555, is_bot: false, first_name: 'Bea' },
    chat: { id: 555, type: 'private' as const, first_name: 'Bea' },
  };
  telegram.chats.set('555', FRIEND.chat);
  const bot = { apiRoot: telegram.url, botToken: TELEGRAM_TOKEN, allowFrom: [555] };
  const config = {
    ...configFor(model),
    commands: { ownerAllowFrom: [`telegram:${PERSON.id}`] },
    channels: { telegram: bot },
  };
  const house = await startTestGateway({ config });
  const told = async (message: Parameters<typeof telegram.say>[0]): Promise<string> => {
    const count = telegram.sent.length + 1;
    telegram.say(message);
    await telegram.until(() => telegram.sent.length >= count);
    return telegram.sent.at(-1)?.text ?? '';
  };
  try {
    const file = join(house.stateDir, 'workspace', 'note.md');
    model.script(write('note.md', 'from a chat'), { text: 'written' });
    expect(await told({ text: 'write it' })).toBe('written');
    model.script({ text: 'not for you' });
    expect(await told({ text: '/undo yes', ...FRIEND })).toBe('not for you');
    // Nothing was shown yet, so nothing is done either.
    expect(await told({ text: '/undo yes' })).toContain('goes away: note.md');
    expect(existsSync(file)).toBe(true);
    expect(await told({ text: '/undo yes' })).toContain('Undone: 0 brought back, 1 removed.');
    expect(existsSync(file)).toBe(false);
    expect(await told({ text: '/undo' })).toContain('no turn has changed anything');
  } finally {
    await house.dispose();
    await telegram.close();
  }
});
