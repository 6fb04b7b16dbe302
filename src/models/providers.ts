// Owns the step from one provider's settings to a ModelProvider: which API it speaks and where it lives. It refuses
// settings that cannot work and never contacts anybody.
import { misconfigured } from '../platform/errors.ts';
import { createAnthropic } from './anthropic.ts';
import { createOpenaiChat } from './openai-chat.ts';
import { createOpenaiResponses } from './openai-responses.ts';
import type { ModelProvider } from './provider.ts';
import type { AdapterOptions } from './wire/connection.ts';
import { OPENAI_BASE_URL } from './wire/openai-client.ts';

export type ProviderApi = 'anthropic-messages' | 'openai-responses' | 'openai-completions';

export type ProviderSettings = {
  readonly api?: ProviderApi | undefined;
  readonly baseUrl?: string | undefined;
  readonly apiKey?: string | undefined;
  readonly models?:
    | readonly {
        readonly id: string;
        readonly name?: string | undefined;
        readonly contextTokens?: number | undefined;
      }[]
    | undefined;
};

const ADAPTERS: Readonly<Record<ProviderApi, (options: AdapterOptions) => ModelProvider>> = {
  'anthropic-messages': createAnthropic,
  'openai-responses': createOpenaiResponses,
  'openai-completions': createOpenaiChat,
};

const WELL_KNOWN: Readonly<Record<string, { readonly api: ProviderApi; readonly baseUrl: string }>> = {
  anthropic: { api: 'anthropic-messages', baseUrl: 'https://api.anthropic.com' },
  openai: { api: 'openai-responses', baseUrl: OPENAI_BASE_URL },
  openrouter: { api: 'openai-completions', baseUrl: 'https://openrouter.ai/api/v1' },
  ollama: { api: 'openai-completions', baseUrl: 'http://127.0.0.1:11434/v1' },
  lmstudio: { api: 'openai-completions', baseUrl: 'http://127.0.0.1:1234/v1' },
};

/** How and where a provider is reached that needs no address of its own in the settings. */
export const knownAddress = (id: string): { readonly api: ProviderApi; readonly baseUrl: string } | undefined =>
  WELL_KNOWN[id];

const CLOUD_IDLE_MS = 120_000;
/** A model on one's own machine may read a long prompt for minutes before its first word. */
const LOCAL_IDLE_MS = 300_000;

export type CreateProvidersOptions = {
  readonly fetch: typeof globalThis.fetch;
  /** silence after which a request is given up; by default 2 minutes, 5 for servers in the own network */
  readonly idleTimeoutMs?: number;
};

export function createProviders(
  settings: Readonly<Record<string, ProviderSettings>>,
  { fetch, idleTimeoutMs }: CreateProvidersOptions,
): ModelProvider[] {
  return Object.entries(settings).map(([id, own]) => {
    const { api, url } = addressOf(id, own);
    return ADAPTERS[api]({
      id,
      baseUrl: url.href,
      apiKey: own.apiKey?.trim() ?? '',
      fetch,
      idleTimeoutMs: idleTimeoutMs ?? (isLocal(url.hostname) ? LOCAL_IDLE_MS : CLOUD_IDLE_MS),
    });
  });
}

function addressOf(id: string, own: ProviderSettings): { api: ProviderApi; url: URL } {
  const refuse = (message: string, fix: string): never => {
    throw misconfigured('BAD_PROVIDER', `models.providers.${id}${message}`, fix);
  };
  if (id === 'offline' || id === '' || id.includes('/'))
    refuse(' is not a name that can be used', 'choose another provider name');
  const address =
    own.baseUrl ?? WELL_KNOWN[id]?.baseUrl ?? refuse(' has no baseUrl', `set models.providers.${id}.baseUrl`);
  const url = URL.parse(address) ?? refuse('.baseUrl is not a URL', 'write it like https://host/v1');
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    refuse('.baseUrl is not http or https', 'write it like https://host/v1');
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    refuse('.baseUrl holds more than an address', `put the key into models.providers.${id}.apiKey`);
  }
  return { api: own.api ?? WELL_KNOWN[id]?.api ?? 'openai-completions', url };
}

function isLocal(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (host === 'localhost' || host === '::1' || host.endsWith('.local') || host.endsWith('.internal')) return true;
  if (!host.includes('.') && !host.includes(':')) return true; // a name without a dot is one of the own network
  return /^(127|10)\.|^192\.168\.|^172\.(1[6-9]|2\d|3[01])\.|^f[cd][0-9a-f]{2}:/.test(host);
}
