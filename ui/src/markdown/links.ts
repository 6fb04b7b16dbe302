// Owns which addresses a message may link to. Everything a model or a tool wrote is untrusted: an address is a link
// only when it parses as absolute http, https or mailto. It must never let another scheme or a relative path through.

export type SafeLink = { readonly href: string; readonly host: string };

const SCHEMES = new Set(['http:', 'https:', 'mailto:']);
const BEGINS_WELL = /^(?:https?:\/\/|mailto:)/i;
const MAX_ADDRESS_CHARS = 4_096;
/** Spaces, control characters and the characters that turn text around can disguise an address. */
const DISGUISE = /[\s\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\\]/;

export function safeLink(address: string): SafeLink | null {
  if (address.length > MAX_ADDRESS_CHARS || !BEGINS_WELL.test(address) || DISGUISE.test(address)) return null;
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return null;
  }
  if (!SCHEMES.has(url.protocol)) return null;
  if (url.protocol === 'mailto:') return { href: url.href, host: url.pathname };
  // `https://bank.example@evil.example/` reads as the wrong host.
  if (url.host === '' || url.username !== '' || url.password !== '') return null;
  return { href: url.href, host: url.host };
}

/** The host that the words of a link promise, or null when they do not look like an address. */
export function promisedHost(words: string): string | null {
  const match = /^\s*(?:https?:\/\/)?([a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8})(?::\d{1,5})?(?:[/?#\s]|$)/i.exec(
    words,
  );
  const host = match?.[1]?.toLowerCase();
  return host !== undefined && /\.[a-z]{2,}$/.test(host) ? host : null;
}

/** True when the words of a link name one host and the link leads to another. */
export function isMisleading(words: string, link: SafeLink): boolean {
  const promised = promisedHost(words);
  if (promised === null) return false;
  // `notes.md` is a file name far more often than a host.
  if (!/^\s*https?:/i.test(words) && /\.(?:md|ts|js|py|rs|sh|json|txt|html|css)$/.test(promised)) return false;
  return bare(promised) !== bare(link.host.split(':')[0] ?? '');
}

function bare(host: string): string {
  return host.replace(/^www\./, '').toLowerCase();
}
