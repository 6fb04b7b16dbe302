// Owns the list of sessions: groups by day, one tab stop with arrow keys inside, dots for running and unread.
import { useRef } from 'preact/hooks';
import { useApp, useAppState } from '../app/context.ts';
import { openSession } from '../app/history.ts';
import { linkTo } from '../app/route.ts';
import { isUnread } from '../app/seen.ts';
import { fetchSessions } from '../app/sessions.ts';
import { nameOf } from '../app/state.ts';
import type { SessionRow } from '../protocol/rows.ts';
import { useNow } from '../shell/now.ts';
import { plainLine } from '../shell/visible.tsx';
import { briefTime, daysBefore } from '../shell/words.ts';
import { SessionMenu } from './session-menu.tsx';

export function SessionList() {
  const app = useApp();
  const list = useAppState((s) => s.list);
  const current = useAppState((s) => s.current);
  const shown = useAppState((s) => s.view === 'chat');
  const nowMs = useNow(60_000);
  const box = useRef<HTMLDivElement>(null);
  const rows = list.rows.filter((row) => !list.leaving.has(row.key));
  const stop = rows.some((row) => row.key === current) ? current : rows[0]?.key;

  const onKeyDown = (event: KeyboardEvent): void => {
    const links = [...(box.current?.querySelectorAll<HTMLElement>('.session-link') ?? [])];
    const at = links.indexOf(document.activeElement as HTMLElement);
    if (at === -1) return;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      links[Math.max(0, Math.min(links.length - 1, to))]?.focus();
    } else if (event.key === 'ArrowRight') links[at]?.parentElement?.querySelector<HTMLElement>('button')?.focus();
  };

  if (list.state === 'failed') {
    return (
      <p class="list-note">
        The list could not be fetched.{' '}
        <button type="button" class="quiet" onClick={() => void fetchSessions(app)}>
          Try again
        </button>
      </p>
    );
  }
  if (rows.length === 0) {
    return <p class="list-note">{list.state === 'loading' ? 'Loading' : emptyWords(list.found, list.archived)}</p>;
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: arrow keys of the links inside arrive here
    <div ref={box} onKeyDown={onKeyDown}>
      {grouped(rows, nowMs, list.found !== '').map(([name, group]) => (
        <section key={name} aria-label={name}>
          <h2 class="group-name">{name}</h2>
          <ul>
            {group.map((row) => (
              <Row
                key={row.key}
                row={row}
                nowMs={nowMs}
                isCurrent={shown && row.key === current}
                isStop={row.key === stop}
              />
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

function emptyWords(search: string, archived: boolean): string {
  if (search !== '') return 'No session matches.';
  return archived ? 'Nothing is archived.' : 'Your conversations will be listed here.';
}

function grouped(rows: readonly SessionRow[], nowMs: number, found: boolean): [string, SessionRow[]][] {
  if (found) return [['Found', [...rows]]];
  const groups = new Map<string, SessionRow[]>();
  for (const row of rows) {
    const days = daysBefore(row.updatedAtMs, nowMs);
    const name = row.pinned
      ? 'Pinned'
      : days <= 0
        ? 'Today'
        : days === 1
          ? 'Yesterday'
          : days < 7
            ? 'This week'
            : 'Earlier';
    groups.set(name, [...(groups.get(name) ?? []), row]);
  }
  return [...groups];
}

function Row({
  row,
  nowMs,
  isCurrent,
  isStop,
}: {
  row: SessionRow;
  nowMs: number;
  isCurrent: boolean;
  isStop: boolean;
}) {
  const app = useApp();
  const unread = useAppState((s) => !isCurrent && isUnread(row, s.seen));
  const name = useAppState((s) => plainLine(nameOf(s, row.key)));
  const waits = useAppState((s) => s.approvals.some((a) => a.sessionKey === row.key));
  const running = row.activeRunIds.length > 0;
  const state = waits ? 'waits' : running ? 'running' : unread ? 'unread' : null;
  const open = (event: MouseEvent): void => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    openSession(app, row.key);
  };
  return (
    <li class={`session ${isCurrent ? 'is-current' : ''}`}>
      <a
        class="session-link"
        href={linkTo(row.key)}
        tabIndex={isStop ? 0 : -1}
        aria-current={isCurrent ? 'page' : undefined}
        onClick={open}
      >
        <span class="session-top">
          <span class="session-name">{name}</span>
          {state && (
            <span class={`dot is-${state}`}>
              <span class="offscreen">{DOT_WORDS[state]}</span>
            </span>
          )}
          <time class="session-time">{briefTime(row.updatedAtMs, nowMs)}</time>
        </span>
        <span class="session-preview">
          {row.channel !== '' && row.channel !== 'webchat' && <span class="channel">{plainLine(row.channel)}</span>}
          {plainLine(row.preview) || (running ? 'Working on the first reply' : 'No messages yet')}
        </span>
      </a>
      <SessionMenu row={row} tabIndex={-1} />
    </li>
  );
}

const DOT_WORDS = { waits: 'waits for your approval', running: 'running', unread: 'unread' } as const;
