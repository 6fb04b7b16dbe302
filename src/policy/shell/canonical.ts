// Owns the one spelling of a command that was understood: each program by the file it is, each word in quotes, so that bash
// can read nothing else into it than what was judged, and so that a grant is compared by words and never by text.
import type { Reading, Redirect, Segment } from './reading.ts';
import type { Resolve } from './resolve.ts';
import { unwrap } from './unwrap.ts';

/** Null: some part of it is known only when it runs, or names no program of the system. */
export function canonicalOf({ steps, inner, doubts }: Reading, resolve: Resolve): string | null {
  if (doubts.length > 0 || inner.length > 0 || steps.length === 0) return null;
  const parts: string[] = [];
  for (const { before, prefix, segment } of steps) {
    const one = segmentText(segment, resolve);
    if (one === null) return null;
    parts.push(before === '' ? `${prefix}${one}` : before === ';' ? `; ${prefix}${one}` : ` ${before} ${prefix}${one}`);
  }
  return parts.join('');
}

function segmentText({ words, assigns, redirects }: Segment, resolve: Resolve): string | null {
  const out: string[] = [];
  for (const { name, value } of assigns) {
    if (value === null || !/^[A-Za-z_]\w*$/.test(name)) return null;
    out.push(`${name}=${quoted(value)}`);
  }
  const argv = argvOf(words, resolve);
  if (argv === null) return null;
  out.push(...argv);
  for (const one of redirects) {
    const text = redirectText(one);
    if (text === null) return null;
    out.push(text);
  }
  return out.join(' ');
}

function argvOf(words: Segment['words'], resolve: Resolve): string[] | null {
  const values = words.map(({ value }) => value);
  const [name] = values;
  if (name === undefined || name === null || values.includes(null)) return null;
  const found = unwrap(words);
  // `command` and `builtin` only name another way to the same program.
  if (found.kind === 'inner' && (name === 'command' || name === 'builtin'))
    return argvOf(words.slice(found.at), resolve);
  if (name === 'cd') return folderOf(words) === null ? null : ['cd', quoted(`./${folderOf(words)}`)];
  // Does nothing with whatever words.
  if (name === ':') return [':'];
  const path = resolve(name)?.path;
  if (path === undefined) return null;
  const own = values.slice(1, found.kind === 'inner' ? found.at : undefined).map((value) => quoted(value ?? ''));
  if (found.kind !== 'inner') return [quoted(path), ...own];
  const rest = argvOf(words.slice(found.at), resolve);
  return rest === null || rest[0] === 'cd' ? null : [quoted(path), ...own, ...rest];
}

/** The folder that `cd FOLDER` goes to, below the one it stands in; null for every other use of cd. */
export function folderOf(words: Segment['words']): string | null {
  const [name, folder, ...more] = words.map(({ value }) => value);
  if (name !== 'cd' || typeof folder !== 'string' || more.length > 0) return null;
  return /^[-~/]|^$/.test(folder) || folder.split('/').includes('..') ? null : folder;
}

function redirectText({ operator, fd, target }: Redirect): string | null {
  const { value } = target;
  if (value === null) return null;
  const from = fd === null ? '' : String(fd);
  if (operator === '<<') return value === '' ? `${from}</dev/null` : `${from}<<<${quoted(value.replace(/\n$/, ''))}`;
  if ((operator === '>&' || operator === '<&') && /^\d$/.test(value)) return `${from}${operator}${value}`;
  return `${from}${operator}${quoted(value)}`;
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
