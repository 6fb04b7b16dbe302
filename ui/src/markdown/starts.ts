// Owns what a single line can begin: fence, rule, quote, list item, table; and the counting of indents. It knows
// lines only, never blocks.

const MAX_COLUMNS = 64;

export function isBlank(line: string | undefined): boolean {
  return line === undefined || line.trim() === '';
}

/** Columns of leading white space; a tab counts to the next multiple of four. */
export function indentOf(line: string): number {
  let columns = 0;
  for (const char of line) {
    if (char === ' ') columns++;
    else if (char === '\t') columns += 4 - (columns % 4);
    else break;
  }
  return columns;
}

export function dropIndent(line: string, columns: number): string {
  let dropped = 0;
  let at = 0;
  for (; dropped < columns && (line[at] === ' ' || line[at] === '\t'); at++) {
    dropped += line[at] === ' ' ? 1 : 4 - (dropped % 4);
  }
  return ' '.repeat(Math.max(0, dropped - columns)) + line.slice(at);
}

/** Whether the line ends a paragraph without a blank line before it. */
export function interrupts(lines: readonly string[], at: number): boolean {
  const line = lines[at] ?? '';
  if (indentOf(line) >= 4) return false;
  const marker = markerOf(line);
  if (marker && marker.content !== '' && (marker.start === null || marker.start === 1)) return true;
  return fenceOf(line) !== null || isHeading(line) || isRule(line) || isQuote(line) || startsTable(lines, at);
}

export function startsTable(lines: readonly string[], at: number): boolean {
  const line = lines[at] ?? '';
  const below = lines[at + 1];
  return (
    below !== undefined &&
    line.includes('|') &&
    isDelimiterRow(below) &&
    splitRow(below).length === splitRow(line).length
  );
}

export type Fence = { readonly mark: string; readonly indent: number; readonly language: string };

export function fenceOf(line: string): Fence | null {
  const match = /^( {0,3})(`{3,}|~{3,})(.*)$/.exec(line);
  const [, indent = '', mark = '', info = ''] = match ?? [];
  if (!match || (mark.startsWith('`') && info.includes('`'))) return null;
  return { mark, indent: indent.length, language: (info.trim().split(/[\s{]/)[0] ?? '').slice(0, 40) };
}

export function isHeading(line: string): boolean {
  return /^ {0,3}#{1,6}(?:[ \t]|$)/.test(line);
}

export function isRule(line: string): boolean {
  return /^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/.test(line);
}

export function isQuote(line: string): boolean {
  return /^ {0,3}>/.test(line);
}

export type Marker = {
  /** bullet character, or the delimiter of a numbered list: a change of kind begins a new list */
  readonly kind: string;
  readonly start: number | null;
  readonly indent: number;
  /** the column where the words of the item begin */
  readonly width: number;
  readonly content: string;
};

export function markerOf(line: string): Marker | null {
  const match = /^( {0,3})([-*+]|\d{1,9}[.)])(?:([ \t]+)(.*))?$/s.exec(line);
  if (!match) return null;
  const [, indent = '', mark = '', space = '', content = ''] = match;
  const number = /^\d/.test(mark);
  const gap = content === '' || space.length > 4 ? 1 : space.length;
  return {
    kind: mark.slice(-1),
    start: number ? Number.parseInt(mark, 10) : null,
    indent: indent.length,
    width: indent.length + mark.length + gap,
    content: space.length > 4 ? space.slice(1) + content : content,
  };
}

export function isDelimiterRow(line: string): boolean {
  if (!line.includes('-') || !/^ {0,3}[|:\- \t]+$/.test(line) || !/[|:]/.test(line)) return false;
  const cells = splitRow(line);
  return cells.length <= MAX_COLUMNS && cells.every((cell) => /^:?-+:?$/.test(cell));
}

export function splitRow(line: string): string[] {
  const text = line.trim();
  const cells: string[] = [];
  let cell = '';
  for (let at = text.startsWith('|') ? 1 : 0; at < text.length; at++) {
    const char = text[at] ?? '';
    if (char === '\\' && text[at + 1] === '|') {
      cell += '|';
      at++;
    } else if (char === '|') {
      cells.push(cell.trim());
      cell = '';
    } else cell += char;
  }
  if (cell.trim() !== '' || !text.endsWith('|')) cells.push(cell.trim());
  return cells;
}
