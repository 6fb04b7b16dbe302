// Owns the look at an address that a platform or a message named: it is one of the platform's own hosts and encrypted, or
// nobody calls it. It never calls anything itself.

export type PlatformHosts = {
  /** one that begins with a dot stands for what is below it */
  readonly hosts: readonly string[];
  /** only where a test runs the platform itself, without TLS */
  readonly isPlain: boolean;
};

/** The address, or null when it must not be called. */
export function platformUrl(text: unknown, kind: 'http' | 'ws', { hosts, isPlain }: PlatformHosts): URL | null {
  if (typeof text !== 'string' || !URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.protocol !== `${kind}${isPlain ? '' : 's'}:` || url.username !== '' || url.password !== '') return null;
  return hosts.some((host) => (host.startsWith('.') ? url.host.endsWith(host) : url.host === host)) ? url : null;
}
