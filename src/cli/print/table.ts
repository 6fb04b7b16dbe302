// Owns columns: rows of cells laid out so that they line up, wide characters included. Every cell is escaped here, so a
// title or a name from outside can never act on the terminal.
import { escapeLine, padEnd, padStart, shorten, widthOf } from './text.ts';

export type Column = {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** gives way when the terminal is narrow */
  readonly flexible?: boolean;
};

const GAP = '  ';
const LEAST = 8;

/** One string a line, without trailing blanks. `columns` is the terminal's width; 0 means do not shorten. */
export function tableLines(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): string[] {
  const cells = rows.map((row) => row.map(escapeLine));
  const widths = columns.map((column, i) =>
    Math.max(widthOf(column.title), ...cells.map((row) => widthOf(row[i] ?? ''))),
  );
  const flexible = columns.flatMap((column, i) => (column.flexible ? [i] : []));
  if (width > 0) {
    let over = widths.reduce((sum, w) => sum + w, GAP.length * (columns.length - 1)) - width;
    for (const i of flexible.reverse()) {
      if (over <= 0) break;
      const current = widths[i] ?? 0;
      const next = Math.max(Math.min(current, LEAST), current - over);
      over -= current - next;
      widths[i] = next;
    }
  }
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => {
        const fitted = width > 0 ? shorten(cell, widths[i] ?? 0) : cell;
        return columns[i]?.align === 'right' ? padStart(fitted, widths[i] ?? 0) : padEnd(fitted, widths[i] ?? 0);
      })
      .join(GAP)
      .trimEnd();
  return [line(columns.map((column) => column.title)), ...cells.map(line)];
}

/** `label   value` pairs under each other. Values may hold several lines; they are escaped like cells. */
export function factLines(facts: readonly (readonly [label: string, value: string])[]): string[] {
  const width = Math.max(0, ...facts.map(([label]) => widthOf(label)));
  return facts.map(([label, value]) => `${padEnd(label, width)}${GAP}${escapeLine(value)}`.trimEnd());
}
