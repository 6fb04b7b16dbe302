// Owns the labels of files by their content, and of the lines of the memory: whatever was written under a label is read back
// at or below it (trust.md invariant 6). Writing only ever lowers one; raising is an act of the owner and has its own name.
import { sha256 } from '../../platform/ids.ts';
import { fromColumns, join, type Label, type LabelColumns, toColumns } from '../label.ts';
import type { Store } from '../open.ts';

/** Read by a look from beside as well. */
export type Rows = Pick<Store, 'prepare'>;
export type ContentLabels = ReturnType<typeof openContentLabels>;

const LABEL = 'integrity, readers, sources';

export function openContentLabels(store: Rows) {
  const get = store.prepare(`SELECT ${LABEL} FROM content_labels WHERE hash = ?`);
  const put = store.prepare(`INSERT INTO content_labels (hash, path, at, ${LABEL}) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET integrity = excluded.integrity, readers = excluded.readers, sources = excluded.sources`);
  const getLine = store.prepare(`SELECT ${LABEL} FROM memory_lines WHERE path = ? AND hash = ?`);
  const putLine = store.prepare(`INSERT INTO memory_lines (path, hash, at, ${LABEL}) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET integrity = excluded.integrity, readers = excluded.readers, sources = excluded.sources`);
  const distinct = store.prepare(`SELECT DISTINCT ${LABEL} FROM content_labels`);
  const read = (row: unknown): Label | null => (row === undefined ? null : fromColumns(row as LabelColumns));
  const write = (statement: typeof put, keys: readonly string[], atMs: number, label: Label): void => {
    const { integrity, readers, sources } = toColumns(label);
    statement.run(keys[0] ?? '', keys[1] ?? '', atMs, integrity, readers, sources);
  };
  const of = (data: Buffer | string): Label | null => read(get.get(sha256(data)));
  const ofLine = (path: string, line: string): Label | null => read(getLine.get(path, sha256(line.trim())));
  const lower = (known: Label | null, label: Label): Label => (known === null ? label : join(known, label));
  return {
    /** null: nobody has written this here, as far as is known */
    of,
    ofLine,
    /** each once, of all that was ever written */
    all: (): Label[] => distinct.all().map((row) => fromColumns(row as unknown as LabelColumns)),
    note: (data: Buffer | string, path: string, atMs: number, label: Label): void =>
      write(put, [sha256(data), path], atMs, lower(of(data), label)),
    noteLine: (path: string, line: string, atMs: number, label: Label): void =>
      write(putLine, [path, sha256(line.trim())], atMs, lower(ofLine(path, line), label)),
    /** only by an explicit act of the owner */
    raise: (data: Buffer | string, path: string, atMs: number, label: Label): void =>
      write(put, [sha256(data), path], atMs, label),
    raiseLine: (path: string, line: string, atMs: number, label: Label): void =>
      write(putLine, [path, sha256(line.trim())], atMs, label),
  };
}
