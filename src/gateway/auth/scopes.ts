// Owns the operator scopes: which exist and which imply which. A scope that is not in this list does not exist.

export const SCOPES = [
  'operator.read',
  'operator.write',
  'operator.admin',
  'operator.approvals',
  'operator.questions',
  'operator.pairing',
  'operator.talk',
] as const;
export type Scope = (typeof SCOPES)[number];
export type Scopes = ReadonlySet<Scope>;

export const isScope = (name: string): name is Scope => (SCOPES as readonly string[]).includes(name);

const IMPLIED: Partial<Record<Scope, readonly Scope[]>> = {
  'operator.admin': SCOPES,
  'operator.write': ['operator.read', 'operator.talk'],
};

// One set for each combination that was ever asked: a thousand connections share a handful of them.
const sets = new Map<string, Scopes>();

/** What `granted` allows: itself and all that it implies. */
export function effective(granted: readonly Scope[]): Scopes {
  const key = SCOPES.filter((scope) => granted.includes(scope)).join(' ');
  let set = sets.get(key);
  if (!set) {
    set = new Set(granted.flatMap((scope) => [scope, ...(IMPLIED[scope] ?? [])]));
    sets.set(key, set);
  }
  return set;
}
