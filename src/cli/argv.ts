// Owns what is done to the words of the command line before they are parsed: dashes that a word processor made longer
// become flags again (S189, S190). It must never touch the value of an option: a message may begin with a dash.

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
