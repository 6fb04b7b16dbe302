// Owns the journal: an append-only, hash-chained record of every grant, decision, call and approval. Entries ride in the
// transaction of the thing that they describe; nothing in it is ever changed, and no secret or message text is in it.
import type { Store } from '../store/open.ts';
import { BROKEN, chain, OPENED } from './chain.ts';
import { type Head, headPathOf, readHead, writeHead } from './head.ts';

export type Journal = ReturnType<typeof openJournal>;

/** How far the head may lag behind: what a crash takes with it is then not missed. */
const HEAD_LAG_MS = 3_000;

/** `isRiding`: of the thing that the running transaction does, and gone with it. */
type Entry = { readonly atMs: number; readonly kind: string; readonly body: string; readonly isRiding: boolean };

export function openJournal(store: Store, now: () => number) {
  const insert = store.prepare('INSERT INTO journal (seq, at, kind, body, hash) VALUES (?, ?, ?, ?, ?)');
  const last = store.prepare('SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1').get();
  let seq = Number(last?.['seq'] ?? 0);
  let hash = String(last?.['hash'] ?? '');
  let waiting: Entry[] = [];
  let pending: (() => void) | null = null;
  const head = keepHead(store, () => ({ seq, hash }));
  const broken = breakIn(store, head.found, { seq, hash });

  store.beforeCommit(() => {
    if (waiting.length === 0) return;
    // What the head knows that the journal does not is proof, until it is written down.
    if (broken === null) head.open();
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
      head.follow(broken !== null);
    };
  });
  store.afterCommit(() => {
    pending?.();
    pending = null;
  });
  store.afterRollback(() => {
    pending = null;
    // What did not happen is not told; what waited for the transaction did.
    waiting = waiting.filter(({ isRiding }) => !isRiding);
  });
  store.onClose(head.close);

  let isNew = head.found === null && broken === null;
  const record = (kind: string, body: Record<string, unknown>): void => {
    if (isNew) waiting.push({ atMs: now(), kind: OPENED, body: JSON.stringify({ after: seq }), isRiding: false });
    isNew = false;
    waiting.push({ atMs: now(), kind, body: JSON.stringify(body), isRiding: store.db.isTransaction });
    store.defer(() => {});
  };
  if (broken !== null) record(BROKEN, broken);

  return {
    /** Durable with the next commit, which this asks for within 250 ms; nothing can become durable before it. */
    record,
    /** where the head is kept */
    headPath: head.path,
  };
}

/** The head on the disk: opened before the first entry, following a little late, closed with the database. */
function keepHead(store: Store, current: () => Pick<Head, 'seq' | 'hash'>) {
  const path = headPathOf(store.path);
  const found = readHead(path);
  let isOpen = false;
  let timer: NodeJS.Timeout | undefined;
  const write = (open: boolean): void => writeHead(path, { ...current(), isOpen: open });
  const attempt = (open = true): void => {
    try {
      write(open);
      isOpen = true;
    } catch {
      // It is behind, and follows with the next entry.
    }
  };
  return {
    path,
    found,
    /** Throws when it cannot be written: then nothing else may be. */
    open(): void {
      if (isOpen) return;
      write(true);
      isOpen = true;
    },
    /** `isBehind`: it is opened only now */
    follow(isBehind: boolean): void {
      if (isBehind && !isOpen) attempt();
      timer ??= setTimeout(() => {
        timer = undefined;
        attempt();
      }, HEAD_LAG_MS).unref();
    },
    close(): void {
      clearTimeout(timer);
      if (isOpen) attempt(false);
    },
  };
}

/** What the last one that wrote left, and what is there. Once it is followed again, nobody could tell. */
function breakIn(store: Store, head: Head | null, last: { readonly seq: number; readonly hash: string }) {
  const found = { found: last.seq, expected: head?.seq ?? null };
  if (head === null) {
    const isKnown = last.seq > 0 && store.prepare('SELECT 1 FROM journal WHERE kind = ? LIMIT 1').get(OPENED);
    return isKnown ? { what: 'the head beside the database was gone', ...found } : null;
  }
  if (head.seq > last.seq)
    return { what: `the journal ended at ${last.seq} and its head knew ${shown(head.seq)}`, ...found };
  const there = store.prepare('SELECT hash FROM journal WHERE seq = ?').get(head.seq)?.['hash'] ?? '';
  if (there !== head.hash) return { what: `record ${head.seq} was not the one that the head knew`, ...found };
  if (!head.isOpen && last.seq > head.seq)
    return { what: `${last.seq - head.seq} records were there that no program of ours had written`, ...found };
  return null;
}

const shown = (seq: number): string => (seq === Number.MAX_SAFE_INTEGER ? 'nothing that can be read' : String(seq));
