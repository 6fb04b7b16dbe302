// What cannot be seen on a card cannot be approved: each character without a shape is spelled out, and words of every script
// stay as they are.
import { expect, test } from 'vitest';
import { visible } from '../../src/policy/approvals/approval.ts';

const SHAPELESS = [
  ...[
    0x00, 0x07, 0x1b, 0x7f, 0x85, 0xad, 0x034f, 0x061c, 0x115f, 0x1160, 0x17b4, 0x17b5, 0x180b, 0x180e, 0x200b, 0x200c,
  ],
  ...[
    0x200d, 0x200e, 0x2028, 0x2029, 0x202e, 0x2060, 0x2066, 0x2069, 0x206f, 0x2800, 0x3164, 0xd800, 0xdfff, 0xe000,
    0xfe00,
  ],
  ...[0xfe0f, 0xfeff, 0xffa0, 0xfff9, 0x1d173, 0xe0001, 0xe0041, 0xe0100, 0xe01ef, 0xf0000],
];

test('C11 every character without a shape is spelled out', () => {
  const hidden = SHAPELESS.filter((code) => {
    const character = String.fromCodePoint(code);
    return visible(`a${character}b`) !== `a\\u{${code.toString(16)}}b`;
  });
  expect(hidden.map((code) => code.toString(16))).toEqual([]);
});

test.each(['Grüße, élan ❤️ ☀️ 你好 여보세요 مرحبا नमस्ते', 'two\n\tlines', 'cafe\u0301 100\u00a0%'])(
  '%s stays as it is',
  (text) => {
    expect(visible(text)).toBe(text);
  },
);
