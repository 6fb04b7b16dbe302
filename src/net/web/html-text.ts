// Owns what a person would read of an HTML page, as text: headings, lists, tables, links with their whole address; nothing
// hidden, no menu where there is an article. Linear in the page; it must never run or fetch anything of it.
import { entitiesOut, type Token, tokensOf } from './html-tokens.ts';

export type PageText = { readonly title: string; readonly text: string; readonly isCut: boolean };

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));
const PARAGRAPHS = words(
  'p div section article main header footer nav aside ul ol dl table form fieldset figure blockquote pre address details hr h1 h2 h3 h4 h5 h6 body',
);
const LINES = words('li tr dt dd br option summary caption figcaption legend thead tbody tfoot');
const UNREAD = words(
  'script style svg math object canvas video audio template select datalist dialog noscript iframe textarea button xmp noembed noframes head',
);
const VOID = words('area base br col embed hr img input link meta source track wbr');
/** Around what a page is about. */
const MARGIN = words('nav footer aside');
const CENTRE = words('main article');
const MAX_TITLE = 300;
const MAX_LINK = 2_000;
/** Less than this is no article, whatever it is called. */
const LEAST_CHARS = 200;

type Piece = { text: string; readonly gap: '\n' | '\n\n'; readonly isMargin: boolean; readonly isCentre: boolean };

export function textOfHtml(html: string, address: string, maxChars: number): PageText {
  const page = createPage(address, maxChars * 2);
  for (const token of tokensOf(html)) if (!page.take(token)) break;
  const { title, pieces } = page.end();
  const of = (wanted: (piece: Piece) => boolean): string => textOf(pieces.filter(wanted));
  const all = of(() => true);
  const plain = of(({ isMargin }) => !isMargin);
  const centre = of(({ isMargin, isCentre }) => isCentre && !isMargin);
  const text =
    centre.length >= Math.max(LEAST_CHARS, plain.length / 4) ? centre : plain.length >= LEAST_CHARS ? plain : all;
  return { title, text: text.slice(0, maxChars).toWellFormed(), isCut: text.length > maxChars || page.isFull() };
}

function textOf(pieces: readonly Piece[]): string {
  let text = '';
  for (const piece of pieces) text += text === '' ? piece.text : piece.gap + piece.text;
  return text.trim();
}

function createPage(address: string, maxChars: number) {
  const pieces: Piece[] = [];
  let chars = 0;
  let title = '';
  let base = address;
  // In parts, since asking a long text for its end costs its length each time.
  let line: string[] = [];
  let lineChars = 0;
  let isSpaced = true;
  let gap: Piece['gap'] = '\n\n';
  let isInTitle = false;
  let preformatted = 0;
  let cells = 0;
  /** what is not read, and how many of its name are open */
  let unread: { readonly name: string; depth: number } | null = null;
  let link: { readonly url: string; readonly from: number } | null = null;
  const depth = { margin: 0, centre: 0 };

  const add = (text: string): void => {
    if (text === '') return;
    line.push(text);
    lineChars += text.length;
    isSpaced = text.endsWith(' ') || text.endsWith('\n');
  };
  const endLink = (): void => {
    if (link === null) return;
    const label = line.splice(link.from).join('');
    const text = label.trim();
    const { url } = link;
    link = null;
    add(text === '' || text === url ? label : `${label.startsWith(' ') ? ' ' : ''}[${text}](${url})`);
    if (label.endsWith(' ') && !isSpaced) add(' ');
  };
  const flush = (next: Piece['gap']): void => {
    endLink();
    const whole = line.join('');
    const text = preformatted > 0 ? whole.trimEnd() : whole.trim();
    line = [];
    lineChars = 0;
    isSpaced = true;
    if (text !== '' && !/^(-|#{1,6}|\|)$/.test(text)) {
      pieces.push({ text, gap, isMargin: depth.margin > 0, isCentre: depth.centre > 0 });
      chars += text.length;
      gap = next;
    } else if (next === '\n\n') gap = next;
  };
  const write = (text: string): void => {
    const isAsIs = preformatted > 0;
    const folded = isAsIs ? text : text.replace(/\s+/g, ' ');
    add(!isAsIs && isSpaced && folded.startsWith(' ') ? folded.slice(1) : folded);
  };

  function open(name: string, attributes: ReadonlyMap<string, string>): void {
    if (name === 'base' && base === address) base = resolved(attributes.get('href') ?? '', address) || address;
    if (name === 'title') isInTitle = title === '';
    if (UNREAD.has(name) ? name !== 'head' : isHidden(name, attributes)) {
      if (!VOID.has(name)) unread = { name, depth: 1 };
      return;
    }
    if (PARAGRAPHS.has(name)) flush('\n\n');
    else if (LINES.has(name)) flush('\n');
    if (MARGIN.has(name) || (name === 'header' && depth.centre === 0)) depth.margin += 1;
    if (CENTRE.has(name)) depth.centre += 1;
    if (/^h[1-6]$/.test(name)) add(`${'#'.repeat(Number(name[1]))} `);
    else if (name === 'li') add('- ');
    else if (name === 'tr') cells = 0;
    else if (name === 'td' || name === 'th') write(cells++ === 0 ? '' : ' | ');
    else if (name === 'pre') preformatted += 1;
    else if (name === 'img') write(imageOf(attributes.get('alt')));
    else if (name === 'a') {
      endLink();
      const url = resolved(entitiesOut(attributes.get('href') ?? ''), base);
      if (url !== '') link = { url, from: line.length };
    }
  }
  function close(name: string): void {
    if (name === 'title') isInTitle = false;
    if (name === 'a') endLink();
    if (PARAGRAPHS.has(name)) flush('\n\n');
    else if (LINES.has(name)) flush('\n');
    if (MARGIN.has(name) || (name === 'header' && depth.centre === 0)) depth.margin = Math.max(0, depth.margin - 1);
    if (CENTRE.has(name)) depth.centre = Math.max(0, depth.centre - 1);
    if (name === 'pre') preformatted = Math.max(0, preformatted - 1);
  }
  return {
    isFull: () => chars > maxChars,
    /** False: that is enough. */
    take(token: Token): boolean {
      if (unread !== null) {
        if (token.kind !== 'text' && token.name === unread.name) unread.depth += token.kind === 'open' ? 1 : -1;
        if (unread.depth === 0) unread = null;
        return true;
      }
      if (token.kind === 'text' && isInTitle)
        title = (title + token.text).replace(/\s+/g, ' ').trim().slice(0, MAX_TITLE);
      else if (token.kind === 'text') write(token.text);
      else if (token.kind === 'open') open(token.name, token.attributes);
      else close(token.name);
      if (lineChars > maxChars) flush('\n\n');
      return chars <= maxChars;
    },
    end() {
      flush('\n\n');
      return { title, pieces };
    },
  };
}

/** What no visitor sees is not shown to the model either: it is where orders to it would stand. */
function isHidden(name: string, attributes: ReadonlyMap<string, string>): boolean {
  if (name === 'body' || name === 'html' || name === 'main') return false;
  if (attributes.has('hidden') || attributes.get('aria-hidden') === 'true') return true;
  const style = attributes.get('style');
  return (
    style !== undefined &&
    /display *: *none|visibility *: *hidden|(?:opacity|font-size) *: *0(?:px|em|%)?(?:;|$|!| )/i.test(
      style.slice(0, 2_000),
    )
  );
}

function imageOf(alt: string | undefined): string {
  const text = entitiesOut(alt ?? '')
    .trim()
    .slice(0, 300);
  return text === '' ? '' : ` [image: ${text}] `;
}

/** Whole and plain, or '' for what leads nowhere else. */
function resolved(href: string, base: string): string {
  const text = href.trim();
  if (text === '' || text.startsWith('#') || text.length > MAX_LINK || !URL.canParse(text, base)) return '';
  const url = new URL(text, base);
  return /^(https?|mailto):$/.test(url.protocol) && url.href.length <= MAX_LINK ? url.href : '';
}
