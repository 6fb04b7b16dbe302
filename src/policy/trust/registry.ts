// Owns the registry of trust: whom and what the owner has confirmed, so that reaching it needs no naming. Changed only by
// surfaces of the owner, never by a tool; each change is journalled with who made it.
import type { Journal } from '../../journal/journal.ts';
import { type HardshellError, misused } from '../../platform/errors.ts';
import type { Store } from '../../store/open.ts';
import type { TrustedRow, TrustedTable } from '../../store/people/trusted.ts';
import { entryOf, requireEntry, type TrustKind } from './entry.ts';

export type Wanted = { readonly kind: TrustKind; readonly value: string; readonly name: string };
export type TrustAnswer = {
  readonly entries: readonly TrustedRow[];
  /** people who were let in and are not in it */
  readonly candidates: readonly Wanted[];
};
export type RegistryPorts = {
  readonly store: Store;
  readonly table: TrustedTable;
  readonly journal: Pick<Journal, 'record'>;
  readonly now: () => number;
  /** the chats of people who were let in */
  paired(): readonly {
    readonly channel: string;
    readonly account: string;
    readonly chat: string;
    readonly title: string;
  }[];
};

/** More than any address book; the whole of it is compared with at each act that reaches out. */
const MAX_ENTRIES = 20_000;
const MAX_NAME_CHARS = 120;
/** Of one act; the rest is counted. */
const MAX_NAMED = 20;

export type Registry = ReturnType<typeof createRegistry>;

export function createRegistry({ store, table, journal, now, paired }: RegistryPorts) {
  let rows = table.all();
  let flow = flowOf(rows);
  const reread = (): void => {
    rows = table.all();
    flow = flowOf(rows);
  };
  return {
    /** as the rules of information flow take it; the same value until something changes */
    flow: (): Readonly<Record<string, readonly string[]>> => flow,
    list(): TrustAnswer {
      const known = new Set(rows.map(({ kind, value }) => `${kind} ${value}`));
      const candidates = paired().flatMap(({ channel, account, chat, title }): Wanted[] => {
        const entry = chat === '' ? null : entryOf('chat', `${channel}:${account}:${chat}`);
        return entry === null || known.has(`chat ${entry.value}`) ? [] : [{ ...entry, name: nameOf(title) }];
      });
      return { entries: rows, candidates };
    },
    /** All or none. What is there already stays as it is. */
    add(
      wanted: readonly Wanted[],
      by: object,
      from: string,
    ): { readonly added: readonly Wanted[]; readonly known: number } {
      const entries = new Map(
        wanted.map(({ kind, value, name }) => {
          const entry = { ...requireEntry(kind, value), name: nameOf(name) };
          return [`${kind} ${entry.value}`, entry] as const;
        }),
      );
      if (rows.length + entries.size > MAX_ENTRIES) throw full();
      const added = store.commit(() => {
        const fresh = [...entries.values()].filter((entry) =>
          table.insert({ ...entry, addedAtMs: now(), addedBy: from }),
        );
        const named = fresh.slice(0, MAX_NAMED).map(({ kind, value }) => `${kind} ${value}`);
        if (fresh.length > 0) journal.record('trust.added', { entries: named, count: fresh.length, from, by });
        return fresh;
      });
      reread();
      return { added, known: entries.size - added.length };
    },
    /** By its value, however it is written; false when it is not in it. */
    remove(written: string, by: object): readonly TrustedRow[] {
      const gone = rows.filter(
        ({ kind, value }) => value === written || entryOf(kind as TrustKind, written)?.value === value,
      );
      if (gone.length === 0) return [];
      store.commit(() => {
        for (const { kind, value } of gone) {
          table.remove(kind, value);
          journal.record('trust.removed', { entry: `${kind} ${value}`, by });
        }
      });
      reread();
      return gone;
    },
  };
}

/** Without what a terminal or a list could take for something else. */
const nameOf = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\s]+/gu, ' ').trim().slice(0, MAX_NAME_CHARS).toWellFormed(); // biome-ignore format: one chain

function flowOf(rows: readonly TrustedRow[]): Readonly<Record<string, readonly string[]>> {
  const byKind: Record<string, string[]> = {};
  for (const { kind, value } of rows) {
    const same = byKind[kind] ?? [];
    same.push(...spellingsOf(kind, value));
    byKind[kind] = same;
  }
  return byKind;
}

/** A chat of the first account is also written with its account. */
function spellingsOf(kind: string, value: string): string[] {
  const [channel = '', ...rest] = value.split(':');
  return kind === 'chat' && rest.length === 1 ? [value, `${channel}:default:${rest[0]}`] : [value];
}

const full = (): HardshellError =>
  misused(
    'TRUST_FULL',
    `the registry holds at most ${MAX_ENTRIES} entries`,
    'openclaw trust list, then openclaw trust remove',
  );
