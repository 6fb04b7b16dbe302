// Owns the settings that point a gateway at the model double. The key is a word, so that it is found at once where it
// must not be: in a log, a reply or the journal.
import type { ModelServer } from '../doubles/model-server.ts';

export const DOUBLE_KEY = 'double-key-never-to-be-seen';

export type DoubleOptions = {
  readonly api?: 'openai-completions' | 'openai-responses' | 'anthropic-messages';
  /** the first is the one that answers */
  readonly models?: readonly string[];
  readonly apiKey?: string;
};

/** A gateway that asks the double, as the provider `double`. */
export function configFor(model: ModelServer, options: DoubleOptions = {}): Record<string, unknown> {
  const { api = 'openai-completions', models = ['double'], apiKey = DOUBLE_KEY } = options;
  const baseUrl = api === 'anthropic-messages' ? model.url : `${model.url}/v1`;
  const listed = models.map((id) => ({ id, contextWindow: 128_000 }));
  return {
    models: { providers: { double: { baseUrl, apiKey, api, models: listed } } },
    agents: { defaults: { model: { primary: `double/${models[0]}` } } },
  };
}
