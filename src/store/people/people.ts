// Owns what is known of people who were let in: where and when each wrote last, and what each used up today. Never of
// strangers: of them nothing is kept but a request, if they asked.
import type { Store } from '../open.ts';
import { dayOf } from '../usage.ts';

export type SeenPerson = {
  readonly channel: string;
  readonly account: string;
  readonly person: string;
  /** their direct chat, or '' when they only wrote in groups */
  readonly chat: string;
  readonly title: string;
  readonly standing: string;
  readonly lastSeenAtMs: number;
};
export type Spent = { readonly messages: number; readonly tokens: number; readonly microusd: number };

export type People = ReturnType<typeof openPeople>;

export function openPeople(store: Store) {
  const put = store.prepare(`INSERT INTO people VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    chat = CASE WHEN excluded.chat = '' THEN chat ELSE excluded.chat END, title = excluded.title, standing = excluded.standing,
    last_seen_at = excluded.last_seen_at`);
  const all = store.prepare('SELECT * FROM people ORDER BY last_seen_at DESC LIMIT 1000');
  const spend = store.prepare(`INSERT INTO spending VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    messages = messages + excluded.messages, tokens = tokens + excluded.tokens, microusd = microusd + excluded.microusd`);
  const spent = store.prepare('SELECT messages, tokens, microusd FROM spending WHERE day = ? AND person = ?');
  const prune = store.prepare('DELETE FROM spending WHERE day < ?');
  return {
    /** Inside a transaction. */
    saw: (p: SeenPerson): void =>
      void put.run(p.channel, p.account, p.person, p.chat, p.title, p.standing, p.lastSeenAtMs),
    all: (): SeenPerson[] =>
      all.all().map((row) => ({
        channel: String(row['channel']),
        account: String(row['account']),
        person: String(row['person']),
        chat: String(row['chat']),
        title: String(row['title']),
        standing: String(row['standing']),
        lastSeenAtMs: Number(row['last_seen_at']),
      })),
    /** Inside a transaction; `person` with its channel, such as `telegram:123`. */
    spend: (person: string, atMs: number, { messages, tokens, microusd }: Spent): void =>
      void spend.run(dayOf(atMs), person, messages, tokens, microusd),
    /** What was used up on days before this. */
    pruneBefore: (atMs: number): void => void prune.run(dayOf(atMs)),
    spent(person: string, atMs: number): Spent {
      const row = spent.get(dayOf(atMs), person);
      return {
        messages: Number(row?.['messages'] ?? 0),
        tokens: Number(row?.['tokens'] ?? 0),
        microusd: Number(row?.['microusd'] ?? 0),
      };
    },
  };
}
