// Owns the count of tokens a day and model.
import type { Store } from './open.ts';

export type TokenCount = {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
};
export const NO_TOKENS: TokenCount = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };

export type UsageTable = ReturnType<typeof openUsage>;

export function openUsage(store: Store) {
  const add =
    store.prepare(`INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET input = input + excluded.input,
    output = output + excluded.output, cache_read = cache_read + excluded.cache_read, cache_write = cache_write + excluded.cache_write`);
  const sum = store.prepare(
    'SELECT sum(input) AS i, sum(output) AS o, sum(cache_read) AS r, sum(cache_write) AS w FROM usage WHERE day >= ?',
  );
  return {
    add: (day: string, model: string, t: TokenCount): void =>
      void add.run(day, model, t.input, t.output, t.cacheRead, t.cacheWrite),
    since(day: string): TokenCount {
      const row = sum.get(day) ?? {};
      return {
        input: Number(row['i'] ?? 0),
        output: Number(row['o'] ?? 0),
        cacheRead: Number(row['r'] ?? 0),
        cacheWrite: Number(row['w'] ?? 0),
      };
    },
  };
}

export const dayOf = (atMs: number): string => new Date(atMs).toISOString().slice(0, 10);
