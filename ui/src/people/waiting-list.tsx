// Owns the people and groups that wait for a word of the owner. Nothing is decided by default, and a button that has just
// appeared takes no click that was meant for another.
import { useState } from 'preact/hooks';
import { useApp, useAppState } from '../app/context.ts';
import { approve, reject, rejectAll } from '../app/people.ts';
import type { WaitingRow } from '../protocol/people.ts';
import { AskDialog } from '../shell/dialog.tsx';
import { useNow, useSettled } from '../shell/now.ts';
import { ago, fullTime, span } from '../shell/words.ts';
import { nameOfWho, Who } from './who.tsx';
import { oddity } from './words.ts';

export function WaitingList() {
  const app = useApp();
  const waiting = useAppState((s) => s.people.waiting);
  const nowMs = useNow(15_000);
  const [asking, setAsking] = useState(false);
  const count = waiting.length;
  return (
    <section class="block" aria-labelledby="waiting-title">
      <header class="block-head">
        <h2 id="waiting-title">
          Waiting for you
          {count > 0 && <span class="badge">{count}</span>}
        </h2>
        {count > 1 && (
          <button type="button" class="quiet" onClick={() => setAsking(true)}>
            Reject all
          </button>
        )}
      </header>
      {count === 0 ? (
        <p class="muted">Nobody waits. Whoever writes for the first time gets a code, and is shown here.</p>
      ) : (
        <ul class="cards">
          {waiting.map((row) => (
            <Waiting key={`${row.id} ${row.account} ${row.createdAtMs}`} row={row} nowMs={nowMs} />
          ))}
        </ul>
      )}
      {asking && (
        <AskDialog
          title={`Reject all ${count} requests?`}
          words="None of them is let in. They are not told, and may ask again in an hour."
          confirm="Reject all"
          onCancel={() => setAsking(false)}
          onConfirm={() => {
            setAsking(false);
            void rejectAll(app);
          }}
        />
      )}
    </section>
  );
}

function Waiting({ row, nowMs }: { row: WaitingRow; nowMs: number }) {
  const app = useApp();
  const settled = useSettled();
  const [busy, setBusy] = useState(false);
  const [asking, setAsking] = useState(false);
  const name = nameOfWho(row);
  const leftMs = row.expiresAtMs - nowMs;
  const off = busy || !settled;
  const run = async (work: Promise<boolean>): Promise<void> => {
    setBusy(true);
    await work;
    setBusy(false);
    // Its row is gone with the button that had the focus.
    if (document.activeElement === document.body) document.getElementById('people')?.focus();
  };
  return (
    <li class="card" aria-label={`${row.isGroup ? 'Group' : 'Person'} ${name}`}>
      <div class="card-top">
        <Who who={row} />
        <p class="when">
          <time title={fullTime(row.createdAtMs)}>asked {ago(row.createdAtMs, nowMs)}</time>
          <span>{leftMs > 0 ? `expires in ${span(leftMs)}` : 'expired'}</span>
        </p>
      </div>
      {oddity(row.title) !== '' && <p class="approval-warning">{oddity(row.title)}</p>}
      <div class="card-actions">
        <button
          type="button"
          class="primary"
          disabled={off}
          aria-label={`Approve ${name}`}
          onClick={() => void run(approve(app, row, name, false))}
        >
          Approve
        </button>
        {!row.isGroup && (
          <button
            type="button"
            class="plain"
            disabled={off}
            aria-label={`Approve ${name} as owner`}
            onClick={() => setAsking(true)}
          >
            Approve as owner
          </button>
        )}
        <button
          type="button"
          class="quiet"
          disabled={off}
          aria-label={`Reject ${name}`}
          onClick={() => void run(reject(app, row, name))}
        >
          Reject
        </button>
      </div>
      {asking && (
        <AskDialog
          title={`Make ${name} an owner?`}
          words={`An owner is you: whoever writes as ${row.id} shares your conversation, reads your memory and files, and may run commands. Choose this only for an account of your own.`}
          confirm="Make owner"
          onCancel={() => setAsking(false)}
          onConfirm={() => {
            setAsking(false);
            void run(approve(app, row, name, true));
          }}
        />
      )}
    </li>
  );
}
