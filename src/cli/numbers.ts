// Owns reading numbers that people type as options. A wrong one is a usage error that names the option.
import { EXIT, HardshellError } from '../platform/errors.ts';

export function wholeNumber(text: string | undefined, option: string, otherwise: number, max: number): number {
  if (text === undefined) return otherwise;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= max) return value;
  throw new HardshellError({
    code: 'OPTION_UNUSABLE',
    message: `${option} ${text} is not a whole number from 1 to ${max}`,
    fix: `write it like ${option} ${Math.min(otherwise, max)}`,
    exitCode: EXIT.usage,
  });
}
