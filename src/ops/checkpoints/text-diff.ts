// Owns showing how two texts differ, line by line, in the form that everybody knows. Whatever the texts are, it takes
// bounded time and room: past the bound it says how large the change is, and no more.
const MAX_TEXT_BYTES = 1_000_000;
/** Lines that are put in or taken out before it gives up: the work grows with the square of it. */
const MAX_EDITS = 1_000;
const MAX_SHOWN_LINES = 400;
const MAX_LINE_CHARS = 500;
const CONTEXT_LINES = 3;

export type TextDiff = { readonly text: string | null; readonly note: string };

/** `text` is null when there is nothing to show but the note. */
export function diffTexts(before: Buffer | null, after: Buffer | null): TextDiff {
  const [from, to] = [before ?? Buffer.alloc(0), after ?? Buffer.alloc(0)];
  const sizes = `${before === null ? 'nothing' : `${from.length} B`} -> ${after === null ? 'nothing' : `${to.length} B`}`;
  if (from.length > MAX_TEXT_BYTES || to.length > MAX_TEXT_BYTES)
    return { text: null, note: `too large to compare, ${sizes}` };
  if (isBinary(from) || isBinary(to)) return { text: null, note: `not a text, ${sizes}` };
  const [a, b] = [linesOf(from), linesOf(to)];
  const edits = compare(a, b);
  if (edits === null) return { text: null, note: `changed throughout, ${a.length} -> ${b.length} lines` };
  return { text: hunks(a, b, edits), note: '' };
}

const isBinary = (data: Buffer): boolean => data.subarray(0, 8_000).includes(0) || !isUtf8(data);
const isUtf8 = (data: Buffer): boolean => {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(data);
    return true;
  } catch {
    return false;
  }
};

/** The last line without a line feed is another line than the same one with it. */
function linesOf(data: Buffer): string[] {
  const text = data.toString();
  if (text === '') return [];
  const lines = text.split('\n');
  const last = lines.pop();
  return last === '' || last === undefined ? lines : [...lines, `${last}\n\\ No newline at end of file`];
}

type Edit = { readonly kind: ' ' | '-' | '+'; readonly a: number; readonly b: number };

/** Myers' greedy algorithm on what is left between a common beginning and a common end; null past the bound. */
function compare(before: readonly string[], after: readonly string[]): Edit[] | null {
  // Numbers: long lines that differ at their end only would be compared a million times.
  const known = new Map<string, number>();
  const numberOf = (line: string): number => {
    const number = known.get(line) ?? known.size;
    known.set(line, number);
    return number;
  };
  const [a, b] = [before.map(numberOf), after.map(numberOf)];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let [endA, endB] = [a.length, b.length];
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) [endA, endB] = [endA - 1, endB - 1];
  const middle = shortest(a.slice(start, endA), b.slice(start, endB), start);
  if (middle === null) return null;
  const equal = (from: number, to: number, shift: number): Edit[] =>
    Array.from({ length: to - from }, (_, i) => ({ kind: ' ', a: from + i, b: from + i + shift }));
  return [...equal(0, start, 0), ...middle, ...equal(endA, a.length, endB - endA)];
}

function shortest(a: readonly number[], b: readonly number[], shift: number): Edit[] | null {
  const only = (kind: '-' | '+', count: number): Edit[] =>
    Array.from({ length: count }, (_, i) =>
      kind === '-' ? { kind, a: shift + i, b: shift } : { kind, a: shift, b: shift + i },
    );
  if (a.length === 0) return only('+', b.length);
  if (b.length === 0) return only('-', a.length);
  const most = Math.min(a.length + b.length, MAX_EDITS);
  const reach = new Int32Array(2 * most + 3);
  const trace: Int32Array[] = [];
  for (let edits = 0; edits <= most; edits++) {
    // Only the diagonals that this round can reach are kept to find the way back.
    trace.push(reach.slice(most + 1 - edits - 1, most + 1 + edits + 2));
    for (let k = -edits; k <= edits; k += 2) {
      const at = most + 1 + k;
      const down = k === -edits || (k !== edits && (reach[at - 1] ?? 0) < (reach[at + 1] ?? 0));
      let x = down ? (reach[at + 1] ?? 0) : (reach[at - 1] ?? 0) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x += 1;
      reach[at] = x;
      if (x >= a.length && x - k >= b.length) return wayBack(trace, edits, a.length, b.length, shift);
    }
  }
  return null;
}

function wayBack(trace: readonly Int32Array[], last: number, lengthA: number, lengthB: number, shift: number): Edit[] {
  const edits: Edit[] = [];
  let [x, y] = [lengthA, lengthB];
  const equal = (): void => void edits.push({ kind: ' ', a: shift + --x, b: shift + --y });
  for (let round = last; round > 0; round--) {
    const row = trace[round] ?? new Int32Array();
    const of = (k: number): number => row[k + round + 1] ?? 0;
    const k = x - y;
    const down = k === -round || (k !== round && of(k - 1) < of(k + 1));
    const afterEdit = down ? of(k + 1) : of(k - 1) + 1;
    while (x > afterEdit) equal();
    if (down) edits.push({ kind: '+', a: shift + x, b: shift + --y });
    else edits.push({ kind: '-', a: shift + --x, b: shift + y });
  }
  while (x > 0 && y > 0) equal();
  return edits.reverse();
}

function hunks(a: readonly string[], b: readonly string[], edits: readonly Edit[]): string {
  const lines: string[] = [];
  for (let i = 0; i < edits.length; ) {
    while (i < edits.length && edits[i]?.kind === ' ') i += 1;
    if (i >= edits.length) break;
    const begin = Math.max(0, i - CONTEXT_LINES);
    let end = i;
    for (let quiet = 0; end < edits.length && quiet <= 2 * CONTEXT_LINES; end++)
      quiet = edits[end]?.kind === ' ' ? quiet + 1 : 0;
    while (end > i && edits[end - 1]?.kind === ' ') end -= 1;
    end = Math.min(edits.length, end + CONTEXT_LINES);
    const part = edits.slice(begin, end);
    const [first] = part;
    const [countA, countB] = [part.filter((e) => e.kind !== '+').length, part.filter((e) => e.kind !== '-').length];
    const at = (line: number, count: number): string => `${count === 0 ? line : line + 1},${count}`;
    lines.push(`@@ -${at(first?.a ?? 0, countA)} +${at(first?.b ?? 0, countB)} @@`);
    for (const { kind, a: lineA, b: lineB } of part) lines.push(kind + cut((kind === '+' ? b[lineB] : a[lineA]) ?? ''));
    if (lines.length > MAX_SHOWN_LINES) return [...lines.slice(0, MAX_SHOWN_LINES), '... (more changes)'].join('\n');
    i = end;
  }
  return lines.join('\n');
}

const cut = (line: string): string => (line.length > MAX_LINE_CHARS ? `${line.slice(0, MAX_LINE_CHARS)}...` : line);
