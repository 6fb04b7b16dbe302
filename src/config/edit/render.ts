// Owns writing values as text in the style that a file already has: its quotes, its indentation, its line ends.
import { type Node, parseJson5 } from '../text/json5.ts';

export type Style = {
  /** around keys; empty where a bare name does */
  readonly keyQuote: '"' | "'" | '';
  readonly quote: '"' | "'";
  /** one level */
  readonly unit: string;
  readonly eol: '\n' | '\r\n';
};

const MAX_INLINE_CHARS = 80;

export function styleOf(text: string): Style {
  const { root } = parseJson5(text);
  const first = root.type === 'object' ? root.members[0] : undefined;
  const keyChar = first ? text[first.keyStart] : '"';
  const keyQuote = keyChar === '"' || keyChar === "'" ? keyChar : '';
  const quote = firstQuote(root, text) ?? (keyQuote || "'");
  const unit = /\n([ \t]+)\S/.exec(text)?.[1] ?? '  ';
  return { keyQuote, quote, unit, eol: text.includes('\r\n') ? '\r\n' : '\n' };
}

function firstQuote(node: Node, text: string): '"' | "'" | undefined {
  if (node.type === 'scalar') {
    const char = text[node.start];
    return typeof node.value === 'string' && (char === '"' || char === "'") ? char : undefined;
  }
  const inner = node.type === 'array' ? node.items : node.members.map((member) => member.value);
  for (const one of inner) {
    const found = firstQuote(one, text);
    if (found) return found;
  }
  return undefined;
}

export function renderKey(key: string, { keyQuote, quote }: Style): string {
  if (keyQuote === '' && /^[A-Za-z_$][\w$]*$/.test(key)) return key;
  return quoted(key, keyQuote || quote);
}

/** `indent` is that of the line on which the value begins. */
export function renderValue(value: unknown, style: Style, indent: string): string {
  if (typeof value === 'string') return quoted(value, style.quote);
  if (value === null || typeof value !== 'object') {
    const text = JSON.stringify(value);
    if (text === undefined || (typeof value === 'number' && !Number.isFinite(value))) {
      throw new TypeError('only JSON values can be written');
    }
    return text;
  }
  const deeper = indent + style.unit;
  const parts = Array.isArray(value)
    ? value.map((item) => renderValue(item, style, deeper))
    : Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .map(([key, item]) => `${renderKey(key, style)}: ${renderValue(item, style, deeper)}`);
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  if (parts.length === 0) return open + close;
  const inline = `[${parts.join(', ')}]`;
  if (Array.isArray(value) && inline.length <= MAX_INLINE_CHARS && !inline.includes('\n')) return inline;
  return `${open}${style.eol}${parts.map((part) => deeper + part).join(`,${style.eol}`)}${style.eol}${indent}${close}`;
}

function quoted(text: string, quote: '"' | "'"): string {
  const json = JSON.stringify(text).replace(/[\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16)}`);
  if (quote === '"') return json;
  return `'${json.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}
