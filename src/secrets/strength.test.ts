// Which secrets are refused, and that nothing random ever is.
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { msWithin } from '../../test/support/measure.ts';
import { estimateBits, MIN_PASSPHRASE_BITS, MIN_SECRET_BITS, placeholderIn, weaknessOf } from './strength.ts';

test.each([
  'your-generated-token-here',
  'your-long-random-secret-token-here',
  'replace-with-a-long-random-string',
  'your-telegram-user-id',
  'your-token',
  'sk-your-api-key',
  'sk-ant-xxxxx',
  '7123456789:xxxxx',
  '123456:ABC-DEF...',
  'xxxxx',
  '<token>',
  'changeme',
  'change_me_please',
  'insert-token-here',
  'undefined',
  'null',
])('S091 the example %j of a guide is a placeholder', (value) => {
  expect(weaknessOf(value)?.code).toMatch(/placeholder|guessable/);
  if (!/^changeme$/.test(value)) expect(placeholderIn(value)?.code).toBe('placeholder');
});

test('S064 the bare name of a variable is refused with the spelling that works', () => {
  expect(placeholderIn('TELEGRAM_BOT_TOKEN')).toMatchObject({
    code: 'environment-name',
    why: expect.stringContaining('${TELEGRAM_BOT_TOKEN}'),
  });
});

test.each(['${MISSING_VAR}', '$TOKEN', '{{ token }}', '%TOKEN%', '$(cat token)'])('S123 %j is a variable', (value) => {
  expect(placeholderIn(value)?.code).toBe('variable');
});

test.each(['__OPENCLAW_REDACTED__', '[redacted]', '***', '[redacted:github]', '••••••••'])(
  'K14 the redaction mark %j is never taken for the secret that it hid',
  (value) => expect(placeholderIn(value)?.code).toBe('redacted'),
);

test.each([
  ...[1, 2, 3, 4, 5, 10, 50].map((times) => 'password123'.repeat(times)),
  ...['P@ssw0rd123', 'PASSWORD123', 'password-123-'].map((one) => one.repeat(4)),
  'a'.repeat(64),
  'abcdefghijklmnopqrstuvwxyz',
  '12345678901234567890123456789012',
  'qwertyuiopasdfghjklzxcvbnm',
  'openclaw-gateway-token-2024',
  'my-super-secret-gateway-token',
  'correcthorsebatterystaple',
  'deadbeef'.repeat(8),
  'aB3$'.repeat(16),
  'letmein-letmein-letmein',
])('%j is guessable in whatever repetition', (value) => {
  expect(weaknessOf(value)?.code).toBe('guessable');
});

test('what is said about a weak secret never repeats it', () => {
  for (const value of ['password123password123', 'sk-your-api-key', '${SOME_SECRET}', 'hunter2hunter2hunter2'])
    expect(weaknessOf(value)?.why).not.toContain(value);
});

test('anything that a generator makes with 128 bits or more is accepted', () => {
  for (let round = 0; round < 400; round++) {
    for (const bytes of [16, 24, 32, 48]) {
      const random = randomBytes(bytes);
      for (const text of [random.toString('hex'), random.toString('base64url'), random.toString('base64')]) {
        expect(weaknessOf(text), text).toBeNull();
      }
    }
  }
});

test.each(['XXx---XxMYfSYSEpZdBWgCZBiJCwkJt-eiM5zo2F4deF_jJ1W6_OAUVM8mc6PWcg', 'Q9v+Your/8KpWm2ZtR7xLc0B'])(
  '%j holds what an example does, by chance, and is random all the same',
  (value) => {
    expect(weaknessOf(value)).toBeNull();
  },
);

test('keys as vendors issue them are no placeholders', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[A-Za-z0-9_-]{24,60}$/), (body) => {
      fc.pre(new Set(body).size > 12);
      expect(placeholderIn(`sk-ant-api03-${body}`.replace(/x{3}/gi, 'xyx').replace(/your/gi, 'yuor'))).toBeNull();
    }),
  );
});

test('the estimate grows with random text and stays put with repetition, on text of any length in bounded time', async () => {
  const hex = randomBytes(64).toString('hex');
  expect(estimateBits(hex.slice(0, 64))).toBeGreaterThan(200);
  expect(estimateBits(hex.slice(0, 32))).toBeGreaterThan(MIN_SECRET_BITS);
  expect(estimateBits('abc'.repeat(80))).toBeLessThan(30);
  const read = () => [estimateBits('ab'.repeat(500_000)), estimateBits(randomBytes(500_000).toString('base64'))];
  expect(await msWithin(200, read)).toBeLessThan(200);
});

test('a passphrase of five uncommon words is enough for the vault, a common one is not', () => {
  expect(weaknessOf('velvet kumquat drizzle anvil tundra', MIN_PASSPHRASE_BITS)).toBeNull();
  expect(weaknessOf('correct horse battery staple', MIN_PASSPHRASE_BITS)?.code).toBe('guessable');
});

test('nothing makes it throw', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => void weaknessOf(text)));
});
