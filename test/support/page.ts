// Owns a real browser on the real page: one Chromium for a test file, a context of its own for each page, and a record of
// everything that must not happen (requests elsewhere, policy violations, script errors, dialogs).
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core';
import { REPO, type TestGateway } from './gateway.ts';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export const PHONE: BrowserContextOptions = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };

export type Chat = {
  readonly page: Page;
  /** what happened that must not happen; empty in a good page */
  readonly incidents: readonly string[];
  readonly composer: Locator;
  readonly answers: Locator;
  say(text: string): Promise<void>;
  /** resolves when nothing runs any more and this many answers are there */
  answered(count: number): Promise<void>;
  close(): Promise<void>;
};

export async function openBrowser(): Promise<Browser> {
  const executablePath = CHROMIUM.find((path) => existsSync(path));
  if (executablePath === undefined) throw new Error('no Chromium here: apt-get install chromium');
  if (!existsSync(join(REPO, 'dist', 'ui', 'index.html'))) throw new Error('the page is not built: npm run build');
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
}

/** The address that `openclaw dashboard` prints. */
export const signInUrl = (gateway: TestGateway): string => `${gateway.url}/#token=${gateway.token}`;

export async function openChat(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
  prepare?: (page: Page) => Promise<void>,
): Promise<Chat> {
  const context = await browser.newContext({ viewport: { width: 1200, height: 800 }, ...options });
  const page = await context.newPage();
  const incidents = watch(page, new URL(url).origin);
  await prepare?.(page);
  await page.goto(url);
  const composer = page.locator('#composer');
  const answers = page.locator('.answer');
  return {
    page,
    incidents,
    composer,
    answers,
    async say(text) {
      await composer.fill(text);
      await composer.press('Enter');
    },
    async answered(count) {
      await answers.nth(count - 1).waitFor();
      await page.locator('[aria-busy="true"], .composer .stop').first().waitFor({ state: 'detached' });
    },
    close: () => context.close(),
  };
}

function watch(page: Page, origin: string): string[] {
  const incidents: string[] = [];
  const own = new Set([origin, origin.replace(/^http/, 'ws'), 'null']);
  page.on('request', (request) => {
    if (!own.has(new URL(request.url()).origin)) incidents.push(`request to ${request.url()}`);
  });
  page.on('websocket', (socket) => {
    if (new URL(socket.url()).origin !== origin.replace(/^http/, 'ws')) incidents.push(`socket to ${socket.url()}`);
  });
  page.on('pageerror', (error) => incidents.push(`error: ${error.message}`));
  page.on('console', (message) => {
    // A gateway that is gone is the subject of a test; Chromium reports every attempt to reach it.
    const isLoss = /WebSocket connection to .* failed/.test(message.text());
    if ((message.type() === 'error' || message.type() === 'warning') && !isLoss)
      incidents.push(`console: ${message.text()}`);
  });
  page.on('dialog', (dialog) => {
    incidents.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return incidents;
}

/** Contrast of the first such element's words against what is painted behind them, as WCAG counts it. */
export async function contrastOf(page: Page, selector: string): Promise<number> {
  return Number(await page.evaluate(`(${CONTRAST})(document.querySelector(${JSON.stringify(selector)}))`));
}

/** Text, since it runs in the page: this program has no document. */
const CONTRAST = `(element) => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (color) => {
    const [r, g, b] = color.map((c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let behind = element;
  while (behind && rgba(getComputedStyle(behind).backgroundColor)[3] < 255) behind = behind.parentElement;
  const words = light(rgba(getComputedStyle(element).color));
  const paper = light(rgba(getComputedStyle(behind ?? document.body).backgroundColor));
  return (Math.max(words, paper) + 0.05) / (Math.min(words, paper) + 0.05);
}`;
