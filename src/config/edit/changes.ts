// Owns the difference between two configurations: which settings differ, which of them need a restart, and whether the
// gateway could become unreachable by it. Pure.
import { isDeepStrictEqual } from 'node:util';
import { isObject } from '../../platform/json.ts';
import { factsOf } from '../schema/leaf.ts';
import { type Schema, schemaAt } from '../schema/tree.ts';
import type { Config } from '../schema.ts';
import { showKeyPath } from './key-path.ts';

export type Changes = {
  readonly changed: readonly string[];
  readonly restart: readonly string[];
  /** a wrong value here could lock you out: it is proved before it is kept */
  readonly reach: readonly string[];
};

const REACH = /^(gateway\.(port|bind|customBindHost|dangerously|auth|trustedProxies|tailscale|controlUi)|channels\b)/;

export function changesBetween(before: Config, after: Config): Changes {
  const paths: string[][] = [];
  compare(before, after, [], paths);
  const changed = paths.map(showKeyPath);
  return {
    changed,
    restart: paths.filter(needsRestart).map(showKeyPath),
    reach: changed.filter((path) => REACH.test(path)),
  };
}

function compare(before: unknown, after: unknown, at: readonly string[], into: string[][]): void {
  if (!isObject(before) || !isObject(after)) {
    if (!isDeepStrictEqual(before, after)) into.push([...at]);
    return;
  }
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    compare(before[key], after[key], [...at, key], into);
  }
}

function needsRestart(path: readonly string[]): boolean {
  for (let length = path.length; length > 0; length--) {
    let schema: Schema | undefined = schemaAt(path.slice(0, length)) ?? undefined;
    for (; schema; schema = schema._zod.def.innerType) {
      const facts = factsOf(schema);
      if (facts) return facts.restart === true;
    }
  }
  return false;
}
