// What a person reads when a provider says no: it names the places where a key may come from.
import { expect, test } from 'vitest';
import { answeredFailure, badKeyFailure } from './failures.ts';

const where = (id: string) => ({ id, host: 'api.example.net', apiKey: 'sk-1234567890' });

test('a refused key names the variable that people export, where there is one', () => {
  const refused = (id: string): string => answeredFailure(401, {}, null, where(id)).message;
  expect(refused('anthropic')).toMatch(/; check ANTHROPIC_API_KEY or models\.providers\.anthropic\.apiKey$/);
  expect(refused('openai')).toMatch(/; check OPENAI_API_KEY or models\.providers\.openai\.apiKey$/);
  expect(refused('ollama')).toMatch(/; check models\.providers\.ollama\.apiKey$/);
});

test('so does a key that cannot be one', () => {
  expect(badKeyFailure(where('anthropic')).message).toMatch(/set it again: ANTHROPIC_API_KEY or models\./);
});
