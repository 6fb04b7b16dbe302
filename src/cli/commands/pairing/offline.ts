// Owns the desk of access without a gateway. It holds the lock of the state folder while it is open, and leaves letters in
// the outbox for the next start.
import { createDesk, type Desk } from '../../../access/desk.ts';
import { openPairingKey } from '../../../access/key.ts';
import { createPairing } from '../../../access/pairing.ts';
import type { Paths } from '../../../config/paths.ts';
import { openJournal } from '../../../journal/journal.ts';
import { acquireLock } from '../../../platform/lock.ts';
import { prepareState } from '../../../store/folders.ts';
import { openInbox } from '../../../store/inbox.ts';
import { openOutbox } from '../../../store/outbox.ts';
import { openPeople } from '../../../store/people/people.ts';
import { openOrRestore } from '../../../store/restore.ts';

export function openOfflineDesk<T>(paths: Paths, tell: (line: string) => void, use: (desk: Desk) => T): T {
  prepareState(paths);
  const lock = acquireLock(paths.lockPath, Date.now());
  try {
    const { store, told } = openOrRestore(paths.databasePath, paths.snapshotsDir, new Date());
    if (told !== null) tell(told);
    try {
      const now = Date.now;
      const nothing = (): void => {};
      const pairing = createPairing({
        ...{ store, now, outbox: openOutbox(store), journal: openJournal(store, now) },
        ...{ key: openPairingKey(paths.credentialsDir), deliver: nothing, changed: nothing },
      });
      return use(createDesk(pairing, openPeople(store), openInbox(store), now));
    } finally {
      store.close();
    }
  } finally {
    lock.release();
  }
}
