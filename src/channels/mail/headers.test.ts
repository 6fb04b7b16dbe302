import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { msWithin } from '../../../test/support/measure.ts';
import { automaticBecause, fromOf, isAddressedTo, messageIdOf, splitMail, threadOf } from './headers.ts';

const headersOf = (...lines: string[]) => splitMail(Buffer.from(`${lines.join('\r\n')}\r\n\r\nbody`)).headers;
const from = (value: string) => fromOf(headersOf(`From: ${value}`));

describe('the sender', () => {
  test.each([
    ['ann@friends.example', 'ann@friends.example', ''],
    ['Ann <ANN@Friends.Example>', 'ann@friends.example', 'Ann'],
    ['"Ann, of \\"friends\\"" <ann+x@a.friends.example>', 'ann+x@a.friends.example', 'Ann, of "friends"'],
    ['"ann@friends.example" <eve@evil.example>', 'eve@evil.example', 'ann@friends.example'],
    ['=?utf-8?q?Ann?= <ann@xn--bcher-kva.example>', 'ann@xn--bcher-kva.example', '=?utf-8?q?Ann?='],
    ['Dr. Ann O. <ann@friends.example>', 'ann@friends.example', 'Dr. Ann O.'],
    ['<ann@friends.example>', 'ann@friends.example', ''],
    ['Ann\r\n <ann@friends.example>', 'ann@friends.example', 'Ann'],
  ])('%s', (value, address, name) => expect(from(value)).toEqual({ address, name }));

  test.each([
    '',
    'Ann',
    'ann@friends.example, eve@evil.example',
    'ann@friends.example <eve@evil.example>',
    '<ann@friends.example> <eve@evil.example>',
    '<ann@friends.example>, <eve@evil.example>',
    'ann@friends.example (Ann)',
    'Ann (x <ann@friends.example>) <eve@evil.example>',
    'group: ann@friends.example;',
    '"ann@friends.example" eve@evil.example',
    '"a b"@friends.example',
    'ann@[127.0.0.1]',
    'ann@localhost',
    'ann@friends..example',
    'ann@-x.example',
    'ann@friends.example>',
    '<ann@friends.example',
    '@route:ann@friends.example',
    'ann@@friends.example',
    'änn@friends.example',
    `${'a'.repeat(65)}@friends.example`,
    `ann@${'a.'.repeat(130)}example`,
    'ann@friends.example\0',
  ])('none: %j', (value) => expect(from(value)).toHaveProperty('refused'));

  test('two From headers are none, whatever their case', () => {
    expect(fromOf(headersOf('From: ann@friends.example', 'FROM: ann@friends.example'))).toHaveProperty('refused');
    expect(fromOf(headersOf('Subject: x'))).toHaveProperty('refused');
  });

  test('whatever stands there, an identity is one plain address in lower case', () => {
    const piece = fc.constantFrom(
      'ann@friends.example',
      'eve@evil.example',
      '<',
      '>',
      '"',
      ',',
      ' ',
      '\\',
      '(',
      ')',
      ':',
      ';',
      '@',
      '\r\n ',
      'x',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const found = from(pieces.join(''));
        if ('refused' in found) return;
        expect(found.address).toMatch(/^[^\s<>",;:()@]+@[a-z0-9.-]+$/);
        // Outside of quotes there is one address only.
        const outside = pieces.join('').replace(/"(?:[^"\\]|\\.)*"/gs, '');
        expect(outside.match(/@/g)).toHaveLength(1);
      }),
      { numRuns: 2_000 },
    );
  });

  test('a hostile value takes no longer than reading it', async () => {
    const read = () => {
      for (const piece of ['"', '\\', 'a', 'a@', '<', ' ', '"\\', 'a.']) {
        from(piece.repeat(1_000));
        from(`"${piece.repeat(900)}`);
        headersOf(`${piece.repeat(100_000)}`);
      }
    };
    expect(await msWithin(500, read)).toBeLessThan(500);
  });
});

describe('recipients, ids and threads', () => {
  test('names in quotes are no recipients, tags behind a plus are', () => {
    const own = 'bot@house.example';
    expect(isAddressedTo(headersOf('To: Bot <Bot@House.example>, x@y.example'), own)).toBe(true);
    expect(isAddressedTo(headersOf('Cc: x@y.example,\r\n bot+mail@house.example'), own)).toBe(true);
    for (const to of [
      '"bot@house.example" <x@y.example>',
      'robot@house.example',
      'bot@house.example.evil.example',
      'bot@evil.example',
    ])
      expect([to, isAddressedTo(headersOf(`To: ${to}`), own)]).toEqual([to, false]);
  });

  test('a thread is its oldest mail; what is no id is passed over', () => {
    expect(threadOf(headersOf('Message-ID: <c@x>', 'References: <a@x>\r\n <b@x>'))).toBe('<a@x>');
    expect(threadOf(headersOf('Message-ID: <c@x>', 'In-Reply-To: <b@x>'))).toBe('<b@x>');
    expect(threadOf(headersOf('Message-ID: <c@x>', 'References: junk <>'))).toBe('<c@x>');
    expect(threadOf(headersOf('Subject: x'))).toBeNull();
    for (const id of ['x@y', '<a b@x>', '<a@x', `<${'a'.repeat(300)}@x>`, '<ä@x>'])
      expect(messageIdOf(headersOf(`Message-ID: ${id}`))).toBeNull();
  });
});

test('what a machine sent is known by its head', () => {
  const because = (line: string, sender = 'ann@friends.example') =>
    automaticBecause(headersOf(line), sender, 'Bot@house.example');
  for (const line of [
    'Auto-Submitted: auto-generated',
    'Precedence: LIST',
    'List-Id: x',
    'X-Autoreply: yes',
    'X-Auto-Response-Suppress: All',
    'Return-Path: <>',
  ])
    expect([line, because(line) !== null]).toEqual([line, line !== 'X-Auto-Response-Suppress: All']);
  for (const line of ['Auto-Submitted: no', 'Precedence: first-class', 'X: y'])
    expect([line, because(line)]).toEqual([line, null]);
  for (const sender of [
    'bot@house.example',
    'mailer-daemon@x.example',
    'no-reply@x.example',
    'noreply+1@x.example',
    'bounces-7@x.example',
  ])
    expect([sender, because('X: y', sender) !== null]).toEqual([sender, true]);
  expect(because('X: y', 'noreplyann@x.example')).toBeNull();
});
