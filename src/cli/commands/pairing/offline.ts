// Owns the desk of access without a gateway. It leaves letters in the outbox for the next start.
import { createDesk, type Desk } from '../../../access/desk.ts';
import { openPairingKey } from '../../../access/key.ts';
import { createPairing } from '../../../access/pairing.ts';
import type { Paths } from '../../../config/paths.ts';
import { openJournal } from '../../../journal/journal.ts';
import { openInbox } from '../../../store/inbox.ts';
import type { Store } from '../../../store/open.ts';
import { openOutbox } from '../../../store/outbox.ts';
import { openPeople } from '../../../store/people/people.ts';

export function offlineDesk(store: Store, { credentialsDir }: Paths): Desk {
  const now = Date.now;
  const nothing = (): void => {};
  const pairing = createPairing({
    ...{ store, now, outbox: openOutbox(store), journal: openJournal(store, now) },
    ...{ key: openPairingKey(credentialsDir), deliver: nothing, changed: nothing },
  });
  return createDesk(pairing, openPeople(store), openInbox(store), now);
}
