// Owns what is known about models without asking anybody: names and context windows. Only for display and for the size
// of the context; a model that is not listed here works all the same.
import type { ModelInfo } from './provider.ts';

const DEFAULT_CONTEXT_TOKENS = 128_000;

type Known = Pick<ModelInfo, 'id' | 'name' | 'contextTokens'>;
const known = (id: string, name: string, contextTokens: number): Known => ({ id, name, contextTokens });

/** The first of each provider is what a session uses when nothing is configured but a key. */
const KNOWN: Readonly<Record<string, readonly Known[]>> = {
  anthropic: [
    known('claude-sonnet-5-5', 'Claude Sonnet 5.5', 1_000_000),
    known('claude-opus-5-5', 'Claude Opus 5.5', 1_000_000),
    known('claude-haiku-5-5', 'Claude Haiku 5.5', 1_000_000),
    known('claude-fable-5-1', 'Claude Fable 5.1', 1_000_000),
    known('claude-haiku-4-5', 'Claude Haiku 4.5', 200_000),
  ],
  openai: [
    known('gpt-6.1-sol', 'GPT-6.1 Sol', 1_050_000),
    known('gpt-5.6-sol', 'GPT-5.6 Sol', 1_050_000),
    known('gpt-5.6-terra', 'GPT-5.6 Terra', 1_000_000),
    known('gpt-5.6-luna', 'GPT-5.6 Luna', 400_000),
    known('gpt-5.4-mini', 'GPT-5.4 mini', 272_000),
  ],
  offline: [known('hardshell', 'Offline model', DEFAULT_CONTEXT_TOKENS)],
};

export const defaultModelOf = (provider: string): string | undefined => KNOWN[provider]?.[0]?.id;

type ConfiguredModel = {
  readonly id: string;
  readonly name?: string | undefined;
  readonly contextTokens?: number | undefined;
};
type Configured = Readonly<Record<string, { readonly models?: readonly ConfiguredModel[] | undefined }>>;

/** Every model that can be named: configured ones, known ones, and `inUse` even when nobody has heard of them. */
export function catalogOf(configured: Configured, inUse: readonly string[]): ModelInfo[] {
  const models = new Map<string, ModelInfo>();
  const add = (provider: string, model: ConfiguredModel): void => {
    const about = KNOWN[provider]?.find(({ id }) => id === model.id);
    models.set(`${provider}/${model.id}`, {
      provider,
      id: model.id,
      name: model.name ?? about?.name ?? model.id,
      contextTokens: model.contextTokens ?? about?.contextTokens ?? DEFAULT_CONTEXT_TOKENS,
      available: provider in configured || provider === 'offline',
    });
  };
  for (const [provider, { models: own }] of Object.entries(configured))
    for (const model of own ?? []) add(provider, model);
  const addUnlessThere = (provider: string, id: string): void => {
    if (id !== '' && !models.has(`${provider}/${id}`)) add(provider, { id });
  };
  for (const [provider, list] of Object.entries(KNOWN)) for (const { id } of list) addUnlessThere(provider, id);
  for (const ref of inUse) addUnlessThere(...splitRef(ref));
  return [...models.values()];
}

/** `provider/model`; the model's own name may have slashes too (`openrouter/anthropic/claude-…`). */
export function splitRef(ref: string): [provider: string, model: string] {
  const slash = ref.indexOf('/');
  return slash < 0 ? [ref, ''] : [ref.slice(0, slash), ref.slice(slash + 1)];
}
