// Owns the view of channels and people: who waits first, then how each channel does, then who may talk.
import { useApp, useAppState } from '../app/context.ts';
import { openSession } from '../app/history.ts';
import { fetchPeople } from '../app/people.ts';
import { DrawerButton } from '../shell/drawer-button.tsx';
import { Icon, Spinner } from '../shell/icons.tsx';
import { Banners } from '../status/banners.tsx';
import { ChannelList } from './channel-list.tsx';
import { RightList } from './right-list.tsx';
import { WaitingList } from './waiting-list.tsx';

export function PeopleView() {
  const app = useApp();
  const known = useAppState((s) => s.people.channels !== null);
  const failure = useAppState((s) => s.people.failure);
  return (
    <>
      <header class="head">
        <DrawerButton />
        <div class="head-title">
          <h1>Channels &amp; people</h1>
        </div>
        <button
          type="button"
          class="quiet"
          aria-label="Back to the conversation"
          onClick={() => openSession(app, app.store.get().current)}
        >
          <span class="wide-only">Back to the conversation</span>
          <span class="narrow-only">
            <Icon name="close" />
          </span>
        </button>
      </header>
      <Banners brief />
      <div class="people scroller" id="people" tabIndex={-1}>
        <div class="people-column">
          {failure && (
            <p class="problem" role="alert">
              Not up to date: {failure.reason}. {failure.fix}{' '}
              <button type="button" class="quiet" onClick={() => void fetchPeople(app)}>
                Try again
              </button>
            </p>
          )}
          {known ? (
            <>
              <WaitingList />
              <ChannelList />
              <RightList />
            </>
          ) : (
            !failure && (
              <p class="loading">
                <Spinner /> Asking the gateway
              </p>
            )
          )}
        </div>
      </div>
    </>
  );
}
