// Owns which search services there are, which of them the settings mean, and what each needs to be asked. Pure; search.ts
// asks them.
export type SearchSettings = {
  readonly provider?: string | undefined;
  readonly apiKey?: string | undefined;
  readonly baseUrl?: string | undefined;
};

const NEEDS: Readonly<Record<string, 'apiKey' | 'baseUrl' | null>> = {
  brave: 'apiKey',
  tavily: 'apiKey',
  searxng: 'baseUrl',
  duckduckgo: null,
};

/** The one that is named, or the one that the rest of the settings is for. */
export const serviceOf = ({ provider, apiKey, baseUrl }: SearchSettings): string =>
  provider ?? (apiKey ? 'brave' : baseUrl ? 'searxng' : 'duckduckgo');

/** Why it cannot be asked, as one clause, or null. */
export function whyNoSearch(settings: SearchSettings): string | null {
  const service = serviceOf(settings);
  const needs = NEEDS[service] ?? null;
  return needs === null || settings[needs] ? null : `the search service ${service} needs tools.web.search.${needs}`;
}
