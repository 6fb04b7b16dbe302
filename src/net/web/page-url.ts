// Owns how the address of a page is read: one plain spelling, a name that is no machine of ones own, a port that pages
// have. Pure; where the name leads is looked at when it is dialled (reachable.ts).
import { isIP } from 'node:net';
import { isPublic } from '../egress/reachable.ts';

const MAX_CHARS = 2_000;

export type PageUrl = {
  readonly url: URL;
  /** as it was written; a host with other letters than a-z in the one spelling that shows it (xn--) */
  readonly text: string;
};

/** The address, or one clause on what is wrong with it. */
export function readPageUrl(text: string): PageUrl | { readonly problem: string } {
  if (text.length > MAX_CHARS) return { problem: `longer than ${MAX_CHARS} characters` };
  if (/[\s\p{Cc}\p{Cf}\\]/u.test(text)) return { problem: 'white space, a backslash or an unseen character in it' };
  const authority = /^https?:\/\/([^/?#]+)/i.exec(text)?.[1];
  if (authority === undefined) return { problem: 'only whole addresses with http:// or https:// are fetched' };
  if (authority.includes('@')) return { problem: 'a name or password in front of the host is never sent' };
  if (!URL.canParse(text)) return { problem: 'that is no address' };
  const url = new URL(text);
  const host = authority.replace(/:\d*$/, '').toLowerCase();
  if (url.hostname.endsWith('.')) return { problem: 'write the host without the dot at its end' };
  if (host === url.hostname) return { url, text };
  // Other letters are fine as long as it shows; the same letters in another coat are not.
  const isForeign = url.hostname.split('.').some((part) => part.startsWith('xn--'));
  if (isForeign && !/%/.test(host)) return { url, text: url.href };
  return { problem: `the host is an odd spelling of ${url.hostname}; write that` };
}

export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '');
export const portOf = ({ port, protocol }: URL): number => (port === '' ? usualPort(protocol) : Number(port));
export const usualPort = (protocol: string): number => (protocol === 'https:' ? 443 : 80);

/** Of the network that one is in, whatever a name server says about them. */
const OWN_NAMES = /(^|\.)(localhost|localdomain|local|internal|intranet|lan|home|corp|private|home\.arpa)$/;

export type Reach = {
  /** that the gateway itself listens on */
  readonly ownPorts?: readonly number[];
  readonly isAllowed?: (address: string) => boolean;
  /** names of one's own network are fine, since the owner says so; this machine never is */
  readonly ownNetwork?: boolean;
};

/** Why nobody dials it, as one clause, or null. */
export function whyNotReached(
  url: URL,
  { ownPorts = [], isAllowed = isPublic, ownNetwork }: Reach = {},
): string | null {
  const [host, port] = [hostOf(url), portOf(url)];
  const isAddress = isIP(host) !== 0;
  const closed = ownNetwork ? /(^|\.)(localhost|localdomain)$/ : OWN_NAMES;
  if (isAddress && !isAllowed(host)) return `${host} is an address of a private network or of this machine`;
  if (!isAddress && ((!ownNetwork && !host.includes('.')) || closed.test(host)))
    return `${host} names a machine of your own network`;
  if (ownPorts.includes(port)) return `port ${port} is Hardshell's own`;
  if (port === 0 || (port < 1_024 && port !== 80 && port !== 443)) return `port ${port} is none that pages have`;
  return null;
}

/** The same host, give or take `www.`; never back from an encrypted page to a plain one, nor to another port. */
export function isSameSite(from: URL, to: URL): boolean {
  const bare = (url: URL): string => url.hostname.replace(/^www\./, '');
  if (bare(from) !== bare(to) || to.username !== '' || to.password !== '') return false;
  if (from.protocol === to.protocol) return portOf(from) === portOf(to);
  return from.protocol === 'http:' && portOf(from) === 80 && portOf(to) === 443;
}

/** Whether an entry of the settings names the host: itself, or `*.example.net` for what is below it. */
export function isHostListed(url: URL, entries: readonly string[], scope: 'as written' | 'and below'): boolean {
  return entries.some((entry) => {
    const [, below, name = '', port] =
      /^(\*\.)?(.*?)(?::(\d+))?$/.exec(entry.trim().replace(/^https?:\/\/|\/$/gi, '')) ?? [];
    const wanted = nameOf(name);
    const have = hostOf(url);
    if (wanted === '' || (port !== undefined && portOf(url) !== Number(port))) return false;
    // Who names one page does not open its host.
    if (scope === 'as written' && name.includes('/')) return false;
    // A list of what is allowed opens the usual port; a list of what is not closes all of them.
    if (port === undefined && scope === 'as written' && portOf(url) !== usualPort(url.protocol)) return false;
    const isBelow = isIP(have) === 0 && have.endsWith(`.${wanted}`);
    return below === undefined ? have === wanted || (scope === 'and below' && isBelow) : isBelow;
  });
}

/** As addresses have it: small letters, xn--, no dot at the end. */
function nameOf(written: string): string {
  const text = `http://${written.replace(/\.$/, '')}`;
  return URL.canParse(text) ? hostOf(new URL(text)) : '';
}
