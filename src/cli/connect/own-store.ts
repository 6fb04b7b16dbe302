// Owns the database for a command while no gateway runs on it: the state folder is locked, so that none starts meanwhile,
// and both are let go whatever happens.
import type { Paths } from '../../config/paths.ts';
import { acquireLock } from '../../platform/lock.ts';
import { prepareState } from '../../store/folders.ts';
import type { Store } from '../../store/open.ts';
import { openOrRestore } from '../../store/rescue/restore.ts';
import type { Context } from '../context.ts';
import { span } from '../output.ts';

export async function withOwnStore<T>(
  { out }: Context,
  paths: Paths,
  use: (store: Store) => T | Promise<T>,
): Promise<T> {
  prepareState(paths);
  const lock = acquireLock(paths.lockPath, Date.now());
  try {
    const { store, told } = openOrRestore(paths.databasePath, paths.snapshotsDir, new Date());
    if (told !== null) out.note(span('yellow', told));
    try {
      return await use(store);
    } finally {
      store.close();
    }
  } finally {
    lock.release();
  }
}
