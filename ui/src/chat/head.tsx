// Owns the head of the conversation: its name, the model, how much it has used, what it has read, and its actions.
import { useApp, useAppState } from '../app/context.ts';
import { patchSession } from '../app/sessions.ts';
import { nameOf, rowOf } from '../app/state.ts';
import type { ModelRow, SessionRow } from '../protocol/rows.ts';
import { SessionMenu } from '../sessions/session-menu.tsx';
import { DrawerButton } from '../shell/drawer-button.tsx';
import { Icon } from '../shell/icons.tsx';
import { Disclosure } from '../shell/menu.tsx';
import { plainLine } from '../shell/visible.tsx';
import { tokenCount } from '../shell/words.ts';
import { outsideSources } from './sources.ts';

export function Head() {
  const name = useAppState((s) => plainLine(nameOf(s, s.current)));
  const row = useAppState((s) => rowOf(s, s.current));
  const sources = row ? outsideSources(row) : [];
  return (
    <header class="head">
      <DrawerButton />
      <div class="head-title">
        <h1 title={name}>{name}</h1>
        {sources.length > 0 && <p class="sources">Has read: {sourcesLine(sources)}</p>}
      </div>
      <span class="wide-only">
        <ModelPicker row={row} />
      </span>
      {row && <Details row={row} />}
      {row && <SessionMenu row={row} />}
    </header>
  );
}

function sourcesLine(sources: readonly string[]): string {
  const shown = sources.slice(0, 3).join(', ');
  return sources.length > 3 ? `${shown} and ${sources.length - 3} more` : shown;
}

function ModelPicker({ row }: { row: SessionRow | null }) {
  const app = useApp();
  const models = useAppState((s) => s.models);
  const primary = useAppState((s) => s.status?.model ?? '');
  if (models.length === 0) return null;
  // What cannot answer now is no choice; but what was chosen is shown.
  const shown = models.filter((model) => model.available || model.id === row?.modelOverride);
  const defaultName = models.find((model) => model.id === primary)?.name ?? primary;
  return (
    <label class="model" title={row ? 'Model of this session' : 'Can be chosen once the session has begun'}>
      <span class="offscreen">Model of this session</span>
      <select
        disabled={row === null}
        value={row?.modelOverride ?? ''}
        onChange={(event) => row && void patchSession(app, row.key, { model: event.currentTarget.value || null })}
      >
        <option value="">{defaultName ? `${defaultName} (default)` : 'Default model'}</option>
        {shown.map((model) => (
          <option key={model.id} value={model.id}>
            {model.name}
            {model.available ? '' : ' (not available)'}
          </option>
        ))}
      </select>
      <Icon name="chevron" size={13} />
    </label>
  );
}

function Details({ row }: { row: SessionRow }) {
  const { tokens } = row;
  const read = tokens ? tokens.input + tokens.cacheRead + tokens.cacheWrite : 0;
  const total = read + (tokens?.output ?? 0);
  return (
    <Disclosure
      label={`Details of this session, ${tokenCount(total)} tokens so far`}
      class="quiet meter"
      face={
        <>
          <span class="wide-only">{tokenCount(total)} tokens</span>
          <span class="narrow-only">
            <Icon name="info" />
          </span>
        </>
      }
    >
      {() => <DetailsPanel row={row} read={read} />}
    </Disclosure>
  );
}

function DetailsPanel({ row, read }: { row: SessionRow; read: number }) {
  const models = useAppState((s) => s.models);
  const room = roomOf(row, models);
  const sources = outsideSources(row);
  const facts: [string, string][] = [
    ['Model', row.model || 'none yet'],
    ['Context', `${tokenCount(row.contextTokens)}${room > 0 ? ` of ${tokenCount(room)}` : ''} tokens`],
    ['Read', `${read.toLocaleString()} tokens, ${(row.tokens?.cacheRead ?? 0).toLocaleString()} from the cache`],
    ['Written', `${(row.tokens?.output ?? 0).toLocaleString()} tokens`],
    ['Channel', row.channel || 'webchat'],
    ['Key', row.key],
  ];
  return (
    <>
      <div class="narrow-only panel-model">
        <ModelPicker row={row} />
      </div>
      <dl class="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{plainLine(value)}</dd>
          </div>
        ))}
      </dl>
      <h3>What this session has read</h3>
      {sources.length === 0 ? (
        <p class="muted">Only your own words.</p>
      ) : (
        <ul class="source-list">
          {sources.map((source) => (
            <li key={source}>{source}</li>
          ))}
        </ul>
      )}
    </>
  );
}

function roomOf(row: SessionRow, models: readonly ModelRow[]): number {
  const byName = models.find((m) => m.id === row.model || m.id.endsWith(`/${row.model}`));
  return (models.find((m) => m.id === row.modelOverride) ?? byName)?.contextTokens ?? 0;
}
