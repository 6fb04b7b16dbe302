// Owns what is done on pages: open, look, click, fill, send a file, take a picture. It compares an element with what was
// judged right before it acts, bounds every step in time and size, and never trusts a page to end by itself.
import type { Browser, CDPSession, ElementHandle, Frame, Page } from 'playwright-core';
import { fieldBehind, look, SIZE, TEXT } from './in-page.ts';
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

/** Of the browser as a whole: nothing but its end helps. */
export const JAMMED = 'BROWSER_JAMMED';
const GONE_PAGE = 'PAGE_GONE';

const MAX_TABS = 6;
const MAX_ELEMENTS = 15_000;
const MAX_TEXT_CHARS = 2_000_000;
const MAX_NOTES = 8;
const RESTLESS = 'PAGE_RESTLESS';
const OPEN_MS = 25_000;
/** For a page to let go of its tab. */
const LEAVE_MS = 5_000;
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
    if (why !== null) note(why);
    void tab.page.close().catch(() => {});
  }
  for (const page of context.pages()) take(page);
  context.on('page', take);

  const must = (): Tab => {
    if (current === null) throw new Failed('NO_PAGE', 'no page is open; open one by its address');
    return current;
  };

  /** A page that does not answer is closed: whatever was asked of it next would hang as well. */
  async function within<T>(tab: Tab | null, work: Promise<T>, ms = STEP_MS): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        if (tab === null) return reject(new Failed(JAMMED, 'it opens no tab any more'));
        drop(tab, 'the page did not answer any more, and its tab was closed');
        reject(new Failed('PAGE_HANGS', 'the page does not answer any more; its tab was closed'));
      }, ms + 2_000);
    });
    work.catch(() => {});
    try {
      return await Promise.race([work, late]);
    } catch (error) {
      if (!/(Target|Page) crashed|has been closed/.test(String(error))) throw error;
      throw new Failed(GONE_PAGE, 'the page broke, or closed its tab; the tab is gone');
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

  /** A tab that no page was ever in, and that none has opened. */
  async function fresh(): Promise<Tab> {
    current = null;
    const page = await within(null, context.newPage());
    take(page);
    current = tabs.find((tab) => tab.page === page) ?? tabs.at(-1) ?? null;
    return must();
  }

  /** Its tab, when the page in it lets go. It may hang, be on its way elsewhere, or hold what the next one needs. */
  async function left(tab: Tab): Promise<Tab> {
    if (await within(tab, tab.page.goto('about:blank', { timeout: LEAVE_MS }), LEAVE_MS).then(yes, no)) return tab;
    drop(tab, 'the page before did not let go of its tab, which was closed');
    return fresh();
  }

  async function open(url: string): Promise<Shown> {
    for (let isAgain = false; ; isAgain = true) {
      const tab = current === null || isAgain ? await fresh() : await left(current);
      try {
        const answer = await within(tab, tab.page.goto(url, { waitUntil: 'commit', timeout: OPEN_MS }), OPEN_MS);
        if (answer !== null && answer.status() >= 400) note(`the server answered ${answer.status()}`);
      } catch (error) {
        // What still comes into it, at least the browser's own page of the error, would break the next one off.
        drop(tab, null);
        const why = whyNot(error);
        if (isAgain || /^ERR_(?!ABORTED)/.test(why)) throw notOpened(url, why);
        // Another tab may have sent it elsewhere, or hold all the ways out.
        if (why === LATE) for (const other of [...tabs]) drop(other, 'nothing came through, so another tab was closed');
        continue;
      }
      tab.opened = url;
      try {
        return await shownAfter(tab);
      } catch (error) {
        if (isAgain || !(error instanceof Failed) || error.code !== RESTLESS) throw error;
        for (const one of [...tabs]) drop(one, one === tab ? null : 'another tab was closed: it may have sent the page elsewhere'); // biome-ignore format: one thought
      }
    }
  }

  async function shownAfter(tab: Tab, from = 0): Promise<Shown> {
    for (let isAgain = false; ; isAgain = true) {
      await within(tab, settled(tab), DOM_MS + LOAD_MS + SETTLE_MS);
      try {
        return await shown(tabs.includes(tab) ? tab : must(), from);
      } catch (error) {
        // It went on to another page by itself while it was looked at, as many do after a sign-in.
        if (!/context was destroyed|because of a navigation/.test(String(error))) throw error;
        if (isAgain) throw new Failed(RESTLESS, 'the page goes on to another one again and again');
      }
    }
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
      const by = async (tab: Tab): Promise<Answers['download']> => {
        const cdp = await within(tab, context.newCDPSession(tab.page));
        try {
          return await within(tab, load(cdp, url), OPEN_MS * 4);
        } finally {
          void cdp.detach().catch(() => {});
        }
      };
      // The page in that tab may break while its loader is used.
      return by(current ?? (await fresh())).catch((error: Failed) =>
        error.code === GONE_PAGE ? fresh().then(by) : Promise.reject(error),
      );
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

const LATE = 'it took too long';

function whyNot(error: unknown): string {
  const text = error instanceof Error ? error.message : '';
  return /net::(ERR_[A-Z_]+)/.exec(text)?.[1] ?? (/Timeout/.test(text) ? LATE : 'it broke off');
}

function notOpened(url: string, name: string): Failed {
  const why = /ERR_(TUNNEL_CONNECTION_FAILED|PROXY)/.test(name) ? 'its address is refused, or was not reached' : name;
  return new Failed('PAGE_NOT_OPENED', `${new URL(url).host} was not opened: ${why}`);
}

const yes = (): boolean => true;
const no = (): boolean => false;
