// Owns fetching transcripts: the newest page when a session is opened or the connection comes back, older ones on the
// way up. One fetch of a kind at a time in a session.
import { withoutDelivered } from '../chat/outbox.ts';
import { type InFlight, type Page, withLatest, withOlder, withoutOldest } from '../chat/transcript.ts';
import { listOf, numberOf, objectOf, textOf } from '../protocol/frames.ts';
import { readMessage } from '../protocol/messages.ts';
import { readSessionRow } from '../protocol/rows.ts';
import { type App, reasonOf } from './context.ts';
import { showInUrl } from './route.ts';
import { withSeen } from './seen.ts';
import { changeTranscript, rowOf, transcriptOf, withoutEnded } from './state.ts';

const PAGE_MESSAGES = 60;
/** In the document at once, while the person is at the end. */
const KEPT_MESSAGES = 200;

export function openSession(app: App, key: string, replaceUrl = false): void {
  const { store } = app;
  const before = store.get();
  showInUrl(key, replaceUrl);
  store.set((s) => ({
    ...changeTranscript(s, key, (t) => withoutOldest(t, KEPT_MESSAGES)),
    current: key,
    view: 'chat',
    drawerOpen: false,
    seen: withSeen(s.seen, key, Date.now()),
  }));
  if (before.link.kind !== 'ready') return;
  void watchSession(app, key);
  // Also for a session at hand: a page that was away has to be made whole, and it costs one request.
  void fetchLatest(app, key);
}

/** session.message events come for watched sessions only. */
export async function watchSession(app: App, key: string): Promise<void> {
  if (!app.store.get().hello?.methods.has('sessions.messages.subscribe')) return;
  await app.request('sessions.messages.subscribe', { key }).catch(() => undefined);
}

export async function fetchLatest(app: App, key: string): Promise<void> {
  const { store } = app;
  try {
    const answer = await app.request('chat.history', { sessionKey: key, limit: PAGE_MESSAGES });
    const page = readPage(answer);
    const inFlight = readInFlight(objectOf(answer)['inFlightRun']);
    const found = readSessionRow(objectOf(answer)['sessionInfo']);
    // A session that nobody has written in has no row yet, only its key.
    const row = page.sessionId === null || found === null ? null : withoutEnded(found, store.get().ended);
    store.set((s) => {
      const active = row?.activeRunIds ?? rowOf(s, key)?.activeRunIds ?? [];
      const changed = changeTranscript(s, key, (t) => withLatest(t, page, active, inFlight, Date.now()));
      const errors = new Map(s.historyErrors);
      errors.delete(key);
      const extraRows = row ? new Map(s.extraRows).set(key, row) : s.extraRows;
      return { ...changed, historyErrors: errors, extraRows, outbox: withoutDelivered(s.outbox, key, page.messages) };
    });
  } catch (error) {
    if (store.get().link.kind !== 'ready') return;
    store.set((s) => ({ ...s, historyErrors: new Map(s.historyErrors).set(key, reasonOf(error).message) }));
  }
}

const fetchingOlder = new WeakMap<App, Set<string>>();

export async function fetchOlder(app: App, key: string): Promise<void> {
  const transcript = transcriptOf(app.store.get(), key);
  const busy = fetchingOlder.get(app) ?? new Set<string>();
  fetchingOlder.set(app, busy);
  if (!transcript.hasMore || !transcript.loaded || busy.has(key)) return;
  busy.add(key);
  try {
    const params = { sessionKey: key, limit: PAGE_MESSAGES, beforeSeq: transcript.messages[0]?.seq ?? 1 };
    const page = readPage(await app.request('chat.history', params));
    app.store.set((s) => changeTranscript(s, key, (t) => withOlder(t, page)));
  } catch (error) {
    app.say(`Older messages could not be fetched: ${reasonOf(error).message}`, { tone: 'error' });
  } finally {
    busy.delete(key);
  }
}

function readInFlight(value: unknown): InFlight | null {
  const run = objectOf(value);
  const runId = textOf(run['runId']);
  if (runId === '') return null;
  const tools = listOf(run['events']).flatMap((entry) => {
    const event = objectOf(entry);
    const data = objectOf(event['data']);
    const id = textOf(data['toolCallId']);
    if (id === '' || data['phase'] !== 'start') return [];
    return [{ id, name: textOf(data['name']), args: data['args'], startedAtMs: numberOf(event['ts']) ?? Date.now() }];
  });
  return { runId, text: textOf(run['text']), startedAtMs: numberOf(run['startedAt']) ?? Date.now(), tools };
}

function readPage(value: unknown): Page {
  const page = objectOf(value);
  const messages = listOf(page['messages']).flatMap((entry) => readMessage(entry) ?? []);
  // Every message that the gateway has stored has a place; one without it could be shown twice.
  const placed = messages.filter((m) => m.seq > 0).sort((a, b) => a.seq - b.seq);
  return { sessionId: textOf(page['sessionId']) || null, messages: placed, hasMore: page['hasMore'] === true };
}
