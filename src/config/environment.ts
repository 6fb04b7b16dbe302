// Owns the environment as the configuration sees it: older names of variables read as ours, and env.vars below what is
// set outside. It reads; it never sets a variable of this process.
import type { Mapping } from './findings.ts';
import { ENV_SPELLINGS } from './spellings.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/** A variable under an older name counts when ours is not set. */
export function canonicalEnv(env: Env): { env: Env; mappings: Mapping[] } {
  const mappings: Mapping[] = [];
  const added: Record<string, string> = {};
  for (const [name, others] of Object.entries(ENV_SPELLINGS)) {
    for (const other of others) {
      const value = env[other];
      if (!value) continue;
      const known = env[name] || added[name];
      if (!known) added[name] = value;
      mappings.push({ from: other, to: name, note: !known || known === value ? '' : `${name} is also set and holds` });
    }
  }
  return { env: mappings.length > 0 ? { ...env, ...added } : env, mappings };
}

/** `env.vars` of a configuration that nobody has checked yet, below what is set outside. */
export function withVars(env: Env, value: unknown): Env {
  const vars = (value as { env?: { vars?: unknown } } | null)?.env?.vars;
  if (vars === null || typeof vars !== 'object') return env;
  const texts = Object.entries(vars).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  const added = texts
    .filter(([name]) => !env[name])
    .map(([name, text]) => [
      name,
      text.replace(/\$\{([A-Z_][A-Z0-9_]*)\}/g, (whole, other: string) => env[other] ?? whole),
    ]);
  return added.length > 0 ? { ...env, ...Object.fromEntries(added) } : env;
}
