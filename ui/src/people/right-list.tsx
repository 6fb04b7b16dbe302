// Owns the list of those who may talk: people, groups, guests and unused passes, with when they were last seen, and taking
// the right back, which asks once.
import { useState } from 'preact/hooks';
import { useApp, useAppState } from '../app/context.ts';
import { revoke } from '../app/people.ts';
import type { InviteRow, RightRow } from '../protocol/people.ts';
import { AskDialog } from '../shell/dialog.tsx';
import { useNow } from '../shell/now.ts';
import { plainLine } from '../shell/visible.tsx';
import { ago, fullTime, span } from '../shell/words.ts';
import { Command, nameOfWho, Who } from './who.tsx';

const INVITE = 'openclaw pairing invite --name Anna --until 2d';

export function RightList() {
  const rights = useAppState((s) => s.people.rights);
  const invites = useAppState((s) => s.people.invites);
  const nowMs = useNow(15_000);
  return (
    <section class="block" aria-labelledby="rights-title">
      <header class="block-head">
        <h2 id="rights-title">May talk</h2>
      </header>
      {rights.length === 0 && invites.length === 0 ? (
        <>
          <p class="muted">Nobody but you, here. Approve somebody who waits, or make a pass for a guest:</p>
          <Command text={INVITE} />
        </>
      ) : (
        <ul class="rows">
          {rights.map((row) => (
            <Right key={`${row.id} ${row.account} ${row.role}`} row={row} nowMs={nowMs} />
          ))}
          {invites.map((row) => (
            <Invite key={row.id} row={row} nowMs={nowMs} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Right({ row, nowMs }: { row: RightRow; nowMs: number }) {
  const app = useApp();
  const [asking, setAsking] = useState(false);
  const name = nameOfWho(row);
  const { untilMs, lastSeenAtMs, may, bySettings } = row;
  return (
    <li class="row" aria-label={name}>
      <Who who={row} />
      <p class="row-facts">
        <span class={`role ${row.role.startsWith('owner') ? 'is-owner' : ''}`}>{plainLine(row.role)}</span>
        {may !== '' && <span>{plainLine(may)}</span>}
        {untilMs !== null && <span>{untilMs > nowMs ? `for ${span(untilMs - nowMs)} more` : 'over'}</span>}
        <span title={fullTime(lastSeenAtMs ?? 0)}>
          {lastSeenAtMs === null ? 'not seen yet' : `seen ${ago(lastSeenAtMs, nowMs)}`}
        </span>
      </p>
      {bySettings ? (
        <span class="row-action muted">by the settings</span>
      ) : (
        <button type="button" class="plain row-action" aria-label={`Revoke ${name}`} onClick={() => setAsking(true)}>
          Revoke
        </button>
      )}
      {asking && (
        <AskDialog
          title={`Let ${name} talk no longer?`}
          words={
            row.isGroup
              ? 'The assistant falls silent in this group at once, until you approve it anew.'
              : 'What runs for them ends at once, and what they write from now on reaches nobody. They may ask again.'
          }
          confirm="Revoke"
          onCancel={() => setAsking(false)}
          onConfirm={() => {
            setAsking(false);
            void revoke(app, row, name).then(() => document.getElementById('people')?.focus());
          }}
        />
      )}
    </li>
  );
}

function Invite({ row, nowMs }: { row: InviteRow; nowMs: number }) {
  return (
    <li class="row">
      <div class="who">
        <p class="who-name">{plainLine(row.title) || <span class="muted">no name</span>}</p>
        <p class="who-id">a pass that nobody has used yet</p>
      </div>
      <p class="row-facts">
        <span class="role">guest pass</span>
        <span>{plainLine(row.may)}</span>
        <span>for {span(row.untilMs - nowMs)} more</span>
      </p>
    </li>
  );
}
