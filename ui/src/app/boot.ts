// Owns what happens when the connection comes and goes: subscribe, fetch, reconcile, and only then send what waited.
import { afterReconnect } from '../chat/outbox.ts';
import { withGap } from '../chat/transcript.ts';
import { listOf } from '../protocol/frames.ts';
import { readApproval, readModels } from '../protocol/rows.ts';
import type { App } from './context.ts';
import { fetchLatest, watchSession } from './history.ts';
import { flush } from './sending.ts';
import { fetchSessions } from './sessions.ts';
import { fetchStatus } from './status.ts';
import { showHeld } from './undo.ts';

/** `restarted`: another gateway process answers now, so that runs of the old one are gone or begun anew. */
export async function afterHello(app: App, restarted: boolean): Promise<void> {
  const { store, request } = app;
  if (restarted) {
    store.set((s) => ({
      ...s,
      transcripts: new Map([...s.transcripts].map(([key, t]) => [key, { ...t, runs: new Map() }])),
    }));
  }
  const current = store.get().current;
  // Subscribing first: whatever happens while the history is on its way is then seen twice, never missed.
  await Promise.allSettled([request('sessions.subscribe'), watchSession(app, current)]);
  const fetches = [
    fetchLatest(app, current),
    fetchSessions(app),
    request('models.list').then((value) => store.set((s) => ({ ...s, models: readModels(value) }))),
    fetchStatus(app),
    request('outbox.list').then((value) => showHeld(app, value)),
    request('exec.approval.list').then((value) => {
      const approvals = listOf(value).flatMap((row) => readApproval(row) ?? []);
      store.set((s) => ({ ...s, approvals }));
    }),
  ];
  await Promise.allSettled(fetches);
  // Other sessions that the page still holds are fetched again when they are opened.
  store.set((s) => ({
    ...s,
    transcripts: new Map([...s.transcripts].map(([key, t]) => [key, key === s.current ? t : { ...t, loaded: false }])),
  }));
  flush(app);
}

export function afterLoss(app: App): void {
  app.store.set((s) => ({
    ...s,
    outbox: afterReconnect(s.outbox),
    // Whether they still stand is known again after the next hello.
    approvals: [],
    transcripts: new Map([...s.transcripts].map(([key, t]) => [key, withGap(t)])),
  }));
}
