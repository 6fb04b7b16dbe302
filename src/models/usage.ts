// Owns the arithmetic of token counts. It must never guess a count that a provider did not give.
import type { Usage } from './provider.ts';

export const addUsage = (a: Usage, b: Usage): Usage => ({
  input: a.input + b.input,
  output: a.output + b.output,
  cacheRead: a.cacheRead + b.cacheRead,
  cacheWrite: a.cacheWrite + b.cacheWrite,
});

export const totalTokens = ({ input, output, cacheRead, cacheWrite }: Usage): number =>
  input + output + cacheRead + cacheWrite;

/** More than any request takes; what is over it would only break the sums of those before it. */
const MAX_TOKENS = 100_000_000;

/** A token count from outside: anything that is not a number from 0 on counts as 0. */
export const tokens = (value: unknown): number =>
  typeof value === 'number' && value > 0 ? Math.ceil(Math.min(value, MAX_TOKENS)) : 0;

/** OpenAI counts what came from the cache as input too; ours are disjoint. */
export function openaiUsage(input: unknown, cached: unknown, output: unknown): Usage {
  const cacheRead = Math.min(tokens(cached), tokens(input));
  return { input: tokens(input) - cacheRead, output: tokens(output), cacheRead, cacheWrite: 0 };
}
