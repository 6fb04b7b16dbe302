// Owns showing what differs between two texts of a configuration, line by line. It must never show a secret: each is
// replaced by a mark that only tells whether it is the same on both sides.
import { createHmac, randomBytes } from 'node:crypto';
import { placeOf, schemaAt } from '../schema/tree.ts';
import { isSecretKey, REDACTED } from '../secrets.ts';
import { type Node, parseJson5 } from '../text/json5.ts';

export type DiffLine = { readonly kind: ' ' | '-' | '+'; readonly text: string };

const MAX_LINES = 4_000;

/** All lines, changed or not; whoever prints chooses how much around a change to show. */
export function diffTexts(before: string, after: string): DiffLine[] {
  const salt = randomBytes(16);
  return diffLines(linesOf(hideSecrets(before, salt)), linesOf(hideSecrets(after, salt)));
}

const linesOf = (text: string): string[] =>
  (text === '' ? [] : text.replace(/\r?\n$/, '').split(/\r?\n/)).slice(0, MAX_LINES);

/** Longest common subsequence; the files are small. */
function diffLines(a: readonly string[], b: readonly string[]): DiffLine[] {
  const width = b.length + 1;
  const table = new Uint16Array((a.length + 1) * width);
  const at = (i: number, j: number): number => table[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      table[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ kind: ' ', text: a[i] ?? '' });
      i += 1;
      j += 1;
    } else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1)))
      lines.push({ kind: '-', text: a[i++] ?? '' });
    else lines.push({ kind: '+', text: b[j++] ?? '' });
  }
  return lines;
}

function hideSecrets(text: string, salt: Uint8Array): string {
  let root: Node;
  try {
    ({ root } = parseJson5(text));
  } catch {
    // What cannot be read cannot be told apart, so every value is hidden.
    return text.replace(/([:=]\s*).*$/gm, `$1${REDACTED}`);
  }
  const spans: [number, number, string][] = [];
  collect(root, [], false, (start, end) => {
    const mark = createHmac('sha256', salt).update(text.slice(start, end)).digest('hex').slice(0, 6);
    spans.push([start, end, `"${REDACTED}#${mark}"`]);
  });
  return spans.reduceRight((result, [start, end, put]) => result.slice(0, start) + put + result.slice(end), text);
}

function collect(
  node: Node,
  path: readonly string[],
  secret: boolean,
  hide: (start: number, end: number) => void,
): void {
  if (node.type === 'scalar') {
    if (secret && node.value !== null && typeof node.value !== 'boolean') hide(node.start, node.end);
    return;
  }
  if (node.type === 'array') {
    for (const [index, item] of node.items.entries()) collect(item, [...path, String(index)], secret, hide);
    return;
  }
  for (const { key, value } of node.members) {
    const at = [...path, key];
    const schema = schemaAt(at);
    const place = schema && placeOf(schema);
    const known = place?.kind === 'leaf' ? place.facts.secret === true : false;
    collect(value, at, secret || known || (place?.kind !== 'leaf' && isSecretKey(key)), hide);
  }
}
