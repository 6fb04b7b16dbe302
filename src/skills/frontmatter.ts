// Owns reading the head of a SKILL.md: what the skill calls itself and what it says it needs. A small part of YAML, read
// leniently and into plain data; nothing that stands there is ever taken for a permission.
import { tryParseJson } from '../platform/json.ts';

export type Declared = {
  readonly name: string;
  readonly description: string;
  readonly bins: readonly string[];
  readonly env: readonly string[];
  readonly os: readonly string[];
  /** keys that ask for something here that only the owner gives */
  readonly wishes: readonly string[];
};

type Value = string | Value[] | { [key: string]: Value };

const MAX_HEAD_CHARS = 16_000;

export function readDeclared(text: string): Declared {
  const fields = mapOf(parse(headOf(text)));
  const own = mapOf(mapOf(fields['metadata'])['openclaw'] ?? mapOf(fields['metadata'])['clawdbot']);
  const requires = mapOf(own['requires'] ?? fields['requires']);
  const wishes = [
    ...['command-dispatch', 'command-tool', 'allowed-tools', 'hooks', 'permissions'].filter((key) => key in fields),
    ...['always', 'install', 'primaryEnv'].filter((key) => key in own).map((key) => `metadata.openclaw.${key}`),
  ];
  return {
    name: textOf(fields['name']),
    description: textOf(fields['description']),
    bins: [...listOf(requires['bins']), ...listOf(requires['anyBins'])],
    env: listOf(requires['env']),
    os: listOf(own['os'] ?? fields['os']),
    wishes,
  };
}

/** Between the two lines of dashes; '' when it has none. */
const headOf = (text: string): string =>
  /^\ufeff?---[ \t]*\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)/.exec(text.slice(0, MAX_HEAD_CHARS))?.[1] ?? '';

type Line = { readonly indent: number; readonly text: string };

function parse(head: string): Value {
  const lines = head.split(/\r?\n/).flatMap((line): Line[] => {
    const text = line.trimEnd();
    return text.trim() === '' || text.trimStart().startsWith('#')
      ? []
      : [{ indent: text.length - text.trimStart().length, text: text.trim() }];
  });
  return block(lines, 0);
}

/** Lines of one depth, with what is deeper below the one before it. */
function block(lines: readonly Line[], depth: number): Value {
  if (depth > 8) return '';
  const [first] = lines;
  if (first === undefined) return '';
  if (/^[[{"']/.test(first.text)) return scalar(lines.map(({ text }) => text).join(' '));
  const list: Value[] = [];
  const map: { [key: string]: Value } = Object.create(null);
  for (let at = 0; at < lines.length; ) {
    const { indent, text } = lines[at] as Line;
    let end = at + 1;
    while (end < lines.length && (lines[end] as Line).indent > indent) end += 1;
    const below = lines.slice(at + 1, end);
    const [, key, rest = ''] = /^["']?([\w.-]{1,64})["']?\s*:(?:\s+(.*))?$/.exec(text) ?? [];
    if (text.startsWith('- ')) list.push(scalar(text.slice(2)));
    else if (key !== undefined) map[key] = valueBelow(rest, below, depth);
    at = end;
  }
  return list.length > 0 ? list : map;
}

function valueBelow(rest: string, below: readonly Line[], depth: number): Value {
  if (/^[|>][+-]?$/.test(rest)) return below.map(({ text }) => text).join(' ');
  if (rest !== '') return scalar([rest, ...below.map(({ text }) => text)].join(' '));
  return below.length === 0 ? '' : block(below, depth + 1);
}

function scalar(text: string): Value {
  const [start] = text;
  if (start === '{' || start === '[') {
    const parsed = tryParseJson(text.replace(/,\s*([}\]])/g, '$1'));
    if (parsed !== undefined) return parsed as Value;
    // A flow list of bare words.
    if (start === '[') return text.replace(/^\[|\]$/g, '').split(',').map((one) => bare(one.trim())); // biome-ignore format: one thought
  }
  return bare(text.replace(/\s+#.*$/, ''));
}

const bare = (text: string): string => text.replace(/^(["'])(.*)\1$/, '$2');
const textOf = (value: Value | undefined): string => (typeof value === 'string' ? value : '');
const listOf = (value: Value | undefined): string[] =>
  (Array.isArray(value) ? value : typeof value === 'string' && value !== '' ? [value] : []).filter(
    (one): one is string => typeof one === 'string',
  );
const mapOf = (value: Value | undefined): { [key: string]: Value } =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
