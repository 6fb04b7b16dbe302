// Owns what a word of a rule means: which tools a name, a group or a pattern reaches, and which ban reaches further than
// its word. Pure. What forbids is read kindly; what allows is read to the letter.
import { ALIASES, COMING, GROUPS, isServerTool, MUTATING, TOOL_NAMES } from '../../config/shape/tool-words.ts';

const ALL = TOOL_NAMES;
const COMMANDS: readonly string[] = GROUPS['group:runtime'] ?? [];

/** What an entry that allows means: only what is spelled exactly. `name`: the tool that it is asked about. */
export function membersOf(entry: string, name = ''): readonly string[] {
  if (isServerTool(name) && (entry === '*' || isOfServers(entry, name))) return [name];
  return entry === '*' ? ALL : (groupOf(entry) ?? [entry]);
}

/** Whether an entry means tools of servers, this one among them: `group:mcp`, or `github__*` for all of one. */
const isOfServers = (entry: string, name: string): boolean =>
  entry === 'group:mcp' || (/^[a-z0-9_]+__\*$/.test(entry) && name.startsWith(entry.slice(0, -1)));

/** What an entry that forbids means: also by other names, in any case, and with * and ?. */
export function deniedBy(entry: string, name = ''): readonly string[] {
  const plain = entry.trim().toLowerCase();
  if (isServerTool(name) && isOfServers(plain, name)) return [name];
  if (/[*?]/.test(plain)) {
    const parts = plain.split(/[*?]+/);
    return [...ALL, name].filter((one) => fitsParts(one, parts));
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
  name === 'group:mcp' ||
  isServerTool(name.replace(/__\*$/, '__all')) ||
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
