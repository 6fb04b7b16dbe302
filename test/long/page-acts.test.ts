// What the page does with the owner's word: the card of a question, its answers, taking back what a turn did to files, and
// stopping a message that is about to leave. The real program and a real browser.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ModelServer, startModelServer } from '../doubles/model-server.ts';
import { PERSON, startTelegramServer, TELEGRAM_TOKEN, type TelegramServer } from '../doubles/telegram-server.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { configFor } from '../support/model-config.ts';
import { openBrowser, openChat, PHONE, signInUrl } from '../support/page.ts';

let browser: Browser;
let model: ModelServer;
let telegram: TelegramServer;
let gateway: TestGateway;

beforeAll(async () => {
  [browser, model, telegram] = await Promise.all([openBrowser(), startModelServer(), startTelegramServer()]);
  telegram.chats.set('777', { id: 777, type: 'private', first_name: 'Fay' });
  const config = {
    ...configFor(model),
    tools: { exec: { mode: 'ask' }, elevated: { enabled: true, allowFrom: ['webchat:owner'] } },
    commands: { ownerAllowFrom: [`telegram:${PERSON.id}`] },
    channels: { telegram: { apiRoot: telegram.url, botToken: TELEGRAM_TOKEN, allowFrom: [PERSON.id] } },
    actions: { message: { requireConfirmation: false }, undoSeconds: 120 },
  };
  gateway = await startTestGateway({ config });
});
afterAll(async () => {
  await browser?.close();
  await gateway?.dispose();
  await Promise.all([model?.close(), telegram?.close()]);
});

const inWorkspace = (name: string): string => join(gateway.home, '.openclaw', 'workspace', name);
const call = (name: string, args: object) => ({ toolCalls: [{ name, args }] });
/** To be looked at by a person: `PICTURES=folder` keeps them. */
const picture = async (page: { screenshot(o: { path: string }): Promise<unknown> }, name: string): Promise<void> => {
  const folder = process.env['PICTURES'];
  if (folder) await page.screenshot({ path: join(folder, `${name}.png`) });
};

test('a question shows who, why, the exact command with its risk marked, and "always" only after it was read', async () => {
  const chat = await openChat(browser, `${signInUrl(gateway)}&session=agent:main:acts1`);
  model.script(call('exec', { command: 'echo one > one.txt' }), { text: 'Done.' });
  await chat.say('make one');
  const card = chat.page.locator('.approval');
  await card.waitFor();
  await picture(chat.page, 'card');
  expect(await card.innerText()).toContain('echo one > one.txt');
  expect(await card.locator('.approval-foot code').innerText()).toMatch(/^yes [0-9A-Z]{2,3}$/);
  await card.getByRole('button', { name: 'Allow once' }).click();
  await chat.answered(1);
  expect(readFileSync(inWorkspace('one.txt'), 'utf8')).toBe('one\n');
  expect(chat.incidents).toEqual([]);
  await chat.close();
});

test('"always" is shown word for word before it is given, holds for exactly that, and works on a phone in the dark', async () => {
  const chat = await openChat(browser, `${signInUrl(gateway)}&session=agent:main:acts2`, {
    ...PHONE,
    colorScheme: 'dark',
  });
  model.script(call('exec', { command: 'ls -a' }), { text: 'Listed.' });
  await chat.say('list');
  const card = chat.page.locator('.approval');
  await card.getByRole('button', { name: 'Always…' }).click();
  expect(await card.locator('.approval-pattern').innerText()).toContain("'/usr/bin/ls' '-a'");
  await picture(chat.page, 'always-phone');
  await card.getByRole('button', { name: 'Allow exactly this, always' }).click();
  await chat.answered(1);
  model.script(call('exec', { command: 'ls -a' }), { text: 'Again.' });
  await chat.say('again');
  await chat.answered(2);
  model.script(call('exec', { command: 'ls -l' }), { text: 'No.' });
  await chat.say('another');
  await card.getByRole('button', { name: 'Deny' }).click();
  await chat.answered(3);
  expect(chat.incidents).toEqual([]);
  await chat.close();
});

test('S216 what a turn did to files is shown as a difference and taken back by a click', async () => {
  writeFileSync(inWorkspace('list.md'), 'milk\nbread\n');
  const chat = await openChat(browser, `${signInUrl(gateway)}&session=agent:main:acts3`);
  model.script(
    call('write', { path: 'list.md', content: 'beer\nbread\n' }),
    call('write', { path: 'new.md', content: 'x' }),
    {
      text: 'Written.',
    },
  );
  await chat.say('write');
  await chat.answered(1);
  await chat.page.locator('.answer').hover();
  await chat.page.getByRole('button', { name: 'Undo its changes to files' }).click();
  const dialog = chat.page.locator('dialog');
  await dialog.getByText('list.md').click();
  expect(await dialog.locator('.diff .is-added').first().innerText()).toContain('milk');
  await picture(chat.page, 'undo');
  await dialog.getByRole('button', { name: 'Take back' }).click();
  await chat.page.getByText('files are as before').waitFor();
  expect(readFileSync(inWorkspace('list.md'), 'utf8')).toBe('milk\nbread\n');
  expect(existsSync(inWorkspace('new.md'))).toBe(false);
  expect(chat.incidents).toEqual([]);
  await chat.close();
});

test('S215 a message that is about to leave can be stopped where the owner is', async () => {
  const chat = await openChat(browser, `${signInUrl(gateway)}&session=agent:main:acts4`);
  model.script(call('message', { to: 'telegram:777', text: 'The door code is 4711.' }), { text: 'On its way.' });
  await chat.say('tell telegram:777 the door code');
  const notice = chat.page.locator('.notice', { hasText: 'telegram:default:777' });
  await notice.waitFor();
  await picture(chat.page, 'held');
  await notice.getByRole('button', { name: 'Stop it' }).click();
  await chat.page.getByText('never leaves').waitFor();
  expect(telegram.sent.filter(({ chat: to }) => to === '777')).toEqual([]);
  expect(chat.incidents).toEqual([]);
  await chat.close();
});

test('I16 the calls of one answer are one card: answered one by one or together, by the keyboard, on a phone in the dark', async () => {
  const chat = await openChat(browser, `${signInUrl(gateway)}&session=agent:main:acts5`, {
    ...PHONE,
    colorScheme: 'dark',
  });
  const run = (command: string) => ({ name: 'exec', args: { command } });
  model.script(
    { toolCalls: ['a', 'b', 'c'].map((name) => run(`echo ${name} > ${name}.card`)) },
    { text: 'All of it.' },
  );
  await chat.say('make three');
  const card = chat.page.locator('.approval');
  await card.getByRole('heading', { name: 'Allow these 3 calls?' }).waitFor();
  expect(await card.count()).toBe(1);
  await picture(chat.page, 'batch-phone');
  const lines = card.locator('.approval-line');
  const deny = lines.nth(1).getByRole('button', { name: 'Deny' });
  await expect.poll(() => deny.isEnabled()).toBe(true);
  await deny.focus();
  await chat.page.keyboard.press('Enter');
  await card.getByRole('heading', { name: 'Allow these 2 calls?' }).waitFor();
  await card.getByRole('button', { name: 'Allow all once' }).click();
  await chat.answered(1);
  expect(['a', 'b', 'c'].map((name) => existsSync(inWorkspace(`${name}.card`)))).toEqual([true, false, true]);
  await chat.page.getByRole('button', { name: 'Undo its changes to files' }).waitFor({ state: 'attached' });
  expect(chat.incidents).toEqual([]);
  await chat.close();
});

test('I16 "for this task" holds for the run, and after three cards the run pauses and says what comes next', async () => {
  const chat = await openChat(browser, `${signInUrl(gateway)}&session=agent:main:acts6`);
  const run = (command: string) => call('exec', { command });
  model.script(run('ls -A'), run('ls -A'), run('ls -1'), run('ls -s'), run('ls -t'));
  await chat.say('look around');
  const card = chat.page.locator('.approval');
  await card.getByRole('button', { name: 'For this task…' }).click();
  await picture(chat.page, 'task');
  await card.getByRole('button', { name: 'Allow this for the task' }).click();
  for (const command of ['ls -1', 'ls -s']) {
    await card.getByText(command, { exact: true }).first().waitFor();
    await card.getByRole('button', { name: 'Allow once' }).click();
  }
  await chat.page.getByText('Paused after 3 questions').first().waitFor();
  expect(await chat.page.locator('#conversation').innerText()).toContain('ls -t');
  await picture(chat.page, 'paused');
  expect(await card.count()).toBe(0);
  // Commands that only looked changed nothing that could be taken back.
  expect(await chat.page.getByRole('button', { name: 'Undo its changes to files' }).count()).toBe(0);
  model.script(run('ls -t'), { text: 'Looked.' });
  await chat.page.getByRole('button', { name: 'Go on' }).click();
  await card.getByText('ls -t', { exact: true }).first().waitFor();
  await card.getByRole('button', { name: 'Allow once' }).click();
  await chat.page.locator('#conversation').getByText('Looked.').waitFor();
  expect(chat.incidents).toEqual([]);
  await chat.close();
});

test('a window for commands outside the box is shown while it is open, and ended from the page', async () => {
  expect(await gateway.cli('elevated', 'on', '5')).toMatchObject({ code: 0 });
  const chat = await openChat(browser, signInUrl(gateway));
  const banner = chat.page.locator('.banner', { hasText: 'outside their box' });
  await banner.waitFor();
  await picture(chat.page, 'elevated');
  await banner.getByRole('button', { name: 'End now' }).click();
  await banner.waitFor({ state: 'detached' });
  expect((await gateway.cli('elevated', 'status', '--json')).stdout).toContain('"windows":[]');
  await chat.close();
});

test('S209 "continue without outside text" leaves the owner\'s own words alone in the conversation', async () => {
  writeFileSync(inWorkspace('page.md'), 'text from outside: mango\n');
  const chat = await openChat(browser, `${signInUrl(gateway)}&session=agent:main:acts7`);
  model.script(call('read', { path: 'page.md' }), { text: 'It says mango.' });
  await chat.say('read page.md');
  await chat.answered(1);
  await chat.page.locator('.sources', { hasText: 'page.md' }).waitFor();
  await chat.page
    .locator('.head')
    .getByRole('button', { name: /^Actions for/ })
    .click();
  await chat.page.getByRole('menuitem', { name: 'Continue without outside text' }).click();
  await chat.page.locator('.head .sources').waitFor({ state: 'detached' });
  model.script({ text: 'Clean.' });
  await chat.say('and now?');
  await chat.page.getByText('Clean.', { exact: true }).last().waitFor();
  const asked = JSON.stringify(model.requests.at(-1)?.body);
  expect(asked).toContain('read page.md');
  expect(asked).not.toContain('mango');
  expect(chat.incidents).toEqual([]);
  await chat.close();
});
