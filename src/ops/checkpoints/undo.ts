// Owns when the workspace is checkpointed, and the way back as gateway and commands offer it. What is kept and how it comes
// back lies beside it, and is loaded before the first change and not earlier. It decides nothing about calls.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Journal } from '../../journal/journal.ts';
import type { Log } from '../../log/log.ts';
import { reasonOf } from '../../platform/errors.ts';
import type { Owner } from '../../platform/folder-handle.ts';
import type { UndoInChat } from './chat.ts';
import type { Applied, Checkpoints, Wish } from './checkpoints.ts';

type Call = { readonly turnId: string; readonly sessionKey: string };
type Effect = { readonly kind: string; readonly where?: string };
/** What happens to runs, as far as it matters here. */
type Runs = { subscribe(listener: (event: { readonly type: string; readonly runId?: string }) => void): unknown };

export type UndoPorts = {
  readonly stateDir: string;
  /** as a real path */
  readonly workspaceDir: string;
  readonly owner?: Owner;
  readonly log: Log;
};
export type Undo = ReturnType<typeof createUndo>;

const HOST_NOTE = 'what a command on the host changes outside the workspace';

export function createUndo({ stateDir, workspaceDir: top, owner, log }: UndoPorts) {
  let opened: Promise<Checkpoints> | null = null;
  const open = (): Promise<Checkpoints> => {
    opened ??= import('./checkpoints.ts')
      .then(({ openCheckpoints }) =>
        openCheckpoints({ folder: checkpointsIn(stateDir), top, ...(owner ? { owner } : {}), now: Date.now }),
      )
      .catch((error: unknown) => {
        // Once there is room again, the next turn tries anew.
        opened = null;
        throw error;
      });
    return opened;
  };
  /** Turns that have their checkpoint, or did not get it. */
  const begun = new Map<string, Promise<void>>();
  const notes = new Map<string, Set<string>>();
  let journal: Pick<Journal, 'record'> | null = null;

  const tell = (turnId: string, note: string): void => {
    const told = notes.get(turnId) ?? new Set();
    notes.set(turnId, told.add(note));
  };
  const begin = async ({ turnId, sessionKey }: Call): Promise<void> => {
    try {
      const why = await (await open()).before(turnId, sessionKey);
      if (why !== null) tell(turnId, why);
    } catch (error) {
      // The assistant goes on working on a full disk; that there is no way back is said, and written down.
      journal?.record('undo.checkpoint', { run: turnId, reason: reasonOf(error) });
      log.warn('no checkpoint before a change of the workspace', { run: turnId, reason: reasonOf(error) });
      tell(turnId, reasonOf(error));
    }
  };
  const note = (turnId: string): string => {
    const told = [...(notes.get(turnId) ?? [])];
    notes.delete(turnId);
    return told.length === 0 ? '' : `\n(not undoable: ${told.join('; ')})`;
  };

  const preview = async (wish: Wish) => (await open()).preview(wish);
  const apply = async (wish: Wish, actor: object): Promise<Applied> => {
    const done = await (await open()).apply(wish);
    if (journal) recordApplied(journal, done, actor);
    return done;
  };
  let chats: Promise<UndoInChat> | null = null;

  return {
    /** Returns once the way back is durable. */
    async before(call: Call, effects: readonly Effect[]): Promise<void> {
      if (effects.some((effect) => effect.kind === 'run' && effect.where === 'host')) tell(call.turnId, HOST_NOTE);
      if (!effects.some(({ kind }) => kind === 'write' || kind === 'run' || kind === 'process')) return;
      const known = begun.get(call.turnId) ?? begin(call);
      begun.set(call.turnId, known);
      await known;
    },
    /** The same, with a word in the result about what could not be kept. */
    telling:
      <C extends Call, R extends { readonly text: string }>(run: (call: C, signal: AbortSignal) => Promise<R>) =>
      async (call: C, signal: AbortSignal): Promise<R> => {
        const result = await run(call, signal);
        const text = note(call.turnId);
        return text === '' ? result : { ...result, text: result.text + text };
      },
    attach(core: { readonly journal: Pick<Journal, 'record'>; readonly runs: Runs }): void {
      journal = core.journal;
      core.runs.subscribe(({ type, runId = '' }) => {
        if (type !== 'run.ended') return;
        const known = begun.get(runId);
        begun.delete(runId);
        notes.delete(runId);
        if (!known) return;
        known
          .then(async () => (await open()).ended(runId))
          .catch((error: unknown) => log.warn('no checkpoint after a turn', { reason: reasonOf(error) }));
      });
    },
    list: async () => (await open()).list(),
    preview,
    apply,
    /** `/undo` and `/undo yes` of the owner. */
    inChat: (async (chat, isYes) => {
      chats ??= import('./chat.ts').then(({ createUndoInChat }) => createUndoInChat({ preview, apply }, Date.now));
      return (await chats)(chat, isYes);
    }) satisfies UndoInChat,
    async prune(): Promise<void> {
      // Where nothing was ever kept, nothing is loaded for it.
      if (existsSync(checkpointsIn(stateDir))) await (await open()).prune();
    },
    /** What is under way is finished. */
    async close(): Promise<void> {
      await (await opened?.catch(() => null))?.idle();
    },
  };
}

export const checkpointsIn = (stateDir: string): string => join(stateDir, 'checkpoints');

export function recordApplied(journal: Pick<Journal, 'record'>, done: Applied, by: object): void {
  const { turn, undoId, restoredCount: restored, removedCount: removed, conflicts, failed } = done;
  const counts = { restored, removed };
  const left = { conflicts: conflicts.length, failed: failed.length };
  journal.record('undo.applied', { undo: undoId, turn: turn.turnId, ...counts, ...left, by });
}
