// Owns the record of who was turned away: one stable log line with the word "unauthorized" and the address (S074,
// S141), one journal entry. Both are bounded: a flood must not fill a disk. Never the offered secret, never peer text.
import type { Limits } from '../limits.ts';
import type { GatewayLog } from '../options.ts';

export type Refused = {
  readonly via: 'http' | 'ws';
  readonly ip: string;
  /** stable, lower_snake */
  readonly reason: string;
  /** an allowed page origin; any other is the peer's own text */
  readonly origin?: string | null;
  readonly clientId?: string;
  /** what it said to be a knock of our own audit */
  readonly mark?: string | string[] | undefined;
};

export type Refusals = { note(refused: Refused): void };

const MINUTE_MS = 60_000;

export function createRefusals(
  limits: Limits,
  now: () => number,
  log: GatewayLog,
  record: (kind: string, body: Record<string, unknown>) => void,
  isOwn: (mark: Refused['mark']) => boolean = () => false,
): Refusals {
  /** A journal that cannot be written is no reason to let anybody in, nor to fall over. */
  const write = (body: Record<string, unknown>): void => {
    try {
      record('gateway.refused', body);
    } catch (error) {
      log.error('a refusal could not be journalled', { error });
    }
  };
  let windowStartMs = 0;
  let noted = 0;
  let unsaid = 0;
  return {
    note(refused) {
      const at = now();
      if (at - windowStartMs >= MINUTE_MS || at < windowStartMs) {
        if (unsaid > 0) {
          log.warn(`unauthorized: ${unsaid} more refusals in the minute before`, { refusals: unsaid });
          write({ reason: 'flood', refusals: unsaid });
        }
        windowStartMs = at;
        noted = 0;
        unsaid = 0;
      }
      noted += 1;
      if (noted > limits.refusalsPerMinute) {
        unsaid += 1;
        return;
      }
      const { via, ip, reason, origin = null, clientId } = refused;
      if (isOwn(refused.mark)) return write({ via, ip, reason, by: 'audit' });
      const facts = { via, ip, reason, ...(origin === null ? {} : { origin }), ...(clientId ? { clientId } : {}) };
      log.warn(`unauthorized ip=${ip} via=${via} reason=${reason}`, facts);
      write(facts);
    },
  };
}
