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
    tools: { exec: { mode: 'ask' } },
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
  expect(await card.locator('footer code').innerText()).toMatch(/^yes [0-9A-Z]{2,3}$/);
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
