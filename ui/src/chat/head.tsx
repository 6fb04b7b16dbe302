// Owns the head of the conversation: its name, the model, how much it has used, what it has read, and its actions.
import { useApp, useAppState } from '../app/context.ts';
import { patchSession } from '../app/sessions.ts';
import { nameOf, rowOf } from '../app/state.ts';
import type { SessionRow } from '../protocol/rows.ts';
import { SessionMenu } from '../sessions/session-menu.tsx';
import { Icon } from '../shell/icons.tsx';
import { Disclosure } from '../shell/menu.tsx';
import { plainLine } from '../shell/visible.tsx';
import { tokenCount } from '../shell/words.ts';

export function Head() {
  const app = useApp();
  const key = useAppState((s) => s.current);
  const row = useAppState((s) => rowOf(s, s.current));
  const drawerOpen = useAppState((s) => s.drawerOpen);
  return (
    <header class="head">
      <button
        type="button"
        class="quiet icon-only drawer-only"
        aria-label="Show sessions"
        aria-controls="sidebar"
        aria-expanded={drawerOpen}
        onClick={() => app.store.set((s) => ({ ...s, drawerOpen: true }))}
      >
        <Icon name="menu" />
      </button>
      <div class="head-title">
        <h1 title={plainLine(nameOf(row, key))}>{plainLine(nameOf(row, key))}</h1>
        {row && row.sources.length > 0 && <p class="sources">Has read: {sourcesLine(row.sources)}</p>}
      </div>
      <ModelPicker row={row} sessionKey={key} />
      {row && <Details row={row} />}
      {row && <SessionMenu row={row} />}
    </header>
  );
}

function sourcesLine(sources: readonly string[]): string {
  const shown = sources.slice(0, 3).map(plainLine).join(', ');
  return sources.length > 3 ? `${shown} and ${sources.length - 3} more` : shown;
}

function ModelPicker({ row, sessionKey }: { row: SessionRow | null; sessionKey: string }) {
  const app = useApp();
  const models = useAppState((s) => s.models);
  const primary = useAppState((s) => s.status?.model ?? '');
  if (models.length === 0) return null;
  return (
    <label class="model">
      <span class="offscreen">Model of this session</span>
      <select
        value={row?.modelOverride ?? ''}
        onChange={(event) => void patchSession(app, sessionKey, { model: event.currentTarget.value || null })}
      >
        <option value="">{primary ? `Default: ${primary}` : 'Default model'}</option>
        {models.map((model) => (
          <option key={model.id} value={model.id} disabled={!model.available}>
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
  const models = useAppState((s) => s.models);
  const { tokens } = row;
  const read = tokens ? tokens.input + tokens.cacheRead + tokens.cacheWrite : 0;
  const room =
    models.find((m) => m.id === row.modelOverride || m.id === row.model || m.id.endsWith(`/${row.model}`))
      ?.contextTokens ?? 0;
  const facts: [string, string][] = [
    ['Model', row.model || 'none yet'],
    [
      'Context',
      room > 0
        ? `${tokenCount(row.contextTokens)} of ${tokenCount(room)} tokens`
        : `${tokenCount(row.contextTokens)} tokens`,
    ],
    ['Read', `${read.toLocaleString()} tokens, ${(tokens?.cacheRead ?? 0).toLocaleString()} from the cache`],
    ['Written', `${(tokens?.output ?? 0).toLocaleString()} tokens`],
    ['Came by', row.channel || 'webchat'],
    ['Key', row.key],
  ];
  return (
    <Disclosure
      label="Details of this session"
      class="quiet meter"
      face={<>{tokenCount(read + (tokens?.output ?? 0))} tokens</>}
    >
      {() => (
        <>
          <dl class="facts">
            {facts.map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{plainLine(value)}</dd>
              </div>
            ))}
          </dl>
          <h3>What this session has read</h3>
          {row.sources.length === 0 ? (
            <p class="muted">Only your own words.</p>
          ) : (
            <ul class="source-list">
              {row.sources.map((source) => (
                <li key={source}>{plainLine(source)}</li>
              ))}
            </ul>
          )}
        </>
      )}
    </Disclosure>
  );
}
