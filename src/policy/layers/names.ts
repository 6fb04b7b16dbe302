// Owns what a word of a rule means: which tools a name, a group or a pattern reaches, and which ban reaches further than
// its word. Pure. What forbids is read kindly; what allows is read to the letter.
import { ALIASES, COMING, GROUPS, MUTATING, TOOL_NAMES } from '../../config/shape/tool-words.ts';

const ALL = TOOL_NAMES;
const COMMANDS: readonly string[] = GROUPS['group:runtime'] ?? [];

/** What an entry that allows means: only what is spelled exactly. */
export const membersOf = (entry: string): readonly string[] => (entry === '*' ? ALL : (groupOf(entry) ?? [entry]));

/** What an entry that forbids means: also by other names, in any case, and with * and ?. */
export function deniedBy(entry: string): readonly string[] {
  const plain = entry.trim().toLowerCase();
  if (/[*?]/.test(plain)) {
    const parts = plain.split(/[*?]+/);
    return ALL.filter((name) => fitsParts(name, parts));
  }
  const meant = Object.hasOwn(ALIASES, plain) ? (ALIASES[plain] ?? plain) : plain;
  return groupOf(meant) ?? [meant];
}

const groupOf = (entry: string): readonly string[] | undefined =>
  Object.hasOwn(GROUPS, entry) ? GROUPS[entry] : undefined;

/** Tools that do the same thing by another name: a rule that holds one back holds all of them back. */
export function likeOf(name: string): readonly string[] {
  if (MUTATING.includes(name)) return MUTATING;
  // A process is a command that goes on.
  return name === 'process' ? ['process', 'exec'] : [name];
}

/** Also those whose ban would be none as long as this tool is there: whoever can run a command can write a file by it. */
export const heldWith = (name: string, commandsWrite: boolean): readonly string[] =>
  commandsWrite && COMMANDS.includes(name) ? [...likeOf(name), ...MUTATING] : likeOf(name);

export const isMutating = (name: string): boolean => MUTATING.includes(name);
export const isCommand = (name: string): boolean => COMMANDS.includes(name);

/** Whether there is such a tool, or a group with one. */
export const isTool = (name: string): boolean =>
  [name, ...(groupOf(name) ?? [])].some((one) => ALL.includes(one) && !COMING.includes(one));

/** A rule for one tool before one for its group, and that before one for everything. */
export const specificity = (entry: string): number =>
  entry === '*' ? 0 : /^group:|[*?]/.test(entry.trim().toLowerCase()) ? 1 : 2;

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
