// Owns the checkpoints of the workspace: one before a turn's first change, one at its end, and the way back from there. It
// does one thing at a time; an undo is a turn of its own, so that it can be undone.

import { join } from 'node:path';
import { HardshellError } from '../../platform/errors.ts';
import type { Owner } from '../../platform/folder-handle.ts';
import { newId } from '../../platform/ids.ts';
import { openObjects } from '../../platform/tree/objects.ts';
import { setMode } from '../../platform/tree/put.ts';
import { applySteps } from './apply.ts';
import { changed, decode, type Entry, encode, type Manifest } from './manifest.ts';
import { type Left, type Plan, planUndo } from './plan.ts';
import { type Change, describe } from './preview.ts';
import { pruneRecords } from './prune.ts';
import { openRecords, type TurnRecord } from './records.ts';
import { scan } from './scan.ts';

export type CheckpointOptions = {
  /** below the state folder */
  readonly folder: string;
  /** the workspace, as a real path */
  readonly top: string;
  readonly owner?: Owner;
  readonly now: () => number;
  readonly maxBytes?: number;
};
export type Wish = { readonly turnId?: string | undefined; readonly all?: boolean; readonly force?: boolean };
export type TurnRow = Pick<
  TurnRecord,
  'kind' | 'of' | 'sessionKey' | 'startedAtMs' | 'endedAtMs' | 'files' | 'bytes' | 'undoneBy'
> & {
  readonly turnId: string;
};
export type Preview = {
  readonly turn: TurnRow;
  /** the first thousand, as everything here that has no end */
  readonly changes: readonly Change[];
  readonly changeCount: number;
  /** changed by others since: left alone without `force` */
  readonly conflicts: readonly Left[];
  /** cannot be brought back by anybody */
  readonly cannot: readonly Left[];
  /** an undo of it was cut short, and goes on where it was */
  readonly resumes: boolean;
};
export type Applied = {
  readonly turn: TurnRow;
  /** the undo itself, by which it can be undone; '' when there was nothing to do */
  readonly undoId: string;
  readonly restored: readonly string[];
  readonly removed: readonly string[];
  readonly restoredCount: number;
  readonly removedCount: number;
  readonly conflicts: readonly Left[];
  readonly cannot: readonly Left[];
  readonly failed: readonly Left[];
};

export type Checkpoints = ReturnType<typeof openCheckpoints>;

const MAX_STORE_BYTES = 2_000_000_000;
/** Of the disk, a checkpoint never takes the last of it. */
const FREE_SHARE = 0.2;
const LEAST_FREE_BYTES = 200_000_000;
/** An answer has to fit into a message of the protocol, whatever was in the workspace. */
const MAX_LISTED = 1_000;
const NOTHING: Manifest = { entries: new Map(), leftOut: [] };

export function openCheckpoints({ folder, top, owner, now, maxBytes = MAX_STORE_BYTES }: CheckpointOptions) {
  const objects = openObjects(join(folder, 'objects'));
  const records = openRecords(folder);
  const tree = { top, ...(owner ? { owner } : {}) };
  /** Turns of this process that may change something at this moment. */
  const running = new Map<string, TurnRecord>();
  /** What was kept of another workspace, before the setting was changed, is nothing for this one. */
  const mine = (): TurnRecord[] => records.list().filter((record) => record.top === top);
  let usedBytes = -1;
  let last: Promise<unknown> = Promise.resolve();

  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work, work);
    last = mine.catch(() => {});
    return mine;
  };
  const load = async (hash: string): Promise<Manifest | null> => {
    const data = hash === '' ? null : await objects.read(hash);
    return data === null ? null : decode(data);
  };
  const need = async (hash: string): Promise<Manifest> => {
    const found = await load(hash);
    if (found) return found;
    throw refusal('CHECKPOINT_GONE', 'the checkpoint of that turn is gone or damaged', 'openclaw undo list', 404);
  };

  /** The workspace as it is now, durable in the store. */
  const take = async (): Promise<{ hash: string; manifest: Manifest; why: string | null }> => {
    if (usedBytes < 0) usedBytes = await objects.sweep(() => true);
    const free = objects.freeBytes();
    const roomBytes = Math.min(maxBytes - usedBytes, free * FREE_SHARE, free - LEAST_FREE_BYTES);
    const latest = records.latest();
    const known = await load(latest.hash);
    const nowMs = now();
    const { manifest, newBytes } = await scan(top, objects, known && { ...known, atMs: latest.atMs }, {
      roomBytes,
      nowMs,
    });
    const put = objects.putBytes(await encode(manifest));
    usedBytes += newBytes + put.newBytes;
    await objects.sync();
    if (put.hash !== latest.hash) records.setLatest({ hash: put.hash, atMs: nowMs });
    let unkept = 0;
    for (const { why } of manifest.entries.values()) if (why === 'room') unkept += 1;
    const why =
      unkept === 0 ? null : `there is no room for a copy of ${unkept} files; openclaw undo cannot bring those back`;
    return { hash: put.hash, manifest, why };
  };

  /** Whoever ended without saying so: a gateway that was killed. What came next is what it left. */
  const settle = async (): Promise<void> => {
    const all = mine();
    for (const [index, record] of all.entries()) {
      if (record.after !== '' || running.has(record.id)) continue;
      const next = all[index + 1];
      await close(record, next?.before ?? (await take()).hash, next?.startedAtMs ?? now());
    }
  };

  const close = async (record: TurnRecord, after: string, endedAtMs: number): Promise<TurnRecord | null> => {
    const [from, to] = after === record.before ? [null, null] : [await load(record.before), await load(after)];
    const paths = from && to ? changed(from, to) : [];
    if (!from || !to || paths.length === 0) {
      records.remove(record);
      return null;
    }
    const bytes = paths.reduce((sum, path) => sum + sizeOf(from.entries.get(path)) + sizeOf(to.entries.get(path)), 0);
    const ended = { ...record, after, endedAtMs, files: paths.length, bytes };
    records.put(ended);
    return ended;
  };

  const choose = async (turnId: string | undefined): Promise<TurnRecord> => {
    await settle();
    const all = mine().filter(({ id }) => !running.has(id));
    const begun = records.begun();
    const wanted = turnId ?? begun?.turnId;
    const found =
      wanted === undefined
        ? all.findLast(({ kind, undoneBy }) => kind === 'turn' && undoneBy === '')
        : (all.find(({ id }) => id === wanted) ??
          onlyOf(all.filter(({ id }) => wanted.length >= 6 && id.startsWith(wanted))));
    if (found) return found;
    throw wanted === undefined
      ? refusal('NOTHING_TO_UNDO', 'no turn has changed anything that could be undone', 'openclaw undo list', 404)
      : refusal(
          'TURN_UNKNOWN',
          `no turn ${wanted.slice(0, 40)} that changed files is known`,
          'openclaw undo list',
          404,
        );
  };

  /** Turns that ran at the same time, and turns that came later: why a path may not be this turn's to bring back. */
  const othersThan = async (turn: TurnRecord): Promise<(path: string) => string | null> => {
    const found = new Map<string, string>();
    for (const other of mine()) {
      if (other.id === turn.id || other.startedAtMs >= turn.endedAtMs || other.endedAtMs <= turn.startedAtMs) continue;
      const from = other.startedAtMs >= turn.startedAtMs ? other.before : turn.before;
      const to = other.endedAtMs <= turn.endedAtMs ? other.after : turn.after;
      for (const path of changed((await load(from)) ?? NOTHING, (await load(to)) ?? NOTHING))
        found.set(
          path,
          `turn ${other.id.slice(0, 8)} (${other.sessionKey}) ran at the same time and may have changed it`,
        );
    }
    return (path) => found.get(path) ?? null;
  };
  const named = async (turn: TurnRecord, left: readonly Left[]): Promise<Left[]> => {
    const open = new Map(left.map((one) => [one.path, one]));
    for (const other of records
      .list()
      .filter(({ startedAtMs }) => startedAtMs >= turn.endedAtMs && startedAtMs > turn.startedAtMs)) {
      if (open.size === 0 || other.after === '') break;
      const theirs = new Set(changed((await load(other.before)) ?? NOTHING, (await load(other.after)) ?? NOTHING));
      for (const { path, why } of open.values())
        if (why === 'changed since' && theirs.has(path))
          open.set(path, {
            path,
            why: `changed since by ${other.kind} ${other.id.slice(0, 8)} (${other.sessionKey || 'undo'})`,
          });
    }
    return [...open.values()];
  };

  const planFor = async (turn: TurnRecord, now: Manifest, { all = false, force = false }: Wish): Promise<Plan> => {
    const [before, after] = [await need(turn.before), await need(turn.after)];
    const plan = planUndo({ before, after, now, othersOf: all ? () => null : await othersThan(turn), all, force });
    return { ...plan, conflicts: await named(turn, plan.conflicts) };
  };

  /** Of an undo that was cut short: exactly what it had set out to do. */
  const resumed = async (before: Manifest, now: Manifest, paths: readonly string[]): Promise<Plan> => {
    const chosen = new Set(paths);
    const plan = planUndo({ before, after: now, now, othersOf: () => null, all: true, force: true });
    return { steps: plan.steps.filter(({ path }) => chosen.has(path)), conflicts: [], cannot: [] };
  };

  const refuseBusy = (): void => {
    if (running.size === 0) return;
    const who = Array.from(running.values(), ({ id, sessionKey }) => `${id.slice(0, 8)} in ${sessionKey}`).join(', ');
    throw refusal(
      'UNDO_BUSY',
      `a turn is changing the workspace at this moment: ${who}`,
      'wait for it, or stop it',
      409,
    );
  };

  /** Opens folders that the assistant has closed to everybody, so that what is in them is seen; returns their modes. */
  const openUp = async (): Promise<{ hash: string; manifest: Manifest; modes: ReadonlyMap<string, number> }> => {
    const modes = new Map<string, number>();
    for (let round = 0; ; round++) {
      const taken = await take();
      const closed = taken.manifest.leftOut.filter(
        ({ path, why }) => why === 'unreadable' && path !== '' && !modes.has(path),
      );
      if (closed.length === 0 || round > 16) {
        const entries = new Map(taken.manifest.entries);
        for (const [path, mode] of modes) {
          const entry = entries.get(path);
          if (entry) entries.set(path, { ...entry, mode });
        }
        return { ...taken, manifest: { ...taken.manifest, entries }, modes };
      }
      for (const { path } of closed) {
        modes.set(path, taken.manifest.entries.get(path)?.mode ?? 0o700);
        await setMode(tree, path, 0o700).catch(() => {});
      }
    }
  };

  return {
    /** Before a change. Once a turn; a reason when it cannot be undone in part. */
    before: (turnId: string, sessionKey: string): Promise<string | null> =>
      alone(async () => {
        if (running.has(turnId)) return null;
        const known = mine().findLast(({ id }) => id === turnId);
        if (known) {
          // It goes on after a restart: the way back leads to before it began.
          running.set(turnId, { ...known, after: '' });
          return null;
        }
        const { hash, why } = await take();
        const record: TurnRecord = {
          ...{ version: 1, id: turnId, kind: 'turn', of: '', top, sessionKey, startedAtMs: now(), endedAtMs: 0 },
          ...{ before: hash, after: '', files: 0, bytes: 0, undoneBy: '' },
        };
        records.put(record);
        running.set(turnId, record);
        return why;
      }),
    /** After its last change. */
    ended: (turnId: string): Promise<void> =>
      alone(async () => {
        const record = running.get(turnId);
        if (!record) return;
        try {
          await close(record, (await take()).hash, now());
        } finally {
          running.delete(turnId);
        }
      }),
    list: (): Promise<TurnRow[]> =>
      alone(async () => {
        await settle();
        return mine()
          .filter(({ id }) => !running.has(id))
          .reverse()
          .map(rowOf);
      }),
    preview: (wish: Wish): Promise<Preview> =>
      alone(async () => {
        const turn = await choose(wish.turnId);
        const begun = records.begun();
        const isResumed = begun?.turnId === turn.id;
        const { manifest } = await take();
        const plan = isResumed
          ? await resumed(await need(begun.before), manifest, begun.paths)
          : await planFor(turn, manifest, wish);
        const changes = await describe(plan.steps, objects, MAX_LISTED);
        const left = { conflicts: listed(plan.conflicts), cannot: listed(plan.cannot) };
        return { turn: rowOf(turn), changes, changeCount: plan.steps.length, ...left, resumes: isResumed };
      }),
    apply: (wish: Wish): Promise<Applied> =>
      alone(async () => {
        refuseBusy();
        const turn = await choose(wish.turnId);
        let begun = records.begun();
        const opened = await openUp();
        const before = await need(begun?.turnId === turn.id ? begun.before : turn.before);
        const plan =
          begun?.turnId === turn.id
            ? await resumed(before, opened.manifest, begun.paths)
            : await planFor(turn, opened.manifest, wish);
        if (begun?.turnId !== turn.id) {
          const paths = plan.steps.map(({ path }) => path);
          begun = { undoId: `undo-${newId()}`, turnId: turn.id, before: turn.before, all: wish.all === true, paths };
          // The state before the undo is kept first: whatever happens from here on, nothing is lost.
          const id = begun.undoId;
          const record = { id, kind: 'undo', of: turn.id, before: opened.hash, after: '', sessionKey: '' } as const;
          records.put({ ...turn, ...record, startedAtMs: now(), endedAtMs: 0, files: 0, bytes: 0, undoneBy: '' });
          records.begin(begun);
        }
        const done = await applySteps(tree, objects, plan.steps, opened.manifest);
        const stepped = new Set(plan.steps.map(({ path }) => path));
        for (const [path, mode] of opened.modes)
          if (!stepped.has(path)) await setMode(tree, path, mode).catch(() => {});
        const { undoId, all } = begun;
        const own = mine().find(({ id }) => id === undoId);
        const closed = own ? await close(own, (await take()).hash, now()) : null;
        const isDone = done.failed.length === 0 && (plan.steps.length > 0 || plan.conflicts.length === 0);
        if (isDone) markUndone(turn, undoId, all);
        records.finish();
        const { restored, removed, kept, failed } = done;
        return {
          ...{ turn: rowOf(turn), undoId: closed ? undoId : '' },
          ...{ restored: restored.slice(0, MAX_LISTED), removed: removed.slice(0, MAX_LISTED) },
          ...{ restoredCount: restored.length, removedCount: removed.length },
          ...{ conflicts: listed([...plan.conflicts, ...kept]), cannot: listed(plan.cannot), failed: listed(failed) },
        };
      }),
    /** Once everything that was asked for by now is done. */
    idle: (): Promise<void> => alone(async () => {}),
    /** What is old or too much is forgotten. */
    prune: (): Promise<void> =>
      alone(async () => {
        await settle();
        usedBytes = await pruneRecords({
          records,
          objects,
          load,
          nowMs: now(),
          maxBytes,
          keep: (id) => running.has(id),
        });
      }),
  };

  function markUndone(turn: TurnRecord, undoId: string, all: boolean): void {
    for (const record of mine()) {
      const isCovered =
        record.id === turn.id || (all && record.startedAtMs >= turn.startedAtMs && record.id !== undoId);
      if (isCovered) records.put({ ...record, undoneBy: undoId });
      // An undo that was undone: its turn stands again.
      else if (turn.kind === 'undo' && record.id === turn.of) records.put({ ...record, undoneBy: '' });
    }
  }
}

const rowOf = ({ id: turnId, version: _v, before: _b, after: _a, top: _t, ...row }: TurnRecord): TurnRow => ({
  turnId,
  ...row,
});
const listed = (all: readonly Left[]): Left[] => [
  ...all.slice(0, MAX_LISTED),
  ...(all.length > MAX_LISTED ? [{ path: '...', why: `and ${all.length - MAX_LISTED} more` }] : []),
];
const sizeOf = (entry: Entry | undefined): number => entry?.bytes ?? 0;
const onlyOf = <T>(found: readonly T[]): T | undefined => (found.length === 1 ? found[0] : undefined);
const refusal = (code: string, message: string, fix: string, httpStatus: number): HardshellError =>
  new HardshellError({ code, message, fix, httpStatus });
