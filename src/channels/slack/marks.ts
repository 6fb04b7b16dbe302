// Owns up to where each conversation was settled, so that what was written while we were away can be asked for. It never
// runs ahead of the inbox: a mark that is too old costs a duplicate, one that is too new would cost a message.
import { join } from 'node:path';
import type { Log } from '../../log/log.ts';
import { ensureFolder, replaceFile, tryReadText } from '../../platform/files.ts';
import { fieldsIn } from '../../platform/json.ts';

export type Marks = ReturnType<typeof openMarks>;

const MAX_PLACES = 300;
const MAX_BYTES = 256 * 1024;
const SAVE_AFTER_MS = 15_000;
const UNSURE_MS = 60_000;

export function openMarks(folder: string, log: Log, now: () => number) {
  const file = join(folder, 'settled.json');
  const { awayAtMs, places } = read(file);
  /** conversations with a message that could not be stored, and its time; their mark waits for it */
  const waiting = new Map<string, string>();
  let lastAtMs = awayAtMs;
  let isConnected = false;
  let saving: NodeJS.Timeout | undefined;

  const save = (): void => {
    clearTimeout(saving);
    saving = undefined;
    // A socket may have been dead for a while before that was noticed.
    if (isConnected) lastAtMs = now() - UNSURE_MS;
    const newest = [...places].sort(([, a], [, b]) => (a < b ? 1 : -1)).slice(0, MAX_PLACES);
    try {
      ensureFolder(folder);
      replaceFile(file, JSON.stringify({ atMs: lastAtMs, places: Object.fromEntries(newest) }));
    } catch (error) {
      log.warn('what Slack delivered last could not be noted; a long absence may cost messages', { error });
    }
  };

  return {
    /** when it was last connected, or null if never */
    awaySinceMs: (): number | null => lastAtMs,
    /** place and the time of its last settled message, newest first */
    all: (): [string, string][] => [...places].sort(([, a], [, b]) => (a < b ? 1 : -1)),
    settled(place: string, ts: string): void {
      const stuck = waiting.get(place);
      if (stuck !== undefined && ts > stuck) return;
      if (stuck === ts) waiting.delete(place);
      const before = places.get(place);
      if (before !== undefined && before >= ts) return;
      places.set(place, ts);
      saving ??= setTimeout(save, SAVE_AFTER_MS).unref();
    },
    stuck(place: string, ts: string): void {
      const before = waiting.get(place);
      if (before === undefined || ts < before) waiting.set(place, ts);
    },
    /** From here on nothing is missed, until it leaves. */
    join(): void {
      isConnected = true;
      save();
    },
    leave(): void {
      if (isConnected) save();
      isConnected = false;
    },
  };
}

function read(file: string): { awayAtMs: number | null; places: Map<string, string> } {
  const { atMs, places } = fieldsIn(tryReadText(file, MAX_BYTES));
  const good = Object.entries(places ?? {}).filter(
    (pair): pair is [string, string] => typeof pair[1] === 'string' && /^\d+\.\d+$/.test(pair[1]),
  );
  return { awayAtMs: typeof atMs === 'number' ? atMs : null, places: new Map(good) };
}
