// Owns asking a person whether a call may run. Machine facts only, nothing shortened, unseen characters shown; no default
// button, no shortcut, and a moment before the buttons work, so that a click meant for something else decides nothing.
import { useEffect, useRef, useState } from 'preact/hooks';
import { type Decision, resolveApproval } from '../app/approvals.ts';
import { useApp } from '../app/context.ts';
import type { ApprovalRow } from '../protocol/rows.ts';
import { Icon } from '../shell/icons.tsx';
import { useNow, useSettled } from '../shell/now.ts';
import { Exact, hasUnseen, plainLine } from '../shell/visible.tsx';
import { countdown } from '../shell/words.ts';
import { sourceName } from './sources.ts';

export function ApprovalCard({ approval }: { approval: ApprovalRow }) {
  const app = useApp();
  const settled = useSettled();
  const [answered, setAnswered] = useState(false);
  const [choosing, setChoosing] = useState(false);
  const choice = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (choosing) choice.current?.scrollIntoView({ block: 'nearest' });
  }, [choosing]);
  const nowMs = useNow(1_000);
  const leftMs = approval.expiresAtMs > 0 ? approval.expiresAtMs - nowMs : null;
  const expired = leftMs !== null && leftMs <= 0;
  const off = !settled || answered || expired;
  const answer = (decision: Decision): void => {
    if (off) return;
    setAnswered(true);
    void resolveApproval(app, approval.id, decision);
  };
  const { facts, marks, always, code } = approval;
  /** That it had read what the owner writes here says nothing. */
  const own = `webchat:${approval.sessionKey}`;
  const isOutside = approval.where === 'host';
  return (
    <section
      class={isOutside ? 'approval is-outside' : 'approval'}
      aria-label={`Approval needed for ${plainLine(approval.tool)}`}
    >
      <header>
        <span class="approval-sign">
          <Icon name="shield" size={18} />
        </span>
        <h3>
          Allow <code>{plainLine(approval.tool)}</code> {isOutside ? 'to do this outside its box?' : 'to do this?'}
        </h3>
        {leftMs !== null && <span class="approval-time">{expired ? 'expired' : countdown(leftMs)}</span>}
      </header>
      <p class="approval-reason">
        <Exact text={sentence(approval.reason, marks)} strict />. <Asker {...approval.asker} />
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
      <Lines title="effect" lines={approval.effects} />
      <Lines title="had read" lines={approval.sources.filter((one) => one !== own).map(sourceName)} />
      {facts.some((fact) => hasUnseen(fact.value)) && (
        <p class="approval-warning">Contains characters that cannot be seen. They are shown by number.</p>
      )}
      {choosing && (
        <div class="approval-always" ref={choice}>
          <p>From now on, without a question:</p>
          <p class="approval-pattern">
            <Exact text={always} strict />
          </p>
          <div class="approval-choice">
            <button type="button" class="plain" onClick={() => setChoosing(false)}>
              Back
            </button>
            <button type="button" class="primary" disabled={off} onClick={() => answer('allow-always')}>
              Allow exactly this, always
            </button>
          </div>
        </div>
      )}
      {!choosing && (
        <footer>
          <button type="button" class="plain" disabled={off} onClick={() => answer('deny')}>
            Deny
          </button>
          <button type="button" class="primary" disabled={off} onClick={() => answer('allow-once')}>
            Allow once
          </button>
          {always !== '' && (
            <button type="button" class="quiet" disabled={off} onClick={() => setChoosing(true)}>
              Always…
            </button>
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
        </footer>
      )}
    </section>
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
