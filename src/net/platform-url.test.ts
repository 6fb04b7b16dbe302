import { expect, test } from 'vitest';
import { platformUrl } from './platform-url.ts';

const hosts = ['.platform.example', 'cdn.example'];
const may = (text: unknown, kind: 'http' | 'ws' = 'http', isPlain = false): boolean =>
  platformUrl(text, kind, { hosts, isPlain }) !== null;

test('hosts of the platform and what is below them may be called', () => {
  expect([
    may('https://cdn.example/a'),
    may('https://a.b.platform.example/'),
    may('wss://x.platform.example', 'ws'),
  ]).toEqual([true, true, true]);
});

test.each([
  'https://cdn.example.evil.example/',
  'https://evilplatform.example/',
  'https://platform.example/',
  'https://a.cdn.example/',
  'https://cdn.example:8443/',
  'https://me@cdn.example/',
  'https://cdn.example@evil.example/',
  'http://cdn.example/',
  'wss://cdn.example/',
  'file:///etc/passwd',
  'cdn.example',
  '',
  null,
  { href: 'https://cdn.example/' },
])('%j is not called', (text) => {
  expect(may(text)).toBe(false);
});

test('only a test speaks without TLS, and then with nothing else', () => {
  expect([may('http://cdn.example/', 'http', true), may('https://cdn.example/', 'http', true)]).toEqual([true, false]);
});
