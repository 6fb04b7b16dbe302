// Owns asking a person whether a call may run. Machine facts only, nothing shortened, unseen characters shown; no default
// button, no shortcut, and a moment before the buttons work, so that a click meant for something else decides nothing.
import { useEffect, useState } from 'preact/hooks';
import { resolveApproval } from '../app/approvals.ts';
import { useApp } from '../app/context.ts';
import type { ApprovalRow } from '../protocol/rows.ts';
import { Icon } from '../shell/icons.tsx';
import { Exact, hasUnseen, plainLine } from '../shell/visible.tsx';
import { countdown } from '../shell/words.ts';

const SETTLE_MS = 500;

export function ApprovalCard({ approval }: { approval: ApprovalRow }) {
  const app = useApp();
  const [state, setState] = useState<'settling' | 'open' | 'answered'>('settling');
  const leftMs = useTimeLeft(approval.expiresAtMs);
  useEffect(() => {
    const timer = setTimeout(() => setState((s) => (s === 'settling' ? 'open' : s)), SETTLE_MS);
    return () => clearTimeout(timer);
  }, []);
  const expired = leftMs !== null && leftMs <= 0;
  const answer = (decision: 'allow-once' | 'deny'): void => {
    if (state !== 'open') return;
    setState('answered');
    void resolveApproval(app, approval.id, decision);
  };
  const off = state !== 'open' || expired;
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

function useTimeLeft(expiresAtMs: number): number | null {
  const [nowMs, setNowMs] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return expiresAtMs > 0 ? expiresAtMs - nowMs : null;
}
