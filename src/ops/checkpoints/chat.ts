// Owns `/undo` in the owner's direct chat: what it would do, in a few lines, and on `/undo yes` exactly what was shown. No
// content of a file is sent to a platform, and no name that could pass for another text.

import { FORMAT, JOINERS } from '../../platform/disguise.ts';
import { HardshellError, reasonOf } from '../../platform/errors.ts';
import { setNewest } from '../../platform/newest.ts';
import type { Applied, Preview, Wish } from './checkpoints.ts';

/** `chat` names one chat among all; returns what is said there. */
export type UndoInChat = (chat: string, isYes: boolean) => Promise<string>;

type Ports = { preview(wish: Wish): Promise<Preview>; apply(wish: Wish, actor: object): Promise<Applied> };

const SHOWN_MS = 15 * 60_000;
const MAX_SHOWN = 12;
const MAX_PATH_CHARS = 80;
const MAX_CHATS = 100;
const UNSAFE = new RegExp(String.raw`[\p{Cc}${FORMAT}${JOINERS}]`, 'gu');
const WORD = { restore: 'as before', recreate: 'comes back', remove: 'goes away' } as const;

export function createUndoInChat(undo: Ports, now: () => number): UndoInChat {
  const shown = new Map<string, { readonly turnId: string; readonly atMs: number }>();

  const show = async (chat: string): Promise<string> => {
    const preview = await undo.preview({});
    setNewest(shown, chat, { turnId: preview.turn.turnId, atMs: now() }, MAX_CHATS);
    return textOf(preview);
  };

  return async (chat, isYes) => {
    try {
      const known = shown.get(chat);
      if (!isYes || !known || now() - known.atMs > SHOWN_MS) return await show(chat);
      shown.delete(chat);
      const done = await undo.apply({ turnId: known.turnId }, { chat });
      const left = done.conflicts.length + done.cannot.length + done.failed.length;
      return [
        `Undone: ${done.restoredCount} brought back, ${done.removedCount} removed.`,
        ...(left > 0 ? [`Left as they are: ${left}. On the machine, "openclaw undo --dry-run" says why.`] : []),
      ].join('\n');
    } catch (error) {
      return error instanceof HardshellError ? `${error.message}.` : `That did not work: ${reasonOf(error)}`;
    }
  };
}

function textOf({ turn, changes, changeCount, conflicts, cannot }: Preview): string {
  const at = new Date(turn.startedAtMs).toISOString().slice(0, 16).replace('T', ' ');
  const lines = changes.slice(0, MAX_SHOWN).map(({ what, path }) => `${WORD[what]}: ${clean(path)}`);
  return [
    `The last turn that changed files was on ${at} UTC.`,
    ...lines,
    ...(changeCount > MAX_SHOWN ? [`and ${changeCount - MAX_SHOWN} more`] : []),
    ...(conflicts.length > 0 ? [`left alone, changed by others since: ${conflicts.length}`] : []),
    ...(cannot.length > 0 ? [`cannot be brought back: ${cannot.length}`] : []),
    changes.length > 0 ? 'Send /undo yes to do it.' : 'There is nothing to bring back.',
  ].join('\n');
}

function clean(path: string): string {
  const text = path.replace(UNSAFE, '\ufffd');
  return text.length > MAX_PATH_CHARS ? `...${text.slice(-MAX_PATH_CHARS)}` : text;
}
