// Owns fetching the gateway's report about itself: the model it answers with, and what needs a person.
import { readStatus } from '../protocol/rows.ts';
import type { App } from './context.ts';

export async function fetchStatus(app: App): Promise<void> {
  const status = readStatus(await app.request('status'));
  app.store.set((s) => ({ ...s, status }));
}
