// Owns the page's one piece of changing state, and telling components about changes, at most once a frame. It must know
// nothing of what is in it.
import { useEffect, useReducer, useRef } from 'preact/hooks';

export type Store<T> = {
  get(): T;
  set(change: (now: T) => T): void;
  subscribe(listener: () => void): () => void;
};

export function createStore<T>(initial: T): Store<T> {
  let state = initial;
  let scheduled = false;
  const listeners = new Set<() => void>();
  const notify = (): void => {
    scheduled = false;
    for (const listener of [...listeners]) listener();
  };
  return {
    get: () => state,
    set(change) {
      const next = change(state);
      if (next === state) return;
      state = next;
      if (scheduled) return;
      scheduled = true;
      // A hidden page gets no frames, and must not fall behind.
      if (document.visibilityState === 'visible') requestAnimationFrame(notify);
      else setTimeout(notify, 50);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The part of the state that `select` names; draws again only when that part is another. */
export function useStore<T, V>(store: Store<T>, select: (state: T) => V): V {
  const [, draw] = useReducer((n: number, _: undefined) => n + 1, 0);
  const value = select(store.get());
  const latest = useRef({ value, select });
  latest.current = { value, select };
  useEffect(() => {
    const check = (): void => {
      if (!Object.is(latest.current.select(store.get()), latest.current.value)) draw(undefined);
    };
    check();
    return store.subscribe(check);
  }, [store]);
  return value;
}
