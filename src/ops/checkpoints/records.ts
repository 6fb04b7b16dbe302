// Owns the list of turns that changed something: one small file each, durable before the turn's first change. It must never
// hold content of the workspace; names and numbers only.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ensureFolder, removeFile, replaceFile, tryReadText } from '../../platform/files.ts';
import { sha256 } from '../../platform/ids.ts';
import { fieldsIn } from '../../platform/json.ts';

export type TurnRecord = {
  readonly version: 1;
  readonly id: string;
  readonly kind: 'turn' | 'undo';
  /** of an undo: the turn that was undone */
  readonly of: string;
  /** the workspace that it is about */
  readonly top: string;
  readonly sessionKey: string;
  readonly startedAtMs: number;
  /** 0: it runs, or the gateway ended before it did */
  readonly endedAtMs: number;
  /** hashes of pictures; `after` is '' until it ended */
  readonly before: string;
  readonly after: string;
  readonly files: number;
  readonly bytes: number;
  /** the undo that took it back, or '' */
  readonly undoneBy: string;
};
/** An undo that is being done; what a crash leaves of it, the next one finishes. */
export type Begun = {
  readonly undoId: string;
  readonly turnId: string;
  readonly before: string;
  readonly all: boolean;
  readonly paths: readonly string[];
};

/** When it was begun: what changed later than that may differ without showing it. */
type Latest = { readonly hash: string; readonly atMs: number };

export type Records = ReturnType<typeof openRecords>;

const NAME = /^\d{13}-[0-9a-f]{16}\.json$/;

export function openRecords(folder: string) {
  const turns = join(folder, 'turns');
  const latestPath = join(folder, 'latest.json');
  const begunPath = join(folder, 'undoing.json');
  ensureFolder(folder);
  ensureFolder(turns);
  const pathOf = ({ id, startedAtMs }: TurnRecord): string => {
    const name = sha256(id).slice(0, 16);
    return join(turns, `${String(startedAtMs).padStart(13, '0')}-${name}.json`);
  };
  return {
    /** Oldest first. */
    list: (): TurnRecord[] =>
      readdirSync(turns)
        .filter((name) => NAME.test(name))
        .sort()
        .flatMap((name) => {
          const read = fieldsIn(tryReadText(join(turns, name)));
          return read['version'] === 1 ? [read as TurnRecord] : [];
        }),
    put: (record: TurnRecord): void => replaceFile(pathOf(record), JSON.stringify(record)),
    remove: (record: TurnRecord): void => removeFile(pathOf(record)),
    begun(): Begun | null {
      const read = fieldsIn(tryReadText(begunPath));
      return typeof read['turnId'] === 'string' ? (read as Begun) : null;
    },
    /** The newest picture, also of a turn that changed nothing: what it knows need not be read again. */
    latest(): Latest {
      const { hash = '', atMs = 0 } = fieldsIn(tryReadText(latestPath)) as Partial<Latest>;
      return { hash, atMs };
    },
    setLatest: (latest: Latest): void => replaceFile(latestPath, JSON.stringify(latest)),
    begin: (begun: Begun): void => replaceFile(begunPath, JSON.stringify(begun)),
    finish: (): void => removeFile(begunPath),
  };
}
