// Owns what leaves out of a reply what a chat would fetch by itself: pictures from elsewhere, whose address could carry what
// the model has read. It changes nothing else, and nothing inside code.

const FENCE = /(```[\s\S]*?(?:```|$)|`[^`\n]+`)/;
/** Markdown with its address in place or by reference, and HTML; every repetition is bounded. */
const IMAGE = /!\[([^\][]{0,500})\](?:\([^()\n]{0,2000}(?:\([^()\n]{0,500}\)[^()\n]{0,500})?\)|\[[^\][\n]{0,200}\])/g;
const TAG = /<(?:img|picture|source|video|audio|iframe|embed|object)\b[^<>]{0,4000}>/gi;

export function withoutRemoteImages(text: string): string {
  if (!/!\[|<[a-z]/i.test(text)) return text;
  return text
    .split(FENCE)
    .map((part, at) => (at % 2 === 1 ? part : part.replace(IMAGE, leftOut).replace(TAG, LEFT_OUT)))
    .join('');
}

const LEFT_OUT = '[picture left out]';
const leftOut = (_whole: string, name: string): string =>
  name.trim() === '' ? LEFT_OUT : `[picture left out: ${name}]`;
