// Owns the list of keyboard shortcuts, and the keys themselves.
import { useEffect } from 'preact/hooks';
import type { App } from '../app/context.ts';
import { useApp } from '../app/context.ts';
import { abort } from '../app/sending.ts';
import { newSession } from '../app/sessions.ts';
import { Dialog } from './dialog.tsx';

const SHORTCUTS: readonly (readonly [string, string])[] = [
  ['Enter', 'Send the message, or steer the running turn'],
  ['Shift + Enter', 'New line'],
  ['Esc', 'Stop the running turn'],
  ['Ctrl or Cmd + K', 'Search sessions'],
  ['Alt + N', 'New session'],
  ['Up and Down', 'Move in the list of sessions; Right opens the actions of one'],
  ['?', 'This list'],
];

export function HelpDialog() {
  const app = useApp();
  const close = (): void => app.store.set((s) => ({ ...s, helpOpen: false }));
  return (
    <Dialog title="Keyboard shortcuts" onClose={close}>
      <dl class="shortcuts">
        {SHORTCUTS.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <div class="dialog-actions">
        <button type="button" class="primary" onClick={close}>
          Close
        </button>
      </div>
    </Dialog>
  );
}

export function useShortcuts(): void {
  const app = useApp();
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => handleKey(app, event);
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, [app]);
}

function focusSearch(): boolean {
  const search = document.getElementById('search');
  search?.focus();
  return search !== null && document.activeElement === search;
}

function handleKey(app: App, event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  const state = app.store.get();
  if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.code === 'KeyK') {
    event.preventDefault();
    app.store.set((s) => ({ ...s, drawerOpen: true }));
    // At once, or the first letters go where the cursor was; on a phone the drawer has to be there before it can.
    if (!focusSearch()) requestAnimationFrame(() => requestAnimationFrame(focusSearch));
  } else if (event.altKey && !event.ctrlKey && !event.metaKey && event.code === 'KeyN') {
    event.preventDefault();
    newSession(app);
  } else if (event.key === 'Escape') {
    // Menus and dialogs take their own Esc.
    if (document.querySelector('dialog[open], :popover-open')) return;
    if (document.activeElement?.id === 'search' && state.list.search !== '') return;
    const drawerShown = state.drawerOpen && matchMedia('(max-width: 52rem)').matches;
    if (drawerShown) app.store.set((s) => ({ ...s, drawerOpen: false }));
    else if (state.view === 'chat') void abort(app, state.current);
  } else if (event.key === '?' && !isTyping(event.target)) {
    event.preventDefault();
    app.store.set((s) => ({ ...s, helpOpen: true }));
  }
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}
