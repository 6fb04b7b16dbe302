import { describe, expect, it } from 'vitest';
import { factLines, tableLines } from './table.ts';
import { widthOf } from './text.ts';

const columns = [{ title: 'KEY' }, { title: 'TITLE', flexible: true }, { title: 'N', align: 'right' }] as const;

describe('tableLines', () => {
  it('aligns columns, wide characters included', () => {
    const lines = tableLines(
      columns,
      [
        ['a', '你好', '1'],
        ['bcd', 'hello', '10'],
      ],
      0,
    );
    expect(lines).toEqual(['KEY  TITLE   N', 'a    你好    1', 'bcd  hello  10']);
    expect(new Set(lines.map(widthOf)).size).toBe(1);
  });
  it('K04 escapes every cell', () => {
    expect(tableLines(columns, [['k', '\u001b]0;owned\u0007', '1']], 0)[1]).toBe('k    \\x1b]0;owned\\x07  1');
  });
  it('shortens only the flexible column, and only for a terminal', () => {
    const row = ['key', 'a long title that does not fit', '12'];
    expect(tableLines(columns, [row], 24)[1]).toBe('key  a long title t…  12');
    expect(tableLines(columns, [row], 0)[1]).toContain('does not fit');
  });
});

describe('factLines', () => {
  it('puts values under each other', () => {
    expect(
      factLines([
        ['a', '1'],
        ['long', '2'],
      ]),
    ).toEqual(['a     1', 'long  2']);
  });
});
