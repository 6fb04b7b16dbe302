// Owns which tools there are in a conversation at all: profile, allow, deny and the rules by place, each able to narrow and
// none to widen. Pure; what a call of a permitted tool may do is decide.ts.
import type { ToolCall } from './decide.ts';
import type { Effect } from './effects.ts';
import type { Verdict } from './verdict.ts';

/** As the configuration spells them (`tools.*`). */
export type ToolRules = {
  readonly profile?: 'minimal' | 'messaging' | 'coding' | 'full' | undefined;
  readonly allow?: readonly string[] | undefined;
  readonly deny: readonly string[];
  readonly policies: Readonly<Partial<Record<Place, Readonly<Record<string, Rule>>>>>;
  readonly exec: { readonly mode?: string | undefined };
};
export type Place = '*' | 'dm' | 'group' | 'channel';
type Rule = 'deny' | 'ask' | 'allow';
/** `key` is the setting that said so. */
export type ToolVerdict = { readonly rule: 'allow' } | { readonly rule: 'ask' | 'deny'; readonly key: string };

const GROUPS: Readonly<Record<string, readonly string[]>> = {
  'group:fs': ['read', 'write', 'edit', 'ls'],
  'group:runtime': ['exec'],
};
/** Denying one way of changing a file denies the others: a ban on `write` that leaves `edit` is no ban. */
const MUTATING = ['write', 'edit', 'apply_patch'];
/** Whoever wrote one of these wants no command unasked; which program a line of shell starts, no list can tell. */
const ASKING = ['ask', 'allowlist'];
const PROFILES: Readonly<Record<string, readonly string[]>> = { minimal: [], messaging: [] };

export function judgeTool(name: string, rules: ToolRules, place: Exclude<Place, '*'>): ToolVerdict {
  const denied = rules.deny.flatMap(deniedBy);
  if (denied.includes(name) || (MUTATING.includes(name) && denied.some((other) => MUTATING.includes(other))))
    return no('tools.deny');
  if (name === 'exec' && rules.exec.mode === 'deny') return no('tools.exec.mode');
  const profile = PROFILES[rules.profile ?? 'coding'];
  if (profile && !profile.includes(name)) return no('tools.profile');
  // An empty list is what is left of two that have nothing in common; it allows nothing.
  if (rules.allow && !rules.allow.flatMap(membersOf).includes(name)) return no('tools.allow');
  const verdict = byPlace(name, rules, place);
  return name === 'exec' && verdict.rule === 'allow' && ASKING.includes(rules.exec.mode ?? '')
    ? { rule: 'ask', key: 'tools.exec.mode' }
    : verdict;
}

/** What is asked about a turn: whose it is and where. `limits` are those of a guest pass. */
export type Asking = {
  readonly principal: {
    readonly kind: string;
    readonly limits: { readonly tools: readonly string[]; readonly folder: string | null } | null;
  };
  readonly place: Exclude<Place, '*'>;
};
/** A rule for direct chats speaks of the owner's own; these are never another person's by it (S254). */
const OWNERS_OWN = ['exec', 'browser'];

/** Whoever is not the owner has no tool but those that a guest pass names or a rule of this very place allows. */
export function judgeFor(name: string, rules: ToolRules, { principal, place }: Asking): ToolVerdict {
  const verdict = judgeTool(name, rules, place);
  if (principal.kind === 'owner' || verdict.rule === 'deny') return verdict;
  if (principal.limits) {
    // A pass is a word of the owner about this person; what the place forbids is forbidden all the same.
    return principal.limits.tools.flatMap(membersOf).includes(name) ? verdict : no(GUEST_PASS);
  }
  const key = `tools.policies.${place}`;
  const isNamed = Object.entries(rules.policies[place] ?? {}).some(
    ([entry, rule]) => rule !== 'deny' && entry !== '*' && membersOf(entry).includes(name),
  );
  return isNamed && !(place === 'dm' && OWNERS_OWN.includes(name)) ? verdict : no(key);
}

/** What the layers say about one call, with the reason that the model and the person read. */
export function judgeToolCall(call: ToolCall, effects: readonly Effect[], rules: ToolRules): Verdict[] {
  const { name, speaker } = call;
  const verdict = leavesFolder(effects, speaker) ? no(GUEST_PASS) : judgeFor(name, rules, speaker);
  if (verdict.rule === 'allow') return [];
  const { rule, key } = verdict;
  if (rule === 'ask')
    return [{ rule, key, code: 'TOOL_ASKS', reason: `the owner's settings ask before each ${name} (${key})`, fix: '' }];
  const isPass = key === GUEST_PASS;
  return [
    {
      rule,
      key,
      code: 'TOOL_DENIED',
      reason: isPass
        ? `${name} reaches beyond the folder and the tools that this guest was given`
        : `the owner's settings deny ${name} (${key})`,
      fix: isPass ? 'name something inside that folder; /whoami says which it is' : `openclaw config get ${key}`,
    },
  ];
}
const GUEST_PASS = 'openclaw pairing approved';

/** Whether a call reaches outside the folder that a guest pass names; a command reaches everything. */
export function leavesFolder(effects: readonly Effect[], { principal: { kind, limits } }: Asking): boolean {
  const folder = limits?.folder ?? null;
  if (kind === 'owner' || folder === null || folder === '.') return false;
  return effects.some((effect) => {
    if (effect.kind !== 'read' && effect.kind !== 'write') return true;
    return effect.path !== folder && !effect.path.startsWith(`${folder}/`);
  });
}

/** The place's own rule before the one for everywhere; a rule for the tool before one for its group or for all. */
function byPlace(name: string, { policies }: ToolRules, place: Place): ToolVerdict {
  for (const where of [place, '*'] as const) {
    const found = Object.entries(policies[where] ?? {})
      .filter(([key, rule]) => key === '*' || (rule === 'allow' ? membersOf : deniedBy)(key).includes(name))
      .sort(([a], [b]) => specificity(b) - specificity(a))[0];
    if (found)
      return found[1] === 'allow' ? { rule: 'allow' } : { rule: found[1], key: `tools.policies.${where}.${found[0]}` };
  }
  return { rule: 'allow' };
}

/** Whether there is such a tool, or such a group of them. */
export const isTool = (name: string): boolean =>
  Object.hasOwn(GROUPS, name) || Object.values(GROUPS).flat().includes(name);

const specificity = (key: string): number => (key === '*' ? 0 : key.startsWith('group:') ? 1 : 2);
const membersOf = (entry: string): readonly string[] =>
  entry === '*' ? Object.values(GROUPS).flat() : (GROUPS[entry] ?? [entry]);
/** As upstream reads names of tools. Only what forbids is read so kindly: a name that is not exact allows nothing. */
function deniedBy(entry: string): readonly string[] {
  const plain = entry.trim().toLowerCase();
  const known = [...new Set([...Object.values(GROUPS).flat(), ...MUTATING])];
  if (/[*?]/.test(plain)) {
    const parts = plain.split(/[*?]+/);
    return known.filter((name) => fitsParts(name, parts));
  }
  const meant = ALIASES[plain] ?? plain;
  return membersOf(meant);
}

/** Other names for what is here, in other versions and in people's heads. */
const ALIASES: Readonly<Record<string, string>> = {
  bash: 'exec',
  shell: 'exec',
  sh: 'exec',
  process: 'exec',
  command: 'exec',
  'apply-patch': 'apply_patch',
  read_file: 'read',
  write_file: 'write',
  edit_file: 'edit',
  'group:shell': 'group:runtime',
  'group:exec': 'group:runtime',
  'group:files': 'group:fs',
  'group:filesystem': 'group:fs',
};

/** A pattern by the texts between its stars, in order; in linear time, and `?` as if it were a star. */
function fitsParts(name: string, parts: readonly string[]): boolean {
  let at = 0;
  for (const [index, part] of parts.entries()) {
    const found = index === parts.length - 1 ? name.length - part.length : name.indexOf(part, at);
    if (found < at || !name.startsWith(part, found) || (index === 0 && found !== 0)) return false;
    at = found + part.length;
  }
  return true;
}

const no = (key: string): ToolVerdict => ({ rule: 'deny', key });
