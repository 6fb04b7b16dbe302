// Owns the text inside a block: code, emphasis, links, images, breaks. The delimiter algorithm is CommonMark's; raw
// HTML and reference links are left out and stay text. It must stay linear in its input and never recurse without a bound.
import {
  append,
  type Chain,
  chain,
  type Delimiter,
  type Link,
  pairDelimiters,
  remove,
  textOf,
  toInline,
} from './delimiters.ts';
import { isMisleading, safeLink } from './links.ts';
import { ESCAPABLE, readTarget, trimAddress } from './targets.ts';
import type { Inline } from './tree.ts';

const PLAIN = /[^\\`*_~[\]!<&\n]+/y;
const ENTITY = /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|(amp|lt|gt|quot|apos|nbsp|mdash|ndash|hellip|copy|times));/y;
const ANGLE_LINK = /<((?:https?:\/\/|mailto:)[^\s<>]+)>/y;
const ANGLE_BREAK = /<br[ \t]?\/?>/iy;
const NAMED: Record<string, string> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
  mdash: '\u2014',
  ndash: '\u2013',
  hellip: '\u2026',
  copy: '\u00a9',
  times: '\u00d7',
};
const MAX_ALT_CHARS = 500;

type Bracket = { readonly link: Link; readonly image: boolean; readonly previousDelimiter: Delimiter | null };

type Scan = {
  readonly text: string;
  at: number;
  readonly chain: Chain;
  readonly brackets: Bracket[];
  /** brackets below this depth may not become links any more: a link holds no link */
  linklessBelow: number;
  /** where runs of n backticks start, and how many of them are behind us */
  readonly ticks: Map<number, { readonly starts: number[]; passed: number }>;
};

export function parseInline(text: string): Inline[] {
  const scan: Scan = { text, at: 0, chain: chain(), brackets: [], linklessBelow: 0, ticks: tickRuns(text) };
  while (scan.at < text.length) step(scan);
  pairDelimiters(scan.chain, null);
  return toInline(scan.chain.first, null);
}

function step(scan: Scan): void {
  PLAIN.lastIndex = scan.at;
  const plain = PLAIN.exec(scan.text)?.[0];
  if (plain !== undefined) takePlain(scan, plain);
  else TAKE[scan.text[scan.at] ?? '']?.(scan);
}

/** Every character that PLAIN stops at, and what it may begin. Each moves `at` forward. */
const TAKE: Record<string, (scan: Scan) => void> = {
  '\\': takeBackslash,
  '`': takeCode,
  '*': (scan) => takeRun(scan, '*'),
  _: (scan) => takeRun(scan, '_'),
  '~': (scan) => takeRun(scan, '~'),
  '[': (scan) => openBracket(scan, false),
  '!': (scan) => (scan.text[scan.at + 1] === '[' ? openBracket(scan, true) : put(scan, '!', 1)),
  ']': closeBracket,
  '<': takeAngle,
  '&': takeEntity,
  '\n': takeNewline,
};

function put(scan: Scan, text: string, length: number): void {
  append(scan.chain, { type: 'text', text });
  scan.at += length;
}

/** Plain text up to the next character with a meaning, or up to an address that becomes a link by itself. */
function takePlain(scan: Scan, plain: string): void {
  const found = /(?<![a-z0-9])https?:\/\/[^\s<]/i.exec(plain);
  if (!found) {
    put(scan, plain, plain.length);
    return;
  }
  if (found.index > 0) put(scan, plain.slice(0, found.index), found.index);
  let end = scan.at;
  while (end < scan.text.length && !/[\s<>"`]/.test(scan.text[end] ?? '') && !scan.text.startsWith('](', end)) end++;
  const address = trimAddress(scan.text.slice(scan.at, end));
  const link = safeLink(address);
  if (!link) {
    put(scan, address, address.length);
    return;
  }
  append(scan.chain, { type: 'link', ...link, misleading: false, children: [{ type: 'text', text: address }] });
  scan.at += address.length;
}

function takeBackslash(scan: Scan): void {
  const next = scan.text[scan.at + 1] ?? '';
  if (next === '\n') {
    append(scan.chain, { type: 'break' });
    scan.at += 2;
  } else if (ESCAPABLE.test(next)) put(scan, next, 2);
  else put(scan, '\\', 1);
}

function takeNewline(scan: Scan): void {
  append(scan.chain, { type: 'break' });
  scan.at++;
  while (scan.text[scan.at] === ' ') scan.at++;
}

function takeEntity(scan: Scan): void {
  ENTITY.lastIndex = scan.at;
  const match = ENTITY.exec(scan.text);
  if (!match) {
    put(scan, '&', 1);
    return;
  }
  const [whole, decimal, hex, name] = match;
  const code = decimal !== undefined ? Number(decimal) : hex !== undefined ? Number.parseInt(hex, 16) : null;
  const isChar = code !== null && code > 0x1f && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
  put(
    scan,
    code === null ? (NAMED[name ?? ''] ?? whole) : isChar ? String.fromCodePoint(code) : '\ufffd',
    whole.length,
  );
}

function takeAngle(scan: Scan): void {
  ANGLE_BREAK.lastIndex = scan.at;
  const lineBreak = ANGLE_BREAK.exec(scan.text)?.[0];
  if (lineBreak !== undefined) {
    append(scan.chain, { type: 'break' });
    scan.at += lineBreak.length;
    return;
  }
  ANGLE_LINK.lastIndex = scan.at;
  const match = ANGLE_LINK.exec(scan.text);
  const link = match && safeLink(match[1] ?? '');
  if (!match || !link) {
    put(scan, '<', 1);
    return;
  }
  append(scan.chain, { type: 'link', ...link, misleading: false, children: [{ type: 'text', text: match[1] ?? '' }] });
  scan.at += match[0].length;
}

function tickRuns(text: string): Scan['ticks'] {
  const runs: Scan['ticks'] = new Map();
  for (let at = text.indexOf('`'); at !== -1; at = text.indexOf('`', at)) {
    const start = at;
    while (text[at] === '`') at++;
    const known = runs.get(at - start);
    if (known) known.starts.push(start);
    else runs.set(at - start, { starts: [start], passed: 0 });
  }
  return runs;
}

function takeCode(scan: Scan): void {
  let end = scan.at;
  while (scan.text[end] === '`') end++;
  const length = end - scan.at;
  const runs = scan.ticks.get(length);
  if (runs) {
    while ((runs.starts[runs.passed] ?? Infinity) < end) runs.passed++;
    const close = runs.starts[runs.passed];
    if (close !== undefined) {
      append(scan.chain, { type: 'code', text: trimCode(scan.text.slice(end, close)) });
      scan.at = close + length;
      return;
    }
  }
  put(scan, scan.text.slice(scan.at, end), length);
}

function trimCode(code: string): string {
  const line = code.replaceAll('\n', ' ');
  return line.length > 2 && line.startsWith(' ') && line.endsWith(' ') && line.trim() !== '' ? line.slice(1, -1) : line;
}

function takeRun(scan: Scan, char: '*' | '_' | '~'): void {
  const start = scan.at;
  let end = start;
  while (scan.text[end] === char) end++;
  const before = start === 0 ? ' ' : (scan.text[start - 1] ?? ' ');
  const after = scan.text[end] ?? ' ';
  const [spaceBefore, spaceAfter] = [/\s/.test(before), /\s/.test(after)];
  const [markBefore, markAfter] = [/[\p{P}\p{S}]/u.test(before), /[\p{P}\p{S}]/u.test(after)];
  const left = !spaceAfter && (!markAfter || spaceBefore || markBefore);
  const right = !spaceBefore && (!markBefore || spaceAfter || markAfter);
  const link = append(scan.chain, { type: 'text', text: scan.text.slice(start, end) });
  scan.at = end;
  const count = end - start;
  if (char === '~' && count !== 2) return;
  const canOpen = char === '_' ? left && (!right || markBefore) : left;
  const canClose = char === '_' ? right && (!left || markAfter) : right;
  const previous = scan.chain.lastDelimiter;
  const delimiter: Delimiter = {
    char,
    count,
    originalCount: count,
    canOpen,
    canClose,
    link,
    at: start,
    previous,
    next: null,
  };
  if (previous) previous.next = delimiter;
  scan.chain.lastDelimiter = delimiter;
}

function openBracket(scan: Scan, image: boolean): void {
  const link = append(scan.chain, { type: 'text', text: image ? '![' : '[' });
  scan.brackets.push({ link, image, previousDelimiter: scan.chain.lastDelimiter });
  scan.at += image ? 2 : 1;
}

function closeBracket(scan: Scan): void {
  const depth = scan.brackets.length - 1;
  const bracket = scan.brackets.pop();
  const usable = bracket !== undefined && (bracket.image || depth >= scan.linklessBelow);
  scan.linklessBelow = Math.min(scan.linklessBelow, Math.max(depth, 0));
  const target = usable ? readTarget(scan.text, scan.at + 1) : null;
  if (!bracket || !target) {
    put(scan, ']', 1);
    return;
  }
  pairDelimiters(scan.chain, bracket.previousDelimiter);
  const children = toInline(bracket.link.next, null);
  append(scan.chain, bracket.image ? imageNode(children, target.address) : linkNode(children, target.address));
  // Everything from the bracket to the new node has moved into it.
  const made = scan.chain.last;
  if (made) {
    made.previous = bracket.link;
    bracket.link.next = made;
    remove(scan.chain, bracket.link);
  }
  if (!bracket.image) scan.linklessBelow = scan.brackets.length;
  scan.at = target.end;
}

function linkNode(children: readonly Inline[], address: string): Inline {
  const link = safeLink(address);
  if (!link) return { type: 'dead-link', target: address, children: unlinked(children) };
  const words = children.length === 0 ? [{ type: 'text', text: address } as const] : children;
  return { type: 'link', ...link, misleading: isMisleading(textOf(words), link), children: unlinked(words) };
}

/** A link holds no link: an address among its words is only words. */
function unlinked(nodes: readonly Inline[]): Inline[] {
  return nodes.flatMap((node): Inline[] => {
    if (node.type === 'link' || node.type === 'dead-link') return unlinked(node.children);
    if (node.type === 'image') return [{ type: 'text', text: node.alt }];
    return 'children' in node ? [{ ...node, children: unlinked(node.children) }] : [node];
  });
}

function imageNode(children: readonly Inline[], address: string): Inline {
  const link = safeLink(address);
  const remote = link !== null && !link.href.startsWith('mailto:');
  return {
    type: 'image',
    alt: textOf(children).slice(0, MAX_ALT_CHARS),
    href: remote ? link.href : null,
    host: remote ? link.host : '',
  };
}
