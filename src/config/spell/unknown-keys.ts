// Owns what happens to a key that the schema does not know: a key of other versions is explained, a cosmetic one ignored
// with a warning, any other one refused. It must never let a piece of security vanish in silence.
import { isObject } from '../../platform/json.ts';
import type { Finding } from '../findings.ts';
import { unknownKey } from '../shape/issues.ts';
import { COSMETIC, RETIRED, type Retired } from './retired.ts';

/** `value` is what stands at the unknown key. Of an object, what lies below is judged piece by piece. */
export function judgeUnknown(path: readonly string[], value: unknown, strict: boolean): Finding[] {
  const retired = RETIRED.find((row) => covers(row, path));
  if (retired) return [judgeRetired(retired, path, value)];
  if (isObject(value) && RETIRED.some((row) => liesBelow(row, path))) {
    return Object.entries(value).flatMap(([key, inner]) => judgeUnknown([...path, key], inner, strict));
  }
  const finding = unknownKey(path);
  if (strict || !COSMETIC.includes(path[0] ?? '')) return [finding];
  return [{ ...finding, level: 'warning', message: `${finding.message}; it has no effect` }];
}

function judgeRetired({ same = [], harmless, why }: Retired, path: readonly string[], value: unknown): Finding {
  const key = path.join('.');
  if (same.some((one) => JSON.stringify(one) === JSON.stringify(value))) {
    return { level: 'note', code: 'already-so', key, message: `${key} is always so: ${why}`, fix: `remove ${key}` };
  }
  if (harmless) {
    const level = key === 'meta' || key === 'wizard' ? 'note' : 'warning';
    return { level, code: 'no-effect', key, message: `${key} has no effect: ${why}`, fix: `remove ${key}` };
  }
  return {
    level: 'error',
    code: 'not-offered',
    key,
    message: `${key} asks for what is not offered: ${why}`,
    fix: `remove ${key}`,
  };
}

/** The row's key is the path or one of its parents. */
function covers({ key }: Retired, path: readonly string[]): boolean {
  const parts = key.split('.');
  return parts.length <= path.length && parts.every((part, i) => matches(part, path[i] ?? ''));
}

function liesBelow({ key }: Retired, path: readonly string[]): boolean {
  const parts = key.split('.');
  return parts.length > path.length && path.every((name, i) => matches(parts[i] ?? '', name));
}

const matches = (part: string, name: string): boolean => part === '*' || part.split('|').includes(name);
