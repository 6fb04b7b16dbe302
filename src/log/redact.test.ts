// What is hidden, what is not, and that neither a clever secret nor a hostile text changes that.
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allSamples, plainSamples, tokenSamples } from '../../test/support/secret-samples.ts';
import { PLACED_SHAPES } from './find-shapes.ts';
import { createRedactor, HIDDEN, redactValue } from './redact.ts';
import { spellingsOf } from './spellings.ts';

const bare = createRedactor();
const knowing = createRedactor();
for (const { value } of allSamples()) knowing.add(value);

/** The places in which secrets turn up. */
const PLACES: readonly [string, (secret: string) => string][] = [
  ['alone', (secret) => secret],
  ['in a sentence', (secret) => `it was ${secret}, and then`],
  ['in quotes', (secret) => `said "${secret}" (${secret})`],
  ['on a line of its own', (secret) => `first\n${secret}\r\nlast`],
  ['in JSON', (secret) => JSON.stringify({ a: secret, b: [`x ${secret} y`] })],
  ['in JSON after a line feed', (secret) => JSON.stringify({ a: `first\n${secret}\tlast` })],
  ['in JSON in JSON', (secret) => JSON.stringify({ a: JSON.stringify({ b: `\n${secret}` }) })],
  ['in a URL', (secret) => `https://x.example/a?q=${encodeURIComponent(secret)}&b=1`],
  ['in a URL after a space', (secret) => `https://x.example/a?q=${encodeURIComponent(`x ${secret}`)}`],
  ['in a header', (secret) => `authorization: Bearer ${secret}`],
  ['as an assignment', (secret) => `MY_VALUE=${secret}`],
  ['in colour', (secret) => `\u001b[31m${secret}\u001b[0m`],
  ['in an error', (secret) => new Error(`refused ${secret}`).stack ?? ''],
];

describe.each(PLACES)('%s', (_place, put) => {
  const partsOf = (secret: string): string[] =>
    secret.split('\n').filter((line) => line.length > 8 && !line.startsWith('-----'));
  test.each(tokenSamples())('K01 a token of $kind is known by its looks', ({ value }) => {
    const text = bare.redact(put(value));
    for (const part of partsOf(value)) expect(text).not.toContain(part.slice(-16));
    expect(text).toContain(HIDDEN);
  });
  test.each(plainSamples())('a registered secret, $kind, is hidden', ({ value }) => {
    const text = knowing.redact(put(value));
    for (const spelling of spellingsOf(value)) expect(text).not.toContain(spelling);
    expect(text).toContain(HIDDEN);
  });
});

test('a registered secret is hidden in base64, at any place of a group, in hex, and cut in half', () => {
  const redactor = createRedactor();
  const secret = randomBytes(24).toString('base64url');
  redactor.add(secret);
  for (const before of ['', 'u', 'us', 'user:', 'somebody:']) {
    for (const after of ['', 'x', 'xy', 'xyz']) {
      for (const encoding of ['base64', 'base64url', 'hex'] as const) {
        const text = Buffer.from(before + secret + after).toString(encoding);
        expect(redactor.redact(`data ${text} end`)).toMatch(/^data .{0,24}\[redacted\].{0,8} end$/);
      }
    }
  }
  expect(redactor.redact(secret.slice(0, 20))).toContain(HIDDEN);
  expect(redactor.redact(`…${secret.slice(-20)}`)).toContain(HIDDEN);
});

test.each([
  ['password=hunter2', 'password=[redacted]'],
  ['{"password":"correct horse"}', '{"password":"[redacted]"}'],
  ['{"user":"a","pass": "hunter2"}', '{"user":"a","pass": "[redacted]"}'],
  ["apiKey: 'abc123def456'", "apiKey: '[redacted]'"],
  ['X-Api-Key: abc123def456', 'X-Api-Key: [redacted]'],
  ['OPENCLAW_GATEWAY_TOKEN=abcdefghijklmnop', 'OPENCLAW_GATEWAY_TOKEN=[redacted]'],
  ['{\\"client_secret\\":\\"abc123def456\\"}', '{\\"client_secret\\":\\"[redacted]\\"}'],
  ['GET /cb?code=4/0AX4XfWh9&state=x', 'GET /cb?code=[redacted]&state=x'],
  ['https://x.example/?access_token=abc.def-123&x=1', 'https://x.example/?access_token=[redacted]&x=1'],
  ['postgres://app:s3cr3t!pw@db.example:5432/x', 'postgres://[redacted]@db.example:5432/x'],
  ['redis://:hunter2@cache/0', 'redis://[redacted]@cache/0'],
  ['Authorization: Basic dXNlcjpodW50ZXIy', 'Authorization: Basic [redacted]'],
  ['proxy-authorization: Digest abcdef, x', 'proxy-authorization: Digest [redacted]'],
  ['cookie: sid=abc; theme=dark', 'cookie: [redacted]'],
  ['{"set-cookie":["sid=abc123; Path=/"]}', '{"set-cookie":["[redacted]"]}'],
  ['openclaw status --token abcdefgh --json', 'openclaw status --token [redacted] --json'],
  ['--gateway-password=hunter2 x', '--gateway-password=[redacted] x'],
  ['AccountKey=q1w2e3r4t5y6u7i8o9p0==;x', 'AccountKey=[redacted];x'],
  ['the token: a1b2c3d4e5f6', 'the token: [redacted]'],
  ['http://127.0.0.1:18789/#token=0123456789abcdef', 'http://127.0.0.1:18789/#token=[redacted]'],
])('K05 %s becomes %s', (text, expected) => {
  expect(bare.redact(text)).toBe(expected);
  expect(bare.redact(expected), 'a second time changes nothing').toBe(expected);
});

test.each([
  'a task-management-system-overview and a risk-assessment-of-2024-plans',
  'disk-usage-report-for-the-whole-machine',
  'sk-learn-classification-models',
  'session agent:main:main of run 6f0f2c34-9b8a-4c1f-8f10-2f6a1b3c4d5e',
  'sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  'commit d499157c5ee83a6b9d0e1f2a3b4c5d6e7f809a1b',
  '{"inputTokens":12345,"outputTokens":456,"maxTokens":8192,"sessionKey":"agent:main:main"}',
  'password: must be at least 16 characters',
  'the token is missing: run openclaw dashboard',
  'gateway.auth.token: the value is not usable',
  'the token: expired yesterday',
  '"secret": {"source": "env", "name": "TELEGRAM_BOT_TOKEN"}',
  '{"password":null,"token":"","secret":true}',
  '{"idempotencyKey":"d2719f6c-2f0c-4d2e","publicKey":"MCowBQYDK2VwAyEA"}',
  'http://localhost:18789/a@b and mailto:a@b.example at 12:30:45.123',
  'see https://hooks.slack.com/ and https://discord.com/api/webhooks/',
  'AKIA is how they begin, as eyJ does, and -----BEGIN CERTIFICATE-----',
  'Basic authentication, Bearer authentication, bearer of bad news',
  '2026-01-02T03:04:05.678Z node_modules/@scope/name@1.2.3/dist/index.js:12:34',
  'const apiKey = await findProviderKey(id, configured);',
  'import { token } from "./token.ts"; key=value; a=b',
  'E-Mail-Adresse: jemand@example.org, Schlüssel: keiner, пароль: нет',
  '[redacted] __OPENCLAW_REDACTED__ password=${DB_PASSWORD} token=<your token>',
])('%s stays as it is, the very same string', (text) => {
  expect(bare.redact(text)).toBe(text);
});

test('a registered secret is hidden as other programs escape it: slashes, angle brackets, HTML, hex in capitals', () => {
  const secret = 'aB3/xY9+k<2m&Qp7"zT4\'wQ';
  const token = '0123456789abcdef'.repeat(4);
  const redactor = createRedactor();
  for (const one of [secret, token]) redactor.add(one);
  const json = JSON.stringify(secret).slice(1, -1);
  const html = secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const attribute = html.replaceAll('"', '&quot;').replaceAll("'", '&#39;');
  for (const text of [
    json.replaceAll('/', '\\/'),
    json.replaceAll('<', '\\u003c').replaceAll('&', '\\u0026'),
    html,
    attribute,
    attribute.replaceAll('&#39;', '&#x27;').replaceAll('/', '&#x2F;'),
    token.toUpperCase(),
  ])
    expect(redactor.sure.redact(`: ${text}.`)).toBe(': [redacted].');
});

test('values shorter than six characters are not hidden, since they would blank words; six stand alone', () => {
  const redactor = createRedactor();
  for (const short of ['', 'abc', 'abcde', '   ab   ', 'secure']) redactor.add(short);
  expect(redactor.redact('abc abcde insecurely unsecure secured')).toBe('abc abcde insecurely unsecure secured');
  expect(redactor.redact('is it "secure"?')).toBe('is it "[redacted]"?');
});

test('secrets that overlap or contain each other are hidden to the last character', () => {
  const redactor = createRedactor();
  for (const secret of ['abcdefghijkl', 'ijklmnopqrst', 'abcdefgh', 'mnopqrstuvwx']) redactor.add(secret);
  expect(redactor.redact('>abcdefghijklmnopqrstuvwx<')).toBe('>[redacted]<');
  expect(redactor.redact('>abcdefgh<')).toBe('>[redacted]<');
});

test('a line of JSON stays JSON, whatever the secret and whatever stands around it', () => {
  const odd = fc.string({
    unit: fc.constantFrom('n', 't', 'u', '0', 'k', '"', '\\', '\n', '\t', '/', 'é', '\u0001', ' '),
    minLength: 8,
    maxLength: 14,
  });
  const around = fc.string({ unit: fc.constantFrom('\\', '"', '\n', 'x', '\t', '{'), maxLength: 6 });
  fc.assert(
    fc.property(odd, around, around, (secret, before, after) => {
      fc.pre(secret.trim().length >= 8);
      const redactor = createRedactor();
      redactor.add(secret);
      const whole = { text: `${before}${secret}${after}`, list: [secret] };
      const line = redactor.redact(JSON.stringify(whole));
      expect(() => JSON.parse(line), line).not.toThrow();
      expect(JSON.parse(line).list[0]).not.toContain(secret);
      expect(JSON.parse(line).text).not.toContain(secret);
    }),
    { numRuns: 2_000 },
  );
});

test('a secret that only the escapes of JSON spell leaves the line whole', () => {
  const redactor = createRedactor();
  redactor.add('nabcdefgh');
  const line = redactor.redact(JSON.stringify({ a: '\nabcdefgh', b: '\\nabcdefgh' }));
  expect(JSON.parse(line)).toEqual({ a: '\\[redacted]', b: '\\[redacted]' });
});

test('what is found is in order, apart, inside the text, and nothing is found in what is left', () => {
  const parts = [
    ...allSamples().map((one) => one.value),
    ...PLACED_SHAPES.map((one) => one.start),
    ' ',
    '"',
    '\\n',
    'password=',
    ': ',
  ];
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom(...parts), fc.string({ maxLength: 12 })), { maxLength: 12 }),
      (pieces) => {
        const text = pieces.join('');
        let done = -1;
        for (const { start, end } of knowing.find(text)) {
          expect(start).toBeGreaterThan(done);
          expect(end).toBeGreaterThan(start);
          done = end;
        }
        expect(done).toBeLessThanOrEqual(text.length);
        for (const { value } of allSamples()) {
          if (value.length >= 8) expect(knowing.redact(text)).not.toContain(value);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('values of any shape: strings, names, errors, nested and circular ones', () => {
  const secret = plainSamples()[0]?.value ?? '';
  const circular: Record<string, unknown> = { secret };
  circular['self'] = circular;
  const out = redactValue(knowing, {
    list: [`x ${secret}`, 5, null, true, undefined, 10n],
    [secret]: 'name',
    error: new Error(`failed with ${secret}`),
    password: 'hunter2',
    nested: { apiKey: 'short but named', path: '/home/u' },
    when: new Date(0),
    bytes: Buffer.from(secret),
    call: () => secret,
    circular,
  });
  const text = JSON.stringify(out);
  expect(text).not.toMatch(new RegExp(`${secret}|hunter2|short but named`));
  expect(text).toContain('/home/u');
  expect(text).toContain('1970');
});

describe('time', () => {
  const cpuMs = (): number => process.cpuUsage().user / 1_000 + process.cpuUsage().system / 1_000;
  const best = (rounds: number, act: () => void): number => {
    let least = Number.POSITIVE_INFINITY;
    for (let n = 0; n < rounds; n++) {
      const startedAtMs = cpuMs();
      act();
      least = Math.min(least, cpuMs() - startedAtMs);
    }
    return least;
  };
  const redactor = createRedactor();
  for (let n = 0; n < 60; n++) redactor.add(randomBytes(32).toString(n % 2 === 0 ? 'hex' : 'base64url'));
  const line = JSON.stringify({
    time: '2026-01-02T03:04:05.678Z',
    level: 'info',
    message: 'turn finished for the session with tools and model',
    sessionKey: 'agent:main:main',
    runId: '6f0f2c34-9b8a-4c1f-8f10-2f6a1b3c4d5e',
    model: 'anthropic/claude-sonnet-4',
    inputTokens: 12_345,
    path: '/home/u/.openclaw/workspace/notes/todo.md',
  });

  test('a line of 300 bytes takes at most 20 µs with 60 secrets', () => {
    expect(line.length).toBeGreaterThan(250);
    const each = best(5, () => {
      for (let n = 0; n < 2_000; n++) redactor.redact(line);
    });
    expect((each * 1_000) / 2_000).toBeLessThan(20);
  });

  test.each([
    ['log lines', line.repeat(4_000)],
    ['hex', randomBytes(500_000).toString('hex')],
    ['base64', randomBytes(750_000).toString('base64')],
    ['prose', 'The quick brown fox jumps over the lazy dog. '.repeat(23_000)],
  ])('1 MB of %s takes at most 50 ms', (_name, text) => {
    expect(best(3, () => void redactor.redact(text.slice(0, 1_000_000)))).toBeLessThan(50);
  });

  test('no text makes it slow: every start of every shape, repeated and mixed', () => {
    const pieces = [
      ...PLACED_SHAPES.map((one) => one.start),
      'a',
      '0',
      '-',
      '_',
      '.',
      '/',
      ':',
      '=',
      ' ',
      '"',
      '\\',
      '\n',
      'token=',
      'cookie: ',
      'password="',
      'eyJ-',
      'A.aaaaaa',
    ];
    const piece = fc.constantFrom(...pieces);
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 4 }), (few) => {
        const text = few.join('').repeat(Math.ceil(100_000 / few.join('').length));
        const startedAtMs = cpuMs();
        redactor.redact(text);
        expect(cpuMs() - startedAtMs, few.join('|')).toBeLessThan(100);
      }),
      { numRuns: 400, examples: pieces.map((one) => [[one]]) },
    );
  });
});
