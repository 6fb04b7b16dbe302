// What a model that was talked into it can make of a reply in Telegram: text, and links that say where they lead.
import { expect, test } from 'vitest';
import { cutReply } from '../cut.ts';
import { slackText } from '../slack/text.ts';
import { toHtml } from './format.ts';

test('a link whose label is an address says its own address', () => {
  expect(toHtml('[here](https://a.example/x)')).toBe('<a href="https://a.example/x">here</a>');
  for (const label of [
    'https://bank.example',
    'bank.example',
    'bank.example/login',
    '**bank.example**',
    'b_a_nk.example',
  ])
    expect(toHtml(`[${label}](https://evil.example/x)`)).toMatch(/^<a href="(\S+)">\1<\/a>$/);
});

test('no tag and no attribute of a reply is its own', () => {
  for (const text of [
    '<a href="x">y</a>',
    '[x](https://a.example/"onclick=1)',
    '```"><b>\nx',
    '`<b>`',
    '[a"b](https://a.example)',
  ])
    expect(toHtml(text).replace(/<\/?(?:a|b|i|s|pre|code)(?: (?:href|class)="[^"<>]*")?>/g, '')).not.toMatch(/[<>"]/);
});

test('no reply stalls the gateway, however it is written', () => {
  const texts = [
    '*',
    '_',
    '~~',
    '**a',
    '[',
    '[a](',
    '`',
    '```\n',
    '~~~',
    '# ',
    '<',
    '*a ',
    '_a_b',
    '[a](https://',
    '\n\n',
    '.) ',
    '\u0301',
  ];
  for (const text of texts) {
    const part = text.repeat(Math.ceil(4_000 / text.length));
    const startedAt = performance.now();
    toHtml(part);
    slackText(part);
    cutReply(text.repeat(Math.ceil(200_000 / text.length)), 4_000);
    expect(performance.now() - startedAt, JSON.stringify(text)).toBeLessThan(1_000);
  }
});
