// Owns asking a person whether a call may run. Machine facts only, nothing shortened, unseen characters shown; no default
// button, no shortcut, and a moment before the buttons work, so that a click meant for something else decides nothing.
import { useState } from 'preact/hooks';
import { resolveApproval } from '../app/approvals.ts';
import { useApp } from '../app/context.ts';
import type { ApprovalRow } from '../protocol/rows.ts';
import { Icon } from '../shell/icons.tsx';
import { useNow, useSettled } from '../shell/now.ts';
import { Exact, hasUnseen, plainLine } from '../shell/visible.tsx';
import { countdown } from '../shell/words.ts';

export function ApprovalCard({ approval }: { approval: ApprovalRow }) {
  const app = useApp();
  const settled = useSettled();
  const [answered, setAnswered] = useState(false);
  const nowMs = useNow(1_000);
  const leftMs = approval.expiresAtMs > 0 ? approval.expiresAtMs - nowMs : null;
  const expired = leftMs !== null && leftMs <= 0;
  const off = !settled || answered || expired;
  const answer = (decision: 'allow-once' | 'deny'): void => {
    if (off) return;
    setAnswered(true);
    void resolveApproval(app, approval.id, decision);
  };
  return (
    <section class="approval" aria-label={`Approval needed for ${plainLine(approval.tool)}`}>
      <header>
        <span class="approval-sign">
          <Icon name="shield" size={18} />
        </span>
        <h3>
          Allow <code>{plainLine(approval.tool)}</code> to do this once?
        </h3>
        {leftMs !== null && <span class="approval-time">{expired ? 'expired' : countdown(leftMs)}</span>}
      </header>
      <p class="approval-reason">
        <Exact text={approval.reason} strict />
      </p>
      <dl class="facts">
        {approval.facts.map((fact, at) => (
          <div key={at}>
            <dt>{plainLine(fact.name)}</dt>
            <dd>
              <Exact text={fact.value} strict />
            </dd>
          </div>
        ))}
      </dl>
      {approval.facts.some((fact) => hasUnseen(fact.value)) && (
        <p class="approval-warning">Contains characters that cannot be seen. They are shown by number.</p>
      )}
      <footer>
        <button type="button" class="plain" disabled={off} onClick={() => answer('deny')}>
          Deny
        </button>
        <button type="button" class="primary" disabled={off} onClick={() => answer('allow-once')}>
          Allow once
        </button>
        <span class="muted">{expired ? 'Nobody answered in time: it was denied.' : 'No answer counts as no.'}</span>
      </footer>
    </section>
  );
}
