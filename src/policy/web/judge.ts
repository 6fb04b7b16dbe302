// Owns what the settings say about the web: whether pages are read and searched for at all, which hosts are open or closed,
// and which addresses nobody ever fetches. Pure; whose idea the address was is a matter of flow/.
import { type BrowserRules, whyClosed } from '../../net/browser/browser-url.ts';
import { isHostListed, whyNotReached } from '../../net/web/page-url.ts';
import { whyNoSearch } from '../../net/web/search-choice.ts';
import type { FetchSettings, WebSettings } from '../../net/web/web.ts';
import type { Effect } from '../effects.ts';
import type { Verdict } from '../verdict.ts';

export function judgeWeb(effects: readonly Effect[], rules: WebSettings): Verdict[] {
  return effects.flatMap((effect): Verdict[] => {
    if (effect.kind === 'search') return judgeSearch(rules.search);
    return effect.kind === 'fetch' ? judgePage(new URL(effect.url), rules.fetch) : [];
  });
}

function judgeSearch(search: WebSettings['search']): Verdict[] {
  if (!search.enabled) return [off('search')];
  const why = whyNoSearch(search);
  const key = 'tools.web.search.provider';
  return why === null
    ? []
    : [{ rule: 'deny', key, code: 'SEARCH_NOT_SET', reason: why, fix: 'openclaw config get tools.web.search' }];
}

function judgePage(url: URL, { enabled, allowedHosts, blockedHosts }: FetchSettings): Verdict[] {
  if (!enabled) return [off('fetch')];
  const marks = [url.hostname];
  const unreached = whyNotReached(url);
  if (unreached !== null)
    return [
      {
        rule: 'deny',
        key: 'built in',
        code: 'ADDRESS_REFUSED',
        reason: `${unreached}, and is never fetched`,
        fix: '',
        marks,
      },
    ];
  if (isHostListed(url, blockedHosts, 'and below')) {
    const [key, reason] = ['tools.web.fetch.blockedHosts', `${url.hostname} is closed by tools.web.fetch.blockedHosts`];
    return [{ rule: 'deny', key, code: 'HOST_BLOCKED', reason, fix: `openclaw config get ${key}`, marks }];
  }
  if (allowedHosts === undefined || isHostListed(url, allowedHosts, 'as written')) return [];
  const list = JSON.stringify([...allowedHosts, url.host]);
  const key = 'tools.web.fetch.allowedHosts';
  const reason = `${url.host} is not among the hosts of ${key}`;
  return [{ rule: 'deny', key, code: 'HOST_NOT_LISTED', reason, fix: `openclaw config set ${key} '${list}'`, marks }];
}

const off = (which: 'search' | 'fetch'): Verdict => ({
  rule: 'deny',
  key: `tools.web.${which}.enabled`,
  code: 'WEB_OFF',
  reason: `tools.web.${which}.enabled is false`,
  fix: `openclaw config set tools.web.${which}.enabled true`,
});

const BROWSER_OFF: Verdict = {
  ...{ rule: 'deny', key: 'browser.enabled', code: 'BROWSER_OFF', reason: 'browser.enabled is false' },
  fix: 'openclaw config set browser.enabled true',
};
type Switches = { readonly browser: Pick<BrowserRules, 'enabled'>; readonly tools: { readonly web: WebSettings } };
/** What leaves a tool of the web off as a whole, so that it is not offered either. */
export function whyOff(tool: string, { browser, tools: { web } }: Switches): Verdict | undefined {
  if (tool === 'browser') return browser.enabled ? undefined : BROWSER_OFF;
  if (tool === 'web_search') return judgeSearch(web.search)[0];
  return tool === 'web_fetch' && !web.fetch.enabled ? off('fetch') : undefined;
}

/** The same of the browser, which has settings of its own; a closed host is closed to it as well. */
export function judgeBrowser(tool: string, effects: readonly Effect[], rules: BrowserRules): Verdict[] {
  if (tool !== 'browser') return [];
  if (!rules.enabled) return [BROWSER_OFF];
  return effects.flatMap((effect): Verdict[] => {
    if (effect.kind !== 'browse' || !URL.canParse(effect.url)) return [];
    const url = new URL(effect.url);
    const closed = whyClosed(url, rules);
    if (closed === null) return [];
    const { why: reason, key } = closed;
    const marks = [url.host];
    const fix = key === '' ? '' : `openclaw config get ${key}`;
    const code = key === '' ? 'ADDRESS_REFUSED' : key.endsWith('blockedHosts') ? 'HOST_BLOCKED' : 'HOST_NOT_LISTED';
    return [{ rule: 'deny', key: key || 'built in', code, reason, fix, marks }];
  });
}
