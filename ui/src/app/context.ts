// Owns what every room of actions and every component is handed: the app, by name and through Preact's context.
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { RequestError } from '../protocol/link.ts';
import type { AppState, Notice } from './state.ts';
import { type Store, useStore } from './store.ts';

export type App = {
  readonly store: Store<AppState>;
  request(method: string, params?: unknown): Promise<unknown>;
  /** shows a line at the foot of the page; goes away by itself */
  say(
    text: string,
    options?: { tone?: Notice['tone']; action?: NonNullable<Notice['action']>; forMs?: number },
  ): () => void;
  retryNow(): void;
  signIn(token: string): void;
  signOut(): void;
};

export const AppContext = createContext<App | null>(null);

export function useApp(): App {
  const app = useContext(AppContext);
  if (!app) throw new Error('useApp outside of the app');
  return app;
}

export function useAppState<V>(select: (state: AppState) => V): V {
  return useStore(useApp().store, select);
}

/** The words for a person when a request failed. */
export function reasonOf(error: unknown): { readonly message: string; readonly fix: string } {
  if (error instanceof RequestError) return { message: error.error.message, fix: error.error.fix };
  return { message: error instanceof Error ? error.message : 'something went wrong', fix: '' };
}
