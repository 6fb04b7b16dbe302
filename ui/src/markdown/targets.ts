// Owns reading the address part of a link, `(address "title")`, and where a bare address ends. It reads a bounded number
// of characters and decides nothing about which addresses are allowed.

export const ESCAPABLE = /[!-/:-@[-`{-~]/;
const MAX_DESTINATION_CHARS = 4_096;
const MAX_PAREN_DEPTH = 8;

/** A full stop or a closing bracket after an address belongs to the sentence. */
export function trimAddress(address: string): string {
  let end = address.length;
  let open = 0;
  for (const char of address) open += char === '(' ? 1 : char === ')' ? -1 : 0;
  for (; end > 0; end--) {
    const last = address[end - 1] ?? '';
    if (last === ')' && open < 0) open++;
    else if (!/[?!.,:;*_~'\]}]/.test(last)) break;
  }
  return address.slice(0, end);
}

/** `(address "title")` right after a closing bracket. The title is read and dropped. */
export function readTarget(text: string, from: number): { readonly address: string; readonly end: number } | null {
  if (text[from] !== '(') return null;
  let at = skipSpace(text, from + 1);
  let address = '';
  if (text[at] === '<') {
    const end = text.slice(at, at + MAX_DESTINATION_CHARS).search(/[>\n]/);
    if (end === -1 || text[at + end] !== '>') return null;
    address = text.slice(at + 1, at + end);
    at += end + 1;
  } else {
    const start = at;
    for (let depth = 0; at - start < MAX_DESTINATION_CHARS && at < text.length; at++) {
      const char = text[at] ?? '';
      if (char === '(' && ++depth > MAX_PAREN_DEPTH) return null;
      if (char <= ' ' || (char === ')' && depth-- === 0)) break;
      if (char === '\\' && ESCAPABLE.test(text[at + 1] ?? '')) at++;
    }
    address = text.slice(start, at).replace(/\\([!-/:-@[-`{-~])/g, '$1');
  }
  at = skipSpace(text, at);
  const quote = text[at] ?? '';
  if (quote === '"' || quote === "'") {
    const end = text.indexOf(quote, at + 1);
    if (end === -1 || end - at > MAX_DESTINATION_CHARS) return null;
    at = skipSpace(text, end + 1);
  }
  return text[at] === ')' ? { address: address.replaceAll('&amp;', '&'), end: at + 1 } : null;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\n') at++;
  return at;
}
