// Owns how often a change of a session is told: the first at once, then at most ten times a second for each session,
// with the row as it is then. Nothing is read when nobody listens.
import type { BackendEvent, SessionRow } from './backend.ts';
import type { Limits } from './limits.ts';
import type { GatewayLog } from './options.ts';
import { agentIdOf } from './protocol/session-key.ts';
import { wireSession } from './protocol/shapes.ts';
import type { Connection } from './socket/connection.ts';
import type { Hub } from './socket/hub.ts';

type Change = Extract<BackendEvent, { type: 'session.changed' }>;
export type SessionChanges = { tell(change: Change): void; stop(): void };

/** A session that was created and then updated is still new to who hears of it first. */
const WEIGHT = { updated: 0, patched: 1, created: 2, reset: 3, deleted: 4 } as const;

export function createSessionChanges(
  hub: Hub,
  describe: (key: string) => SessionRow | null,
  limits: Limits,
  now: () => number,
  log: GatewayLog,
): SessionChanges {
  /** sessions that were told of lately; a value is what came since */
  const quiet = new Map<string, Change | null>();
  let timer: NodeJS.Timeout | undefined;
  const wants = (connection: Connection): boolean => connection.wantsSessions;

  const send = ({ sessionKey, reason }: Change): void => {
    if (!hub.has(wants)) return;
    const row = reason === 'deleted' ? null : describe(sessionKey);
    const payload = {
      sessionKey,
      agentId: agentIdOf(sessionKey),
      reason,
      ts: now(),
      session: row && wireSession(row),
      ancestorSessions: [],
    };
    hub.publish('sessions.changed', 'operator.read', payload, { to: wants });
  };
  const round = (): void => {
    timer = undefined;
    for (const [key, change] of quiet) {
      if (change === null) {
        quiet.delete(key);
        continue;
      }
      quiet.set(key, null);
      try {
        send(change);
      } catch (error) {
        log.error('a change of a session could not be told', { error });
      }
    }
    arm();
  };
  const arm = (): void => {
    if (quiet.size > 0) timer ??= setTimeout(round, limits.sessionChangeIntervalMs).unref();
  };

  return {
    tell(change) {
      const key = change.sessionKey;
      const waiting = quiet.get(key);
      if (waiting === undefined) {
        send(change);
        quiet.set(key, null);
      } else if (waiting === null || WEIGHT[change.reason] >= WEIGHT[waiting.reason]) {
        quiet.set(key, change);
      }
      arm();
    },
    stop: () => clearTimeout(timer),
  };
}
