// Owns what is counted of senders while the gateway runs: how much each wrote within a minute, and bots that answer each
// other. It is bounded, however many there are, and only counts; the gate decides.
import { setNewest } from '../platform/newest.ts';

const MINUTE_MS = 60_000;
const MAX_SENDERS = 10_000;
const LOOP_EVENTS = 20;

type Window = { startedMs: number; count: number; coolUntilMs: number };

export function createCounters() {
  const windows = new Map<string, Window>();

  const windowOf = (key: string, nowMs: number): Window => {
    const known = windows.get(key);
    if (known && nowMs - known.startedMs < MINUTE_MS) return known;
    const fresh = { startedMs: nowMs, count: 0, coolUntilMs: known?.coolUntilMs ?? 0 };
    setNewest(windows, key, fresh, MAX_SENDERS);
    return fresh;
  };
  return {
    /** Messages of this sender within the running minute; nothing is counted by asking. */
    lastMinute(sender: string, nowMs: number): number {
      const known = windows.get(sender);
      return known && nowMs - known.startedMs < MINUTE_MS ? known.count : 0;
    },
    count(sender: string, nowMs: number): void {
      windowOf(sender, nowMs).count += 1;
    },
    /** Counts a message of a bot in a chat, and says whether the two go round in circles. It ends a minute after the last. */
    botTurn(pair: string, nowMs: number): boolean {
      const window = windowOf(`bot\0${pair}`, nowMs);
      window.count += 1;
      const cooling = nowMs < window.coolUntilMs;
      if (cooling || window.count > LOOP_EVENTS) window.coolUntilMs = nowMs + MINUTE_MS;
      return cooling || window.count > LOOP_EVENTS;
    },
  };
}
