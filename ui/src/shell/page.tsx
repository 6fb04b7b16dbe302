// Owns the page as a whole: sign-in or chat, side and middle, the drawer on a phone, skip link, title.
import { useEffect } from 'preact/hooks';
import { useApp, useAppState } from '../app/context.ts';
import { openSession } from '../app/history.ts';
import { watchPeople } from '../app/people.ts';
import { currentFromUrl, viewFromUrl } from '../app/route.ts';
import { nameOf } from '../app/state.ts';
import { Composer } from '../chat/composer.tsx';
import { Conversation } from '../chat/conversation.tsx';
import { Head } from '../chat/head.tsx';
import { PeopleView } from '../people/people-view.tsx';
import { Sidebar } from '../sessions/sidebar.tsx';
import { Banners } from '../status/banners.tsx';
import { HelpDialog, useShortcuts } from './help.tsx';
import { Notices } from './notices.tsx';
import { SignIn } from './sign-in.tsx';
import { plainLine } from './visible.tsx';

export function Page() {
  const signedIn = useAppState((s) => s.signedIn && !s.signingIn && s.link.kind !== 'refused');
  return signedIn ? <Chat /> : <SignIn />;
}

function Chat() {
  const app = useApp();
  const drawerOpen = useAppState((s) => s.drawerOpen);
  const helpOpen = useAppState((s) => s.helpOpen);
  const name = useAppState((s) => plainLine(nameOf(s, s.current)));
  const view = useAppState((s) => s.view);
  const waiting = useAppState((s) => s.people.waiting.length);
  const ready = useAppState((s) => s.link.kind === 'ready');
  const title = view === 'chat' ? name : 'Channels & people';
  useShortcuts();
  useEffect(() => {
    document.title = `${title} \u00b7 Hardshell`;
  }, [title]);
  useEffect(() => (ready ? watchPeople(app, view) : undefined), [app, view, ready]);
  useEffect(() => {
    const onMove = (): void => {
      const [key, to] = [currentFromUrl(), viewFromUrl()];
      if (to === 'people') app.store.set((s) => ({ ...s, current: key, view: to, drawerOpen: false }));
      else if (key !== app.store.get().current || app.store.get().view !== to) openSession(app, key, true);
    };
    addEventListener('popstate', onMove);
    return () => removeEventListener('popstate', onMove);
  }, [app]);
  const closeDrawer = (): void => app.store.set((s) => ({ ...s, drawerOpen: false }));
  return (
    <div class={`page ${drawerOpen ? 'drawer-open' : ''}`}>
      <button
        type="button"
        class="skip"
        onClick={() => document.getElementById(view === 'chat' ? 'composer' : 'people')?.focus()}
      >
        {view === 'chat' ? 'Skip to the message box' : 'Skip to channels and people'}
      </button>
      <Sidebar />
      <button type="button" class="scrim" aria-label="Close sessions" tabIndex={-1} onClick={closeDrawer} />
      <main class="main">
        {view === 'chat' ? (
          <>
            <Head />
            <Banners />
            <Conversation />
            <Composer />
          </>
        ) : (
          <PeopleView />
        )}
      </main>
      <Notices />
      <div class="offscreen" role="status" aria-live="polite">
        {waiting === 0 ? '' : `${waiting} ${waiting === 1 ? 'request' : 'requests'} to talk to the assistant`}
      </div>
      {helpOpen && <HelpDialog />}
    </div>
  );
}
