import { expect, test } from 'vitest';
import { sourceName } from '../../src/gateway/protocol/source-name.ts';

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
  ['webchat:agent:main:main', 'your conversation main'],
  ['webchat:agent:work:trip', 'your conversation trip with the agent work'],
  ['telegram:direct:42', 'the chat with 42 in telegram'],
  ['discord:group:7', 'the group 7 in discord'],
  ['telegram:attachment', 'files that were sent in telegram'],
  ['mail:attachment', 'files that were sent by mail'],
  ['mail:direct:ann@friends.example', 'mail from ann@friends.example'],
  ['mail:server', 'the mail server'],
  ['file:quote:a.md', 'quote:a.md'],
  ['skill:weather', 'the skill weather'],
  ['exec:outside', 'output of commands that may have read what others wrote'],
  ['constructor:x', 'constructor:x'],
])('%s is told as %s, at the terminal and on the page', (source, told) => {
  expect(sourceName(source)).toBe(told);
});
