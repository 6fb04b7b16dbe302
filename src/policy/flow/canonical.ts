// Owns when two spellings are the same thing, and whether a text names a value whole: `bob` does not stand in `bobby`. A
// spelling that could pass for another one names nothing. Linear in the text.

/** What stands between the parts of a text that could be an address. */
const BETWEEN = /[\s"'<>()[\]{}|\\^`,;=*]+/u;
const HOST = /^(?:[\p{L}\p{N}-]{1,63}\.){1,20}\p{L}{2,24}$/u;
const MAIL_NAME = /^[\p{L}\p{N}._%+-]{1,64}$/u;
/** No address is longer that a person named; what is longer in a payload leads somewhere. */
const MAX_LEAD = 2_000;

/** Phones and account numbers, perhaps in groups; a date has fewer digits. */
const NUMBER_LIKE = /\+?\b(?:[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]){8,32}|\d(?:[ ./-]?\d){8,24})\b/g;
/** A day with its time has many digits, and leads nowhere. */
const MOMENT =
  /\b(?:(?:19|20)\d{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])|(?:0?[1-9]|[12]\d|3[01])[./](?:0?[1-9]|1[0-2])[./](?:19|20)\d{2})(?:[T ]|, ?)(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?\b/g;
/** Wallets, keys, and whatever was packed into letters. */
const PACKED = /\b(?=[A-Za-z]*\d)[A-Za-z0-9+/]{20,}={0,2}/g;

/** As it is compared: one spelling of width, case and white space. */
export const folded = (text: string): string => text.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim();
const packed = (text: string): string => folded(text).replace(/[\s().-]/g, '');

/** Without scheme, default port and a lone last slash. Only the host has no case: each letter of a path could say something. */
export function urlKey(url: string): string {
  const rest = url
    .normalize('NFKC')
    .trim()
    .replace(/^https?:\/\//i, '');
  const end = /[/?#]|$/.exec(rest)?.index ?? rest.length;
  const host = rest
    .slice(0, end)
    .toLowerCase()
    .replace(/:(?:80|443)$/, '');
  return host + rest.slice(end).replace(/\/$/, '');
}

/** Letters that look like others, no width, other directions: whoever needs them is asked about. */
function isPlain(value: string): boolean {
  return value === value.normalize('NFKC') && !/[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/u.test(value) && !mixesScripts(value);
}
const mixesScripts = (value: string): boolean =>
  [/\p{Script=Latin}/u, /\p{Script=Cyrillic}/u, /\p{Script=Greek}/u, /\p{Script=Cherokee}/u].filter((one) =>
    one.test(value),
  ).length > 1;

export type Named = {
  /** whether the text has this value, whole and in a plain spelling */
  has(value: string): boolean;
  /** whether it has this number, however it is written */
  hasAmount(value: number): boolean;
};

/** Reads the text once. */
export function namedIn(text: string): Named {
  const normal = text.normalize('NFKC').replace(/\s+/g, ' ');
  const plain = normal.toLowerCase();
  const isSameLength = plain.length === normal.length;
  const urls = new Set(linksIn(text).map(urlKey));
  const squeezed = new Set((normal.match(NUMBER_LIKE) ?? []).map(packed));
  const amounts = new Set((plain.match(/\d[\d.,']*/g) ?? []).flatMap(numbersOf));
  return {
    has(value) {
      if (value.trim() === '' || value.length > 2_000 || !isPlain(value.trim())) return false;
      const isPath = LOCATION.test(value.trim());
      // A link is found up to where a sentence could go on, so a query is only known by all of it, below.
      if (!(isPath && value.includes('?')) && urls.has(urlKey(value))) return true;
      const [wanted, where] = isPath ? [value.trim(), normal] : [folded(value), plain];
      if (/\d/.test(wanted) && wanted.length >= 8 && squeezed.has(packed(value))) return true;
      let tries = 0;
      for (let at = where.indexOf(wanted); at !== -1; at = where.indexOf(wanted, at + wanted.length)) {
        if (++tries > MAX_TRIES) return false;
        if (standsAlone(isPath || isSameLength ? normal : plain, at, at + wanted.length)) return true;
      }
      return false;
    },
    hasAmount: (value) => Number.isFinite(value) && amounts.has(value),
  };
}

/** An address with more than a host. */
const LOCATION = /^(?:[a-z]{2,8}:\/\/[^/?#\s]{1,300}|[^/?#\s@]{1,300}\.[^/?#\s@]{1,100})[/?#]/i;
/** A value that stands inside others this often is none that anybody named. */
const MAX_TRIES = 2_000;
const INSIDE = /[\p{L}\p{N}\p{M}_@+\-/\\&=%~#?.$]/u;
function standsAlone(text: string, from: number, to: number): boolean {
  const before = text[from - 1] ?? ' ';
  if (INSIDE.test(before) && before !== '$' && before !== '#' && before !== '@') return false;
  // Somebody's handle is written with a sign before it; an address has something before the sign.
  if (before === '@' && INSIDE.test(text[from - 2] ?? ' ')) return false;
  const after = text[to] ?? ' ';
  if (after === '.' || after === '?') {
    const next = text[to + 1] ?? ' ';
    // The end of a sentence, also when the next one follows at once.
    return !INSIDE.test(next) || /\p{Lu}/u.test(next);
  }
  return !INSIDE.test(after);
}

/** `1,234.50` and `1.234,50` both ways of reading it. */
function numbersOf(text: string): number[] {
  const bare = text.replace(/[.,']+$/, '').replaceAll("'", '');
  return [bare.replaceAll(',', ''), bare.replaceAll('.', '').replace(',', '.')].map(Number).filter(Number.isFinite);
}

/** Addresses of pages, as they stand there. */
export const linksIn = (text: string): string[] =>
  pieces(text).flatMap((piece) => (piece.includes('@') ? [] : (linkOf(piece) ?? [])));

/** What leads somewhere: links, addresses, account numbers, packed letters. */
export function leadsIn(text: string): string[] {
  const normal = text.normalize('NFKC');
  const timeless = normal.replace(MOMENT, ';');
  return [
    ...[NUMBER_LIKE, PACKED].flatMap((like) => timeless.match(like) ?? []),
    ...pieces(normal).filter((piece) => piece.length > MAX_LEAD || isMail(piece) || linkOf(piece) !== null),
  ];
}

const pieces = (text: string): string[] =>
  text
    .normalize('NFKC')
    .split(BETWEEN)
    .map((piece) => piece.replace(/^[.:!?]+/, '').slice(0, MAX_LEAD + 100))
    .map(withoutEnd);

function withoutEnd(piece: string): string {
  let end = piece.length;
  while ('.:!?/'.includes(piece[end - 1] ?? '-')) end -= 1;
  return piece.slice(0, end);
}

function isMail(piece: string): boolean {
  const at = piece.lastIndexOf('@');
  const name = piece.slice(0, at).replace(/^mailto:/i, '');
  return at > 0 && MAIL_NAME.test(name) && HOST.test(piece.slice(at + 1));
}

/** From the scheme or host on; null when there is none. */
function linkOf(piece: string): string | null {
  const scheme = piece.indexOf('://');
  const from = scheme === -1 ? piece.lastIndexOf(':', piece.search(/[/?#]|$/) - 1) : scheme + 2;
  // `see:www.a.example`, but not the port of `www.a.example:8080`.
  const rest = scheme === -1 && /^:\d/.test(piece.slice(from)) ? piece : piece.slice(from + 1);
  const host = rest.split(/[/?#]/, 1)[0]?.replace(/:\d{1,5}$/, '') ?? '';
  if (HOST.test(host.split('@').at(-1) ?? '')) return rest;
  return scheme > 0 ? rest : null;
}
