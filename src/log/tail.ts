// Owns reading the log's end for `logs.tail`: by byte cursor, whole lines only, bounded.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

export type Tail = { cursor: number; size: number; lines: string[]; truncated: boolean; reset: boolean };

/** Without a cursor: the last `limit` lines. With one: what was written since. `reset` says that the file was rotated. */
export function tailLog(file: string, query: { cursor?: number; limit: number; maxBytes: number }): Tail {
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch {
    return { cursor: 0, size: 0, lines: [], truncated: false, reset: false };
  }
  try {
    const size = fstatSync(fd).size;
    const reset = query.cursor !== undefined && query.cursor > size;
    const wanted = query.cursor === undefined || reset ? Math.max(0, size - query.maxBytes) : query.cursor;
    const start = Math.max(wanted, size - query.maxBytes);
    const buffer = Buffer.alloc(size - start);
    const text = buffer.toString('utf8', 0, readSync(fd, buffer, 0, buffer.length, start));
    const end = text.lastIndexOf('\n') + 1;
    const lines = text.slice(0, end).split('\n').slice(0, -1);
    if (start > wanted || (query.cursor === undefined && start > 0)) lines.shift(); // a cut line
    const kept = lines.slice(-query.limit);
    return {
      cursor: start + Buffer.byteLength(text.slice(0, end)),
      size,
      lines: kept,
      truncated: start > wanted || kept.length < lines.length,
      reset,
    };
  } finally {
    closeSync(fd);
  }
}
