// Owns changing a configuration as text: what is not concerned keeps every byte, comments included, and taking back a key
// that was just added gives the old text. It must never return a text that says something else than was asked.
import { isDeepStrictEqual } from 'node:util';
import { type HardshellError, misused } from '../../platform/errors.ts';
import { isObject } from '../../platform/json.ts';
import { type Json5, type Node, parseJson5, plainValue } from '../text/json5.ts';
import { showKeyPath } from './key-path.ts';
import { type Container, childOf, commaAfter, entriesOf, indentAt, lineStart, restOfLine } from './layout.ts';
import { renderKey, renderValue, type Style, styleOf } from './render.ts';

/** What a file that does not exist is taken for. */
export const EMPTY_CONFIG = '{}\n';

type Tree = Record<string, unknown>;

/** What is written at a path, or undefined. */
export function readAt(text: string, path: readonly string[]): unknown {
  let node: Node = parseJson5(text).root;
  for (const key of path) {
    const child = childOf(node, key);
    if (!child) return undefined;
    node = child.node;
  }
  return plainValue(node);
}

/** Writes a value, making the objects on the way. An object is compared key by key, so that comments in it stay. */
export function setAt(text: string, path: readonly string[], value: unknown): string {
  if (isDeepStrictEqual(readAt(text, path), value)) return text;
  const present = readAt(text, path);
  const changed =
    isObject(present) && isObject(value) && path.length > 0
      ? replaceObject(text, path, present, value)
      : setOne(text, path, value);
  return checked(changed, path, (found) => isDeepStrictEqual(found, JSON.parse(JSON.stringify(value))), text);
}

/** Removes a key. Objects that `setAt` made for it, and that are empty then, go with it. */
export function unsetAt(text: string, path: readonly string[]): string {
  if (path.length === 0 || readAt(text, path) === undefined) return text;
  const above = path.slice(0, -1);
  const list = readAt(text, above);
  if (!Array.isArray(list)) return checked(unsetOne(text, path), path, (found) => found === undefined, text);
  // The items behind it move up.
  const left = list.filter((_, index) => String(index) !== path.at(-1));
  return checked(unsetOne(text, path), above, (found) => isDeepStrictEqual(found, left), text);
}

/** Merges as RFC 7396 says: null removes, objects merge, everything else replaces. */
export function patchAt(text: string, patch: unknown, path: readonly string[] = []): string {
  if (!isObject(patch)) return setAt(text, path, patch);
  let result = text;
  if (!isObject(readAt(result, path))) result = setAt(result, path, {});
  for (const [key, value] of Object.entries(patch)) {
    const at = [...path, key];
    result =
      value === null ? unsetAt(result, at) : isObject(value) ? patchAt(result, value, at) : setAt(result, at, value);
  }
  return result;
}

function replaceObject(text: string, path: readonly string[], present: Tree, value: Tree): string {
  let result = text;
  for (const [key, item] of Object.entries(value)) if (item !== undefined) result = setAt(result, [...path, key], item);
  for (const key of Object.keys(present)) {
    // A key that stays holds the object open, so nothing around it is cut away.
    if (value[key] === undefined)
      result = Object.keys(value).length > 0 ? unsetAt(result, [...path, key]) : setOne(result, path, value);
  }
  return result;
}

function setOne(text: string, path: readonly string[], value: unknown): string {
  const parsed = parseJson5(text);
  const style = styleOf(text);
  let node = parsed.root;
  for (const [depth, key] of path.entries()) {
    const child = childOf(node, key);
    if (!child) {
      const rest = path.slice(depth + 1);
      const nested = rest.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
      return insert(text, parsed, node, key, nested, style, path.slice(0, depth));
    }
    node = child.node;
  }
  const written = renderValue(value, style, indentAt(text, node.start));
  return splice(text, [[node.start, node.end, written]]);
}

/** A new last entry. The form tells `unsetOne` what to take away again; see there. */
function insert(
  text: string,
  parsed: Json5,
  node: Node,
  key: string,
  value: unknown,
  style: Style,
  at: readonly string[],
): string {
  if (node.type === 'scalar' || (node.type === 'array' && key !== String(node.items.length))) throw noPlace(at, key);
  const entries = entriesOf(node);
  const last = entries.at(-1);
  const close = node.end - 1;
  const write = (indent: string): string =>
    node.type === 'array'
      ? renderValue(value, style, indent)
      : `${renderKey(key, style)}: ${renderValue(value, style, indent)}`;
  const base = indentAt(text, node.start);
  if (!last) {
    const inside = text.slice(node.start + 1, close);
    const indent = base + style.unit;
    if (inside === '' && node === parsed.root)
      return splice(text, [[node.start + 1, close, `${style.eol}${indent}${write(indent)}${style.eol}${base}`]]);
    if (inside === '') return splice(text, [[node.start + 1, close, ` ${write(base)} `]]);
    const lead = inside.includes('\n') ? style.eol + indent : ' ';
    return splice(text, [[node.start + 1, node.start + 1, `${lead}${write(indent)},`]]);
  }
  const before = entries.at(-2)?.end ?? node.start + 1;
  const ownLine = lineStart(text, last.start, before) !== -1;
  const indent = ownLine ? indentAt(text, last.start) : base;
  const lead = ownLine ? style.eol + indent : ' ';
  const comma = commaAfter(text, parsed, last.end, close);
  const after = comma === -1 ? last.end : comma + 1;
  const anchor = ownLine ? restOfLine(text, parsed, after, close) : after;
  if (comma !== -1) return splice(text, [[anchor, anchor, `${lead}${write(indent)},`]]);
  return splice(text, [
    [last.end, last.end, ','],
    [anchor, anchor, `${lead}${write(indent)}`],
  ]);
}

/** An only entry on lines of its own without a comma was made together with its object; in `{ k: v }` it was not. */
function unsetOne(text: string, path: readonly string[]): string {
  const parsed = parseJson5(text);
  let node = parsed.root;
  for (const key of path.slice(0, -1)) node = childOf(node, key)?.node ?? node;
  const index = childOf(node, path.at(-1) ?? '')?.index ?? -1;
  if (node.type === 'scalar' || index === -1) return text;
  const entries = entriesOf(node);
  const entry = entries[index];
  if (!entry) return text;
  const close = node.end - 1;
  const comma = commaAfter(text, parsed, entry.end, entries[index + 1]?.start ?? close);
  if (entries.length === 1 && comma === -1) {
    const [lead, trail] = [text.slice(node.start + 1, entry.start), text.slice(entry.end, close)];
    const ownLines = /^\r?\n[ \t]+$/.test(lead) && /^\r?\n[ \t]*$/.test(trail);
    if ((lead === ' ' && trail === ' ') || (ownLines && path.length === 1))
      return splice(text, [[node.start + 1, close, '']]);
    if (ownLines && node.type === 'object') return unsetOne(text, path.slice(0, -1));
  }
  return cut(text, parsed, node, index, comma);
}

function cut(text: string, parsed: Json5, node: Container, index: number, comma: number): string {
  const entries = entriesOf(node);
  const entry = entries[index];
  if (!entry) return text;
  const close = node.end - 1;
  const previous = entries[index - 1];
  const previousComma = previous ? commaAfter(text, parsed, previous.end, entry.start) : -1;
  const end = comma === -1 ? entry.end : comma + 1;
  const cuts: [number, number, string][] = [];
  // The last one without a comma: the comma before it has nothing to separate any more.
  if (comma === -1 && previousComma !== -1) cuts.push([previousComma, previousComma + 1, '']);
  const after = previous?.end ?? node.start + 1;
  const line = lineStart(text, entry.start, after);
  const next = entries[index + 1];
  const nextOnLine = next !== undefined && !text.slice(end, next.start).includes('\n');
  const restBlank = /^[ \t]*(\r?\n|$)/.test(text.slice(end));
  const behindComment = parsed.comments.some((one) => one.kind === 'line' && one.end === line);
  if (line !== -1 && (nextOnLine || (behindComment && !restBlank))) {
    const spaces = /^[ \t]*/.exec(text.slice(end, close))?.[0].length ?? 0;
    cuts.push([entry.start, end + (nextOnLine ? spaces : 0), '']);
  } else {
    let start = line === -1 ? entry.start : line;
    const floor = Math.max(after, previousComma + 1);
    if (line === -1) while (start > floor && (text[start - 1] === ' ' || text[start - 1] === '\t')) start -= 1;
    cuts.push([start, end, '']);
  }
  return splice(text, cuts);
}

/** Changes that do not overlap, in order. */
function splice(text: string, changes: readonly (readonly [number, number, string])[]): string {
  let result = '';
  let at = 0;
  for (const [start, end, put] of changes) {
    result += text.slice(at, start) + put;
    at = end;
  }
  return result + text.slice(at);
}

/** The last word: the new text must say what was asked, and nothing else may have changed. */
function checked(changed: string, path: readonly string[], holds: (found: unknown) => boolean, before: string): string {
  const rest = (text: string): unknown => without(plainValue(parseJson5(text).root), path);
  if (holds(readAt(changed, path)) && isDeepStrictEqual(rest(changed), rest(before))) return changed;
  throw new Error(`editing ${showKeyPath(path)} would change something else; nothing was written`);
}

/** A value without what stands at a path, and without the objects that are empty for it. */
function without(value: unknown, path: readonly string[]): unknown {
  const [key, ...rest] = path;
  if (key === undefined || value === null || typeof value !== 'object') return {};
  if (Array.isArray(value)) return value.filter((_, index) => String(index) !== key || rest.length > 0);
  const { [key]: inner, ...others } = value as Tree;
  const left = rest.length > 0 ? without(inner, rest) : {};
  return isObject(left) && Object.keys(left).length === 0 ? others : { ...others, [key]: left };
}

function noPlace(at: readonly string[], key: string): HardshellError {
  const parent = showKeyPath(at) || 'the top level';
  return misused(
    'CONFIG_PATH_UNUSABLE',
    `${key} cannot be set: ${parent} is not an object`,
    `openclaw config unset ${showKeyPath(at)}, or name another setting`,
  );
}
