// Owns what of a mail's text is shown: HTML becomes plain text with the real address of every link, and without what a
// reader of the mail would not have seen. It runs once over hostile input and must never take more than linear time.
import { UNSEEN } from '../../platform/disguise.ts';

// Control, bidi and zero-width characters, tags and soft hyphens; joiners stay, scripts and emoji need them.
const LEFT_OUT = new RegExp(String.raw`[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad${UNSEEN}]`, 'gu');

export const plainText = (text: string): string =>
  text
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    .replace(LEFT_OUT, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim();

/** One line, for names and subjects. */
export const oneLine = (text: string, maxChars: number): string =>
  plainText(text).replace(/\s+/g, ' ').slice(0, maxChars).toWellFormed();

const FORWARDED =
  /^(?:-{2,} ?(?:forwarded message|original message|ursprüngliche nachricht|weitergeleitete nachricht)[^\n]{0,20}-{2,}|begin forwarded message:|anfang der weitergeleiteten nachricht:)$/i;
/** The head of the mail that is answered or passed on, as some programs write it into the text. */
const HEAD_LINE = /^\*?(?:from|sent|date|to|cc|subject|von|gesendet|datum|an|betreff)\s?:\*?\s/i;
const WROTE = /^(?:on|am) .{5,200}(?:wrote|schrieb.{0,200}):$/i;

/** What the sender wrote, and what is shown along of other mails: quotes and all that follows the mark of a forwarded one. */
export function apart(text: string): { own: string; quoted: string } {
  const own: string[] = [];
  const quoted: string[] = [];
  const lines = text.split('\n');
  for (const [at, raw] of lines.entries()) {
    const line = raw.trim();
    const next = lines.slice(at + 1, at + 4).filter((one) => one.trim() !== '');
    if (FORWARDED.test(line) || (HEAD_LINE.test(line) && next.filter((one) => HEAD_LINE.test(one.trim())).length > 1)) {
      quoted.push(...lines.slice(at));
      break;
    }
    const isQuote = line.startsWith('>') || (WROTE.test(line) && (next[0] ?? '>').trim().startsWith('>'));
    (isQuote ? quoted : own).push(raw);
  }
  return { own: plainText(own.join('\n')), quoted: plainText(quoted.join('\n')) };
}

const VOID = new Set('area base br col embed hr img input link meta source track wbr'.split(' '));
/** Never text, whatever is in them; a reader finds the end of these by their closing tag alone. */
const UNREAD = new Set(
  'script style title head noscript template iframe object svg math textarea select audio video canvas'.split(' '),
);
const BLOCK = new Set(
  'address article aside blockquote dd div dl dt fieldset footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section table tr ul'.split(
    ' ',
  ),
);
const HIDING =
  /(?:^|;)(?:display:none|visibility:(?:hidden|collapse)|opacity:0(?:\.0*)?(?=;|!|$)|(?:font-size|max-height|line-height):0(?:\.0*)?(?:px|pt|em|rem|%)?(?=;|!|$)|mso-hide:all|text-indent:-\d{3}|(?:left|top):-\d{3})/;
const WHITE = '(?:white|#fff(?:fff)?|rgb\\(255,255,255\\))';
const WHITE_TEXT = new RegExp(`(?:^|;)color:${WHITE}(?=;|!|$)`);
const WHITE_COLOUR = new RegExp(`^${WHITE}$`, 'i');
const GROUND = /(?:^|;)background(?:-color)?:/;
const WHITE_GROUND = new RegExp(`(?:^|;)background(?:-color)?:${WHITE}(?=;|!|$)`);
const MAX_DEPTH = 200;
const MAX_TAG_CHARS = 4_000;
const MAX_URL_CHARS = 500;

const ENTITIES: Readonly<Record<string, string>> = {
  ...{ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ', copy: '©', reg: '®', euro: '€', hellip: '…' },
  ...{ ndash: '–', mdash: '—', lsquo: '‘', rsquo: '’', ldquo: '“', rdquo: '”', bull: '•', middot: '·', laquo: '«' },
  ...{ auml: 'ä', ouml: 'ö', uuml: 'ü', Auml: 'Ä', Ouml: 'Ö', Uuml: 'Ü', szlig: 'ß', eacute: 'é', egrave: 'è' },
  ...{ agrave: 'à', ccedil: 'ç', ntilde: 'ñ', oacute: 'ó', aacute: 'á', iacute: 'í', uacute: 'ú', raquo: '»' },
};

type Open = {
  readonly tag: string;
  readonly isHidden: boolean;
  /** something lies between the text and the white page */
  readonly hasGround: boolean;
  readonly url: string | null;
  /** where its words begin */
  readonly from: readonly [number, number];
};

export function textOfHtml(html: string, maxChars: number): { text: string; isCut: boolean } {
  const lines: string[] = [];
  let line = '';
  let chars = 0;
  let quotes = 0;
  let hidden = 0;
  const open: Open[] = [];
  const breakLine = (): void => {
    lines.push(`${'> '.repeat(Math.min(quotes, 5))}${line.trim()}`.trimEnd());
    line = '';
  };
  const write = (text: string): void => {
    if (hidden > 0) return;
    const shown = text.replace(/\s+/g, ' ');
    line += line === '' || line.endsWith(' ') ? shown.trimStart() : shown;
    chars += shown.length;
  };
  const edge = (tag: string): void => {
    if (BLOCK.has(tag) && line.trim() !== '') breakLine();
  };
  const shut = (one: Open): void => {
    const words = one.from[0] === lines.length ? line.slice(one.from[1]).trim() : '';
    if (one.url !== null && words !== one.url) write(` <${one.url}>`);
    if (one.isHidden) hidden -= 1;
    edge(one.tag);
    if (one.tag === 'blockquote') quotes -= 1;
    if (one.tag === 'p') breakLine();
  };
  let at = 0;
  while (at < html.length && chars < maxChars) {
    const next = html.indexOf('<', at);
    write(decoded(html.slice(at, next === -1 ? html.length : next)));
    if (next === -1) break;
    const start = /^<(\/?)([a-zA-Z][^\s/>]{0,30})/.exec(html.slice(next, next + 40));
    if (!start) {
      const isComment = html.startsWith('<!--', next);
      if (!isComment && !/^<[!?/]/.test(html.slice(next, next + 2))) {
        write('<');
        at = next + 1;
        continue;
      }
      const end = isComment ? html.indexOf('-->', next + 4) : html.indexOf('>', next);
      if (end === -1) break;
      at = end + (isComment ? 3 : 1);
      continue;
    }
    const end = endOfTag(html, next + start[0].length);
    if (end === -1) break;
    at = end + 1;
    const tag = (start[2] ?? '').toLowerCase();
    if (start[1] === '/') {
      const index = open.findLastIndex((one) => one.tag === tag);
      if (index !== -1) for (const one of open.splice(index).reverse()) shut(one);
      continue;
    }
    if (UNREAD.has(tag)) {
      const closing = new RegExp(tag === 'head' ? '</head|<body' : `</${tag}(?=[\\s/>])`, 'gi');
      closing.lastIndex = at;
      const found = closing.exec(html);
      if (!found) break;
      at = found.index;
      continue;
    }
    const attributes = attributesOf(html.slice(next + start[0].length, Math.min(end, next + MAX_TAG_CHARS)));
    edge(tag);
    if (tag === 'br') breakLine();
    if (tag === 'li') write('- ');
    if ((tag === 'td' || tag === 'th') && line.trim() !== '') write(' | ');
    if (tag === 'img' && attributes.get('alt')) write(`[image: ${(attributes.get('alt') ?? '').slice(0, 100)}]`);
    if (VOID.has(tag)) continue;
    if (open.length >= MAX_DEPTH) break;
    const look = lookOf(attributes, open.at(-1)?.hasGround ?? false);
    if (look.isHidden) hidden += 1;
    if (tag === 'blockquote') quotes += 1;
    open.push({
      tag,
      ...look,
      url: tag === 'a' ? linkOf(attributes.get('href')) : null,
      from: [lines.length, line.length],
    });
  }
  for (const one of open.reverse()) shut(one);
  breakLine();
  return { text: plainText(lines.join('\n')), isCut: chars >= maxChars };
}

/** The > that ends a tag; one inside quotes does not. */
function endOfTag(html: string, from: number): number {
  let quote = '';
  for (let at = from; at < html.length; at++) {
    const char = html[at] ?? '';
    if (quote !== '') quote = char === quote ? '' : quote;
    else if (char === '>') return at;
    // A quote opens a value only after the equals sign.
    else if ((char === '"' || char === "'") && /=\s{0,9}$/.test(html.slice(Math.max(from, at - 10), at))) quote = char;
  }
  return -1;
}

function attributesOf(source: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const one of source.matchAll(/([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+)))?/g)) {
    const name = (one[1] ?? '').toLowerCase();
    if (!found.has(name)) found.set(name, decoded(one[2] ?? one[3] ?? one[4] ?? ''));
  }
  return found;
}

/** What a style sheet elsewhere says is not known: text that only a class hides is shown, and is untrusted like all of it. */
function lookOf(attributes: ReadonlyMap<string, string>, isOnGround: boolean): Pick<Open, 'isHidden' | 'hasGround'> {
  const style = (attributes.get('style') ?? '')
    .toLowerCase()
    .replace(/\/\*.*?\*\//g, '')
    .replace(/\s+/g, '');
  const isWhiteGround = WHITE_GROUND.test(style);
  const hasGround = !isWhiteGround && (isOnGround || GROUND.test(style) || attributes.has('bgcolor'));
  const isWhite = WHITE_TEXT.test(style) || WHITE_COLOUR.test(attributes.get('color') ?? '');
  return { isHidden: attributes.has('hidden') || HIDING.test(style) || (isWhite && !hasGround), hasGround };
}

/** Where a link really goes; anything but a web, mail or telephone address is named and left out. */
function linkOf(href: string | undefined): string | null {
  if (href === undefined || href.trim() === '' || href.trim().startsWith('#')) return null;
  const url = href.replace(/[\s<>]/g, '');
  if (!/^(https?:\/\/|mailto:|tel:)/i.test(url)) return 'link left out';
  return url.length > MAX_URL_CHARS ? `${url.slice(0, MAX_URL_CHARS)}…` : url;
}

const decoded = (text: string): string =>
  text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,8}));?/gi, (all, decimal, hex, name: string | undefined) => {
    if (name !== undefined) return ENTITIES[name] ?? all;
    const code = decimal === undefined ? Number.parseInt(hex as string, 16) : Number(decimal);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : '';
  });
