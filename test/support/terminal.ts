// Owns a terminal in memory: it obeys the few control sequences that our programs write and can be read like a screen.
// A sequence that it does not know is an error, so that nothing unexpected reaches a real terminal unseen.
import { PassThrough, Writable } from 'node:stream';
import { widthOf } from '../../src/cli/print/text.ts';

export type TestTerminal = {
  readonly stdin: PassThrough & { readonly isTTY: boolean };
  readonly stdout: Writable & { readonly isTTY: boolean; readonly columns: number };
  /** the rows, without trailing blanks and empty rows at the end */
  rows(): string[];
  /** where the cursor is: [row, column] */
  cursor(): readonly [number, number];
  type(text: string): void;
  /** resolves when the screen satisfies `holds`; fails after `timeoutMs` with the screen */
  until(holds: (rows: string[]) => boolean, timeoutMs?: number): Promise<void>;
};

export function createTerminal(columns = 60): TestTerminal {
  const grid: string[][] = [[]];
  let row = 0;
  let column = 0;
  const waiting = new Set<() => void>();

  const put = (char: string): void => {
    if (column + widthOf(char) > columns) {
      row += 1;
      column = 0;
    }
    while (grid.length <= row) grid.push([]);
    const line = grid[row] ?? [];
    while (line.length < column) line.push(' ');
    line[column] = char;
    for (let i = 1; i < widthOf(char); i += 1) line[column + i] = '';
    column += widthOf(char);
  };
  const control = (params: string, final: string): void => {
    const [first = ''] = params.split(';');
    const n = Number(first || '1');
    if (final === 'A') row = Math.max(0, row - n);
    else if (final === 'B') row += n;
    else if (final === 'C') column += n;
    else if (final === 'D') column = Math.max(0, column - n);
    else if (final === 'G') column = n - 1;
    else if (final === 'K') grid[row] = (grid[row] ?? []).slice(0, column);
    else if (final === 'J') {
      if (!(first === '' || first === '0')) throw new Error(`unexpected erase ${params}J`);
      grid[row] = (grid[row] ?? []).slice(0, column);
      grid.length = row + 1;
    } else if (final !== 'm' && final !== 'h' && final !== 'l')
      throw new Error(`unexpected sequence ${params}${final}`);
  };
  const obey = (text: string): void => {
    for (let i = 0; i < text.length; ) {
      const found = /^\u001b\[([\d;?]*)([A-Za-z])/.exec(text.slice(i, i + 24));
      if (found) {
        control(found[1] ?? '', found[2] ?? '');
        i += found[0].length;
        continue;
      }
      const char = String.fromCodePoint(text.codePointAt(i) ?? 0);
      if (char === '\r') column = 0;
      else if (char === '\n') {
        // As a terminal in its usual mode does: a line feed returns as well.
        row += 1;
        column = 0;
        while (grid.length <= row) grid.push([]);
      } else if (char < ' ') throw new Error(`unexpected control ${JSON.stringify(char)}`);
      else put(char);
      i += char.length;
    }
    for (const check of waiting) check();
  };
  const rows = (): string[] => {
    const all = grid.map((line) =>
      line
        .map((char) => char ?? ' ')
        .join('')
        .trimEnd(),
    );
    while (all.length > 0 && all.at(-1) === '') all.pop();
    return all;
  };
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const stdout = Object.assign(
    new Writable({
      decodeStrings: false,
      write: (chunk: string | Buffer, _encoding, done) => {
        obey(String(chunk));
        done();
      },
    }),
    { isTTY: true, columns },
  );
  return {
    stdin,
    stdout,
    rows,
    cursor: () => [row, column],
    type: (text) => void stdin.write(text),
    until: (holds, timeoutMs = 20_000) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (!holds(rows())) return;
          clearTimeout(timer);
          waiting.delete(check);
          resolve();
        };
        const timer = setTimeout(() => {
          waiting.delete(check);
          reject(new Error(`the screen never came to that; it shows:\n${rows().join('\n')}`));
        }, timeoutMs);
        waiting.add(check);
        check();
      }),
  };
}
