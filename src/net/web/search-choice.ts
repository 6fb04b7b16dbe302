// Owns which search services there are, which of them the settings mean, and what each needs to be asked. Pure; search.ts
// asks them.
export type SearchSettings = {
  /** a name, or the address of a SearXNG */
  readonly provider?: string | undefined;
  readonly apiKey?: string | undefined;
};
export const SERVICES = ['brave', 'duckduckgo', 'searxng', 'tavily'] as const;
export type Service = (typeof SERVICES)[number];

/** The one that is named, or the one that the key is for. */
export function serviceOf({ provider, apiKey }: SearchSettings): Service {
  if (provider === undefined) return apiKey ? 'brave' : 'duckduckgo';
  return SERVICES.find((one) => one === provider) ?? 'searxng';
}

/** Why it cannot be asked, as one clause, or null. */
export function whyNoSearch(settings: SearchSettings): string | null {
  const service = serviceOf(settings);
  const isKeyed = service === 'brave' || service === 'tavily';
  return isKeyed && !settings.apiKey ? `the search service ${service} needs tools.web.search.apiKey` : null;
}
