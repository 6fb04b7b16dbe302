// Owns the making of the app: one store, one link, and the rooms of actions that share them. Constructed once by main.tsx
// and handed down; nothing here is global.

import { loadOutbox } from '../chat/outbox.ts';
import type { EventFrame, Hello } from '../protocol/frames.ts';
import { newId } from '../protocol/ids.ts';
import { type Link, type LinkState, openLink } from '../protocol/link.ts';
import { forgetToken, keepToken, storedToken, takeTokenFromUrl } from '../protocol/token.ts';
import { afterHello, afterLoss } from './boot.ts';
import type { App } from './context.ts';
import { applyEvent } from './incoming.ts';
import { currentFromUrl, viewFromUrl } from './route.ts';
import { loadSeen } from './seen.ts';
import { initialState, type Notice } from './state.ts';
import { createStore } from './store.ts';

export function createApp(version: string): App {
  const store = createStore(
    initialState(storedToken() !== null, viewFromUrl(), currentFromUrl(), loadOutbox(), loadSeen()),
  );
  let link: Link | null = null;

  const app: App = {
    store,
    request: (method, params) => (link ? link.request(method, params) : Promise.reject(new Error('not signed in'))),
    say(text, { tone = 'plain', action, forMs = 6_000 } = {}) {
      const notice: Notice = { id: newId(), text, tone, action: action ?? null };
      const drop = (): void => store.set((s) => ({ ...s, notices: s.notices.filter((n) => n.id !== notice.id) }));
      store.set((s) => ({ ...s, notices: [...s.notices.slice(-2), notice] }));
      setTimeout(drop, forMs);
      return drop;
    },
    retryNow: () => link?.retryNow(),
    signIn(token) {
      keepToken(token);
      store.set((s) => ({ ...s, signingIn: true, link: { kind: 'connecting' } }));
      start();
    },
    signOut() {
      forgetToken();
      link?.close();
      link = null;
      store.set(() => ({
        ...initialState(false, viewFromUrl(), currentFromUrl(), [], loadSeen()),
        firstVersion: store.get().firstVersion,
      }));
    },
  };

  const onState = (state: LinkState): void => {
    const was = store.get().link.kind;
    store.set((s) => ({ ...s, link: state, signingIn: s.signingIn && state.kind !== 'refused' }));
    if (was === 'ready' && state.kind !== 'ready') afterLoss(app);
  };
  const onHello = (hello: Hello): void => {
    const before = store.get().hello;
    store.set((s) => ({
      ...s,
      hello,
      signedIn: true,
      signingIn: false,
      firstVersion: s.firstVersion || hello.version,
    }));
    void afterHello(app, before !== null && before.bootId !== hello.bootId);
  };
  const onEvent = (event: EventFrame): void => applyEvent(app, event);

  const start = (): void => {
    link?.close();
    link = openLink({ url: gatewayUrl(), version, token: storedToken, onState, onHello, onEvent });
    link.connect();
  };

  const wake = (): void => {
    if (document.visibilityState === 'visible') app.retryNow();
  };
  // A link with a token that is opened in a tab where the page is already open.
  addEventListener('hashchange', () => {
    const token = takeTokenFromUrl();
    if (token !== null) app.signIn(token);
  });
  addEventListener('online', wake);
  document.addEventListener('visibilitychange', wake);
  if (storedToken() !== null) start();
  return app;
}

/** The page's own origin, and never anything else: no part of it comes from the address that was opened. */
function gatewayUrl(): string {
  return `${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}/`;
}
