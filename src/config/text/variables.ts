// Owns putting variables in place of `${NAME}`. `$${NAME}` stays as `${NAME}`. A variable that is not set is reported and
// never becomes an empty text, since an empty key or token would fail later, elsewhere, in the dark (S123).

import type { Env } from '../environment.ts';
import type { Finding } from '../findings.ts';

const VARIABLE = /(\$?)\$\{([A-Z_][A-Z0-9_]*)\}/g;

export type Expanded = { readonly value: unknown; readonly findings: readonly Finding[] };

export function expandVariables(value: unknown, env: Env): Expanded {
  const findings: Finding[] = [];
  const text = (whole: string, key: string): string =>
    whole.includes('${')
      ? whole.replace(VARIABLE, (written, escaped: string, name: string) => {
          if (escaped) return written.slice(1);
          const found = env[name];
          if (found) return found;
          findings.push(notSet(key, name));
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

/** Names that stand in a value, for those who must know before they expand. */
export const variablesIn = (text: string): string[] =>
  [...text.matchAll(VARIABLE)].filter(([, escaped]) => !escaped).map(([, , name]) => name ?? '');
