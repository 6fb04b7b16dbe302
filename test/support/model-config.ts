// Owns the settings that point a gateway at the model double. The key is a word, so that it is found at once where it
// must not be: in a log, a reply or the journal.
import type { ModelServer } from '../doubles/model-server.ts';

export const DOUBLE_KEY = 'double-key-never-to-be-seen';

export type DoubleApi = 'openai-completions' | 'openai-responses' | 'anthropic-messages';

export function configFor(model: ModelServer, api: DoubleApi = 'openai-completions'): Record<string, unknown> {
  const baseUrl = api === 'anthropic-messages' ? model.url : `${model.url}/v1`;
  return {
    models: {
      providers: { double: { baseUrl, apiKey: DOUBLE_KEY, api, models: [{ id: 'double', contextWindow: 128_000 }] } },
    },
    agents: { defaults: { model: { primary: 'double/double' } } },
  };
}
