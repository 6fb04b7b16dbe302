// Owns the registry of trust without a gateway.
import { openJournal } from '../../../journal/journal.ts';
import { createRegistry, type Registry } from '../../../policy/trust/registry.ts';
import type { Store } from '../../../store/open.ts';
import { openPairingTables } from '../../../store/people/pairing.ts';
import { openPeople } from '../../../store/people/people.ts';
import { openTrusted, pairedChats } from '../../../store/people/trusted.ts';

export function offlineRegistry(store: Store): Registry {
  const now = Date.now;
  const [people, pairing] = [openPeople(store), openPairingTables(store)];
  return createRegistry({
    ...{ store, now, table: openTrusted(store), journal: openJournal(store, now) },
    paired: () => pairedChats(pairing.grants(), people.all()),
  });
}
