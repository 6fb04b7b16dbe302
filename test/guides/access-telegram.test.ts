// Who may do what, from end to end: the whole program, grammY, a Bot API double and a model that tries.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type ModelServer, startModelServer } from '../doubles/model-server.ts';
import {
  BOT,
  GROUP,
  PERSON,
  startTelegramServer,
  TELEGRAM_TOKEN,
  type TelegramServer,
} from '../doubles/telegram-server.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { configFor } from '../support/model-config.ts';

const FRIEND = { id: 555, is_bot: false, first_name: 'Bea' };
const FRIENDS_CHAT = { id: 555, type: 'private', first_name: 'Bea' };

let model: ModelServer;
let telegram: TelegramServer;
let gateway: TestGateway;
beforeAll(async () => {
  model = await startModelServer();
});
afterAll(() => model.close());
afterEach(async () => {
  await gateway?.dispose();
  await telegram?.close();
});

async function start(more: object = {}, channel: object = {}): Promise<void> {
  telegram = await startTelegramServer();
  telegram.chats.set('555', FRIENDS_CHAT);
  gateway = await startTestGateway({
    config: {
      ...configFor(model),
      commands: { ownerAllowFrom: [`telegram:${PERSON.id}`] },
      channels: { telegram: { apiRoot: telegram.url, botToken: TELEGRAM_TOKEN, ...channel } },
      ...more,
    },
  });
}
async function shown(count: number): Promise<string[]> {
  const late = AbortSignal.timeout(50_000);
  const stop = new Promise<never>((_, reject) =>
    late.addEventListener('abort', () => reject(new Error(`only ${telegram.sent.length} of ${count} were shown`))),
  );
  await Promise.race([telegram.until(() => telegram.sent.length >= count), stop]);
  return telegram.sent.map(({ text }) => text);
}
const toolsOf = (n: number): string[] =>
  ((model.requests.at(n)?.body['tools'] ?? []) as { name?: string; function?: { name: string } }[])
    .map((tool) => tool.name ?? tool.function?.name ?? '')
    .sort();
const mention = (text: string) => ({
  text: `@${BOT.username} ${text}`,
  chat: GROUP,
  entities: [{ type: 'mention', offset: 0, length: BOT.username.length + 1 }],
});

test('S253 S254 S255 S256 a shell command: done for the owner in a direct chat, refused in a group and for a friend', async () => {
  await start(
    { tools: { policies: { '*': { exec: 'deny', browser: 'deny' }, dm: { exec: 'allow', browser: 'allow' } } } },
    { allowFrom: [FRIEND.id], groups: { '*': { requireMention: true } } },
  );
  const run = { toolCalls: [{ name: 'exec', args: { command: 'echo $((40 + 2))' } }] };
  const tell = { text: 'done' };
  const results = (): string => JSON.stringify(model.requests.at(-1)?.body);

  model.script(run, tell);
  telegram.say({ text: 'run it' });
  await shown(1);
  expect(toolsOf(-1)).toContain('exec');
  expect(results()).not.toContain('TOOL_DENIED');

  model.script(run, tell);
  telegram.say(mention('run it'));
  await shown(2);
  expect(toolsOf(-1)).not.toContain('exec');
  expect(results()).toContain('TOOL_DENIED');

  model.script(run, tell);
  telegram.say({ text: 'run it', from: FRIEND, chat: FRIENDS_CHAT });
  await shown(3);
  // Words to their own chat, which the answer is as well.
  expect(toolsOf(-1)).toEqual(['message']);
  expect(results()).toContain('TOOL_DENIED');
  expect(results()).not.toContain('MEMORY.md\\n');

  telegram.say({ text: 'run it', from: { ...FRIEND, id: 777 }, chat: { ...FRIENDS_CHAT, id: 777 } });
  const why = JSON.parse((await gateway.cli('why', '--sender', 'telegram:555', '--json')).stdout);
  expect(why.data).toMatchObject({ code: 'LISTED', at: 'channels.telegram.allowFrom', state: 'answered' });
});

test('S039 S040 S082 the tools of the box: a group reads and writes, and has neither a shell nor a browser', async () => {
  const tools = {
    allow: ['read', 'write', 'edit', 'web_search', 'web_fetch'],
    deny: ['browser', 'exec', 'nodes', 'cron'],
  };
  await start(
    { sandbox: { mode: 'non-main' }, tools: { sandbox: { tools }, policies: { group: { exec: 'allow' } } } },
    { groups: { '*': { requireMention: true } } },
  );
  model.script({ toolCalls: [{ name: 'exec', args: { command: 'touch made-by-exec' } }] }, { text: 'tried' });
  telegram.say(mention('run it'));
  await shown(1);
  expect(toolsOf(-1)).toEqual(['edit', 'read', 'web_fetch', 'web_search', 'write']);
  expect(JSON.stringify(model.requests.at(-1)?.body)).toContain('tools.sandbox.tools.deny');

  model.script({ toolCalls: [{ name: 'write', args: { path: 'from-group.md', content: 'x' } }] }, { text: 'written' });
  telegram.say(mention('write it'));
  await shown(2);
  expect(JSON.stringify(model.requests.at(-1)?.body)).toContain('Wrote from-group.md');
  expect(existsSync(join(gateway.stateDir, 'workspace', 'from-group.md'))).toBe(false);

  // Your own main conversation is in no such box.
  model.script({ text: 'hello' });
  telegram.say({ text: 'hello' });
  await shown(3);
  for (const name of ['ls', 'message']) expect(toolsOf(-1)).toContain(name);
  const asked = ['--tool', 'exec', '--channel', 'telegram', '--chat', String(GROUP.id)];
  const said = JSON.parse((await gateway.cli('policy', 'explain', ...asked, '--json')).stdout);
  expect(said.data).toMatchObject({ decision: 'deny', key: 'tools.sandbox.tools.deny' });
});

test('S022 S029 S113 a stranger, the code, the yes, a conversation, and no longer', async () => {
  await start();
  telegram.say({ text: 'hello?', from: FRIEND, chat: FRIENDS_CHAT });
  const [letter = ''] = await shown(1);
  const code = /\b[A-HJ-NP-Z2-9]{8}\b/.exec(letter)?.[0] ?? '';
  expect((await gateway.cli('status')).stdout).toContain('1 person or group waits');
  expect(await gateway.cli('pairing', 'approve', code)).toMatchObject({ code: 0 });
  expect((await shown(2))[1]).toContain('You are in');
  model.script({ text: 'hi Bea' });
  telegram.say({ text: 'hello!', from: FRIEND, chat: FRIENDS_CHAT });
  expect((await shown(3))[2]).toBe('hi Bea');
  expect((await gateway.cli('pairing', 'approved')).stdout).toMatch(/telegram:555 +paired +Bea .*(just now|s ago)/);
  expect(await gateway.cli('pairing', 'revoke', '555')).toMatchObject({ code: 0 });
  telegram.say({ text: 'still there?', from: FRIEND, chat: FRIENDS_CHAT });
  await telegram.until(() => telegram.pendingCount() === 0);
  const why = async () => JSON.parse((await gateway.cli('why', '--sender', '555', '--json')).stdout).data.code;
  await expect.poll(why, { timeout: 10_000 }).toBe('DM_NOT_PAIRED');
  expect(telegram.sent).toHaveLength(3);
});

test('S114 S088 added to a group: the owner is told in the direct chat, and the group is silent until approved', async () => {
  await start();
  model.script({ text: 'hello owner' });
  telegram.say({ text: 'hello' });
  await shown(1);
  telegram.say(mention('are you there?'));
  const [, letter = ''] = await shown(2);
  expect(telegram.sent[1]).toMatchObject({ chat: String(PERSON.id) });
  expect(letter).toContain(`telegram:${GROUP.id}`);
  const code = /approve ([A-HJ-NP-Z2-9]{8})/.exec(letter)?.[1] ?? '';
  expect(await gateway.cli('pairing', 'approve', code)).toMatchObject({ code: 0 });
  model.script({ text: 'hello group' });
  telegram.say(mention('and now?'));
  expect((await shown(3))[2]).toBe('hello group');
  expect(telegram.sent[2]).toMatchObject({ chat: String(GROUP.id) });
});
