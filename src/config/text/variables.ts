// Owns putting variables in place of `${NAME}`. `$${NAME}` stays as `${NAME}`. A variable that is not set is reported and
// never becomes an empty text, since an empty key or token would fail later, elsewhere, in the dark (S123).
import type { Env } from '../environment.ts';
import type { Finding } from '../findings.ts';

/** A whole file has no more; texts that hold each other would else fill the memory. */
const MAX_EXPANDED_CHARS = 4 * 1024 * 1024;
const VARIABLE = /(\$?)\$\{([A-Z_][A-Z0-9_]*)\}/g;

export type Expanded = { readonly value: unknown; readonly findings: readonly Finding[] };

export function expandVariables(value: unknown, env: Env): Expanded {
  const findings: Finding[] = [];
  let left = MAX_EXPANDED_CHARS;
  const text = (whole: string, key: string): string =>
    whole.includes('${')
      ? whole.replace(VARIABLE, (written, escaped: string, name: string) => {
          if (escaped) return written.slice(1);
          const found = env[name];
          left -= found?.length ?? 0;
          if (found && left >= 0) return found;
          if (!found) findings.push(notSet(key, name));
          else if (left + found.length >= 0) findings.push(tooLong(key, name));
          return written;
        })
      : whole;
  const walk = (node: unknown, key: string): unknown => {
    if (typeof node === 'string') return text(node, key);
    if (Array.isArray(node)) return node.map((item, index) => walk(item, `${key}[${index}]`));
    if (node === null || typeof node !== 'object') return node;
    return Object.fromEntries(
      Object.entries(node).map(([name, item]) => [name, walk(item, key ? `${key}.${name}` : name)]),
    );
  };
  return { value: walk(value, ''), findings };
}

const notSet = (key: string, name: string): Finding => ({
  level: 'error',
  code: 'variable-not-set',
  key,
  message: `${key} uses \${${name}}, and that variable is not set`,
  fix: `set ${name} where the gateway starts (or in the .env of the state folder), or write the value itself`,
});

const tooLong = (key: string, name: string): Finding => ({
  level: 'error',
  code: 'variable-too-long',
  key,
  message: `${key} uses \${${name}}, and with it the variables of this file come to more than ${MAX_EXPANDED_CHARS} characters`,
  fix: 'use them less often, or shorten them',
});
