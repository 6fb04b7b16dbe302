// Owns which addresses the browser may reach, by the settings of the browser and of pages: one answer for policy, which is
// asked before it goes anywhere, and for the proxy, through which every byte of every page leaves. Pure.

import { isOfOwnNetwork, isPublic } from '../egress/reachable.ts';
import type { Dangerously } from '../web/fetch-page.ts';
import { isHostListed, whyNotReached } from '../web/page-url.ts';

export type BrowserRules = {
  readonly enabled: boolean;
  readonly headless: boolean;
  readonly allowedHosts?: readonly string[] | undefined;
  /** of tools.web.fetch, which close a host for every way of reading it */
  readonly blockedHosts: readonly string[];
  readonly dangerouslyAllowPrivateNetwork: boolean;
};
export const browserRules = (config: {
  readonly browser: Omit<BrowserRules, 'blockedHosts'>;
  readonly tools: { readonly web: { readonly fetch: Pick<BrowserRules, 'blockedHosts'> } };
}): BrowserRules => ({ ...config.browser, blockedHosts: config.tools.web.fetch.blockedHosts });

/** What is closed, as one clause, and by which setting; '' by none. */
export type Closed = { readonly why: string; readonly key: string };

export const addressRule =
  (rules: Pick<BrowserRules, 'dangerouslyAllowPrivateNetwork'>, { isAllowed }: Dangerously = {}) =>
  (address: string): boolean =>
    isAllowed?.(address) ?? (isPublic(address) || (rules.dangerouslyAllowPrivateNetwork && isOfOwnNetwork(address)));

export function whyClosed(
  url: URL,
  rules: BrowserRules,
  { ownPorts = [], dangerously = {} }: { ownPorts?: readonly number[]; dangerously?: Dangerously | undefined } = {},
): Closed | null {
  const { allowedHosts, blockedHosts, dangerouslyAllowPrivateNetwork: ownNetwork } = rules;
  const unreached = whyNotReached(url, { ownPorts, isAllowed: addressRule(rules, dangerously), ownNetwork });
  if (unreached !== null) return { why: `${unreached}, and is never opened`, key: '' };
  if (isHostListed(url, blockedHosts, 'and below'))
    return { why: `${url.hostname} is closed by tools.web.fetch.blockedHosts`, key: 'tools.web.fetch.blockedHosts' };
  if (allowedHosts === undefined || isHostListed(url, allowedHosts, 'as written')) return null;
  return { why: `${url.host} is not among the hosts of browser.allowedHosts`, key: 'browser.allowedHosts' };
}
