// Owns what is done on pages: open, look, click, fill, send a file, take a picture. It compares an element with what was
// judged right before it acts, bounds every step in time and size, and never trusts a page to end by itself.
import type { Browser, CDPSession, ElementHandle, Frame, Page } from 'playwright-core';
import {
  type Answers,
  type Ask,
  type Facts,
  MAX_DOWNLOAD_BYTES,
  MAX_SNAPSHOT_CHARS,
  SHOWN_CHARS,
  type Shown,
} from './words.ts';

export class Failed extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const MAX_TABS = 6;
const MAX_ELEMENTS = 15_000;
const MAX_TEXT_CHARS = 2_000_000;
const MAX_NOTES = 8;
const OPEN_MS = 25_000;
const DOM_MS = 8_000;
const LOAD_MS = 4_000;
const SETTLE_MS = 400;
const STEP_MS = 10_000;
/** A frame that does not answer is left out after this long, each time. */
const LIST_MS = 3_000;
const PICTURE_MS = 15_000;
const CHUNK_BYTES = 1024 ** 2;

type Tab = { readonly page: Page; opened: string };

export async function createPages(browser: Browser) {
  const [context = await browser.newContext()] = browser.contexts();
  context.setDefaultTimeout(STEP_MS);
  context.setDefaultNavigationTimeout(OPEN_MS);
  const session = await browser.newBrowserCDPSession();
  // What a page hands out by itself is never kept; a file is asked for by its address.
  await session.send('Browser.setDownloadBehavior', { behavior: 'deny', eventsEnabled: false });
  const tabs: Tab[] = [];
  let current: Tab | null = null;
  let notes: string[] = [];
  const note = (text: string): void => {
    if (notes.length < MAX_NOTES) notes.push(text);
  };

  function take(page: Page): void {
    if (tabs.some((tab) => tab.page === page)) return;
    if (tabs.length >= MAX_TABS) {
      void page.close().catch(() => {});
      note('a further tab was closed: there are too many');
      return;
    }
    const tab = { page, opened: '' };
    tabs.push(tab);
    if (current !== null) {
      note(`a tab opened: ${tabs.length}`);
      // What lies behind another tab hardly runs.
      void current.page.bringToFront().catch(() => {});
    }
    current ??= tab;
    page.on('dialog', (dialog) => {
      const isLeaving = dialog.type() === 'beforeunload';
      if (!isLeaving) note(`the page said in a window, which was dismissed: ${dialog.message().slice(0, 300)}`);
      void (isLeaving ? dialog.accept() : dialog.dismiss()).catch(() => {});
    });
    page.on('crash', () => drop(tab, 'the page crashed and its tab was closed'));
    page.on('close', () => drop(tab, null));
  }
  function drop(tab: Tab, why: string | null): void {
    const at = tabs.indexOf(tab);
    if (at === -1) return;
    tabs.splice(at, 1);
    if (current === tab) {
      current = tabs.at(-1) ?? null;
      void current?.page.bringToFront().catch(() => {});
    }
    if (why !== null) {
      note(why);
      void tab.page.close().catch(() => {});
    }
  }
  for (const page of context.pages()) take(page);
  context.on('page', take);

  const must = (): Tab => {
    if (current === null) throw new Failed('NO_PAGE', 'no page is open; open one by its address');
    return current;
  };

  /** A page that does not answer is closed: whatever was asked of it next would hang as well. */
  async function within<T>(tab: Tab, work: Promise<T>, ms = STEP_MS): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        drop(tab, 'the page did not answer any more, and its tab was closed');
        reject(new Failed('PAGE_HANGS', 'the page does not answer any more; its tab was closed'));
      }, ms + 2_000);
    });
    work.catch(() => {});
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** As far as it comes in a few seconds: many pages never end. */
  async function settled({ page }: Tab): Promise<void> {
    const isThere = await page.waitForLoadState('domcontentloaded', { timeout: DOM_MS }).then(yes, no);
    if (!isThere) note('the page was still loading');
    else if (!(await page.waitForLoadState('load', { timeout: LOAD_MS }).then(yes, no)))
      note('parts of the page were still loading');
    await page.waitForTimeout(SETTLE_MS);
  }

  async function open(url: string): Promise<Shown> {
    if (current === null) take(await context.newPage());
    const tab = must();
    const go = async (): Promise<void> => {
      const answer = await within(tab, tab.page.goto(url, { waitUntil: 'commit', timeout: OPEN_MS }), OPEN_MS);
      if (answer !== null && answer.status() >= 400) note(`the server answered ${answer.status()}`);
    };
    try {
      // The page before may have been on its way somewhere.
      await go().catch((error: unknown) =>
        /interrupted|ERR_ABORTED/.test(String(error)) ? go() : Promise.reject(error),
      );
    } catch (error) {
      throw error instanceof Failed ? error : notOpened(url, error);
    }
    tab.opened = url;
    return shownAfter(tab);
  }

  async function shownAfter(tab: Tab, from = 0): Promise<Shown> {
    await within(tab, settled(tab), DOM_MS + LOAD_MS + SETTLE_MS);
    return shown(tabs.includes(tab) ? tab : must(), from);
  }

  async function shown(tab: Tab, from: number): Promise<Shown> {
    const { page } = tab;
    const size = (await within(tab, page.evaluate(SIZE))) as { elements: number; chars: number };
    const isHuge = size.elements > MAX_ELEMENTS || size.chars > MAX_TEXT_CHARS;
    if (isHuge) note('the page is too large for a list of its elements; this is its text alone');
    const whole = isHuge
      ? String(await within(tab, page.evaluate(TEXT)))
      : await within(tab, page.ariaSnapshot({ mode: 'ai', timeout: LIST_MS }));
    const text = whole.slice(0, MAX_SNAPSHOT_CHARS);
    const title = (await within(tab, page.title())).slice(0, 200);
    const said = notes;
    notes = [];
    return { url: page.url(), title, text: text.slice(from, from + SHOWN_CHARS), chars: text.length, notes: said };
  }

  async function find(tab: Tab, ref: string): Promise<ElementHandle> {
    try {
      const handle = await within(tab, tab.page.getByRef(ref).elementHandle({ timeout: 2_000 }));
      return handle as ElementHandle;
    } catch (error) {
      if (error instanceof Failed) throw error;
      throw new Failed('NO_SUCH_ELEMENT', `there is no element ${ref} any more; take a snapshot`);
    }
  }

  async function factsOf(tab: Tab, handle: ElementHandle): Promise<Facts> {
    const page = addressOf((await handle.ownerFrame()) ?? tab.page.mainFrame(), tab.page);
    // biome-ignore lint/suspicious/noExplicitAny: it runs in the page, whose types are not ours
    const read = (await within(tab, handle.evaluate(look as any, page))) as Omit<Facts, 'page' | 'opened'>;
    const opened = hostOf(tab.opened) === hostOf(page) ? tab.opened : page;
    const element = String(read.element).replace(/\s+/g, ' ').trim().slice(0, 80);
    return {
      kind: read.kind,
      page,
      opened,
      element,
      url: String(read.url).slice(0, 2_000),
      to: String(read.to).slice(0, 300),
    };
  }

  /** The element as it was judged, or nothing. */
  async function same(ref: string, facts: Facts): Promise<{ tab: Tab; handle: ElementHandle }> {
    const tab = must();
    const handle = await find(tab, ref);
    const now = { ...(await factsOf(tab, handle)), ...(facts.kind === 'file' ? { kind: facts.kind } : {}) };
    if (JSON.stringify(now) !== JSON.stringify(facts))
      throw new Failed(
        'PAGE_CHANGED',
        `${ref} is not what it was when this was decided; take a snapshot and ask again`,
      );
    return { tab, handle };
  }

  /** The field that takes files: itself, or the one behind a button. */
  async function fileField(tab: Tab, handle: ElementHandle): Promise<ElementHandle> {
    // biome-ignore lint/suspicious/noExplicitAny: it runs in the page
    const found = (await within(tab, handle.evaluateHandle(fieldBehind as any))).asElement();
    if (found === null) throw new Failed('NO_FILE_FIELD', 'no field for files is there');
    return found;
  }

  const acts: { [Op in Ask['op']]: (ask: Extract<Ask, { op: Op }>) => Promise<Answers[Op]> } = {
    open: ({ url }) => open(url),
    snapshot: ({ from }) => shown(must(), from),
    async facts({ ref, file }) {
      const tab = must();
      const handle = await find(tab, ref);
      const facts = await factsOf(tab, handle);
      if (file) await fileField(tab, handle);
      return file ? { ...facts, kind: 'file' } : facts;
    },
    async click({ ref, facts }) {
      const { tab, handle } = await same(ref, facts);
      await within(tab, handle.click({ timeout: STEP_MS }));
      return shownAfter(tab);
    },
    async fill({ ref, text, facts }) {
      const { tab, handle } = await same(ref, facts);
      if (facts.kind === 'choice') await within(tab, handle.selectOption({ label: text }, { timeout: STEP_MS }));
      else await within(tab, handle.fill(text, { timeout: STEP_MS }));
      return null;
    },
    async submit({ ref, facts }) {
      const { tab, handle } = await same(ref, facts);
      await within(tab, handle.press('Enter', { timeout: STEP_MS }));
      return shownAfter(tab);
    },
    async upload({ ref, name, bytes, facts }) {
      const { tab, handle } = await same(ref, facts);
      const field = await fileField(tab, handle);
      const file = { name, mimeType: 'application/octet-stream', buffer: Buffer.from(bytes) };
      await within(tab, field.setInputFiles(file, { timeout: STEP_MS }));
      return null;
    },
    async screenshot() {
      const tab = must();
      const bytes = await within(
        tab,
        tab.page.screenshot({ type: 'png', timeout: PICTURE_MS, animations: 'disabled' }),
        PICTURE_MS,
      );
      return { bytes, url: tab.page.url() };
    },
    async download({ url }) {
      if (current === null) take(await context.newPage());
      const tab = must();
      const cdp = await context.newCDPSession(tab.page);
      try {
        return await within(tab, load(cdp, url), OPEN_MS * 4);
      } finally {
        await cdp.detach().catch(() => {});
      }
    },
    async tabs({ tab }) {
      const chosen = tabs[tab - 1];
      if (tab !== 0 && chosen === undefined) throw new Failed('NO_SUCH_TAB', `there is no tab ${tab}`);
      if (chosen) {
        current = chosen;
        await within(chosen, chosen.page.bringToFront());
      }
      return Promise.all(
        tabs.map(async (one) => ({
          url: one.page.url(),
          title: await within(one, one.page.title(), 2_000).catch(() => ''),
          isCurrent: one === current,
        })),
      );
    },
    async close() {
      await within(must(), must().page.close({ runBeforeUnload: false })).catch(() => {});
      return null;
    },
  };
  return { answer: (ask: Ask): Promise<unknown> => (acts[ask.op] as (ask: Ask) => Promise<unknown>)(ask) };
}

/** By the browser's own loader, with what the site has set, and piece by piece: what is too long is left there. */
async function load(cdp: CDPSession, url: string): Promise<Answers['download']> {
  const { frameTree } = await cdp.send('Page.getFrameTree');
  const { resource } = await cdp.send('Network.loadNetworkResource', {
    ...{ frameId: frameTree.frame.id, url, options: { disableCache: true, includeCredentials: true } },
  });
  const { success, httpStatusCode: status = 0, stream, netErrorName } = resource;
  if (!success || stream === undefined)
    throw new Failed('NOT_DOWNLOADED', `it was not handed out (${netErrorName ?? status})`);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for (;;) {
    const { data, base64Encoded, eof } = await cdp.send('IO.read', { handle: stream, size: CHUNK_BYTES });
    const chunk = Buffer.from(data, base64Encoded ? 'base64' : 'utf8');
    bytes += chunk.length;
    if (bytes > MAX_DOWNLOAD_BYTES) {
      await cdp.send('IO.close', { handle: stream }).catch(() => {});
      throw new Failed('FILE_TOO_LARGE', `it is larger than ${MAX_DOWNLOAD_BYTES} bytes`);
    }
    chunks.push(chunk);
    if (eof) break;
  }
  await cdp.send('IO.close', { handle: stream }).catch(() => {});
  return { bytes: Buffer.concat(chunks), status };
}

/** Of the nearest page around it that has an address: what a page writes into a frame of its own is the page's. */
function addressOf(frame: Frame, page: Page): string {
  for (let one: Frame | null = frame; one !== null; one = one.parentFrame())
    if (/^https?:/.test(one.url())) return bare(one.url());
  return bare(page.url());
}
const bare = (url: string): string => url.split('#', 1)[0] ?? url;
const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).origin : '');

function notOpened(url: string, error: unknown): Failed {
  const text = error instanceof Error ? error.message : '';
  const name = /net::(ERR_[A-Z_]+)/.exec(text)?.[1] ?? (/Timeout/.test(text) ? 'it took too long' : 'it broke off');
  const why = /ERR_(TUNNEL_CONNECTION_FAILED|PROXY)/.test(name) ? 'its address is refused, or was not reached' : name;
  return new Failed('PAGE_NOT_OPENED', `${new URL(url).host} was not opened: ${why}`);
}

const yes = (): boolean => true;
const no = (): boolean => false;

const SIZE =
  '({elements:document.getElementsByTagName("*").length,chars:(document.documentElement?.textContent??"").length})';
const TEXT = `(document.body?.innerText??"").slice(0,${MAX_SNAPSHOT_CHARS})`;

/** Runs in the page: one expression each, since names that a bundler gives to functions are not there. */
// biome-ignore lint/suspicious/noExplicitAny: the page's types are not ours
function look(el: any, page: string): Omit<Facts, 'page' | 'opened'> {
  const anchor = el.closest('a[href],area[href]');
  const href = anchor === null || anchor.hasAttribute('download') ? '' : String(anchor.href?.baseVal ?? anchor.href);
  const tag = String(el.tagName).toLowerCase();
  const type = String(el.getAttribute('type') ?? '').toLowerCase();
  const hint = String(el.getAttribute('autocomplete') ?? '').toLowerCase();
  const isText =
    tag === 'textarea' ||
    el.isContentEditable === true ||
    (tag === 'input' && !/^(button|submit|reset|image|checkbox|radio|file|color|range|hidden)$/.test(type));
  const isSecret = type === 'password' || /password|one-time-code|^cc-|\bcc-/.test(hint);
  const form = el.form ?? el.closest('form');
  const given = el.getAttribute('formaction') ?? form?.getAttribute?.('action') ?? '';
  const goal = given === '' || !URL.canParse(given, el.baseURI) ? page : new URL(given, el.baseURI).href;
  const words = isText
    ? (el.getAttribute('aria-label') ??
      el.labels?.[0]?.innerText ??
      el.getAttribute('placeholder') ??
      el.getAttribute('name'))
    : el.getAttribute('aria-label') ||
      el.innerText ||
      el.getAttribute('value') ||
      el.getAttribute('title') ||
      el.getAttribute('alt') ||
      el.labels?.[0]?.innerText ||
      el.getAttribute('name');
  const leads = /^https?:/.test(href) && href.split('#')[0] !== page;
  return {
    kind: leads
      ? 'link'
      : tag === 'select'
        ? 'choice'
        : isText
          ? isSecret
            ? 'secret'
            : 'field'
          : tag === 'input' && type === 'file'
            ? 'file'
            : 'press',
    element: String(words ?? tag).slice(0, 400),
    url: leads ? href : '',
    to: new URL(goal).host === new URL(page).host ? '' : goal,
  };
}

// biome-ignore lint/suspicious/noExplicitAny: the page's types are not ours
function fieldBehind(el: any): unknown {
  return el.matches('input[type=file]')
    ? el
    : (el.querySelector('input[type=file]') ?? el.closest('label,form')?.querySelector('input[type=file]') ?? null);
}
