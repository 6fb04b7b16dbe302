// Owns answering approvals. It never answers by itself and has no default: only a button that a person pressed.
import { type App, reasonOf } from './context.ts';

export type Decision = 'allow-once' | 'allow-always' | 'deny';

export async function resolveApproval(app: App, id: string, decision: Decision): Promise<void> {
  try {
    await app.request('exec.approval.resolve', { id, decision });
    dropApproval(app, id);
  } catch (error) {
    app.say(`The answer was not taken: ${reasonOf(error).message}`, { tone: 'error' });
    dropApproval(app, id);
  }
}

export function dropApproval(app: App, id: string): void {
  app.store.set((s) => ({ ...s, approvals: s.approvals.filter((a) => a.id !== id) }));
}
