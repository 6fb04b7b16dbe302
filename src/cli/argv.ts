// Owns what is done to the words of the command line before they are parsed: dashes that a word processor made longer
// become flags again (S189, S190), and no flag is taken for a value. It must never touch the value of an option: a message
// may begin with a dash.
import { misused } from '../platform/errors.ts';

const LONG_DASH =
  /^(?:[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]+-*|-[\u2010-\u2015\u2212])([A-Za-z][A-Za-z0-9-]*)(=.*)?$/s;

/** `–deep`, `—fix`, `–m` as published in guides; `takesValue` knows the flags whose next word is a value. */
export function normaliseArgv(argv: readonly string[], takesValue: (flag: string) => boolean): string[] {
  const out: string[] = [];
  let isValue = false;
  for (const [index, word] of argv.entries()) {
    if (word === '--' && !isValue) return [...out, ...argv.slice(index)];
    const found: RegExpExecArray | null = isValue ? null : LONG_DASH.exec(word);
    const [, name = '', value = ''] = found ?? [];
    const flag: string = found ? `${name.length === 1 ? '-' : '--'}${name}${value}` : word;
    out.push(flag);
    isValue = !isValue && takesValue(flag);
  }
  return out;
}

/** Throws where a flag stands in place of a value: whoever writes `--why --help` wants help, and no reason of that name. */
export function refuseFlagsAsValues(argv: readonly string[], takesValue: (flag: string) => boolean): void {
  let option: string | null = null;
  for (const word of argv) {
    if (option !== null && word.startsWith('--'))
      throw misused(
        'VALUE_MISSING',
        `${option} needs a value, and the next word begins with --`,
        `to mean that word itself, write it without a space: ${option}${option.startsWith('--') ? '=' : ''}--…`,
      );
    if (word === '--') return;
    option = option === null && takesValue(word) ? word : null;
  }
}

/** Takes a switch out of the words wherever it stands, unless it stands where a value does. */
export function takeSwitch(
  argv: readonly string[],
  name: string,
  takesValue: (flag: string) => boolean,
): { readonly found: boolean; readonly rest: string[] } {
  const rest: string[] = [];
  let found = false;
  let isValue = false;
  for (const [index, word] of argv.entries()) {
    if (word === '--' && !isValue) return { found, rest: [...rest, ...argv.slice(index)] };
    if (word === name && !isValue) found = true;
    else rest.push(word);
    isValue = !isValue && takesValue(word);
  }
  return { found, rest };
}
