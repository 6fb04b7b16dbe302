// The gateway's token: made once, private, and refused when it cannot protect anything.
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  ensureGatewayToken,
  findGatewayToken,
  isKnockMark,
  isPreviousToken,
  knockMark,
  openGatewayToken,
  readGatewayToken,
  readPreviousToken,
  rotateGatewayToken,
} from './gateway-token.ts';

const STRONG = '9f1c'.concat('e07b52a61d48f3', '0cb8176e94ad25', '31');
let credentialsDir = '';
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hardshell-token-'));
  credentialsDir = join(folder, 'credentials');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('S091 the first start makes a token of 64 hex digits, 0600 in a 0700 folder, and the next one keeps it', () => {
  const token = ensureGatewayToken({ credentialsDir }, {});
  expect(token).toMatch(/^[0-9a-f]{64}$/);
  expect(statSync(credentialsDir).mode & 0o777).toBe(0o700);
  expect(statSync(join(credentialsDir, 'gateway-token')).mode & 0o777).toBe(0o600);
  expect(ensureGatewayToken({ credentialsDir }, {})).toBe(token);
  expect(readFileSync(join(credentialsDir, 'gateway-token'), 'utf8')).toBe(`${token}\n`);
});

test('the environment comes before the configuration, which comes before the file', () => {
  const file = ensureGatewayToken({ credentialsDir }, {});
  expect(readGatewayToken({ credentialsDir }, {}, 'configured-token-000')).toBe('configured-token-000');
  expect(
    readGatewayToken({ credentialsDir }, { OPENCLAW_GATEWAY_TOKEN: 'environment-token-0' }, 'configured-token-000'),
  ).toBe('environment-token-0');
  expect(readGatewayToken({ credentialsDir }, {})).toBe(file);
});

test.each([
  'with\nnewline-in-the-middle',
  'trailing-newline-here\n',
  'has a space in the middle',
  'short',
  `tab\t${'x'.repeat(20)}`,
])('the token %j is refused in one line', (token) => {
  expect(() => readGatewayToken({ credentialsDir }, { OPENCLAW_GATEWAY_TOKEN: token })).toThrow(
    /gateway token from OPENCLAW_GATEWAY_TOKEN/,
  );
});

/** As a person makes it: by a shell, then chmod. */
const plant = (text: string, mode = 0o600): void => {
  mkdirSync(credentialsDir, { recursive: true, mode: 0o700 });
  writeFileSync(join(credentialsDir, 'gateway-token'), text);
  chmodSync(join(credentialsDir, 'gateway-token'), mode);
};

test('a token file written with `openssl rand -hex 32 >` works; its content is never in an error', () => {
  plant(`${'a'.repeat(64)}\n`);
  expect(readGatewayToken({ credentialsDir }, {})).toBe('a'.repeat(64));
  plant('first line\nsecond line\n');
  expect(() => readGatewayToken({ credentialsDir }, {})).toThrow(/line break/);
  expect(() => readGatewayToken({ credentialsDir }, {})).not.toThrow(/second line/);
});

test('K08 a token that others can read is refused by gateway and client, with the chmod line', () => {
  plant(`${STRONG}\n`, 0o644);
  for (const take of [ensureGatewayToken, readGatewayToken]) {
    expect(() => take({ credentialsDir }, {})).toThrow(
      expect.objectContaining({ code: 'SECRET_TOO_OPEN', exitCode: 78, fix: expect.stringContaining('chmod 600') }),
    );
  }
});

test('S120 the spelling of the guide, GATEWAY_AUTH_TOKEN, works; our own comes first', () => {
  const other = STRONG.replaceAll('1', '2');
  expect(findGatewayToken({ credentialsDir }, { GATEWAY_AUTH_TOKEN: STRONG })).toEqual({
    token: STRONG,
    source: 'environment',
    from: 'GATEWAY_AUTH_TOKEN',
  });
  const both = { GATEWAY_AUTH_TOKEN: STRONG, OPENCLAW_GATEWAY_TOKEN: other };
  expect(readGatewayToken({ credentialsDir }, both)).toBe(other);
});

test.each(['your-generated-token-here', 'replace-with-a-long-random-string', 'password123password123password123'])(
  'S091 a gateway does not serve with %j, wherever it stands, and says the fix',
  (token) => {
    plant(`${token}\n`);
    const ways = [
      () => ensureGatewayToken({ credentialsDir }, {}),
      () => ensureGatewayToken({ credentialsDir }, { OPENCLAW_GATEWAY_TOKEN: token }),
      () => ensureGatewayToken({ credentialsDir }, {}, token),
    ];
    for (const way of ways) {
      expect(way).toThrow(expect.objectContaining({ code: 'TOKEN_WEAK', exitCode: 78 }));
      expect(way).toThrow(expect.objectContaining({ fix: expect.stringContaining('openssl rand -hex 32') }));
      expect(way).not.toThrow(token);
    }
  },
);

test('the mark of a knock counts for a minute, with the token that it was made with, and never without one', () => {
  const mark = knockMark('the token', 1_000_000);
  expect([1_000_000, 1_059_999].map((nowMs) => isKnockMark(mark, 'the token', nowMs))).toEqual([true, true]);
  expect([1_060_000, 900_000].map((nowMs) => isKnockMark(mark, 'the token', nowMs))).toEqual([false, false]);
  expect(isKnockMark(mark, 'another token', 1_000_000)).toBe(false);
  expect(isKnockMark(knockMark('', 1_000_000), '', 1_000_000)).toBe(false);
  const later = mark.replace('1000000.', '1050000.');
  for (const bad of [undefined, '', 'x', later, [mark], `${mark}0`, mark.toUpperCase(), mark.replace(/.$/, 'ü')])
    expect([bad, isKnockMark(bad, 'the token', 1_000_000)]).toEqual([bad, false]);
});

describe('rotation', () => {
  const HOUR_MS = 3_600_000;
  const rotate = (options: { graceMs?: number; configured?: string } = {}, env = {}) =>
    rotateGatewayToken({ credentialsDir }, env, { nowMs: 1_000, ...options });
  const previous = (nowMs = 1_000) => readPreviousToken({ credentialsDir }, nowMs);

  test('K09 without a grace the old token ends at once', () => {
    const old = ensureGatewayToken({ credentialsDir }, {});
    const { token, previousUntilMs } = rotate();
    expect(token).toMatch(/^[0-9a-f]{64}$/);
    expect(token).not.toBe(old);
    expect(readGatewayToken({ credentialsDir }, {})).toBe(token);
    expect(previousUntilMs).toBeNull();
    expect(previous()).toBeNull();
  });

  test('S207 with a grace the old one works until its end and not a millisecond longer', () => {
    const old = ensureGatewayToken({ credentialsDir }, {});
    const { token, previousUntilMs } = rotate({ graceMs: HOUR_MS });
    expect(previousUntilMs).toBe(1_000 + HOUR_MS);
    expect(isPreviousToken(previous(), old, 1_000)).toBe(true);
    expect(isPreviousToken(previous(), old, HOUR_MS + 999)).toBe(true);
    expect(isPreviousToken(previous(), old, HOUR_MS + 1_000)).toBe(false);
    expect(isPreviousToken(previous(), token, 1_000)).toBe(false);
    expect(previous(HOUR_MS + 1_000)).toBeNull();
  });

  test('a second rotation ends the grace of the first token; the emergency one ends every grace', () => {
    const first = ensureGatewayToken({ credentialsDir }, {});
    const second = rotate({ graceMs: HOUR_MS }).token;
    rotate({ graceMs: HOUR_MS });
    expect(isPreviousToken(previous(), first, 1_000)).toBe(false);
    expect(isPreviousToken(previous(), second, 1_000)).toBe(true);
    rotate();
    expect(isPreviousToken(previous(), second, 1_000)).toBe(false);
  });

  test('of the old token only a salted hash is on the disk, 0600', () => {
    const old = ensureGatewayToken({ credentialsDir }, {});
    rotate({ graceMs: HOUR_MS });
    for (const name of readdirSync(credentialsDir)) {
      expect(readFileSync(join(credentialsDir, name), 'utf8')).not.toContain(old);
      expect(statSync(join(credentialsDir, name)).mode & 0o777).toBe(0o600);
    }
  });

  test('a weak or unusable old token gets no grace, and can still be rotated away', () => {
    for (const weak of ['password123password123', 'short', 'two words in it']) {
      plant(`${weak}\n`);
      expect(rotate({ graceMs: HOUR_MS })).toMatchObject({
        previousUntilMs: null,
        note: expect.stringContaining('guessable'),
      });
      expect(isPreviousToken(previous(), weak, 1_000)).toBe(false);
    }
  });

  test('a token that the environment or the configuration sets is refused, naming the place to change', () => {
    ensureGatewayToken({ credentialsDir }, {});
    expect(() => rotate({}, { OPENCLAW_GATEWAY_TOKEN: STRONG })).toThrow(/is set by OPENCLAW_GATEWAY_TOKEN/);
    expect(() => rotate({ configured: STRONG })).toThrow(/is set by gateway\.auth\.token/);
    const file = readGatewayToken({ credentialsDir }, {}) ?? '';
    expect(rotate({ configured: file }).token).not.toBe(file);
  });

  test.each([-1, Number.NaN, 31 * 24 * HOUR_MS, Number.POSITIVE_INFINITY])('a grace of %d ms is refused', (graceMs) => {
    expect(() => rotate({ graceMs })).toThrow(expect.objectContaining({ code: 'BAD_GRACE' }));
  });

  test('a damaged, garbled or planted record of the old token admits nobody', () => {
    const old = ensureGatewayToken({ credentialsDir }, {});
    rotate({ graceMs: HOUR_MS });
    const file = join(credentialsDir, 'gateway-token.previous');
    const whole = readFileSync(file, 'utf8');
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), fc.nat(whole.length - 1), (text, cut) => {
        writeFileSync(file, text);
        expect(isPreviousToken(previous(), text, 1_000)).toBe(false);
        writeFileSync(file, whole.slice(0, cut));
        expect(isPreviousToken(previous(), '', 1_000)).toBe(false);
      }),
      { numRuns: 100 },
    );
    writeFileSync(file, whole);
    chmodSync(file, 0o666);
    expect(isPreviousToken(previous(), old, 1_000)).toBe(false);
  });
});

describe('the token of a running gateway', () => {
  const open = (onChange?: (what: object) => void) =>
    openGatewayToken({ credentialsDir }, {}, { now: () => 1_000, ...(onChange ? { onChange } : {}) });

  test('takes over a rotation by another process at the next check, and knows the old one while its grace lasts', () => {
    const seen: object[] = [];
    const live = open((what) => seen.push(what));
    const old = live.current();
    const { token } = rotateGatewayToken({ credentialsDir }, {}, { nowMs: 1_000, graceMs: 10 });
    expect(live.current()).toBe(token);
    expect([live.isPrevious(old), live.isPrevious(token)]).toEqual([true, false]);
    expect(seen).toEqual([{ token }]);
    rotateGatewayToken({ credentialsDir }, {}, { nowMs: 1_000 });
    expect(live.isPrevious(old)).toBe(false);
  });

  test('an unusable, weak, open or missing file changes nothing and is reported', () => {
    const seen: object[] = [];
    const live = open((what) => seen.push(what));
    const token = live.current();
    for (const [text, mode] of [
      ['short', 0o600],
      ['password123password123', 0o600],
      [STRONG, 0o666],
    ] as const) {
      plant(text, mode);
      expect(live.current()).toBe(token);
    }
    expect(seen.map((one) => (one as { error: { code: string } }).error.code)).toEqual([
      'TOKEN_UNUSABLE',
      'TOKEN_WEAK',
      'SECRET_TOO_OPEN',
    ]);
    rmSync(join(credentialsDir, 'gateway-token'));
    expect(live.current()).toBe(token);
  });

  test('a token from the environment stays, whatever happens to the file', () => {
    const env = { OPENCLAW_GATEWAY_TOKEN: STRONG };
    const live = openGatewayToken({ credentialsDir }, env, { now: () => 1_000 });
    plant(`${'b7'.repeat(16)}\n`);
    expect(live.current()).toBe(STRONG);
  });
});
