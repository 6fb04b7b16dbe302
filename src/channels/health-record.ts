// Owns what is remembered of a channel's last day: round trips, messages, lost connections, one bucket an hour. Small
// enough to be kept whole in one row of the database, so that a restart does not make it look new.
import { tryParseJson } from '../platform/json.ts';

export type Hour = {
  /** hours since 1970 */
  readonly hour: number;
  trips: number;
  failedTrips: number;
  slowestMs: number;
  sumMs: number;
  events: number;
  drops: number;
};

export type DaySummary = {
  readonly roundTrips: number;
  readonly failedRoundTrips: number;
  readonly averageMs: number | null;
  readonly slowestMs: number | null;
  /** what arrived from the platform, of whatever kind */
  readonly events: number;
  readonly drops: number;
  /** hours of the last 24 of which anything is known */
  readonly hours: number;
};

const HOUR_MS = 3_600_000;
const HOURS = 24;

export type HealthRecord = ReturnType<typeof createHealthRecord>;

export function createHealthRecord(saved: string | null) {
  let hours = parse(saved);
  const at = (nowMs: number): Hour => {
    const hour = Math.floor(nowMs / HOUR_MS);
    const last = hours.at(-1);
    if (last?.hour === hour) return last;
    const fresh: Hour = { hour, trips: 0, failedTrips: 0, slowestMs: 0, sumMs: 0, events: 0, drops: 0 };
    hours = [...hours.filter((one) => one.hour > hour - HOURS && one.hour < hour), fresh];
    return fresh;
  };
  return {
    roundTrip(nowMs: number, roundTripMs: number): void {
      const hour = at(nowMs);
      hour.trips += 1;
      hour.sumMs += Math.round(roundTripMs);
      hour.slowestMs = Math.max(hour.slowestMs, Math.round(roundTripMs));
    },
    failedTrip(nowMs: number): void {
      at(nowMs).failedTrips += 1;
    },
    event(nowMs: number): void {
      at(nowMs).events += 1;
    },
    drop(nowMs: number): void {
      at(nowMs).drops += 1;
    },
    day(nowMs: number): DaySummary {
      const known = hours.filter((one) => one.hour > Math.floor(nowMs / HOUR_MS) - HOURS);
      const sum = (key: 'trips' | 'failedTrips' | 'sumMs' | 'events' | 'drops'): number =>
        known.reduce((total, one) => total + one[key], 0);
      const trips = sum('trips');
      return {
        roundTrips: trips,
        failedRoundTrips: sum('failedTrips'),
        averageMs: trips === 0 ? null : Math.round(sum('sumMs') / trips),
        slowestMs: trips === 0 ? null : Math.max(...known.map((one) => one.slowestMs)),
        events: sum('events'),
        drops: sum('drops'),
        hours: known.length,
      };
    },
    save: (): string => JSON.stringify(hours),
  };
}

/** What another version wrote, or a hand, is no reason not to start. */
function parse(saved: string | null): Hour[] {
  const value = tryParseJson(saved ?? '');
  if (!Array.isArray(value)) return [];
  const keys = ['hour', 'trips', 'failedTrips', 'slowestMs', 'sumMs', 'events', 'drops'] as const;
  return value.filter((one): one is Hour => keys.every((key) => Number.isFinite((one as Hour | null)?.[key])));
}
