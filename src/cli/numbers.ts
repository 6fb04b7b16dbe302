// Owns reading numbers that people type as options. A wrong one is a usage error that names the option.
import { misused } from '../platform/errors.ts';

export function wholeNumber(text: string | undefined, option: string, otherwise: number, max: number): number {
  if (text === undefined) return otherwise;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= max) return value;
  throw misused(
    'OPTION_UNUSABLE',
    `${option} ${text} is not a whole number from 1 to ${max}`,
    `write it like ${option} ${Math.min(otherwise, max)}`,
  );
}

const DAY_MS = 86_400_000;
const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: DAY_MS };

/** `30s`, `5m`, `1h`, `2d`. */
export function milliseconds(text: string | undefined, option: string, maxMs: number): number | undefined {
  if (text === undefined) return undefined;
  const [, count = '', unit = ''] = /^(\d{1,6})\s?([smhd])$/.exec(text) ?? [];
  const value = Number(count) * (UNITS[unit] ?? 0);
  if (value > 0 && value <= maxMs) return value;
  throw misused(
    'OPTION_UNUSABLE',
    `${option} is not a length of time up to ${maxMs > 2 * DAY_MS ? `${maxMs / DAY_MS} days` : `${maxMs / 3_600_000} hours`}`,
    `write it like ${option} ${maxMs > 2 * DAY_MS ? '12h or 7d' : '5m'}`,
  );
}
