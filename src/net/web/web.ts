// Owns what the tools of the web are handed: read a page, ask the search service, each by the settings as they are now. It
// is loaded when the first of them is called.
import { createPages, type FetchPorts, type Page } from './fetch-page.ts';
import { isHostListed } from './page-url.ts';
import { type Found, search } from './search.ts';
import type { SearchSettings } from './search-choice.ts';

export type WebSettings = {
  readonly search: SearchSettings & { readonly enabled: boolean };
  readonly fetch: FetchSettings;
};
export type FetchSettings = {
  readonly enabled: boolean;
  readonly maxChars: number;
  readonly maxBytes: number;
  readonly allowedHosts?: readonly string[] | undefined;
  readonly blockedHosts: readonly string[];
};
export type Web = ReturnType<typeof createWeb>;

export function createWeb(ports: FetchPorts & { settings(): WebSettings }) {
  const pages = createPages(ports);
  return {
    fetchPage(url: string, signal: AbortSignal): Promise<Page> {
      const { fetch } = ports.settings();
      const whyNotHost = (one: URL): string | null => {
        const { allowedHosts, blockedHosts } = fetch;
        if (isHostListed(one, blockedHosts, 'and below')) return 'the host is among those that the owner has closed';
        const isOpen = allowedHosts === undefined || isHostListed(one, allowedHosts, 'as written');
        return isOpen ? null : 'the host is not among those that the owner allows';
      };
      return pages.fetchPage(url, { maxBytes: fetch.maxBytes, signal, whyNotHost });
    },
    search: (query: string, count: number, signal: AbortSignal): Promise<Found[]> =>
      search(ports.settings().search, { query, count }, signal),
    maxChars: (): number => ports.settings().fetch.maxChars,
  };
}
