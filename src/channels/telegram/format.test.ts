import { expect, test } from 'vitest';
import { toHtml } from './format.ts';

test('a code block has all of its lines, ends at its own fence, and needs none at the end', () => {
  expect(toHtml('see\n```\none\n\ntwo\n```\nso')).toBe('see\n<pre>one\n\ntwo</pre>\nso');
  expect(toHtml('```ts\na < b\nc\n```')).toBe('<pre><code class="language-ts">a &lt; b\nc</code></pre>');
  expect(toHtml('~~~\na\n```\nb\n~~~\n**so**')).toBe('<pre>a\n```\nb</pre>\n<b>so</b>');
  expect(toHtml('```\n```\nso')).toBe('<pre></pre>\nso');
  expect(toHtml('```\none\ntwo')).toBe('<pre>one\ntwo</pre>');
});
