import { describe, expect, test } from 'vitest';
import { costOf, priceOf } from './prices.ts';
import { openaiUsage, tokens } from './usage.ts';

const usage = (input: number, output = 0, cacheRead = 0, cacheWrite = 0) => ({ input, output, cacheRead, cacheWrite });
const cost = (ref: string, tokens: ReturnType<typeof usage>, configured = {}) =>
  costOf(priceOf(ref, configured), tokens);

describe('S127 what tokens cost', () => {
  test('is counted in millionths of a dollar, each kind by its own price', () => {
    expect(cost('anthropic/claude-sonnet-5-5', usage(1_000_000))).toBe(2_000_000);
    expect(cost('anthropic/claude-sonnet-5-5', usage(0, 1_000_000))).toBe(10_000_000);
    expect(cost('anthropic/claude-sonnet-5-5', usage(0, 0, 1_000_000))).toBe(100_000);
    expect(cost('anthropic/claude-sonnet-5-5', usage(0, 0, 0, 1_000_000))).toBe(2_500_000);
    expect(cost('anthropic/claude-sonnet-5-5', usage(1))).toBe(2);
  });

  test('a long request costs what long ones cost, as a whole', () => {
    expect(cost('anthropic/claude-haiku-5-5', usage(100_000))).toBe(10_000);
    expect(cost('anthropic/claude-haiku-5-5', usage(100_001))).toBe(50_001);
  });

  test('a name that nobody knows is taken at the dearest, and cannot be had for nothing by its spelling', () => {
    for (const ref of ['acme/new', 'anthropic/claude-sonnet-5-5 ', 'openai/__proto__', 'constructor/x', 'x'])
      expect(cost(ref, usage(1_000_000, 1_000_000)), ref).toBeGreaterThanOrEqual(60_000_000);
  });

  test('prices of the settings hold, completed by the dearest; this machine is free, elsewhere is not', () => {
    const own = { acme: { models: [{ id: 'new', cost: { input: 1 } }] } };
    expect(priceOf('acme/new', own)).toMatchObject({ from: 'settings', price: { input: 1, output: 50 } });
    expect(cost('ollama/llama', usage(1_000))).toBe(0);
    expect(cost('box/llama', usage(1_000), { box: { baseUrl: 'http://127.0.0.1:8080/v1', models: [] } })).toBe(0);
    expect(
      cost('ollama/llama', usage(1_000), { ollama: { baseUrl: 'https://gpu.example.net/v1', models: [] } }),
    ).toBeGreaterThan(0);
    expect(
      cost('box/x', usage(1_000), { box: { baseUrl: 'http://localhost.evil.example/', models: [] } }),
    ).toBeGreaterThan(0);
  });
});

test('overflow: a provider that says it took more than anybody could leaves sums that can still be read', () => {
  expect([1e15, Number.MAX_VALUE, Number.POSITIVE_INFINITY, 2 ** 53].map(tokens)).toEqual(Array(4).fill(100_000_000));
  expect([-1, Number.NaN, '7', null, undefined, {}, true].map(tokens)).toEqual(Array(7).fill(0));
  const lie = openaiUsage(2 ** 53, 2 ** 53, 2 ** 53);
  expect(costOf(priceOf('acme/new', {}), lie) * 1_000_000).toBeLessThan(Number.MAX_SAFE_INTEGER);
});
