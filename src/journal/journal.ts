// Owns the journal: an append-only, hash-chained record of every grant, decision, call and approval. Entries ride in the
// transaction of the thing that they describe; nothing in it is ever changed, and no secret or message text is in it.
import { createHash } from 'node:crypto';
import type { Store } from '../store/open.ts';

export type Journal = ReturnType<typeof openJournal>;

export function openJournal(store: Store, now: () => number) {
  const insert = store.prepare('INSERT INTO journal (seq, at, kind, body, hash) VALUES (?, ?, ?, ?, ?)');
  const last = store.prepare('SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1').get();
  const page = store.prepare('SELECT seq, at, kind, body, hash FROM journal WHERE seq > ? ORDER BY seq LIMIT ?');
  let seq = Number(last?.['seq'] ?? 0);
  let hash = String(last?.['hash'] ?? '');
  let waiting: { atMs: number; kind: string; body: string }[] = [];

  store.beforeCommit(() => {
    // Kept until the transaction is through: a rolled-back entry must be written again, with the same chain.
    let [nextSeq, nextHash] = [seq, hash];
    for (const entry of waiting) {
      nextSeq += 1;
      nextHash = chain(nextHash, nextSeq, entry.atMs, entry.kind, entry.body);
      insert.run(nextSeq, entry.atMs, entry.kind, entry.body, nextHash);
    }
    const written = waiting.length;
    pending = () => {
      [seq, hash] = [nextSeq, nextHash];
      waiting = waiting.slice(written);
    };
  });
  let pending: (() => void) | null = null;
  store.afterCommit(() => {
    pending?.();
    pending = null;
  });

  return {
    /** Durable with the next commit, which this asks for within 250 ms; nothing can become durable before it. */
    record(kind: string, body: Record<string, unknown>): void {
      waiting.push({ atMs: now(), kind, body: JSON.stringify(body) });
      store.defer(() => {});
    },
    /** The first entry whose hash does not follow from the one before it, or null when the chain holds. */
    firstBroken(): number | null {
      let previous = '';
      for (let after = 0; ; ) {
        const rows = page.all(after, 1_000);
        if (rows.length === 0) return null;
        for (const row of rows) {
          const n = Number(row['seq']);
          const expected = chain(previous, n, Number(row['at']), String(row['kind']), String(row['body']));
          if (n !== after + 1 || row['hash'] !== expected) return n;
          previous = expected;
          after = n;
        }
      }
    },
  };
}

const chain = (previous: string, seq: number, atMs: number, kind: string, body: string): string =>
  createHash('sha256')
    .update(JSON.stringify([previous, seq, atMs, kind, body]))
    .digest('base64url');
