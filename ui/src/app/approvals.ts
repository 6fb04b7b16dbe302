// Owns answering approvals. It never answers by itself and has no default: only a button that a person pressed.
import type { ApprovalRow } from '../protocol/rows.ts';
import { type App, reasonOf } from './context.ts';

export type Decision = 'allow-once' | 'allow-task' | 'allow-always' | 'deny';

/** One line, or all that is left of a card. */
export async function resolveApprovals(app: App, rows: readonly ApprovalRow[], decision: Decision): Promise<void> {
  const [first, ...more] = rows;
  if (!first) return;
  const method = more.length > 0 ? 'exec.approval.resolveCard' : 'exec.approval.resolve';
  try {
    await app.request(method, { id: first.id, decision });
  } catch (error) {
    app.say(`The answer was not taken: ${reasonOf(error).message}`, { tone: 'error' });
  }
  for (const { id } of rows) dropApproval(app, id);
}

/** The lines of one card together, as they were asked. */
export function cardsIn(approvals: readonly ApprovalRow[]): ApprovalRow[][] {
  const cards = new Map<string, ApprovalRow[]>();
  for (const one of approvals) {
    const key = one.lines > 1 ? `${one.runId} ${one.code}` : one.id;
    cards.set(
      key,
      [...(cards.get(key) ?? []), one].sort((a, b) => a.line - b.line),
    );
  }
  return [...cards.values()];
}

export function dropApproval(app: App, id: string): void {
  app.store.set((s) => ({ ...s, approvals: s.approvals.filter((a) => a.id !== id) }));
}
