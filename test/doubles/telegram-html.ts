// Owns how Telegram reads its HTML mode: a few tags, properly nested, four entities. Null where it would refuse to parse.

const TAGS = new Set([
  'b',
  'strong',
  'i',
  'em',
  'u',
  'ins',
  's',
  'strike',
  'del',
  'code',
  'pre',
  'a',
  'blockquote',
  'tg-spoiler',
]);
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"' };

/** What a person sees of it. */
export function shownText(html: string): string | null {
  const open: string[] = [];
  let text = '';
  let at = 0;
  while (at < html.length) {
    const char = html[at];
    if (char === '<') {
      const tag = /^<(\/?)([a-z-]+)((?: [a-z-]+="[^"<>]*")*)>/.exec(html.slice(at, at + 3_000));
      const [whole, end, name = ''] = tag ?? [];
      if (!whole || !TAGS.has(name)) return null;
      if (end === '/') {
        if (open.pop() !== name) return null;
      } else open.push(name);
      at += whole.length;
    } else if (char === '&') {
      const found = /^&(?:(lt|gt|amp|quot)|#(\d{1,7}));/.exec(html.slice(at, at + 12));
      if (!found) text += '&';
      else text += found[1] ? (ENTITIES[found[1]] ?? '') : String.fromCodePoint(Number(found[2]));
      at += found ? found[0].length : 1;
    } else {
      text += char;
      at += 1;
    }
  }
  return open.length === 0 ? text : null;
}
