// Owns the one browser of the assistant: it starts when a page is opened, ends when nobody used it for a while or the
// gateway stops, and one thing is done on it at a time. Part of the composition; what may be done is decided in policy/.
import type { Config } from '../config/schema.ts';
import type { Journal } from '../journal/journal.ts';
import { browserRules } from '../net/browser/browser-url.ts';
import type { Driver } from '../net/browser/driver.ts';
import { type Answers, type Ask, GONE } from '../net/browser/words.ts';
import { HardshellError } from '../platform/errors.ts';
import { demandPermit, type PermittedCall } from '../policy/decide.ts';
import type { Chromium, ChromiumPorts } from './chromium.ts';

export type BrowsingPorts = Omit<ChromiumPorts, 'seen' | 'rules'> & {
  readonly idleMs?: number;
  config(): Config;
  warn(text: string): void;
};
export type Browsing = ReturnType<typeof createBrowsing>;
type Running = { readonly chromium: Chromium; readonly driver: Driver };

const IDLE_MS = 10 * 60_000;
const MAX_TOLD = 1_000;

export function createBrowsing(ports: BrowsingPorts) {
  let running: Promise<Running> | null = null;
  let last: Promise<unknown> = Promise.resolve();
  let idle: NodeJS.Timeout | undefined;
  /** The one before: its end takes the way out and the profile with it, so the next one waits for it. */
  let gone: Promise<unknown> = Promise.resolve();
  let isClosed = false;
  let record: Journal['record'] = () => {};
  const rules = () => browserRules(ports.config());

  async function start(): Promise<Running> {
    const began = performance.now();
    const [{ openChromium }, { openDriver }] = await Promise.all([
      import('./chromium.ts'),
      import('../net/browser/driver.ts'),
    ]);
    let mine: Promise<Running> | null = null;
    let chromium: Chromium | undefined;
    const driver = openDriver({
      send: (text) => chromium?.send(text),
      ended(why) {
        if (running === mine) running = null;
        record('browser.ended', { why });
        gone = Promise.allSettled([gone, chromium?.close()]);
      },
    });
    mine = (async () => {
      // A page asks for hundreds of things: each host, and each refusal, is told once.
      const told = new Set<string>();
      const seen: ChromiumPorts['seen'] = ({ host, port, refused }) => {
        const key = `${host}:${port} ${refused}`;
        if (told.has(key) || told.size >= MAX_TOLD) return;
        told.add(key);
        record('browser.request', { host, port, refused });
      };
      await gone;
      chromium = await openChromium({ ...ports, rules, seen }, { received: driver.take, ended: driver.end });
      await driver.ready;
      const { walls } = chromium;
      if (walls !== 'bubblewrap')
        ports.warn(`the browser runs without a box around it; its own walls stand (${walls})`);
      record('browser.started', { walls, ms: Math.round(performance.now() - began) });
      return { chromium, driver };
    })();
    mine.catch((error: Error) => driver.end(error.message));
    running = mine;
    return mine;
  }

  async function end(why: string): Promise<void> {
    clearTimeout(idle);
    const open = await running?.catch(() => null);
    running = null;
    open?.driver.end(why);
    await gone;
  }

  async function ask<A extends Ask>(question: A): Promise<Answers[A['op']]> {
    if (isClosed || !rules().enabled) throw off();
    const starts = question.op === 'open' || question.op === 'download';
    if (running === null && !starts) throw noPage();
    clearTimeout(idle);
    const was = running;
    try {
      const { driver } = await (running ?? start());
      return await driver.ask(question);
    } catch (error) {
      const isGone = error instanceof HardshellError && error.code === GONE;
      if (was === null || question.op !== 'open' || !isGone) throw error;
      // What pages before did to it is no fault of this one, which gets a browser without them.
      const again = { ...(await ask<Extract<Ask, { op: 'open' }>>(question)) };
      again.notes = [`${error.message}; a new one was started`, ...again.notes];
      return again as Answers[A['op']];
    } finally {
      clearTimeout(idle);
      idle = setTimeout(() => void end('nobody used it'), ports.idleMs ?? IDLE_MS).unref();
    }
  }
  /** One after the other: a page has one state. */
  const inTurn = <A extends Ask>(question: A): Promise<Answers[A['op']]> => {
    const turn = last.then(() => ask(question));
    last = turn.catch(() => {});
    return turn;
  };

  return {
    /** What an element is, for policy to decide on; nothing happens. */
    look: (ref: string, file: boolean): Promise<Answers['facts']> => inTurn({ op: 'facts', ref, file }),
    act<A extends Ask>(call: PermittedCall, question: A): Promise<Answers[A['op']]> {
      demandPermit(call);
      return inTurn(question);
    },
    /** The settings changed: what is switched off ends. */
    apply(): void {
      if (!rules().enabled) void end('it was switched off');
    },
    /** where what happens is written down, once there is a journal */
    recordWith(journal: Journal['record']): void {
      record = journal;
    },
    async close(): Promise<void> {
      isClosed = true;
      await end('the gateway stops');
    },
  };
}

const off = (): HardshellError =>
  new HardshellError({
    code: 'BROWSER_OFF',
    message: 'browser.enabled is false',
    fix: 'openclaw config set browser.enabled true',
  });
const noPage = (): HardshellError =>
  new HardshellError({ code: 'NO_PAGE', message: 'no page is open', fix: 'open one by its address' });
