// Owns parsing a text that is still growing: blocks before the last one can no longer change, so only the last is read
// again. The result must be what parsing the whole text at once would give, at every prefix.
import { parseLines, placeBlocks, toLines } from './blocks.ts';
import type { Block } from './tree.ts';

export type Growing = {
  readonly text: string;
  /** finished blocks, the same objects from one step to the next */
  readonly settled: readonly Block[];
  /** where in `text` the open part begins */
  readonly settledChars: number;
  readonly open: readonly Block[];
};

export const NOTHING: Growing = { text: '', settled: [], settledChars: 0, open: [] };

export function grow(before: Growing, text: string): Growing {
  const same = text.length >= before.text.length && text.startsWith(before.text);
  const from = same ? before : NOTHING;
  if (same && text.length === before.text.length) return before;
  let { settled, settledChars } = from;
  // Only complete lines decide what is settled: half a line may still turn into anything.
  const lineEnd = text.lastIndexOf('\n');
  if (lineEnd >= settledChars && text.indexOf('\n', from.text.length) !== -1) {
    const lines = toLines(text.slice(settledChars, lineEnd));
    const placed = placeBlocks(lines, 0);
    const last = placed.at(-1);
    if (last && placed.length > 1) {
      settled = [...settled, ...placed.slice(0, -1).map((p) => p.block)];
      settledChars += offsetOfLine(text.slice(settledChars), last.line);
    }
  }
  return { text, settled, settledChars, open: parseLines(toLines(text.slice(settledChars)), 0) };
}

function offsetOfLine(text: string, line: number): number {
  let at = 0;
  for (let passed = 0; passed < line; passed++) at = text.indexOf('\n', at) + 1;
  return at;
}
