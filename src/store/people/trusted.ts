// Owns the table of the owner's people, chats, hosts and accounts. Rows come from acts of the owner alone.
import type { Store } from '../open.ts';
import type { Grant } from './pairing.ts';
import type { SeenPerson } from './people.ts';

export type TrustedRow = {
  readonly kind: string;
  readonly value: string;
  /** what the owner calls it; '' when nothing */
  readonly name: string;
  /** who added it, and from where */
  readonly addedBy: string;
  readonly addedAtMs: number;
};

export type TrustedTable = ReturnType<typeof openTrusted>;

export function openTrusted(store: Store) {
  const insert = store.prepare('INSERT INTO trusted VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING');
  const remove = store.prepare('DELETE FROM trusted WHERE kind = ? AND value = ?');
  const all = store.prepare('SELECT * FROM trusted ORDER BY kind, value');
  return {
    all: (): TrustedRow[] =>
      all.all().map((row) => ({
        ...{ kind: String(row['kind']), value: String(row['value']), name: String(row['name']) },
        ...{ addedBy: String(row['added_by']), addedAtMs: Number(row['added_at']) },
      })),
    /** False when it is there already. Inside a transaction. */
    insert: (row: TrustedRow): boolean =>
      insert.run(row.kind, row.value, row.name, row.addedBy, row.addedAtMs).changes === 1,
    remove: (kind: string, value: string): boolean => remove.run(kind, value).changes === 1,
  };
}

/** Where people write to us who were let in for good. */
export function pairedChats(grants: readonly Grant[], people: readonly SeenPerson[]) {
  return grants.flatMap(({ kind, role, channel, account, subject, title }) => {
    if (kind !== 'person' || role === 'guest') return [];
    const seen = people.find((one) => one.channel === channel && one.account === account && one.person === subject);
    return seen === undefined || seen.chat === '' ? [] : [{ channel, account, chat: seen.chat, title }];
  });
}
