// Owns how long a wrong token waits for its answer: the first 250 ms, each further one of the same bucket twice as
// long, up to 5 s. It delays only failures: the right token is never held up, so nobody can lock the owner out.
import type { Limits } from '../limits.ts';

type Bucket = { failures: number; lastAtMs: number };

export type Throttle = {
  /** counts one failure in each bucket and says how long its answer must wait */
  failed(buckets: readonly string[]): number;
};

export function createThrottle(limits: Limits, now: () => number): Throttle {
  const buckets = new Map<string, Bucket>();
  const fail = (key: string): number => {
    const at = now();
    const old = buckets.get(key);
    // A clock that was set back must not keep a bucket for ever.
    const stale = !old || at - old.lastAtMs > limits.wrongTokenWindowMs || at < old.lastAtMs;
    const failures = stale ? 1 : old.failures + 1;
    buckets.delete(key);
    buckets.set(key, { failures, lastAtMs: at });
    if (buckets.size > limits.wrongTokenBuckets) {
      for (const oldest of buckets.keys()) {
        buckets.delete(oldest);
        break;
      }
    }
    return Math.min(limits.wrongTokenDelayMs * 2 ** Math.min(failures - 1, 30), limits.wrongTokenMaxDelayMs);
  };
  return { failed: (keys) => keys.reduce((longest, key) => Math.max(longest, fail(key)), 0) };
}

/** The buckets of a peer: its address, and the page that it is when it says so. */
export function bucketsOf(ip: string, origin: string | null): string[] {
  return origin === null ? [`ip ${network(ip)}`] : [`ip ${network(ip)}`, `page ${origin}`];
}

/** One host on IPv6 owns a whole /64; counting single addresses would count nothing. */
function network(ip: string): string {
  if (!ip.includes(':') || ip === '::1') return ip;
  return `${ip.split('%')[0]?.split(':').slice(0, 4).join(':')}::/64`;
}
