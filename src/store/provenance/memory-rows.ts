// Owns the tables of the memory: its files as they were last seen, their chunks with the index of words, and every change.
// What is in here is derived from the files, or is a past of them; it must never be written back by itself.
import { fromColumns, type Label, type LabelColumns, toColumns } from '../label.ts';
import type { Store } from '../open.ts';

export type ChunkRow = {
  readonly id: number;
  readonly path: string;
  readonly firstLine: number;
  readonly lastLine: number;
  readonly text: string;
  readonly atMs: number;
};
/** `who`: the assistant, the owner by a command, or somebody outside: an editor, a command of the assistant. */
export type ChangeRow = {
  readonly id: number;
  readonly atMs: number;
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
  readonly who: 'assistant' | 'owner' | 'outside';
  readonly sessionKey: string;
  readonly label: Label;
};
export type MemoryRows = ReturnType<typeof openMemoryRows>;

const CHUNK = 'memory_chunks.id, path, first_line, last_line, memory_chunks.text, at';
/** So many changes are kept, and so much of them. */
const MAX_CHANGES = 500;
const MAX_CHANGE_CHARS = 16_000_000;

export function openMemoryRows(store: Store) {
  const files = store.prepare('SELECT path, stamp FROM memory_files ORDER BY path');
  const file = store.prepare('SELECT stamp, content FROM memory_files WHERE path = ?');
  const putFile = store.prepare('INSERT OR REPLACE INTO memory_files (path, stamp, content) VALUES (?, ?, ?)');
  const dropFile = store.prepare('DELETE FROM memory_files WHERE path = ?');
  const dropWords = store.prepare(
    'DELETE FROM memory_words WHERE rowid IN (SELECT id FROM memory_chunks WHERE path = ? LIMIT ?)',
  );
  const dropChunks = store.prepare(
    'DELETE FROM memory_chunks WHERE id IN (SELECT id FROM memory_chunks WHERE path = ? LIMIT ?)',
  );
  const addChunk = store.prepare(
    'INSERT INTO memory_chunks (path, first_line, last_line, text, at) VALUES (?, ?, ?, ?, ?)',
  );
  const addWords = store.prepare('INSERT INTO memory_words (rowid, text) VALUES (?, ?)');
  const byId = store.prepare(`SELECT ${CHUNK} FROM memory_chunks WHERE id = ?`);
  const ofPath = store.prepare(`SELECT ${CHUNK} FROM memory_chunks WHERE path = ? ORDER BY id`);
  const found = store.prepare(`SELECT ${CHUNK}, score FROM
    (SELECT rowid AS hit, rank AS score FROM memory_words WHERE memory_words MATCH ? ORDER BY rank LIMIT ?)
    JOIN memory_chunks ON memory_chunks.id = hit`);
  const addChange =
    store.prepare(`INSERT INTO memory_changes (at, path, before, after, who, session, integrity, readers, sources)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const changes = store.prepare('SELECT * FROM memory_changes ORDER BY id DESC LIMIT ?');
  const lastOf = store.prepare('SELECT * FROM memory_changes WHERE path = ? ORDER BY id DESC LIMIT 1');
  const change = store.prepare('SELECT * FROM memory_changes WHERE id = ?');
  const prune = store.prepare(`DELETE FROM memory_changes WHERE id <= (SELECT coalesce(max(id), 0) FROM (
    SELECT id, row_number() OVER (ORDER BY id DESC) AS n,
      sum(coalesce(length(before), 0) + coalesce(length(after), 0)) OVER (ORDER BY id DESC) AS chars
    FROM memory_changes) WHERE n > ? OR chars > ?)`);

  return {
    files: (): { path: string; stamp: string }[] =>
      files.all().map((row) => ({ path: String(row['path']), stamp: String(row['stamp']) })),
    /** as it was last seen, or null */
    contentOf: (path: string): string | null => (file.get(path)?.['content'] as string | undefined) ?? null,
    putFile: (path: string, stamp: string, content: string): void => void putFile.run(path, stamp, content),
    dropFile: (path: string): void => void dropFile.run(path),
    /** At most `limit` of them; says how many were there. */
    dropChunks(path: string, limit: number): number {
      dropWords.run(path, limit);
      return Number(dropChunks.run(path, limit).changes);
    },
    /** `words`: the text as it is to be found */
    addChunk(chunk: Omit<ChunkRow, 'id'>, words: string): void {
      const { path, firstLine, lastLine, text, atMs } = chunk;
      const { lastInsertRowid } = addChunk.run(path, firstLine, lastLine, text, atMs);
      addWords.run(lastInsertRowid, words);
    },
    chunk: (id: number): ChunkRow | null => {
      const row = byId.get(id);
      return row ? chunkOf(row) : null;
    },
    chunksOf: (path: string): ChunkRow[] => ofPath.all(path).map(chunkOf),
    /** The best first; the smaller the score, the better. */
    find: (match: string, limit: number): (ChunkRow & { score: number })[] =>
      found.all(match, limit).map((row) => ({ ...chunkOf(row), score: Number(row['score']) })),
    addChange(one: Omit<ChangeRow, 'id'>): number {
      const { integrity, readers, sources } = toColumns(one.label);
      const where = [one.atMs, one.path, one.before, one.after, one.who, one.sessionKey] as const;
      const id = Number(addChange.run(...where, integrity, readers, sources).lastInsertRowid);
      prune.run(MAX_CHANGES, MAX_CHANGE_CHARS);
      return id;
    },
    /** the newest first */
    changes: (limit: number): ChangeRow[] => changes.all(limit).map(changeOf),
    lastChange: (path: string): ChangeRow | null => {
      const row = lastOf.get(path);
      return row ? changeOf(row) : null;
    },
    change: (id: number): ChangeRow | null => {
      const row = change.get(id);
      return row ? changeOf(row) : null;
    },
  };
}

type Row = Record<string, unknown>;
const chunkOf = (row: Row): ChunkRow => ({
  id: Number(row['id']),
  path: String(row['path']),
  firstLine: Number(row['first_line']),
  lastLine: Number(row['last_line']),
  text: String(row['text']),
  atMs: Number(row['at']),
});
const changeOf = (row: Row): ChangeRow => ({
  id: Number(row['id']),
  atMs: Number(row['at']),
  path: String(row['path']),
  before: row['before'] as string | null,
  after: row['after'] as string | null,
  who: row['who'] as ChangeRow['who'],
  sessionKey: String(row['session']),
  label: fromColumns(row as unknown as LabelColumns),
});
