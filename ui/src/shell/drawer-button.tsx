// Owns the button that opens the drawer on a phone, with a sign on it when somebody in there waits for an answer.
import { useApp, useAppState } from '../app/context.ts';
import { Icon } from './icons.tsx';

export function DrawerButton() {
  const app = useApp();
  const drawerOpen = useAppState((s) => s.drawerOpen);
  const waits = useAppState((s) => s.people.waiting.length > 0);
  return (
    <button
      type="button"
      class="quiet icon-only drawer-only drawer-button"
      aria-label={waits ? 'Show sessions; somebody waits to be let in' : 'Show sessions'}
      aria-controls="sidebar"
      aria-expanded={drawerOpen}
      onClick={() => app.store.set((s) => ({ ...s, drawerOpen: true }))}
    >
      <Icon name="menu" />
      {waits && <span class="dot is-waits" aria-hidden="true" />}
    </button>
  );
}
