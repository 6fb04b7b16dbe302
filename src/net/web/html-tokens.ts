// Owns the taking apart of HTML into text and tags. Forgiving as browsers are, and linear whatever it is fed: nothing is
// looked at twice, nothing nests.
export type Token =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'open'; readonly name: string; readonly attributes: ReadonlyMap<string, string> }
  | { readonly kind: 'close'; readonly name: string };

/** What is inside is no markup, up to their end. */
const RAW = new Set(['script', 'style', 'textarea', 'title', 'xmp', 'iframe', 'noembed', 'noframes', 'plaintext']);
const NAME = /[a-z][^\s/>]{0,60}/iy;
const ATTRIBUTE = /[\s/]*([^\s/>=]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s>]*))?/y;
const MAX_ATTRIBUTES = 60;

export function* tokensOf(html: string): Generator<Token> {
  let at = 0;
  while (at < html.length) {
    const open = html.indexOf('<', at);
    if (open === -1) {
      yield { kind: 'text', text: entitiesOut(html.slice(at)) };
      return;
    }
    if (open > at) yield { kind: 'text', text: entitiesOut(html.slice(at, open)) };
    const next = html[open + 1] ?? '';
    if (next === '!' || next === '?') {
      at = after(html, html.startsWith('<!--', open) ? '-->' : '>', open + 2);
      continue;
    }
    NAME.lastIndex = open + (next === '/' ? 2 : 1);
    const name = NAME.exec(html)?.[0].toLowerCase();
    if (name === undefined) {
      yield { kind: 'text', text: '<' };
      at = open + 1;
      continue;
    }
    if (next === '/') {
      yield { kind: 'close', name };
      at = after(html, '>', NAME.lastIndex);
      continue;
    }
    const { attributes, end } = attributesAt(html, NAME.lastIndex);
    yield { kind: 'open', name, attributes };
    at = end;
    if (!RAW.has(name)) continue;
    const close = new RegExp(`</${name}(?=[\\s/>])`, 'gi');
    close.lastIndex = at;
    const until = close.exec(html)?.index ?? html.length;
    if (name === 'title' || name === 'textarea') yield { kind: 'text', text: entitiesOut(html.slice(at, until)) };
    at = until;
  }
}

function after(html: string, end: string, from: number): number {
  const found = html.indexOf(end, from);
  return found === -1 ? html.length : found + end.length;
}

function attributesAt(html: string, from: number): { attributes: ReadonlyMap<string, string>; end: number } {
  const attributes = new Map<string, string>();
  let at = from;
  while (at < html.length) {
    ATTRIBUTE.lastIndex = at;
    const found = ATTRIBUTE.exec(html);
    if (found === null) {
      const end = /[^\s/]/y;
      while (at < html.length && html[at] !== '>') {
        end.lastIndex = at;
        if (html[at] !== '=' && end.test(html)) break;
        at += 1;
      }
      if (html[at] === '>') return { attributes, end: at + 1 };
      continue;
    }
    at = ATTRIBUTE.lastIndex;
    const [, name = '', value = ''] = found;
    const key = name.slice(0, 60).toLowerCase();
    const bare = /^["']/.test(value) && value.length > 1 && value.at(-1) === value[0] ? value.slice(1, -1) : value;
    if (attributes.size < MAX_ATTRIBUTES && !attributes.has(key)) attributes.set(key, bare);
  }
  return { attributes, end: html.length };
}

const ENTITY = /&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z][a-z\d]{1,30}));?/gi;
const NAMED: Readonly<Record<string, string>> = {
  ...{ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ', ensp: ' ', emsp: ' ', thinsp: ' ', shy: '' },
  ...{ ndash: '–', mdash: '—', hellip: '…', bull: '•', middot: '·', lsquo: '‘', rsquo: '’', sbquo: '‚', ldquo: '“' },
  ...{ rdquo: '”', bdquo: '„', laquo: '«', raquo: '»', lsaquo: '‹', rsaquo: '›', copy: '©', reg: '®', trade: '™' },
  ...{
    euro: '€',
    pound: '£',
    yen: '¥',
    cent: '¢',
    sect: '§',
    para: '¶',
    deg: '°',
    plusmn: '±',
    times: '×',
    divide: '÷',
  },
  ...{ frac12: '½', frac14: '¼', frac34: '¾', sup1: '¹', sup2: '²', sup3: '³', micro: 'µ', minus: '−', infin: '∞' },
  ...{ ne: '≠', le: '≤', ge: '≥', asymp: '≈', larr: '←', rarr: '→', uarr: '↑', darr: '↓', harr: '↔', check: '✓' },
  ...{ auml: 'ä', ouml: 'ö', uuml: 'ü', szlig: 'ß', eacute: 'é', egrave: 'è', ecirc: 'ê', euml: 'ë', agrave: 'à' },
  ...{
    aacute: 'á',
    acirc: 'â',
    atilde: 'ã',
    aring: 'å',
    aelig: 'æ',
    ccedil: 'ç',
    iacute: 'í',
    igrave: 'ì',
    icirc: 'î',
  },
  ...{
    iuml: 'ï',
    ntilde: 'ñ',
    oacute: 'ó',
    ograve: 'ò',
    ocirc: 'ô',
    otilde: 'õ',
    oslash: 'ø',
    uacute: 'ú',
    ugrave: 'ù',
  },
  ...{ ucirc: 'û', yacute: 'ý', yuml: 'ÿ', thorn: 'þ', eth: 'ð', oelig: 'œ', scaron: 'š', iexcl: '¡', iquest: '¿' },
};

export function entitiesOut(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(ENTITY, (whole: string, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) {
      const known = Object.hasOwn(NAMED, name) ? NAMED[name] : NAMED[name.toLowerCase()];
      if (known === undefined) return whole;
      return name === name.toLowerCase() || known.length !== 1 ? known : known.toUpperCase();
    }
    const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
    if (code === 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return '\ufffd';
    // Old pages number the signs of Windows.
    if (code >= 0x80 && code < 0xa0) return new TextDecoder('windows-1252').decode(Uint8Array.of(code));
    return String.fromCodePoint(code);
  });
}
