// Owns the side of the page: new session, search, the list, and the few settings below it.
import { useApp, useAppState } from '../app/context.ts';
import { openPeople } from '../app/people.ts';
import { linkTo } from '../app/route.ts';
import { newSession, search, showArchived, showMore } from '../app/sessions.ts';
import { Icon, type IconName, Mark } from '../shell/icons.tsx';
import { type Theme, useTheme } from '../shell/theme.ts';
import { PanicButton } from '../status/panic.tsx';
import { SessionList } from './session-list.tsx';

export function Sidebar() {
  const app = useApp();
  const list = useAppState((s) => s.list);
  const version = useAppState((s) => s.hello?.version ?? '');
  return (
    <aside class="sidebar" id="sidebar" aria-label="Sessions">
      <div class="brand">
        <Mark />
        <span class="brand-name">Hardshell</span>
        <button
          type="button"
          class="quiet icon-only drawer-only"
          aria-label="Close sessions"
          onClick={() => app.store.set((s) => ({ ...s, drawerOpen: false }))}
        >
          <Icon name="close" />
        </button>
      </div>
      <button type="button" class="plain new-session" onClick={() => newSession(app)} title="New session (Alt+N)">
        <Icon name="plus" size={17} />
        New session
      </button>
      <PeopleLink />
      <label class="search">
        <span class="offscreen">Search sessions</span>
        <Icon name="search" size={16} />
        <input
          id="search"
          type="search"
          value={list.search}
          placeholder="Search"
          title="Search sessions (Ctrl+K)"
          autocomplete="off"
          onInput={(event) => search(app, event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'ArrowDown') return;
            event.preventDefault();
            document.querySelector<HTMLElement>('.session-link[tabindex="0"]')?.focus();
          }}
        />
      </label>
      <nav class="sessions" aria-label="Sessions">
        <SessionList />
        {list.total > list.rows.length && list.state === 'ready' && (
          <button type="button" class="quiet more" onClick={() => showMore(app)}>
            Show more
          </button>
        )}
      </nav>
      <div class="sidebar-foot">
        <button
          type="button"
          class="quiet archive-toggle"
          aria-pressed={list.archived}
          onClick={() => showArchived(app, !list.archived)}
        >
          {list.archived ? 'Back to sessions' : 'Archived'}
        </button>
        <PanicButton />
        <ThemeSwitch />
        <button
          type="button"
          class="quiet icon-only"
          aria-label="Keyboard shortcuts"
          title="Keyboard shortcuts (?)"
          onClick={() => app.store.set((s) => ({ ...s, helpOpen: true }))}
        >
          <Icon name="help" />
        </button>
        <button
          type="button"
          class="quiet icon-only"
          aria-label="Sign out"
          title={`Sign out${version ? ` (gateway ${version})` : ''}`}
          onClick={app.signOut}
        >
          <Icon name="leave" />
        </button>
      </div>
    </aside>
  );
}

function PeopleLink() {
  const app = useApp();
  const current = useAppState((s) => s.current);
  const shown = useAppState((s) => s.view === 'people');
  const count = useAppState((s) => s.people.waiting.length);
  const open = (event: MouseEvent): void => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    openPeople(app);
  };
  return (
    <a class="people-link" href={linkTo(current, 'people')} aria-current={shown ? 'page' : undefined} onClick={open}>
      <Icon name="people" size={17} />
      <span>Channels &amp; people</span>
      {count > 0 && (
        <span class="badge">
          {count}
          <span class="offscreen">{count === 1 ? ' waits to be let in' : ' wait to be let in'}</span>
        </span>
      )}
    </a>
  );
}

const THEMES: Record<Theme, { next: Theme; icon: IconName; words: string }> = {
  auto: { next: 'light', icon: 'auto', words: 'Colours: as the system' },
  light: { next: 'dark', icon: 'sun', words: 'Colours: light' },
  dark: { next: 'auto', icon: 'moon', words: 'Colours: dark' },
};

function ThemeSwitch() {
  const [theme, setTheme] = useTheme();
  const { next, icon, words } = THEMES[theme];
  return (
    <button type="button" class="quiet icon-only theme" aria-label={words} title={words} onClick={() => setTheme(next)}>
      <Icon name={icon} />
    </button>
  );
}
