// Owns programs that start the program named after their own options: where that name stands. What it cannot follow
// word by word it must call unknown.
import { PRIVILEGED, plainProgramName, WRAPPERS } from '../../config/interpreters.ts';
import type { Literal } from './reading.ts';

/** Letters of options; one with `:` takes a value. `words` of its own stand before the program. */
type Wrapper = { readonly options: string; readonly long?: readonly string[]; readonly words?: number };

const FOLLOWED: Readonly<Record<string, Wrapper>> = {
  env: { options: 'i', long: ['ignore-environment'] },
  nice: { options: 'n:' },
  nohup: { options: '' },
  timeout: { options: 's:k:v', long: ['preserve-status', 'foreground', 'verbose'], words: 1 },
  stdbuf: { options: 'i:o:e:' },
  setsid: { options: 'cfw', long: ['wait', 'fork', 'ctty'] },
  ionice: { options: 'c:n:t' },
  time: { options: 'pv' },
  command: { options: 'p' },
  builtin: { options: '' },
};
/** Their own name goes away when they run: they are of the shell, or only another way to a name. */
const ASSIGNMENT = /^([A-Za-z_]\w*)=/s;

export type Unwrapped =
  | { readonly kind: 'plain' }
  | { readonly kind: 'unknown' }
  /** `at` is the index of the inner program's name; `sets` the variables that `env` sets for it */
  | { readonly kind: 'inner'; readonly at: number; readonly sets: readonly string[] };

/** `command cd x` changes the folder as `cd x` does. */
export function withoutShells(words: readonly Literal[]): readonly Literal[] {
  const isShells = ['command', 'builtin'].includes(words[0]?.value ?? '');
  const found = isShells ? unwrap(words) : null;
  return found?.kind === 'inner' ? withoutShells(words.slice(found.at)) : words;
}

export function unwrap(words: readonly Literal[]): Unwrapped {
  const name = plainProgramName(words[0]?.value ?? '');
  if (PRIVILEGED.includes(name)) return { kind: 'unknown' };
  if (!WRAPPERS.includes(name)) return { kind: 'plain' };
  const wrapper = FOLLOWED[name];
  if (!wrapper) return { kind: 'unknown' };
  const { options, long = [], words: own = 0 } = wrapper;
  let at = 1;
  for (; at < words.length; at += 1) {
    const value = words[at]?.value;
    if (value === null || value === undefined) return { kind: 'unknown' };
    if (value === '--') {
      at += 1;
      break;
    }
    if (!value.startsWith('-')) break;
    if (value.startsWith('--')) {
      if (!long.includes(value.slice(2))) return { kind: 'unknown' };
      continue;
    }
    const letters = [...value.slice(1)];
    const bad = letters.findIndex((one) => !/[a-z]/.test(one) || !options.includes(one));
    const taking = letters.findIndex((one) => options.includes(`${one}:`));
    if (letters.length === 0 || (bad !== -1 && (taking === -1 || taking > bad))) return { kind: 'unknown' };
    if (taking === letters.length - 1) at += 1;
  }
  const sets: string[] = [];
  for (; name === 'env'; at += 1) {
    const set = ASSIGNMENT.exec(words[at]?.value ?? '')?.[1];
    if (set === undefined) break;
    sets.push(set);
  }
  at += own;
  return at < words.length ? { kind: 'inner', at, sets } : { kind: 'unknown' };
}
