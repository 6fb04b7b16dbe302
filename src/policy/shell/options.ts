// Owns reading the arguments of a program whose options are known (simple-programs.ts) as getopt does: what is text, what
// is a file, what stands alone. It must never guess at an option: what it does not know is told by name.
import type { Simple } from './simple-programs.ts';

export type Arguments = {
  /** files behind options, to be read */
  readonly files: readonly string[];
  readonly operands: readonly string[];
  /** letters and names of the options used */
  readonly used: ReadonlySet<string>;
  /** the first that is not known */
  readonly unknown: string | null;
};

const LONG = /^([a-z0-9-]+)(=[#<?])?$/;

export function readArguments(simple: Simple, args: readonly string[]): Arguments {
  const files: string[] = [];
  const operands: string[] = [];
  const used = new Set<string>();
  const stop = (unknown: string): Arguments => ({ files, operands, used, unknown });
  const long = new Map(
    (simple.long ?? '').split(' ').flatMap((one) => {
      const [, name, takes = ''] = LONG.exec(one) ?? [];
      return name ? [[name, takes.slice(1)] as const] : [];
    }),
  );
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? '';
    if (arg === '--') {
      operands.push(...args.slice(at + 1));
      break;
    }
    if (arg === '-' || !arg.startsWith('-')) {
      operands.push(arg);
      continue;
    }
    if (simple.numbers && /^-\d+$/.test(arg)) continue;
    if (arg.startsWith('--')) {
      const sign = arg.indexOf('=');
      const name = arg.slice(2, sign === -1 ? undefined : sign);
      const takes = long.get(name);
      if (takes === undefined || (takes === '' && sign !== -1)) return stop(arg);
      used.add(name);
      if (takes !== '#' && takes !== '<') continue;
      if (sign === -1) at += 1;
      const value = sign === -1 ? args[at] : arg.slice(sign + 1);
      if (value === undefined) return stop(arg);
      if (takes === '<') files.push(value);
      continue;
    }
    for (let index = 1; index < arg.length; index += 1) {
      const letter = arg[index] ?? '';
      const place = /[A-Za-z0-9]/.test(letter) ? simple.short.indexOf(letter) : -1;
      if (place === -1) return stop(`-${letter}`);
      used.add(letter);
      const takes = simple.short[place + 1] ?? '';
      if (takes !== '#' && takes !== '<') continue;
      let value: string | undefined = arg.slice(index + 1);
      if (value === '') {
        at += 1;
        value = args[at];
      }
      if (value === undefined) return stop(arg);
      if (takes === '<') files.push(value);
      break;
    }
  }
  return { files, operands, used, unknown: null };
}

/** Every part of an argument of an unknown program that could be a path leading out: from each slash that begins one. */
export function suspects(arg: string): string[] {
  const value = arg.startsWith('-') ? arg.slice(arg.indexOf('=') + 1) : arg;
  const parts = [value, ...value.split(/[=:,@;+]/), ...(value.match(/(?<=[^\w./-])\/\S*/g) ?? [])];
  if (arg.startsWith('-') && !arg.includes('=')) {
    const slash = arg.indexOf('/');
    if (slash === -1) return arg.includes('..') || arg.includes('~') ? [arg.slice(2)] : [];
    parts.push(arg.slice(slash), arg.slice(2));
  }
  return [...new Set(parts)].filter((one) => one !== '' && one !== '.' && !one.startsWith('-'));
}
