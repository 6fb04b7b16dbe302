// Owns the button that stops everything, and the line that says so and lets it work again. Both go through the gateway;
// while it starts anew the page waits for it as for any restart.
import { useState } from 'preact/hooks';
import { type App, useApp, useAppState } from '../app/context.ts';
import { AskDialog } from '../shell/dialog.tsx';
import { Icon } from '../shell/icons.tsx';

const ask = async (app: App, method: 'panic.raise' | 'panic.lift', params: object, said: string): Promise<void> => {
  try {
    await app.request(method, params);
    app.say(said);
  } catch (error) {
    app.say(error instanceof Error ? error.message : 'The gateway did not answer.');
  }
};

export function PanicButton() {
  const app = useApp();
  const stopped = useAppState((s) => s.status?.stopped ?? false);
  const [asking, setAsking] = useState(false);
  if (stopped) return null;
  return (
    <>
      <button
        type="button"
        class="quiet icon-only"
        aria-label="Stop everything"
        title="Stop everything: turns, commands, channels, messages"
        onClick={() => setAsking(true)}
      >
        <Icon name="alert" />
      </button>
      {asking && (
        <AskDialog
          title="Stop everything?"
          words="Turns and commands are cut off at once, channels close, nothing is sent. It stays so, over restarts too, until you let it work again. Nothing is deleted."
          confirm="Stop everything"
          onCancel={() => setAsking(false)}
          onConfirm={() => {
            setAsking(false);
            void ask(app, 'panic.raise', { why: '' }, 'Everything is stopped.');
          }}
        />
      )}
    </>
  );
}

export function PanicBanner() {
  const app = useApp();
  const stopped = useAppState((s) => s.status?.stopped ?? false);
  if (!stopped) return null;
  return (
    <div class="banner is-warning" role="alert">
      <Icon name="alert" size={16} />
      <span>Everything is stopped: nothing is heard, thought or sent.</span>
      <button type="button" class="quiet" onClick={() => void ask(app, 'panic.lift', {}, 'It works again.')}>
        Let it work again
      </button>
    </div>
  );
}
