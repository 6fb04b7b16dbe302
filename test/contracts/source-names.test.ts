import { expect, test } from 'vitest';
import { sourceName } from '../../src/cli/print/source-name.ts';
import { sourceName as onThePage } from '../../ui/src/chat/source-words.ts';

test.each([
  ['web:evil.example', 'evil.example'],
  ['browser:shop.example', 'shop.example in the browser'],
  ['web:search', 'results of a search'],
  ['mail:ann@friends.example', 'mail from ann@friends.example'],
  ['file:notes/a.md', 'notes/a.md'],
  ['file:.', 'the list of files'],
  ['mcp:tracker', 'the MCP server tracker'],
  ['exec', 'output of commands'],
  ['many', 'many sources'],
  ['telegram:history:-100', 'what others said in telegram:-100'],
  ['telegram:quote:42', 'what was quoted in telegram:42'],
  ['telegram:42', 'telegram:42'],
  ['constructor:x', 'constructor:x'],
])('%s is told as %s, at the terminal and on the page', (source, told) => {
  expect(sourceName(source)).toBe(told);
  expect(onThePage(source)).toBe(told);
});
