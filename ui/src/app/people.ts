// Owns what the page knows of channels and people, and the owner's answers. The gateway sends no event for a stranger who
// asks, so it is asked again and again, but only while somebody can see the page.
import {
  type RightRow,
  readChannels,
  readInvites,
  readRights,
  readWaiting,
  type WaitingRow,
} from '../protocol/people.ts';
import { type App, reasonOf } from './context.ts';
import { showInUrl } from './route.ts';
import type { View } from './state.ts';

const OPEN_EVERY_MS = 4_000;
/** For the badge alone. */
const ELSEWHERE_EVERY_MS = 15_000;

let serial = 0;

export function openPeople(app: App): void {
  showInUrl(app.store.get().current, false, 'people');
  app.store.set((s) => ({ ...s, view: 'people', drawerOpen: false }));
}

/** Who waits; with the view open also the channels and who was let in. */
export async function fetchPeople(app: App): Promise<void> {
  const { store, request } = app;
  const { hello, view } = store.get();
  if (!hello?.methods.has('channels.pairing.list')) return;
  const mine = ++serial;
  try {
    const [list, status, approved] = await Promise.all([
      request('channels.pairing.list'),
      ...(view === 'people' ? [request('channels.status'), request('channels.pairing.approved')] : []),
    ]);
    // A slower answer to an earlier question must not replace this one.
    if (mine !== serial) return;
    const found = { waiting: readWaiting(list), invites: readInvites(list), failure: null };
    const more = status === undefined ? {} : { channels: readChannels(status), rights: readRights(approved) };
    store.set((s) => ({ ...s, people: { ...s.people, ...found, ...more } }));
  } catch (error) {
    if (mine !== serial || store.get().link.kind !== 'ready') return;
    const { message, fix } = reasonOf(error);
    store.set((s) => ({ ...s, people: { ...s.people, failure: { reason: message, fix } } }));
  }
}

/** Until the returned function is called. */
export function watchPeople(app: App, view: View): () => void {
  const look = (): void => {
    if (document.visibilityState === 'visible' && app.store.get().link.kind === 'ready') void fetchPeople(app);
  };
  look();
  const timer = setInterval(look, view === 'people' ? OPEN_EVERY_MS : ELSEWHERE_EVERY_MS);
  document.addEventListener('visibilitychange', look);
  return () => {
    clearInterval(timer);
    document.removeEventListener('visibilitychange', look);
  };
}

/** Does it, says it, and shows what has become of it. False: it was refused, and that was said. */
async function answer(app: App, method: string, params: object, done: string): Promise<boolean> {
  try {
    await app.request(method, params);
    app.say(done);
    return true;
  } catch (error) {
    const { message, fix } = reasonOf(error);
    app.say(`Not done: ${message}${fix === '' ? '' : ` (${fix})`}`, { tone: 'error', forMs: 12_000 });
    return false;
  } finally {
    await fetchPeople(app);
  }
}

export function approve(
  app: App,
  { id, account, isGroup }: WaitingRow,
  name: string,
  owner: boolean,
): Promise<boolean> {
  const as = owner ? ' as an owner' : '';
  const params = { code: id, account, ...(isGroup ? { group: true } : {}), ...(owner ? { owner } : {}) };
  return answer(app, 'channels.pairing.approve', params, `${name} was approved${as}`);
}

export const reject = (app: App, { id, account }: WaitingRow, name: string): Promise<boolean> =>
  answer(app, 'channels.pairing.dismiss', { code: id, account }, `${name} was rejected`);

export const rejectAll = (app: App): Promise<boolean> =>
  answer(app, 'channels.pairing.dismiss', { all: true }, 'All requests were rejected');

export const revoke = (app: App, { id, channel }: RightRow, name: string): Promise<boolean> =>
  answer(app, 'channels.pairing.revoke', { id, channel }, `${name} may no longer talk`);

/** A real round trip on each account of the channel. */
export const check = (app: App, channel: string, label: string): Promise<boolean> =>
  answer(app, 'channels.status', { probe: true, channel }, `${label} was asked`);
