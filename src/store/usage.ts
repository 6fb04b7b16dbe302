// Owns the count of tokens a day and model.
import type { Store } from './open.ts';

export type TokenCount = {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
};
export const NO_TOKENS: TokenCount = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };

/** Tokens of all kinds, and millionths of a dollar. */
export type Amount = { readonly tokens: number; readonly microusd: number };
const AMOUNT =
  'coalesce(sum(input + output + cache_read + cache_write), 0) AS tokens, coalesce(sum(microusd), 0) AS microusd';
const amountOf = (row: Readonly<Record<string, unknown>> | undefined): Amount => ({
  tokens: Number(row?.['tokens'] ?? 0),
  microusd: Number(row?.['microusd'] ?? 0),
});

export type UsageTable = ReturnType<typeof openUsage>;

export function openUsage(store: Store) {
  const add =
    store.prepare(`INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET input = input + excluded.input,
    output = output + excluded.output, cache_read = cache_read + excluded.cache_read, cache_write = cache_write + excluded.cache_write,
    microusd = microusd + excluded.microusd`);
  const amount = store.prepare(`SELECT ${AMOUNT} FROM usage WHERE day >= ? AND substr(model, 1, length(?)) = ?`);
  const byDay = store.prepare(`SELECT day, ${AMOUNT} FROM usage WHERE day >= ? GROUP BY day ORDER BY day`);
  const byModel = store.prepare(
    `SELECT model, ${AMOUNT} FROM usage WHERE day >= ? GROUP BY model ORDER BY microusd DESC, tokens DESC`,
  );
  const bySender =
    store.prepare(`SELECT person, sum(tokens) AS tokens, sum(microusd) AS microusd FROM spending WHERE day >= ?
    GROUP BY person HAVING sum(tokens) > 0 ORDER BY microusd DESC, tokens DESC LIMIT 20`);
  const bySession =
    store.prepare(`SELECT key, input + output + cache_read + cache_write AS tokens, microusd FROM sessions
    WHERE tokens > 0 ORDER BY microusd DESC, tokens DESC LIMIT ?`);
  const sum = store.prepare(
    'SELECT sum(input) AS i, sum(output) AS o, sum(cache_read) AS r, sum(cache_write) AS w FROM usage WHERE day >= ?',
  );
  return {
    add: (day: string, model: string, t: TokenCount, microusd: number): void =>
      void add.run(day, model, t.input, t.output, t.cacheRead, t.cacheWrite, microusd),
    /** `provider`: of its models alone. */
    amountSince: (day: string, provider = ''): Amount => {
      const prefix = provider === '' ? '' : `${provider}/`;
      return amountOf(amount.get(day, prefix, prefix));
    },
    byDay: (day: string) => byDay.all(day).map((row) => ({ day: String(row['day']), ...amountOf(row) })),
    byModel: (day: string) => byModel.all(day).map((row) => ({ model: String(row['model']), ...amountOf(row) })),
    bySender: (day: string) => bySender.all(day).map((row) => ({ sender: String(row['person']), ...amountOf(row) })),
    bySession: (most: number) => bySession.all(most).map((row) => ({ session: String(row['key']), ...amountOf(row) })),
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
