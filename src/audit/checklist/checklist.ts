// Owns how a box of a checklist is answered: by the checks that stand behind it, and by nothing else. Pure.
import { type Check, type Finding, GROUPS } from '../check.ts';
import { findingsIn, type Report } from '../run.ts';
import type { Box } from './boxes.ts';

/** yours: nothing that can be seen from here is wrong, and `look` is how you find out */
export type Answer =
  | { readonly state: 'ticked'; readonly because: string }
  | { readonly state: 'open'; readonly findings: readonly [Finding, ...Finding[]] }
  | { readonly state: 'yours'; readonly look: string; readonly because: string };
export type Answered = { readonly box: Box; readonly answer: Answer };

/** What the machine is like has boxes of its own. */
const OF_AUDIT = new Set<string>(GROUPS.filter((group) => group !== 'Host'));

export const isAskedBy =
  (boxes: readonly Box[]) =>
  ({ id, group }: Pick<Check, 'id' | 'group'>): boolean =>
    boxes.some(({ by }) => (by === 'all' ? OF_AUDIT.has(group) : by.includes(id)));

export function answerBoxes(boxes: readonly Box[], { looked }: Report): Answered[] {
  return boxes.map((box) => {
    const own = looked.filter(({ check }) => isAskedBy([box])(check));
    return { box, answer: answerOf(box, own) };
  });
}

function answerOf({ by, yours }: Box, own: Report['looked']): Answer {
  const found = own.flatMap(({ outcome }) => findingsIn(outcome));
  // An audit is clean without critical findings and warnings; a box of a list asks for more.
  const [worst, ...more] = by === 'all' ? found.filter(({ severity }) => severity !== 'INFO') : found;
  if (worst !== undefined) return { state: 'open', findings: [worst, ...more] };
  const passed = own.flatMap(({ outcome }) => ('pass' in outcome ? [outcome.pass] : []));
  const blind = own.filter(({ outcome }) => 'skipped' in outcome && !/not configured$/.test(outcome.skipped));
  const because = by === 'all' ? `${passed.length} checks passed` : passed.join('; ');
  if (yours !== undefined) return { state: 'yours', look: yours, because };
  const [first] = blind;
  if (by !== 'all' && passed.length === 0 && first !== undefined)
    return {
      state: 'yours',
      look: `openclaw security audit --only ${first.check.id}${first.check.depth === 'read' ? '' : ` --${first.check.depth}`} --verbose`,
      because: 'skipped' in first.outcome ? first.outcome.skipped : '',
    };
  return { state: 'ticked', because: because || 'not configured' };
}
