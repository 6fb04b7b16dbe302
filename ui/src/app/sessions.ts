// Owns the list of sessions and what a person does to one: new, name, pin, archive, model, delete with time to undo.

import { objectOf } from '../protocol/frames.ts';
import { shortId } from '../protocol/ids.ts';
import { readSessionPage, readSessionRow, type SessionRow } from '../protocol/rows.ts';
import { type App, reasonOf } from './context.ts';
import { openSession } from './history.ts';
import { type AppState, LIST_PAGE, MAIN_KEY, nameOf, type SessionList, withoutEnded } from './state.ts';

const UNDO_MS = 7_000;
const SEARCH_DELAY_MS = 150;

let serial = 0;

export async function fetchSessions(app: App): Promise<void> {
  const mine = ++serial;
  const { search, archived, limit } = app.store.get().list;
  try {
    const params = {
      limit,
      ...(search === '' ? {} : { search }),
      archived,
      includeDerivedTitles: true,
      includeLastMessage: true,
    };
    const page = readSessionPage(await app.request('sessions.list', params));
    // A slower answer to an earlier question must not replace this one.
    const { ended } = app.store.get();
    if (mine === serial)
      setList(app, {
        rows: page.rows.map((row) => withoutEnded(row, ended)),
        total: page.total,
        found: search,
        state: 'ready',
      });
  } catch {
    if (mine === serial && app.store.get().link.kind === 'ready') setList(app, { state: 'failed' });
  }
}

const timers = new WeakMap<App, ReturnType<typeof setTimeout>>();

function fetchSoon(app: App, delayMs: number): void {
  clearTimeout(timers.get(app));
  timers.set(
    app,
    setTimeout(() => void fetchSessions(app), delayMs),
  );
}

export function search(app: App, text: string): void {
  setList(app, { search: text, limit: LIST_PAGE });
  fetchSoon(app, SEARCH_DELAY_MS);
}

export function showArchived(app: App, archived: boolean): void {
  setList(app, { archived, rows: [], state: 'loading' });
  void fetchSessions(app);
}

export function showMore(app: App): void {
  setList(app, { limit: app.store.get().list.limit + LIST_PAGE });
  void fetchSessions(app);
}

/** A sessions.changed event: takes the row when it is there, asks when it is not. */
export function applyChange(app: App, payload: Record<string, unknown>): void {
  const row = readSessionRow(payload['session']);
  const key = row?.key ?? String(payload['sessionKey'] ?? '');
  const { list } = app.store.get();
  if (payload['reason'] === 'deleted') {
    setList(app, { rows: list.rows.filter((r) => r.key !== key) });
    return;
  }
  if (row) putRow(app, row);
  const known = list.rows.some((r) => r.key === key);
  if (!row || (!known && list.search !== '') || (row && row.archived !== list.archived)) fetchSoon(app, 300);
}

/** Puts a row where it belongs: pinned first, then the newest. */
function putRow(app: App, told: SessionRow): void {
  const row = withoutEnded(told, app.store.get().ended);
  app.store.set((s) => {
    const others = s.list.rows.filter((r) => r.key !== row.key);
    const known = others.length < s.list.rows.length;
    const belongs = row.archived === s.list.archived && (known || s.list.search === '');
    const rows = belongs ? [...others, row].sort(byPlace) : others;
    const total = s.list.total + (belongs && !known ? 1 : 0);
    return { ...s, list: { ...s.list, rows, total }, extraRows: new Map(s.extraRows).set(row.key, row) };
  });
}

export function byPlace(a: SessionRow, b: SessionRow): number {
  return Number(b.pinned) - Number(a.pinned) || b.updatedAtMs - a.updatedAtMs;
}

export function newSession(app: App): void {
  const agentId = app.store.get().hello?.mainSessionKey.split(':')[1] ?? 'main';
  openSession(app, `agent:${agentId}:web-${shortId()}`);
}

type Patch = { label?: string | null; model?: string | null; archived?: boolean; pinned?: boolean };

export async function patchSession(app: App, key: string, patch: Patch): Promise<void> {
  try {
    const answer = objectOf(await app.request('sessions.patch', { key, ...patch }));
    const row = readSessionRow(answer['session']) ?? readSessionRow(answer['entry']);
    if (row) putRow(app, row);
    else fetchSoon(app, 0);
  } catch (error) {
    const { message, fix } = reasonOf(error);
    app.say(`Not changed: ${message}${fix ? ` (${fix})` : ''}`, { tone: 'error' });
  }
}

export async function resetSession(app: App, key: string): Promise<void> {
  try {
    await app.request('sessions.reset', { key });
    openSession(app, key, true);
  } catch (error) {
    app.say(`Not started afresh: ${reasonOf(error).message}`, { tone: 'error' });
  }
}

/** The conversation goes on with the owner's own words alone. */
export async function cleanSession(app: App, key: string): Promise<void> {
  try {
    await app.request('sessions.clean', { key, keep: 'own-words' });
    openSession(app, key, true);
  } catch (error) {
    app.say(`Not cleaned: ${reasonOf(error).message}`, { tone: 'error' });
  }
}

/** Out of sight at once, gone for good when the time to undo is over. */
export function deleteSession(app: App, key: string): void {
  const name = nameOf(app.store.get(), key);
  const setLeaving = (leaving: boolean): void =>
    app.store.set((s) => {
      const keys = new Set(s.list.leaving);
      if (leaving) keys.add(key);
      else keys.delete(key);
      return { ...s, list: { ...s.list, leaving: keys } };
    });
  setLeaving(true);
  if (app.store.get().current === key) openSession(app, nextAfter(app.store.get(), key), true);
  const timer = setTimeout(() => {
    app
      .request('sessions.delete', { key })
      .then(() => forget(app, key))
      .catch((error: unknown) => app.say(`Not deleted: ${reasonOf(error).message}`, { tone: 'error' }))
      .finally(() => setLeaving(false));
  }, UNDO_MS);
  const drop = app.say(`Deleted \u201c${name}\u201d`, {
    forMs: UNDO_MS,
    action: {
      label: 'Undo',
      run: () => {
        clearTimeout(timer);
        setLeaving(false);
        drop();
      },
    },
  });
}

function forget(app: App, key: string): void {
  app.store.set((s) => {
    const transcripts = new Map(s.transcripts);
    transcripts.delete(key);
    return {
      ...s,
      transcripts,
      list: { ...s.list, rows: s.list.rows.filter((r) => r.key !== key), total: Math.max(0, s.list.total - 1) },
    };
  });
}

function nextAfter(state: AppState, key: string): string {
  const rows = state.list.rows.filter((r) => r.key === key || !state.list.leaving.has(r.key));
  const at = rows.findIndex((r) => r.key === key);
  return rows[at + 1]?.key ?? rows[at - 1]?.key ?? MAIN_KEY;
}

function setList(app: App, fields: Partial<SessionList>): void {
  app.store.set((s) => ({ ...s, list: { ...s.list, ...fields } }));
}
