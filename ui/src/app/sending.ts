// Owns sending and stopping. A message goes into the outbox first and leaves it when the transcript has it; an attempt that
// got no answer is made again with the same key, one that was refused waits for the person.
import { nextToSend, type Outgoing, saveOutbox, withoutDelivered } from '../chat/outbox.ts';
import { isRunning, withRunStarted } from '../chat/transcript.ts';
import { objectOf } from '../protocol/frames.ts';
import { newId } from '../protocol/ids.ts';
import { RequestError } from '../protocol/link.ts';
import { type App, reasonOf } from './context.ts';
import { fetchLatest } from './history.ts';
import { changeTranscript, transcriptOf } from './state.ts';

export function sendMessage(app: App, sessionKey: string, text: string): void {
  const outgoing: Outgoing = { id: newId(), sessionKey, text, createdAtMs: Date.now(), state: 'waiting', error: null };
  change(app, (outbox) => [...outbox, outgoing]);
  flush(app);
}

/** Sends everything that waits, as far as order allows. */
export function flush(app: App): void {
  if (app.store.get().link.kind !== 'ready') return;
  for (const outgoing of nextToSend(app.store.get().outbox)) void attempt(app, outgoing);
}

async function attempt(app: App, outgoing: Outgoing): Promise<void> {
  const { store } = app;
  update(app, outgoing.id, { state: 'sending', error: null });
  try {
    const params = { sessionKey: outgoing.sessionKey, message: outgoing.text, idempotencyKey: outgoing.id };
    const answer = objectOf(await app.request('chat.send', params));
    update(app, outgoing.id, { state: 'accepted' });
    if (answer['status'] === 'started' && answer['queued'] !== true) {
      store.set((s) => changeTranscript(s, outgoing.sessionKey, (t) => withRunStarted(t, outgoing.id, Date.now())));
    }
    // Known from an earlier attempt: its messages may have come and gone while nobody listened.
    const over = answer['status'] === 'ok' || answer['status'] === 'error';
    if (over || answer['status'] === 'in_flight') await fetchLatest(app, outgoing.sessionKey);
    if (over) discard(app, outgoing.id);
    settleDelivered(app, outgoing.sessionKey);
  } catch (error) {
    const refused = error instanceof RequestError && error.answered && !error.error.retryable;
    if (refused) update(app, outgoing.id, { state: 'failed', error: reasonOf(error) });
    else {
      update(app, outgoing.id, { state: 'waiting' });
      // The gateway is there and busy: ask again shortly. A lost connection flushes when it is back.
      const waitMs = error instanceof RequestError ? (error.error.retryAfterMs ?? 1_000) : 1_000;
      setTimeout(() => flush(app), waitMs);
      return;
    }
  }
  flush(app);
}

/** A new attempt of the person's, and so a new key: what was refused or taken back must not be confused with it. */
export function resend(app: App, id: string): void {
  change(app, (outbox) =>
    outbox.map((o) => (o.id === id ? { ...o, id: newId(), state: 'waiting' as const, error: null } : o)),
  );
  flush(app);
}

/** A run ended before its message became part of the conversation: the words must not vanish with it. */
export function failUndelivered(app: App, id: string, message: string): void {
  update(app, id, { state: 'failed', error: { message, fix: '' } });
}

export function discard(app: App, id: string): void {
  change(app, (outbox) => outbox.filter((o) => o.id !== id));
}

export function settleDelivered(app: App, sessionKey: string): void {
  change(app, (outbox) => withoutDelivered(outbox, sessionKey, transcriptOf(app.store.get(), sessionKey).messages));
}

export async function abort(app: App, sessionKey: string): Promise<void> {
  if (!isRunning(transcriptOf(app.store.get(), sessionKey))) return;
  try {
    await app.request('chat.abort', { sessionKey });
  } catch (error) {
    app.say(`Could not stop: ${reasonOf(error).message}`, { tone: 'error' });
  }
}

function update(app: App, id: string, fields: Partial<Outgoing>): void {
  change(app, (outbox) => outbox.map((o) => (o.id === id ? { ...o, ...fields } : o)));
}

function change(app: App, make: (outbox: readonly Outgoing[]) => readonly Outgoing[]): void {
  app.store.set((s) => {
    const outbox = make(s.outbox);
    if (outbox === s.outbox) return s;
    saveOutbox(outbox);
    return { ...s, outbox };
  });
}
