// Owns the sessions table: one row a conversation, rewritten with every finished turn.
import { fromColumns, type Label, type LabelColumns, toColumns } from './label.ts';
import type { Store } from './open.ts';
import type { TokenCount } from './usage.ts';

export type SessionRecord = {
  readonly key: string;
  readonly transcript: number;
  readonly agent: string;
  readonly channel: string;
  readonly label: string | null;
  readonly title: string;
  readonly preview: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly messageCount: number;
  readonly modelOverride: string | null;
  readonly model: string;
  readonly contextTokens: number;
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  /** what it has cost, in millionths of a dollar */
  readonly microusd: number;
  readonly archived: boolean;
  readonly pinned: boolean;
  /** join of everything in its context */
  readonly context: Label;
};

export type Sessions = ReturnType<typeof openSessions>;

export function openSessions(store: Store) {
  const get = store.prepare('SELECT * FROM sessions WHERE key = ?');
  const all = store.prepare('SELECT * FROM sessions');
  const put =
    store.prepare(`INSERT OR REPLACE INTO sessions (key, transcript, agent, channel, label, title, preview, created_at, updated_at,
    message_count, model_override, model, context_tokens, input, output, cache_read, cache_write, archived, pinned, integrity, readers, sources, microusd)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const spend = store.prepare(`UPDATE sessions SET input = input + ?, output = output + ?, cache_read = cache_read + ?,
    cache_write = cache_write + ?, microusd = microusd + ? WHERE key = ?`);
  const remove = store.prepare('DELETE FROM sessions WHERE key = ?');
  const count = store.prepare('SELECT count(*) AS n FROM sessions');
  return {
    get(key: string): SessionRecord | null {
      const row = get.get(key);
      return row ? read(row) : null;
    },
    all: (): SessionRecord[] => all.all().map(read),
    put(s: SessionRecord): void {
      const l = toColumns(s.context);
      put.run(s.key, s.transcript, s.agent, s.channel, s.label, s.title, s.preview, s.createdAtMs, s.updatedAtMs, s.messageCount, s.modelOverride,
        s.model, s.contextTokens, s.input, s.output, s.cacheRead, s.cacheWrite, Number(s.archived), Number(s.pinned), l.integrity, l.readers, l.sources, s.microusd); // biome-ignore format: one row a line
    },
    spend: (key: string, t: TokenCount, microusd: number): void =>
      void spend.run(t.input, t.output, t.cacheRead, t.cacheWrite, microusd, key),
    remove: (key: string): boolean => remove.run(key).changes === 1,
    count: (): number => Number(count.get()?.['n'] ?? 0),
  };
}

function read(row: Record<string, unknown>): SessionRecord {
  const text = (name: string): string => String(row[name]);
  const number = (name: string): number => Number(row[name]);
  return {
    key: text('key'),
    transcript: number('transcript'),
    agent: text('agent'),
    channel: text('channel'),
    label: row['label'] === null ? null : text('label'),
    title: text('title'),
    preview: text('preview'),
    createdAtMs: number('created_at'),
    updatedAtMs: number('updated_at'),
    messageCount: number('message_count'),
    modelOverride: row['model_override'] === null ? null : text('model_override'),
    model: text('model'),
    contextTokens: number('context_tokens'),
    input: number('input'),
    output: number('output'),
    cacheRead: number('cache_read'),
    cacheWrite: number('cache_write'),
    microusd: number('microusd'),
    archived: number('archived') === 1,
    pinned: number('pinned') === 1,
    context: fromColumns(row as LabelColumns),
  };
}
