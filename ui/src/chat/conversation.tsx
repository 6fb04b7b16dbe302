// Owns the open conversation: its turns, the approvals that belong to it, fetching older turns on the way up.
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { cardsIn } from '../app/approvals.ts';
import { useApp, useAppState } from '../app/context.ts';
import { fetchLatest, fetchOlder } from '../app/history.ts';
import { transcriptOf } from '../app/state.ts';
import { Icon, Spinner } from '../shell/icons.tsx';
import { ApprovalCard } from './approval-card.tsx';
import { EmptyConversation } from './empty.tsx';
import { useFollow } from './scroll.ts';
import { TurnView } from './turn-view.tsx';
import { buildTurns, NO_TURNS } from './turns.ts';

export function Conversation() {
  const app = useApp();
  const key = useAppState((s) => s.current);
  const transcript = useAppState((s) => transcriptOf(s, s.current));
  const outbox = useAppState((s) => s.outbox);
  const allApprovals = useAppState((s) => s.approvals);
  const failure = useAppState((s) => s.historyErrors.get(s.current));
  const spoken = useAppState((s) => s.spoken);

  const list = useRef({ key, made: NO_TURNS });
  const { turns } = useMemo(() => {
    const before = list.current.key === key ? list.current.made : NO_TURNS;
    const mine = outbox.filter((o) => o.sessionKey === key);
    list.current = { key, made: buildTurns(transcript, mine, before) };
    return list.current.made;
  }, [key, transcript, outbox]);
  const approvals = allApprovals.filter((a) => a.sessionKey === key || a.sessionKey === '');
  const follow = useFollow(key, turns[0]?.key ?? '');
  const sentinel = useOlder(() => void fetchOlder(app, key), follow.scroller);

  // A message of one's own is always brought into view.
  const newestOutgoing = outbox.findLast((o) => o.sessionKey === key)?.id;
  useEffect(() => {
    if (newestOutgoing !== undefined) follow.toEnd();
  }, [newestOutgoing]);

  const loading = !transcript.loaded && turns.length === 0 && failure === undefined;
  const empty = transcript.loaded && turns.length === 0 && approvals.length === 0;
  return (
    <div class="conversation">
      <div class="scroller" ref={follow.scroller} onScroll={follow.onScroll} tabIndex={-1} id="conversation">
        <section class="column" ref={follow.content} aria-label="Conversation" aria-live="off">
          {transcript.hasMore && (
            <div class="older" ref={sentinel}>
              <button type="button" class="quiet" onClick={() => void fetchOlder(app, key)}>
                Show older messages
              </button>
            </div>
          )}
          {loading && (
            <p class="loading">
              <Spinner /> Fetching the conversation
            </p>
          )}
          {failure !== undefined && (
            <div class="turn note">
              <Icon name="alert" size={17} />
              <div class="note-words">
                <p>The conversation could not be fetched: {failure}</p>
              </div>
              <button type="button" class="plain" onClick={() => void fetchLatest(app, key)}>
                Try again
              </button>
            </div>
          )}
          {empty && <EmptyConversation sessionKey={key} />}
          {turns.map((turn) => (
            <TurnView key={turn.key} turn={turn} sessionKey={key} />
          ))}
          {cardsIn(approvals).map((card) => (
            <ApprovalCard key={`${card[0]?.runId} ${card[0]?.code}`} card={card} />
          ))}
        </section>
      </div>
      {!follow.atEnd && (
        <button type="button" class="to-end" onClick={follow.toEnd}>
          <Icon name="down" size={16} /> Latest
        </button>
      )}
      <div class="offscreen" role="status" aria-live="polite">
        {spoken}
      </div>
      <div class="offscreen" role="alert">
        {approvals.length > 0 ? `Approval needed: ${approvals[0]?.tool}. ${approvals[0]?.reason}` : ''}
      </div>
    </div>
  );
}

/** Calls `fetch` when the top of the list comes near. */
function useOlder(fetch: () => void, root: { current: HTMLElement | null }) {
  const latest = useRef(fetch);
  latest.current = fetch;
  const watch = useRef<IntersectionObserver | null>(null);
  useEffect(() => () => watch.current?.disconnect(), []);
  return useRef((element: HTMLElement | null) => {
    watch.current?.disconnect();
    if (!element) return;
    watch.current = new IntersectionObserver(([entry]) => entry?.isIntersecting && latest.current(), {
      root: root.current,
      rootMargin: '600px 0px 0px 0px',
    });
    watch.current.observe(element);
  }).current;
}
