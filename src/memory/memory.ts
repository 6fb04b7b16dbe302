// Owns the memory as it is asked and mended: searching, changing one thing at a time, what changed when and by whom, and
// the owner's way back. It decides nothing about who may ask; labels only go up by the owner's own act.
import type { Journal } from '../journal/journal.ts';
import { HardshellError } from '../platform/errors.ts';
import { sha256 } from '../platform/ids.ts';
import type { Root } from '../platform/root.ts';
import { join, type Label, label } from '../store/label.ts';
import type { Store } from '../store/open.ts';
import type { ChangeRow, ChunkRow } from '../store/provenance/memory-rows.ts';
import { isMemoryFile, MAX_MEMORY_BYTES, matchFor } from './files.ts';
import { type Origin, originOf, type Provenance } from './provenance.ts';
import { createUpkeep } from './upkeep.ts';

export type Hit = Omit<ChunkRow, 'atMs'> & {
  /** 0: no day */
  readonly atMs: number;
  readonly origin: Origin;
  readonly label: Label;
};
export type MemoryFile = {
  readonly path: string;
  readonly chars: number;
  /** lines by where they came from; `unknown`: nobody recorded it, such as by the owner's own hand or a command */
  readonly lines: Readonly<Record<Origin | 'unknown', number>>;
  readonly sources: readonly string[];
};
/** What of the memory came from where; `example` is its first line. */
export type Source = {
  readonly source: string;
  readonly origin: Origin | 'unknown';
  readonly path: string;
  readonly lines: number;
  readonly firstLine: number;
  readonly example: string;
};
export type ShownLine = { readonly line: number; readonly text: string; readonly origin: Origin | 'unknown' };
export type Change = Omit<ChangeRow, 'before' | 'after' | 'label'> & {
  readonly origin: Origin;
  readonly sources: readonly string[];
  readonly charsBefore: number | null;
  readonly charsAfter: number | null;
};
export type MemoryPorts = {
  readonly root: Root;
  readonly store: Store;
  readonly provenance: Provenance;
  readonly journal: Pick<Journal, 'record'>;
  readonly now: () => number;
};
export type Memory = ReturnType<typeof createMemory>;

const MAX_HITS = 20;
const HALF_LIFE_MS = 30 * 86_400_000;
const MAX_CHANGES = 100;

export function createMemory({ root, store, provenance, journal, now }: MemoryPorts) {
  const rows = provenance.rows();
  const upkeep = createUpkeep({ root, store, rows, now });
  let last: Promise<unknown> = Promise.resolve();
  /** Two that change the same file at once would lose one change. */
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work, work);
    last = mine.catch(() => {});
    return mine;
  };
  const freshness = (atMs: number): number =>
    atMs === 0 ? 1 : 0.5 + 0.5 * 2 ** (-Math.max(0, now() - atMs) / HALF_LIFE_MS);

  const lineOf = (path: string, whole: string) => {
    const of = provenance.linesOf(path, whole);
    return (text: string) => {
      const { label: found, isUnknown } = of(text);
      return { label: found, origin: isUnknown ? ('unknown' as const) : originOf(found) };
    };
  };
  const readSteering = (path: string): Promise<string> => read(path, STEERING.test(path));
  const read = async (path: string, isAllowed = isMemoryFile(path)): Promise<string> => {
    if (!isAllowed && !isMemoryFile(path)) throw noFile(path);
    const data = await root.tryRead(path, MAX_MEMORY_BYTES);
    if (data === null) throw noFile(path);
    return data.toString('utf8');
  };
  const fileOf = async (path: string): Promise<MemoryFile> => {
    const whole = await read(path).catch(() => '');
    const of = lineOf(path, whole);
    const lines = { owner: 0, agent: 0, untrusted: 0, unknown: 0 };
    let all = label('owner', 'owner');
    for (const text of whole.split('\n')) {
      if (text.trim() === '') continue;
      const { label: one, origin } = of(text);
      lines[origin] += 1;
      all = join(all, one);
    }
    return { path, chars: whole.length, lines, sources: all.sources };
  };
  /** By the owner's hand: what stands there afterwards is only what stood there before. */
  const put = async (path: string, after: string, kind: string, by: object): Promise<number> => {
    const before = await read(path).catch(() => null);
    const id = store.commit(() => {
      journal.record(kind, { path, by });
      const one = { atMs: now(), path, before, after, sessionKey: '', label: label('owner', 'owner') };
      return rows.addChange({ ...one, who: 'owner' });
    });
    await root.replace(path, after);
    await upkeep.refresh();
    return id;
  };

  return {
    alone,
    refresh: upkeep.refresh,
    async search(query: string, limit = 6): Promise<Hit[]> {
      const match = matchFor(query);
      if (match === '') return [];
      await upkeep.refresh();
      const most = Math.min(limit, MAX_HITS);
      const wholes = new Map<string, string>();
      return rows
        .find(match, most * 4)
        .map((row) => ({ row, weight: -row.score * freshness(row.atMs) }))
        .sort((a, b) => b.weight - a.weight)
        .slice(0, most)
        .map(({ row: { score: _, ...row } }) => {
          const whole = wholes.get(row.path) ?? rows.contentOf(row.path) ?? '';
          wholes.set(row.path, whole);
          const found = provenance.labelOfLines(row.path, row.text.split('\n'), whole);
          return { ...row, label: found, origin: originOf(found) };
        });
    },
    async files(): Promise<MemoryFile[]> {
      await upkeep.refresh();
      return Promise.all(rows.files().map(({ path }) => fileOf(path)));
    },
    /** For looking for poison: everything by where it came from, what comes from outside first. */
    async sources(): Promise<Source[]> {
      await upkeep.refresh();
      const found = new Map<string, Source>();
      for (const { path } of rows.files()) {
        const whole = await read(path).catch(() => '');
        const of = lineOf(path, whole);
        for (const [index, text] of whole.split('\n').entries()) {
          if (text.trim() === '') continue;
          const { label: one, origin } = of(text);
          for (const source of one.sources.length === 0 ? [origin] : one.sources) {
            const key = [origin, source, path].join('\n');
            const known = found.get(key);
            const first = { source, origin, path, lines: 0, firstLine: index + 1, example: text.trim().slice(0, 200) };
            found.set(key, { ...(known ?? first), lines: (known?.lines ?? 0) + 1 });
          }
        }
      }
      const rank = ({ origin }: Source): number => ORDER.indexOf(origin);
      return [...found.values()].sort((a, b) => rank(a) - rank(b));
    },
    async show(path: string): Promise<{ readonly hash: string; readonly lines: readonly ShownLine[] }> {
      const whole = await readSteering(path);
      const of = lineOf(path, whole);
      const lines = whole.split('\n');
      if (lines.at(-1) === '') lines.pop();
      return {
        hash: sha256(whole),
        lines: lines.map((text, index) => ({
          line: index + 1,
          text,
          origin: text.trim() === '' ? 'owner' : of(text).origin,
        })),
      };
    },
    /** The newest first. */
    async changes(): Promise<Change[]> {
      await upkeep.refresh();
      return rows.changes(MAX_CHANGES).map(changeOf);
    },
    change(id: number): { readonly change: Change; readonly before: string | null; readonly after: string | null } {
      const found = changeBy(id);
      return { change: changeOf(found), before: found.before, after: found.after };
    },
    revert: (id: number, isForced: boolean, by: object): Promise<{ path: string; changeId: number }> =>
      alone(async () => {
        await upkeep.refresh();
        const { path, before, after } = changeBy(id);
        const current = await read(path).catch(() => null);
        if (!isForced && (current ?? '') !== (after ?? ''))
          throw refused(
            'CHANGED_SINCE',
            `${path} was changed again since change ${id}`,
            `openclaw memory revert ${id} --force takes back what came later too; openclaw memory forget removes one thing`,
          );
        return { path, changeId: await put(path, before ?? '', 'memory.reverted', by) };
      }),
    /** Every line with the text in it, or the lines of a chunk (`#12`). */
    forget: (what: string, by: object): Promise<{ path: string; lines: number; changeId: number }[]> =>
      alone(async () => {
        await upkeep.refresh();
        const chunk = /^#\d{1,15}$/.test(what) ? rows.chunk(Number(what.slice(1))) : null;
        if (what.startsWith('#') && chunk === null)
          throw refused('NO_SUCH_CHUNK', `there is no chunk ${what}`, 'openclaw memory search WORDS', 404);
        if (chunk === null && what.trim().length < 3)
          throw refused('TOO_SHORT', 'that would remove too much', 'name at least 3 characters');
        const done: { path: string; lines: number; changeId: number }[] = [];
        for (const { path } of rows.files()) {
          if (chunk !== null && chunk.path !== path) continue;
          const lines = (await read(path)).split('\n');
          const isGone = (line: string, index: number): boolean =>
            chunk === null
              ? line.toLowerCase().includes(what.toLowerCase())
              : index + 1 >= chunk.firstLine && index + 1 <= chunk.lastLine;
          const kept = lines.filter((line, index) => !isGone(line, index));
          if (kept.length === lines.length) continue;
          const changeId = await put(path, kept.join('\n'), 'memory.forgotten', by);
          done.push({ path, lines: lines.length - kept.length, changeId });
        }
        return done;
      }),
    /** From now on all of the file as it is now is the owner's word. `hash` of what the owner was shown. */
    trust: (path: string, hash: string, by: object): Promise<{ path: string; chars: number }> =>
      alone(async () => {
        const text = await readSteering(path);
        if (sha256(text) !== hash)
          throw refused('CHANGED_SINCE', `${path} is not what was shown any more`, `openclaw memory trust ${path}`);
        provenance.raise(path, text);
        journal.record('memory.trusted', { path, chars: text.length, by });
        return { path, chars: text.length };
      }),
  };

  function changeBy(id: number): ChangeRow {
    const found = rows.change(id);
    if (found === null) throw refused('NO_SUCH_CHANGE', `there is no change ${id}`, 'openclaw memory changes', 404);
    return found;
  }
}

const ORDER: readonly string[] = ['untrusted', 'unknown', 'agent', 'owner'];
const STEERING = /^(AGENTS|SOUL|IDENTITY)\.md$/;
const changeOf = ({ before, after, label: { sources, ...rest }, ...one }: ChangeRow): Change => ({
  ...one,
  origin: originOf({ sources, ...rest }),
  sources,
  charsBefore: before?.length ?? null,
  charsAfter: after?.length ?? null,
});

const noFile = (path: string): HardshellError =>
  refused(
    'NO_SUCH_MEMORY',
    `${JSON.stringify(path.slice(0, 120))} is no file of the memory`,
    'openclaw memory list',
    404,
  );

function refused(code: string, message: string, fix: string, httpStatus = 409): HardshellError {
  return new HardshellError({ code, message, fix, httpStatus });
}
