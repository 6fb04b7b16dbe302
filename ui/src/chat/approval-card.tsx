// Owns asking a person whether a call may run. Machine facts only, nothing shortened, unseen characters shown; no default
// button, no shortcut, and a moment before the buttons work, so that a click meant for something else decides nothing.
import { useEffect, useRef, useState } from 'preact/hooks';
import { type Decision, resolveApprovals } from '../app/approvals.ts';
import { useApp } from '../app/context.ts';
import type { ApprovalRow } from '../protocol/rows.ts';
import { Icon } from '../shell/icons.tsx';
import { useNow, useSettled } from '../shell/now.ts';
import { Exact, hasUnseen, plainLine } from '../shell/visible.tsx';
import { countdown } from '../shell/words.ts';
import { shownSource } from './sources.ts';

type Answer = (rows: readonly ApprovalRow[], decision: Decision) => void;

/** Calls of one answer stand on one card, and are answered together or one by one. */
export function ApprovalCard({ card }: { card: readonly ApprovalRow[] }) {
  const app = useApp();
  const settled = useSettled();
  const [answered, setAnswered] = useState<ReadonlySet<string>>(new Set());
  const nowMs = useNow(1_000);
  const [first] = card;
  if (!first) return null;
  const { code, lines, expiresAtMs } = first;
  const leftMs = expiresAtMs > 0 ? expiresAtMs - nowMs : null;
  const expired = leftMs !== null && leftMs <= 0;
  const isOff = (row: ApprovalRow): boolean => !settled || expired || answered.has(row.id);
  const answer: Answer = (rows, decision) => {
    if (rows.some(isOff)) return;
    setAnswered(new Set([...answered, ...rows.map(({ id }) => id)]));
    void resolveApprovals(app, rows, decision);
  };
  const isOutside = card.some(({ where }) => where === 'host');
  const isMany = lines > 1;
  const where = isOutside ? 'outside its box?' : 'to do this?';
  return (
    <section
      class={isOutside ? 'approval is-outside' : 'approval'}
      aria-label={`Approval needed for ${isMany ? `${card.length} calls` : plainLine(first.tool)}`}
    >
      <header>
        <span class="approval-sign">
          <Icon name="shield" size={18} />
        </span>
        {isMany ? (
          <h3>{card.length === 1 ? 'Allow this as well?' : `Allow these ${card.length} calls?`}</h3>
        ) : (
          <h3>
            Allow <code>{plainLine(first.tool)}</code> {isOutside ? `to do this ${where}` : where}
          </h3>
        )}
        {leftMs !== null && <span class="approval-time">{expired ? 'expired' : countdown(leftMs)}</span>}
      </header>
      {card.map((row) => (
        <Line key={row.id} row={row} isMany={isMany} off={isOff(row)} answer={answer} />
      ))}
      <p class="approval-foot">
        {card.length > 1 && (
          <>
            <button type="button" class="plain" disabled={card.some(isOff)} onClick={() => answer(card, 'deny')}>
              Deny all
            </button>
            <button
              type="button"
              class="primary"
              disabled={card.some(isOff)}
              onClick={() => answer(card, 'allow-once')}
            >
              Allow all once
            </button>
          </>
        )}
        <span class="muted">
          {expired ? 'Nobody answered in time: it was denied.' : 'No answer counts as no.'}
          {code !== '' && !expired && (
            <>
              {' '}
              In a chat: <code>yes {plainLine(code)}</code>
            </>
          )}
        </span>
      </p>
    </section>
  );
}

const SCOPES = {
  task: ['For the rest of this task, without a question:', 'Allow this for the task', 'allow-task'],
  always: ['From now on, for 30 days at most, without a question:', 'Allow exactly this, always', 'allow-always'],
} as const;

type LineProps = { row: ApprovalRow; isMany: boolean; off: boolean; answer: Answer };

function Line({ row, isMany, off, answer }: LineProps) {
  const [scope, setScope] = useState<keyof typeof SCOPES | null>(null);
  const choice = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (scope) choice.current?.scrollIntoView({ block: 'nearest' });
  }, [scope]);
  const { facts, marks, tool, code, line } = row;
  /** That it had read what the owner writes here says nothing. */
  const own = `webchat:${row.sessionKey}`;
  return (
    <div class={isMany ? 'approval-line' : undefined}>
      {isMany && (
        <h4 class="approval-call">
          <code>{plainLine(tool)}</code>
          {row.where === 'host' && ' outside its box'} <span class="approval-code">{plainLine(`${code}.${line}`)}</span>
        </h4>
      )}
      <p class="approval-reason">
        <Exact text={sentence(row.reason, marks)} strict />. <Asker {...row.asker} />
      </p>
      <dl class="facts">
        {facts.map((fact, at) => (
          <div key={at}>
            <dt>{plainLine(fact.name)}</dt>
            <dd>
              <Exact text={fact.value} strict marks={marks} />
            </dd>
          </div>
        ))}
      </dl>
      <Lines title="effect" lines={row.effects} />
      <Lines title="had read" lines={row.sources.filter((one) => one !== own).map(shownSource)} />
      {facts.some((fact) => hasUnseen(fact.value)) && (
        <p class="approval-warning">Contains characters that cannot be seen. They are shown by number.</p>
      )}
      {scope ? (
        <div class="approval-always" ref={choice}>
          <p>{SCOPES[scope][0]}</p>
          <p class="approval-pattern">
            <Exact text={row[scope]} strict />
          </p>
          <div class="approval-choice">
            <button type="button" class="plain" onClick={() => setScope(null)}>
              Back
            </button>
            <button type="button" class="primary" disabled={off} onClick={() => answer([row], SCOPES[scope][2])}>
              {SCOPES[scope][1]}
            </button>
          </div>
        </div>
      ) : (
        <footer>
          <button type="button" class="plain" disabled={off} onClick={() => answer([row], 'deny')}>
            Deny
          </button>
          <button
            type="button"
            class={isMany ? 'plain' : 'primary'}
            disabled={off}
            onClick={() => answer([row], 'allow-once')}
          >
            Allow once
          </button>
          {row.task !== '' && (
            <button type="button" class="quiet" disabled={off} onClick={() => setScope('task')}>
              For this task…
            </button>
          )}
          {row.always !== '' && (
            <button type="button" class="quiet" disabled={off} onClick={() => setScope('always')}>
              Always…
            </button>
          )}
        </footer>
      )}
    </div>
  );
}

/** The owner's own words need no telling; anybody else's do. */
function Asker({ id, kind, place, channel }: ApprovalRow['asker']) {
  if (kind === '' || (kind === 'owner' && channel === 'webchat')) return null;
  const where = `${place === 'dm' ? 'a direct chat' : `a ${place}`} on ${channel}`;
  return (
    <span class={kind === 'owner' ? '' : 'approval-other'}>
      Asked for in {plainLine(where)}
      {kind === 'owner' ? ', by you.' : `, by ${plainLine(id)} (${plainLine(kind)}), who is not you.`}
    </span>
  );
}

function Lines({ title, lines }: { title: string; lines: readonly string[] }) {
  if (lines.length === 0) return null;
  return (
    <dl class="facts is-lines">
      <div>
        <dt>{title}</dt>
        <dd>
          <Exact text={lines.join('\n')} strict />
        </dd>
      </div>
    </dl>
  );
}

/** Begins with a capital, unless it begins with a name from the call: `git` is not `Git`. */
const sentence = (text: string, marks: readonly string[]): string =>
  marks.includes(text.split(' ', 1)[0] ?? '') ? text : text.charAt(0).toUpperCase() + text.slice(1);
