// Owns showing what an undo would do: for each entry what becomes of it, with the difference of texts. It changes nothing,
// and what it shows is bounded, whatever the workspace holds.
import type { Objects } from '../../platform/tree/objects.ts';
import type { Entry } from './manifest.ts';
import type { Step } from './plan.ts';
import { diffTexts } from './text-diff.ts';

export type Change = {
  readonly path: string;
  readonly what: 'restore' | 'recreate' | 'remove';
  readonly kind: Entry['kind'];
  readonly bytesNow: number | null;
  readonly bytesThen: number | null;
  /** from now to then, as `diff -u` would say; null when there is nothing to show but the note */
  readonly diff: string | null;
  readonly note: string;
};

const MAX_DIFFS = 100;
const MAX_DIFF_CHARS = 200_000;

export async function describe(steps: readonly Step[], objects: Objects, most: number): Promise<Change[]> {
  let [diffs, chars] = [0, 0];
  const changes: Change[] = [];
  for (const { path, then, now } of steps.toSorted((a, b) => (a.path < b.path ? -1 : 1)).slice(0, most)) {
    const what = then === undefined ? 'remove' : now === undefined ? 'recreate' : 'restore';
    const { kind } = then ?? now ?? { kind: 'other' };
    const facts = { path, what, kind, bytesNow: bytesOf(now), bytesThen: bytesOf(then) } as const;
    const isShown = diffs < MAX_DIFFS && chars < MAX_DIFF_CHARS;
    const shown = isShown ? await differenceOf(then, now, objects) : { diff: null, note: '' };
    if (shown.diff !== null) [diffs, chars] = [diffs + 1, chars + shown.diff.length];
    changes.push({ ...facts, ...shown });
  }
  return changes;
}

async function differenceOf(then: Entry | undefined, now: Entry | undefined, objects: Objects) {
  const notes = [linkNote(then, now), modeNote(then, now)].filter(Boolean);
  const isText = [then, now].some((one) => one?.kind === 'file') && then?.hash !== now?.hash;
  if (!isText) return { diff: null, note: notes.join('; ') };
  const { text, note } = diffTexts(await contentOf(now, objects), await contentOf(then, objects));
  return { diff: text, note: [...notes, note].filter(Boolean).join('; ') };
}

const contentOf = async (entry: Entry | undefined, objects: Objects): Promise<Buffer | null> =>
  entry?.kind === 'file' && entry.hash !== '' ? objects.read(entry.hash) : null;
const bytesOf = (entry: Entry | undefined): number | null => (entry?.kind === 'file' ? entry.bytes : null);
const linkNote = (then: Entry | undefined, now: Entry | undefined): string =>
  then?.kind === 'link' ? `link to ${then.target}` : now?.kind === 'link' ? `a link to ${now.target} now` : '';
const modeNote = (then: Entry | undefined, now: Entry | undefined): string =>
  then && now && then.kind === now.kind && then.kind !== 'link' && then.mode !== now.mode
    ? `mode ${now.mode.toString(8)} -> ${then.mode.toString(8)}`
    : '';
