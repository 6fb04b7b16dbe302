// The chat page in a real browser against a real gateway and a scripted provider: everything that a person does with it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type ModelServer, startModelServer } from '../doubles/model-server.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { bestOf } from '../support/measure.ts';
import { configFor } from '../support/model-config.ts';
import { type Chat, openBrowser, openChat, signInUrl } from '../support/page.ts';

let browser: Browser;
let models: ModelServer;
let gateway: TestGateway;
let chat: Chat;

beforeAll(async () => {
  [browser, models] = await Promise.all([openBrowser(), startModelServer({ tokens: 8 })]);
  gateway = await startTestGateway({ config: configFor(models, { models: ['one', 'two'] }) });
});
afterAll(async () => {
  await browser?.close();
  await gateway?.dispose();
  await models?.close();
});

let serial = 0;
/** A session of its own for every test. */
const sessionUrl = (): string => `${signInUrl(gateway)}&session=agent:main:web-test${++serial}`;

beforeEach(async () => {
  chat = await openChat(browser, sessionUrl());
  await chat.composer.waitFor();
});
afterEach(async () => {
  expect(chat.incidents).toEqual([]);
  await chat.close();
});

describe('signing in', () => {
  test('the link signs in, and the token leaves the address bar at once', async () => {
    await chat.page.locator('.empty').waitFor();
    expect(chat.page.url()).not.toContain(gateway.token);
    expect(await chat.page.evaluate('JSON.stringify({ ...localStorage })')).not.toContain(gateway.token);
    await chat.page.reload();
    await chat.page.locator('.empty').waitFor();
  });

  test('C01 an address in the query is never connected to', async () => {
    const other = await openChat(browser, `${gateway.url}/?gatewayUrl=ws://127.0.0.1:9#token=${gateway.token}`);
    await other.page.locator('.empty').waitFor();
    expect(other.incidents).toEqual([]);
    await other.close();
  });

  test('without a token there is one field and one command; a wrong one is refused with the reason', async () => {
    const other = await openChat(browser, gateway.url);
    await other.page.getByText('openclaw dashboard').waitFor();
    await other.page.getByLabel('Or paste the link or the token here').fill('not-the-token-at-all');
    await other.page.keyboard.press('Enter');
    await other.page.getByText('The gateway does not know this token.').waitFor();
    await other.page.getByLabel('Or paste the link or the token here').fill(signInUrl(gateway));
    await other.page.keyboard.press('Enter');
    await other.composer.waitFor();
    expect(other.incidents).toEqual([]);
    await other.close();
  });
});

describe('talking', () => {
  test('a reply streams in, word by word, and stands there once', async () => {
    await chat.say('[[tokens:60]] [[delay:40]] tell me');
    await chat.answers.locator('.md', { hasText: 'w3' }).waitFor();
    const early = (await chat.answers.innerText()).length;
    await chat.answered(1);
    const words = (await chat.answers.locator('.md').innerText()).split(' ');
    expect(words).toEqual(Array.from({ length: 60 }, (_, n) => `w${n}`));
    expect(early).toBeLessThan(words.join(' ').length);
    expect(await chat.page.locator('.asked').count()).toBe(1);
  });

  test('a tool call is a card with its arguments, its output, how long it took and whether it failed', async () => {
    await chat.say('[[tool:ls {"path":"."}]] [[tool:read {"path":"missing.txt"}]] look');
    await chat.answered(1);
    const cards = chat.page.locator('.tool');
    expect(await cards.count()).toBe(2);
    expect(await cards.nth(0).locator('summary').innerText()).toMatch(/Done:\s*ls\s*\.\s*\d+ ms/);
    await cards.nth(0).locator('summary').click();
    expect(await cards.nth(0).locator('.tool-output').innerText()).toContain('AGENTS.md');
    expect(await cards.nth(1).locator('summary').innerText()).toContain('Failed:');
    await cards.nth(1).locator('summary').click();
    expect(await cards.nth(1).locator('.facts').innerText()).toContain('missing.txt');
  });

  test('Esc stops a turn within a second; what was said stays', async () => {
    let said = 0;
    const stop = async (): Promise<number> => {
      await chat.say('[[tokens:2000]] [[delay:20]] go on and on');
      await chat.answers.nth(said).locator('.md', { hasText: 'w5' }).waitFor();
      const before = performance.now();
      await chat.page.keyboard.press('Escape');
      await chat.page.getByText('stopped by you').nth(said).waitFor();
      said += 1;
      return performance.now() - before;
    };
    expect(await bestOf(3, (ms) => ms < 1_500, stop)).toBeLessThan(1_500);
    expect(await chat.answers.last().innerText()).toContain('w5');
    expect(await chat.page.locator('.composer .stop').count()).toBe(0);
  });

  test('a message during a turn steers it, and both are answered', async () => {
    await chat.say('[[tool:exec {"command":"sleep 1"}]] [[delay:5]] begin');
    await chat.page.getByRole('button', { name: 'Steer' }).waitFor();
    await chat.say('and this too');
    await chat.page
      .locator('.asked:not(.is-accepted, .is-waiting, .is-sending)', { hasText: 'and this too' })
      .waitFor();
    await chat.answered(2);
    expect(await chat.page.locator('.asked').count()).toBe(2);
  });

  test('a failure is shown in place, and sending again sends the same words', async () => {
    models.script({ status: 400, message: 'scripted refusal' });
    await chat.say('this will fail');
    await chat.page.locator('.note').getByRole('button', { name: 'Send again' }).click();
    await chat.answered(1);
    expect(await chat.page.locator('.asked .bubble').allInnerTexts()).toEqual(['this will fail', 'this will fail']);
  });

  test('C11 an approval shows everything, has no default and its answer decides', async () => {
    const content = `${'x'.repeat(5_000)}\nrm -rf \u202egnihtyreve`;
    const directive = `[[tool:write ${JSON.stringify({ path: 'AGENTS.md', content })}]] please`;
    await chat.say(directive);
    const card = chat.page.locator('.approval');
    await card.waitFor();
    expect(await card.innerText()).toContain('x'.repeat(5_000));
    expect(await card.innerText()).toMatch(/202e/i);
    expect(await card.innerText()).not.toContain('\u202e');
    expect(await chat.page.locator('#composer:focus').count()).toBe(1);
    await card.getByRole('button', { name: 'Deny' }).click();
    await chat.answered(1);
    const file = join(gateway.home, '.openclaw', 'workspace', 'AGENTS.md');
    expect(readFileSync(file, 'utf8')).not.toContain('gnihtyreve');
    await chat.say(directive);
    await card.getByRole('button', { name: 'Allow once' }).click();
    await chat.answered(2);
    expect(readFileSync(file, 'utf8')).toContain('gnihtyreve');
  });
});

describe('sessions', () => {
  const link = (name: string) => chat.page.locator('.session-link', { hasText: name });

  test('new, named, pinned, found, deleted and taken back', async () => {
    const { page } = chat;
    await chat.say('a conversation about otters');
    await chat.answered(1);
    await link('otters').waitFor();
    await page.getByRole('button', { name: 'Actions for a conversation about otters' }).last().click();
    await page.getByRole('menuitem', { name: 'Rename' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('Lontra');
    await page.keyboard.press('Enter');
    await link('Lontra').waitFor();
    await expect.poll(() => page.getByRole('heading', { level: 1 }).innerText()).toBe('Lontra');
    await page.getByRole('button', { name: 'Actions for Lontra' }).last().click();
    await page.getByRole('menuitem', { name: 'Pin', exact: true }).click();
    await page.getByRole('heading', { name: 'Pinned' }).waitFor();
    await page.keyboard.press('Control+k');
    await page.keyboard.type('lontr');
    await page.getByRole('heading', { name: 'Found' }).waitFor();
    await page.locator('.session-link').nth(1).waitFor({ state: 'detached' });
    await link('Lontra').waitFor();
    await page.keyboard.type('zzz');
    await page.getByText('No session matches.').waitFor();
    await page.locator('#search').fill('');
    await page.getByRole('button', { name: 'Actions for Lontra' }).last().click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await link('Lontra').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo', exact: true }).click();
    await link('Lontra').waitFor();
  });

  test('a draft stays with its session, and the model is chosen for one session only', async () => {
    const { page } = chat;
    await chat.say('first here');
    await chat.answered(1);
    await page.getByLabel('Model of this session').first().selectOption({ label: 'two' });
    await chat.composer.fill('half a thought');
    await page.keyboard.press('Alt+n');
    await page.locator('.empty').waitFor();
    expect(await chat.composer.inputValue()).toBe('');
    await page.goBack();
    await page.locator('.asked', { hasText: 'first here' }).waitFor();
    expect(await chat.composer.inputValue()).toBe('half a thought');
    await chat.composer.press('Enter');
    await chat.answered(2);
    expect(models.requests.at(-1)?.body['model']).toBe('two');
  });

  test('what another client says appears, without a reload', async () => {
    await chat.page.locator('.empty').waitFor();
    const key = new URLSearchParams(new URL(chat.page.url()).hash.slice(1)).get('session');
    await gateway.rpc('chat.send', { sessionKey: key, message: 'said elsewhere', idempotencyKey: crypto.randomUUID() });
    await chat.page.locator('.asked', { hasText: 'said elsewhere' }).waitFor();
    await chat.answered(1);
  });
});
