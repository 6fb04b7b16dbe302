// Owns the registry of trust without a gateway. It holds the lock of the state folder while it is open.
import type { Paths } from '../../../config/paths.ts';
import { openJournal } from '../../../journal/journal.ts';
import { acquireLock } from '../../../platform/lock.ts';
import { createRegistry, type Registry } from '../../../policy/trust/registry.ts';
import { prepareState } from '../../../store/folders.ts';
import { openPairingTables } from '../../../store/people/pairing.ts';
import { openPeople } from '../../../store/people/people.ts';
import { openTrusted, pairedChats } from '../../../store/people/trusted.ts';
import { openOrRestore } from '../../../store/restore.ts';

export async function openOfflineTrust<T>(
  paths: Paths,
  tell: (line: string) => void,
  use: (registry: Registry) => Promise<T>,
): Promise<T> {
  prepareState(paths);
  const now = Date.now;
  const lock = acquireLock(paths.lockPath, now());
  try {
    const { store, told } = openOrRestore(paths.databasePath, paths.snapshotsDir, new Date());
    if (told !== null) tell(told);
    try {
      const [people, pairing] = [openPeople(store), openPairingTables(store)];
      return await use(
        createRegistry({
          ...{ store, now, table: openTrusted(store), journal: openJournal(store, now) },
          paired: () => pairedChats(pairing.grants(), people.all()),
        }),
      );
    } finally {
      store.close();
    }
  } finally {
    lock.release();
  }
}
