// Owns small facts by name that survive a restart and concern no table of their own, such as a channel's last day.
import type { Store } from './open.ts';

export type Notes = ReturnType<typeof openNotes>;

export function openNotes(store: Store) {
  const get = store.prepare('SELECT value FROM meta WHERE key = ?');
  const put = store.prepare('INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value');
  const keyOf = (name: string): string => `note:${name}`;
  return {
    load(name: string): string | null {
      const value = get.get(keyOf(name))?.['value'];
      return typeof value === 'string' ? value : null;
    },
    /** With the next transaction: what it tells may be lost in a crash. */
    save: (name: string, text: string): void => store.defer(() => void put.run(keyOf(name), text)),
  };
}
