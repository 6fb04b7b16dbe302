// Owns the present as components see it, to the step they ask for: for times such as "5 min".
import { useEffect, useState } from 'preact/hooks';

export function useNow(everyMs: number): number {
  const [nowMs, setNowMs] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return nowMs;
}

const SETTLE_MS = 500;

/** False for a moment: what has just appeared under a finger must not take the click that was meant for something else. */
export function useSettled(): boolean {
  const [settled, setSettled] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(true), SETTLE_MS);
    return () => clearTimeout(timer);
  }, []);
  return settled;
}
