// The small parts of admission, each alone: comparison, delay, record of refusals, scopes.
import { describe, expect, test } from 'vitest';
import { LIMITS } from '../limits.ts';
import type { GatewayLog } from '../options.ts';
import { createRefusals } from './refusals.ts';
import { effective, isScope, SCOPES } from './scopes.ts';
import { bucketsOf, createThrottle } from './throttle.ts';
import { bearerOf, createTokenMatcher } from './token.ts';

describe('token', () => {
  test('only the whole token matches, and a rotated one takes effect at once', () => {
    let token = 'secret-1';
    const matches = createTokenMatcher(() => token);
    expect([matches('secret-1'), matches('secret-'), matches('secret-11'), matches(''), matches(undefined)]).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
    token = 'secret-2';
    expect([matches('secret-1'), matches('secret-2')]).toEqual([false, true]);
  });
  test('an empty token of ours matches nothing, not even nothing', () => {
    const matches = createTokenMatcher(() => '');
    expect([matches(''), matches(undefined), matches('x')]).toEqual([false, false, false]);
  });
  test('a bearer is read from its header only in its one form', () => {
    expect([
      bearerOf('Bearer abc'),
      bearerOf('bearer  abc '),
      bearerOf('Basic abc'),
      bearerOf('Bearer a b'),
      bearerOf('Bearer '),
      bearerOf(undefined),
    ]).toEqual(['abc', 'abc', undefined, undefined, undefined, undefined]);
  });
});

describe('throttle', () => {
  const at = (limits = {}) => {
    const clock = { ms: 1_000_000 };
    return { clock, throttle: createThrottle({ ...LIMITS, ...limits }, () => clock.ms) };
  };
  test('doubles from 250 ms to 5 s and starts again after a quiet minute', () => {
    const { clock, throttle } = at();
    expect(Array.from({ length: 7 }, () => throttle.failed(['ip a']))).toEqual([
      250, 500, 1_000, 2_000, 4_000, 5_000, 5_000,
    ]);
    clock.ms += 60_001;
    expect(throttle.failed(['ip a'])).toBe(250);
  });
  test('counts an address and a page apart, and the longer wait holds', () => {
    const { throttle } = at();
    throttle.failed(['ip a']);
    throttle.failed(['ip a']);
    expect(throttle.failed(['page x'])).toBe(250);
    expect(throttle.failed(['ip a', 'page x'])).toBe(1_000);
    expect(throttle.failed(['ip b'])).toBe(250);
  });
  test('N07 remembers 10,000 buckets and no more', () => {
    const { throttle } = at({ wrongTokenBuckets: 3 });
    for (const ip of ['a', 'b', 'c', 'd']) throttle.failed([ip]);
    expect(throttle.failed(['a'])).toBe(250);
    expect(throttle.failed(['d'])).toBe(500);
  });
  test('N11 a clock that is set back does not hold anybody for ever', () => {
    const { clock, throttle } = at();
    for (let i = 0; i < 6; i++) throttle.failed(['a']);
    clock.ms -= 3_600_000;
    expect(throttle.failed(['a'])).toBe(250);
  });
  test('a whole IPv6 network is one bucket', () => {
    expect(bucketsOf('2001:db8:1:2:3:4:5:6', null)).toEqual(bucketsOf('2001:db8:1:2:ffff::1', null));
    expect(bucketsOf('::1', 'http://x')).toEqual(['ip ::1', 'page http://x']);
  });
});

describe('refusals', () => {
  test('S141 are one stable line each, a flood is counted instead', () => {
    let ms = 0;
    const lines: string[] = [];
    const journal: Record<string, unknown>[] = [];
    const log = { warn: (line: string) => void lines.push(line) } as GatewayLog;
    const refusals = createRefusals(
      { ...LIMITS, refusalsPerMinute: 3 },
      () => ms,
      log,
      (_kind, body) => void journal.push(body),
    );
    for (let i = 0; i < 1_000; i++) refusals.note({ via: 'ws', ip: '127.0.0.1', reason: 'token_mismatch' });
    expect(lines).toEqual(Array.from({ length: 3 }, () => 'unauthorized ip=127.0.0.1 via=ws reason=token_mismatch'));
    ms = 60_000;
    refusals.note({ via: 'http', ip: '::1', reason: 'token_missing' });
    expect(lines.slice(3)).toEqual([
      'unauthorized: 997 more refusals in the minute before',
      'unauthorized ip=::1 via=http reason=token_missing',
    ]);
    expect(journal.slice(3)).toEqual([
      { reason: 'flood', refusals: 997 },
      { via: 'http', ip: '::1', reason: 'token_missing' },
    ]);
  });
});

describe('scopes', () => {
  test('admin implies all, write implies read and talk, nothing else implies anything', () => {
    expect([...effective(['operator.admin'])].sort()).toEqual([...SCOPES].sort());
    expect([...effective(['operator.write'])].sort()).toEqual(['operator.read', 'operator.talk', 'operator.write']);
    for (const scope of SCOPES.filter((one) => !['operator.admin', 'operator.write'].includes(one))) {
      expect([...effective([scope])]).toEqual([scope]);
    }
  });
  test('the same scopes share one set', () => {
    expect(effective(['operator.read', 'operator.approvals'])).toBe(effective(['operator.approvals', 'operator.read']));
  });
  test('B07 what looks like a scope is none', () => {
    expect(['operator.superadmin', '*', 'operator', 'OPERATOR.READ', '__proto__'].filter(isScope)).toEqual([]);
  });
});
