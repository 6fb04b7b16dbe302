// Owns how a tool call is shown: closed, one line of what it did; open, its exact arguments and its output. Everything in
// it is untrusted text and is shown as such.
import { useState } from 'preact/hooks';
import { CopyButton } from '../shell/copy.tsx';
import { Icon, Spinner } from '../shell/icons.tsx';
import { Scrolls } from '../shell/scrolls.tsx';
import { Exact, plainLine } from '../shell/visible.tsx';
import { duration } from '../shell/words.ts';
import type { ToolPart } from './turns.ts';

/** Colours of a terminal: they change nothing that can be read. Every other control character is shown. */
const COLOUR = /\u001b\[[0-9;]{0,20}m/g;
const SHOWN_CHARS = 12_000;
/** The argument that says most about a call, in this order. */
const TELLING = ['command', 'argv', 'path', 'file', 'url', 'query', 'pattern', 'text'];

export function ToolCard({ tool }: { tool: ToolPart }) {
  const [open, setOpen] = useState(false);
  return (
    <details class={`tool is-${tool.state}`} open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <span class="tool-state">
          <StateSign state={tool.state} />
          <span class="offscreen">{STATE_WORDS[tool.state]}</span>
        </span>
        <span class="tool-name">{plainLine(tool.name)}</span>
        <span class="tool-gist">{gistOf(tool.args)}</span>
        <span class="tool-time">{tool.durationMs === null ? '' : duration(tool.durationMs)}</span>
        <Icon name="chevron" size={15} />
      </summary>
      {open && <ToolBody tool={tool} />}
    </details>
  );
}

const STATE_WORDS = {
  queued: 'Next:',
  running: 'Running:',
  done: 'Done:',
  failed: 'Failed:',
  unanswered: 'No result:',
} as const;

function StateSign({ state }: { state: ToolPart['state'] }) {
  if (state === 'running') return <Spinner />;
  if (state === 'queued') return <span class="ring" aria-hidden="true" />;
  return <Icon name={state === 'done' ? 'check' : state === 'failed' ? 'cross' : 'alert'} size={15} />;
}

function ToolBody({ tool }: { tool: ToolPart }) {
  return (
    <div class="tool-body">
      <h4>Arguments</h4>
      <dl class="facts">
        {argumentRows(tool.args).map(([name, value]) => (
          <div key={name}>
            <dt>{plainLine(name)}</dt>
            <dd>
              <Exact text={value} />
            </dd>
          </div>
        ))}
      </dl>
      <h4>
        {tool.state === 'failed' ? 'Error' : 'Output'}
        {tool.output !== null && <CopyButton text={() => tool.output ?? ''} label="Copy output" />}
      </h4>
      <Output tool={tool} />
    </div>
  );
}

const NO_OUTPUT = {
  queued: 'Not begun yet.',
  running: 'Still running.',
  done: '',
  failed: '',
  unanswered: 'No result was recorded.',
} as const;

function Output({ tool }: { tool: ToolPart }) {
  const [all, setAll] = useState(false);
  if (tool.output === null) return <p class="muted">{NO_OUTPUT[tool.state]}</p>;
  if (tool.output === '') return <p class="muted">Nothing was printed.</p>;
  const output = tool.output.replace(COLOUR, '');
  const cut = !all && output.length > SHOWN_CHARS;
  return (
    <>
      <Scrolls name="Output" class="tool-output">
        <pre>
          <Exact text={cut ? output.slice(0, SHOWN_CHARS) : output} />
        </pre>
      </Scrolls>
      {cut && (
        <button type="button" class="quiet" onClick={() => setAll(true)}>
          Show all {output.length.toLocaleString()} characters
        </button>
      )}
    </>
  );
}

function argumentRows(args: unknown): [string, string][] {
  if (typeof args !== 'object' || args === null || Array.isArray(args)) return [['', printed(args)]];
  const rows = Object.entries(args).map(([name, value]): [string, string] => [name, printed(value)]);
  return rows.length === 0 ? [['', 'none']] : rows;
}

function printed(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value, null, 2) ?? 'none');
}

function gistOf(args: unknown): string {
  if (typeof args !== 'object' || args === null) return '';
  const entries = Object.entries(args);
  const [, value] =
    TELLING.map((name) => entries.find(([key]) => key === name)).find((entry) => entry !== undefined) ??
    entries[0] ??
    [];
  if (value === undefined) return '';
  const text = Array.isArray(value) && value.every((v) => typeof v === 'string') ? value.join(' ') : printed(value);
  return plainLine(text).slice(0, 200);
}
