// Owns the step from settings to the models that the agent is handed: which providers have a key, which one answers by
// default, and the offline model when there is none.
import type { Config, ProviderConfig } from '../config/schema.ts';
import { misconfigured } from '../platform/errors.ts';
import { wellKnownProviders } from '../secrets/provider-keys.ts';
import { defaultModelOf } from './catalog.ts';
import { createModels } from './failover.ts';
import { createOffline, OFFLINE_MODEL } from './offline.ts';
import type { Models } from './provider.ts';
import { createProviders, type ProviderSettings } from './providers.ts';

export type OpenModelsOptions = {
  readonly settings: Pick<Config, 'models' | 'agents'>;
  readonly keyFor: (providerId: string, configured?: string) => string | undefined;
  readonly fetch: typeof globalThis.fetch;
  readonly onNotice: (text: string, fields: Record<string, unknown>) => void;
};

export function openModels({ settings, keyFor, fetch, onNotice }: OpenModelsOptions): Models {
  const usable = usableProviders(settings.models.providers, keyFor);
  const { primary, fallbacks } = settings.agents.defaults.model;
  const chosen = primary ?? firstModel(usable) ?? OFFLINE_MODEL;
  for (const name of [chosen, ...fallbacks]) refuseUnknown(name, usable);
  return createModels({
    providers: [...createProviders(usable, { fetch }), createOffline()],
    settings: usable,
    primary: chosen,
    fallbacks,
    onNotice,
  });
}

/** Throws what a start would throw: a model that nothing here can answer for. */
export function checkModels({ settings, keyFor }: Pick<OpenModelsOptions, 'settings' | 'keyFor'>): void {
  const { primary, fallbacks } = settings.agents.defaults.model;
  const names = primary === undefined ? fallbacks : [primary, ...fallbacks];
  if (names.length === 0) return;
  const usable = usableProviders(settings.models.providers, keyFor);
  for (const name of names) refuseUnknown(name, usable);
}

/** Configured providers, and the well-known ones whose key is there; a local server needs no key. */
function usableProviders(
  configured: Record<string, ProviderConfig>,
  keyFor: OpenModelsOptions['keyFor'],
): Record<string, ProviderSettings> {
  const ids = new Set([...Object.keys(configured), ...wellKnownProviders()]);
  const usable: Record<string, ProviderSettings> = {};
  for (const id of ids) {
    const settings = configured[id];
    const apiKey = keyFor(id, settings?.apiKey);
    if (apiKey === undefined && !settings?.baseUrl) continue;
    usable[id] = {
      models: (settings?.models ?? []).map(({ contextWindow, ...model }) => ({
        ...model,
        ...(contextWindow ? { contextTokens: contextWindow } : {}),
      })),
      ...(settings?.api ? { api: settings.api } : {}),
      ...(settings?.baseUrl ? { baseUrl: settings.baseUrl } : {}),
      ...(apiKey ? { apiKey } : {}),
    };
  }
  return usable;
}

function firstModel(usable: Record<string, ProviderSettings>): string | undefined {
  for (const [id, settings] of Object.entries(usable)) {
    const model = settings.models?.[0]?.id ?? defaultModelOf(id);
    if (model) return `${id}/${model}`;
  }
  return undefined;
}

function refuseUnknown(name: string, usable: Record<string, ProviderSettings>): void {
  const id = name.split('/', 1)[0] ?? '';
  if (name.includes('/') && (id in usable || name === OFFLINE_MODEL)) return;
  const known = [...Object.keys(usable), 'offline'];
  throw misconfigured(
    'UNKNOWN_PROVIDER',
    `the model "${name}" names ${name.includes('/') ? `the provider "${id}", which has no key and no baseUrl` : 'no provider'}`,
    `write it as provider/model with one of: ${known.join(', ')}; or store its key: openclaw secrets set ${id || 'NAME'}-key`,
  );
}
