// Owns how each configured channel is shown: what is true now, in words, the way out of what is wrong, and the last day.
// It only shows; a round trip is asked for by a button.
import { useState } from 'preact/hooks';
import { useApp, useAppState } from '../app/context.ts';
import { check } from '../app/people.ts';
import type { ChannelRow } from '../protocol/people.ts';
import { Spinner } from '../shell/icons.tsx';
import { useNow } from '../shell/now.ts';
import { plainLine } from '../shell/visible.tsx';
import { LinkPhone } from './link-phone.tsx';
import { Command, Fix } from './who.tsx';
import { connectionFacts, type Fact, isUnlinked, messageFacts, sentence, stateOf } from './words.ts';

const ADD = 'openclaw channels add telegram';

export function ChannelList() {
  const rows = useAppState((s) => s.people.channels) ?? [];
  const nowMs = useNow(1_000);
  const byChannel = [...Map.groupBy(rows, ({ id }) => id).values()];
  return (
    <section class="block" aria-labelledby="channels-title">
      <header class="block-head">
        <h2 id="channels-title">Channels</h2>
      </header>
      {byChannel.length === 0 ? (
        <>
          <p class="muted">
            Only this page and the terminal reach the assistant. One command adds Telegram, and discord, slack, whatsapp
            or mail in its place:
          </p>
          <Command text={ADD} />
        </>
      ) : (
        <ul class="cards">
          {byChannel.map((accounts) => (
            <ChannelCard key={accounts[0]?.id} accounts={accounts} nowMs={nowMs} />
          ))}
        </ul>
      )}
    </section>
  );
}

function ChannelCard({ accounts, nowMs }: { accounts: readonly ChannelRow[]; nowMs: number }) {
  const app = useApp();
  const [busy, setBusy] = useState(false);
  const [first] = accounts;
  if (!first) return null;
  const label = plainLine(first.label);
  const messages = messageFacts(first, nowMs);
  const many = accounts.length > 1;
  const ask = async (): Promise<void> => {
    setBusy(true);
    await check(app, first.id, label);
    setBusy(false);
  };
  return (
    <li class="card" aria-label={label}>
      <div class="card-top">
        <h3>{label}</h3>
        <button
          type="button"
          class="quiet"
          disabled={busy}
          aria-label={`Check ${label} now`}
          onClick={() => void ask()}
        >
          {busy && <Spinner />} Check now
        </button>
      </div>
      {accounts.map((row) => (
        <Account key={row.account} row={row} nowMs={nowMs} named={many || row.account !== 'default'} />
      ))}
      {messages.length > 0 && (
        <div class={many ? 'account' : undefined}>
          {many && <p class="state is-off">all accounts</p>}
          <Facts facts={messages} />
        </div>
      )}
    </li>
  );
}

function Account({ row, nowMs, named }: { row: ChannelRow; nowMs: number; named: boolean }) {
  const { id, account, state, problem } = row;
  const { words, tone } = stateOf(row, nowMs);
  const path = `channels.${id}${account === 'default' ? '' : `.accounts.${account}`}`;
  return (
    <div class="account">
      <p class={`state is-${tone}`}>
        <span class="dot" aria-hidden="true" />
        {named && <strong>{plainLine(account)}</strong>}
        <span>{words}</span>
      </p>
      {problem && (
        <div class={`trouble is-${tone}`}>
          <p>{sentence(plainLine(problem.reason))}</p>
          {isUnlinked(row) ? <LinkPhone account={account} fix={problem.fix} /> : <Fix fix={problem.fix} />}
        </div>
      )}
      {state === 'off' && <Command text={`openclaw config set ${path}.enabled true`} />}
      <Facts facts={connectionFacts(row, nowMs)} />
    </div>
  );
}

function Facts({ facts }: { facts: readonly Fact[] }) {
  if (facts.length === 0) return null;
  return (
    <dl class="facts">
      {facts.map(([name, value, hint]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd title={hint}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
