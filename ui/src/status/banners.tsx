// Owns the lines between head and conversation: what a person should know about the state of things, each with what to do.
import { useEffect, useState } from 'preact/hooks';
import { reasonOf, useApp, useAppState } from '../app/context.ts';
import { openSession } from '../app/history.ts';
import { nameOf } from '../app/state.ts';
import { fetchStatus } from '../app/status.ts';
import type { StatusView } from '../protocol/rows.ts';
import { Icon } from '../shell/icons.tsx';
import { useNow } from '../shell/now.ts';
import { plainLine } from '../shell/visible.tsx';
import { countdown } from '../shell/words.ts';
import { PanicBanner } from './panic.tsx';

/** `brief`: without what the view itself shows. */
export function Banners({ brief = false }: { brief?: boolean }) {
  return (
    <div class="banners">
      <LinkBanner />
      <OldPageBanner />
      <PanicBanner />
      <ApprovalBanner />
      <ElevatedBanner />
      {!brief && <StatusBanners />}
    </div>
  );
}

function LinkBanner() {
  const app = useApp();
  const link = useAppState((s) => s.link);
  const wasHere = useAppState((s) => s.hello !== null);
  const waiting = useAppState((s) => s.outbox.some((o) => o.state === 'waiting'));
  const [nowMs, setNowMs] = useState(Date.now());
  useEffect(() => {
    if (link.kind !== 'waiting') return;
    setNowMs(Date.now());
    const timer = setInterval(() => setNowMs(Date.now()), 500);
    return () => clearInterval(timer);
  }, [link]);
  if (link.kind === 'ready' || link.kind === 'refused' || (link.kind === 'connecting' && !wasHere)) return null;
  const seconds = link.kind === 'waiting' ? Math.max(0, Math.ceil((link.retryAtMs - nowMs) / 1_000)) : 0;
  return (
    <div class="banner is-warning" role="status">
      <Icon name="alert" size={16} />
      <span>
        {link.kind === 'waiting' ? `Not connected: ${link.reason}.` : 'Connecting again.'}
        {waiting && ' Your messages are kept and will be sent.'}
      </span>
      {link.kind === 'waiting' && (
        <button type="button" class="quiet" onClick={app.retryNow}>
          Try now{seconds > 0 ? ` (${seconds})` : ''}
        </button>
      )}
    </div>
  );
}

/** The gateway was updated while the page stayed open: an old page must not drive a new gateway for long. */
function OldPageBanner() {
  const old = useAppState((s) => s.hello !== null && s.firstVersion !== s.hello.version);
  if (!old) return null;
  return (
    <div class="banner" role="status">
      <Icon name="retry" size={16} />
      <span>The gateway was updated. Reload the page to match it.</span>
      <button type="button" class="quiet" onClick={() => location.reload()}>
        Reload
      </button>
    </div>
  );
}

function ApprovalBanner() {
  const app = useApp();
  const elsewhere = useAppState(
    (s) => s.approvals.find((a) => a.sessionKey !== '' && (a.sessionKey !== s.current || s.view === 'people')) ?? null,
  );
  const name = useAppState((s) => (elsewhere ? plainLine(nameOf(s, elsewhere.sessionKey)) : ''));
  if (!elsewhere) return null;
  return (
    <div class="banner is-warning" role="status">
      <Icon name="shield" size={16} />
      <span>A call waits for your approval in “{name}”.</span>
      <button type="button" class="quiet" onClick={() => openSession(app, elsewhere.sessionKey)}>
        Open
      </button>
    </div>
  );
}

/** Commands may ask to leave their box: said for as long as it is so, and ended from here. */
function ElevatedBanner() {
  const app = useApp();
  const windows = useAppState((s) => s.status?.elevated ?? NO_WINDOWS);
  const nowMs = useNow(1_000);
  const open = windows.filter(({ untilMs }) => untilMs > nowMs);
  if (open.length === 0) return null;
  const lastMs = Math.max(...open.map(({ untilMs }) => untilMs));
  const end = async (): Promise<void> => {
    try {
      await app.request('elevated.end', {});
    } catch (error) {
      app.say(`Not ended: ${reasonOf(error).message}`, { tone: 'error' });
    }
    await fetchStatus(app).catch(() => undefined);
  };
  return (
    <div class="banner is-warning" role="status">
      <Icon name="shield" size={16} />
      <span>
        Commands may ask to run outside their box ({open.map(({ id }) => plainLine(id)).join(', ')}), for{' '}
        {countdown(lastMs - nowMs)}. You are asked about each.
      </span>
      <button type="button" class="quiet" onClick={() => void end()}>
        End now
      </button>
    </div>
  );
}
const NO_WINDOWS: StatusView['elevated'] = [];

function StatusBanners() {
  const status = useAppState((s) => s.status);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  if (!status) return null;
  const lines = linesOf(status);
  return (
    <>
      {lines
        .filter((line) => !hidden.has(line.id))
        .map((line) => (
          <div key={line.id} class="banner" role="status">
            <Icon name="info" size={16} />
            <span>
              {line.words} {line.fix !== '' && <code>{line.fix}</code>}
            </span>
            <button
              type="button"
              class="quiet icon-only"
              aria-label="Hide this line"
              title="Hide"
              onClick={() => setHidden(new Set([...hidden, line.id]))}
            >
              <Icon name="close" size={15} />
            </button>
          </div>
        ))}
    </>
  );
}

type Line = { readonly id: string; readonly words: string; readonly fix: string };

/** What needs a person. That the model is the offline one is said in our words, with the gateway's way out of it. */
function linesOf({ offline, repairs: all }: StatusView): Line[] {
  // Said by a line of its own.
  const repairs = all.filter(({ fix }) => fix !== 'openclaw panic --lift');
  const aboutModel = offline ? repairs.find(({ what }) => what.includes('offline model')) : undefined;
  const others = repairs.filter((repair) => repair !== aboutModel);
  const lines = others.map(({ what, fix }) => ({
    id: what,
    words: `${what.charAt(0).toUpperCase()}${what.slice(1)}.`,
    fix,
  }));
  if (!offline) return lines;
  const words = 'Offline model: no key is configured, so a small built-in model answers.';
  return [{ id: 'offline', words, fix: aboutModel?.fix ?? '' }, ...lines];
}
