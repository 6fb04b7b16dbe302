// Owns taking back what a turn did to the files: what it would do is fetched and shown first, and only a person's click does it.
import { listOf, numberOf, objectOf, textOf } from '../protocol/frames.ts';
import { type App, reasonOf } from './context.ts';

export type UndoChange = {
  readonly path: string;
  readonly what: string;
  /** from now to then; '' when there is nothing to show but the note */
  readonly diff: string;
  readonly note: string;
};
export type UndoPreview = {
  readonly turnId: string;
  readonly changes: readonly UndoChange[];
  /** files that are left alone, each with the reason */
  readonly left: readonly { readonly path: string; readonly why: string }[];
};

/** One list for all the turns that come into view together. */
const lists = new WeakMap<App, { readonly atMs: number; readonly turns: Promise<ReadonlySet<string>> }>();
const LIST_FOR_MS = 2_000;

/** Whether a turn has changed files; where nobody can say, it is offered, and says so when it is asked for. */
export async function hasChanges(app: App, turnId: string): Promise<boolean> {
  const known = lists.get(app);
  const isFresh = known !== undefined && Date.now() - known.atMs < LIST_FOR_MS;
  const fetched = async (): Promise<ReadonlySet<string>> => {
    const answer = objectOf(await app.request('workspace.undo.list'));
    return new Set(listOf(answer['turns']).map((row) => textOf(objectOf(row)['turnId'])));
  };
  const list = isFresh ? known : { atMs: Date.now(), turns: fetched() };
  lists.set(app, list);
  return list.turns.then(
    (turns) => turns.has(turnId),
    () => true,
  );
}

export async function previewUndo(app: App, turnId: string): Promise<UndoPreview | null> {
  try {
    const answer = objectOf(await app.request('workspace.undo.preview', { turnId }));
    const changes = listOf(answer['changes']).map((value): UndoChange => {
      const row = objectOf(value);
      return {
        ...{ path: textOf(row['path']), what: textOf(row['what']) },
        ...{ diff: textOf(row['diff']), note: textOf(row['note']) },
      };
    });
    const left = [...listOf(answer['conflicts']), ...listOf(answer['cannot'])].map((value) => {
      const row = objectOf(value);
      return { path: textOf(row['path']), why: textOf(row['why']) };
    });
    return { turnId, changes, left };
  } catch (error) {
    app.say(sentence(reasonOf(error).message));
    return null;
  }
}

export async function applyUndo(app: App, turnId: string): Promise<void> {
  try {
    const done = objectOf(await app.request('workspace.undo.apply', { turnId }));
    const count = listOf(done['restored']).length + listOf(done['removed']).length;
    app.say(`${count === 1 ? '1 file is' : `${count} files are`} as before.`);
  } catch (error) {
    app.say(`Not taken back: ${reasonOf(error).message}`, { tone: 'error' });
  }
}

/** A message that leaves in a few seconds can be stopped for as long as the line is there. */
export function showHeld(app: App, payload: unknown): void {
  const before = app.store.get().held;
  const held = new Map<number, () => void>();
  for (const value of listOf(objectOf(payload)['messages'])) {
    const row = objectOf(value);
    const id = numberOf(row['id']) ?? 0;
    const run = (): void => void takeBack(app, id);
    const forMs = Math.max(1_000, (numberOf(row['leavesAtMs']) ?? 0) - Date.now());
    const text = `A message to ${textOf(row['to'])} is about to leave.`;
    held.set(id, before.get(id) ?? app.say(text, { action: { label: 'Stop it', run }, forMs }));
  }
  for (const [id, hide] of before) if (!held.has(id)) hide();
  app.store.set((s) => ({ ...s, held }));
}

async function takeBack(app: App, id: number): Promise<void> {
  try {
    await app.request('outbox.undo', { id });
    app.say('It was stopped and never leaves.');
  } catch (error) {
    app.say(sentence(reasonOf(error).message), { tone: 'error' });
  }
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
