// Owns what a list of allowed programs says about one program with its literal words: nothing against it, or why the owner
// must be asked. It must never allow what it does not know.
import { INTERPRETERS, PRIVILEGED, RUNNERS, WRAPPERS } from '../../config/interpreters.ts';
import { isSafeEnvName } from '../../sandbox/environment.ts';
import type { Borders, Extent } from './borders.ts';
import type { Doubt } from './doubts.ts';
import { readArguments, suspects } from './options.ts';
import { isForeign, isListed, type Program, type Resolve } from './resolve.ts';
import { FIND, PLAIN_SED, RISKY_OPTIONS, RUNNER_WORDS, SCRIPTED, SIMPLE, type Simple } from './simple-programs.ts';

export type ListRules = {
  readonly allow: readonly string[];
  readonly safeBins: readonly string[];
  readonly strictInlineEval: boolean;
  readonly resolve: Resolve;
  readonly borders: Borders;
};

/** Change nothing and read nothing, so nobody has to list them. */
const FREE = new Set(['true', 'false', ':', 'cd']);
/** Of the shell itself: what they do goes on in the commands behind them. */
const BUILTINS = new Set(
  `alias bg bind break caller compgen complete continue declare dirs disown enable eval exit
  export fc fg getopts hash help history jobs kill let local logout mapfile popd pushd read readarray readonly
  return set shift shopt source . suspend times trap type typeset ulimit umask unalias unset wait exec`.split(/\s+/),
);
/** Ours: an agent has no authority over its own rules. */
const CONTROL = new Set(['openclaw', 'hardshell', 'clawdbot', 'moltbot']);

/** `folders`: where it may be standing, relative to the workspace. Empty: nothing against it. */
export function judgeProgram(argv: readonly string[], folders: readonly string[], rules: ListRules): Doubt[] {
  const [name = '', ...args] = argv;
  if (FREE.has(name)) return [];
  const never = whyNever(name, rules.resolve);
  if (never) return [never];
  if (BUILTINS.has(name)) return [{ reason: `${name} changes the shell itself`, mark: name }];
  const program = rules.resolve(name);
  if (program === null) return [{ reason: whyNoProgram(name), mark: name }];
  const inside = (path: string, access: 'read' | 'write', extent: Extent = 'plain'): Doubt[] => {
    const why = path === '-' ? null : firstOf(folders, (cwd) => rules.borders(path, cwd, access, extent));
    return why === null ? [] : [{ reason: why, mark: path }];
  };
  const simple = isForeign(program) ? undefined : simpleOf(program);
  if (!isListed(program, rules.allow, rules.resolve)) {
    if (simple && isListed(program, rules.safeBins, rules.resolve)) return judgeFilter(simple, args);
    return [{ reason: `${baseOf(name)} is not in tools.exec.allow`, mark: name }];
  }
  if (isForeign(program) && program.names.some((one) => one === 'find' || Object.hasOwn(SIMPLE, one)))
    return [{ reason: `the options of ${baseOf(name)} are not known on this system`, mark: name }];
  if (program.names.some((one) => one === 'find')) return judgeFind(args, inside);
  if (simple) return judgeSimple(simple, args, inside);
  // Compilers and the like take words from there, wherever it stands.
  const list = args.find((arg) => arg.startsWith('@'));
  if (list !== undefined) return [{ reason: 'it may take further words from a file', mark: list }];
  const doubts = args.flatMap((arg) => suspects(arg).flatMap((one) => inside(one, 'write', 'deep')));
  if (doubts.length > 0) return doubts.slice(0, 8);
  return rules.strictInlineEval ? judgeCode(program, args, inside) : [];
}

type Inside = (path: string, access: 'read' | 'write', extent?: Extent) => Doubt[];

/** What no yes can make good. */
export function whyNever(name: string, resolve: Resolve): Doubt | null {
  const names = name.includes('/') ? (resolve(name)?.names ?? [baseOf(name)]) : [name];
  const own = names.find((one) => CONTROL.has(one));
  if (own)
    return {
      reason: `${own} is for you and not for the assistant, which has no say in its own rules`,
      mark: name,
      isHopeless: true,
    };
  const privileged = names.find((one) => PRIVILEGED.includes(one));
  return privileged
    ? { reason: `${privileged} wants rights that no command here has`, mark: name, isHopeless: 'in the box' }
    : null;
}

function whyNoProgram(name: string): string {
  if (/[^\x21-\x7e]/.test(name)) return 'the name of its program is no plain ASCII';
  return name.includes('/')
    ? `${name.slice(0, 80)} is no program of the system`
    : `there is no ${name.slice(0, 80)} among the programs of the system`;
}

/** Both the name and what it leads to must be known as the same program. */
function simpleOf({ names }: Program): Simple | undefined {
  const [name = ''] = names;
  if (names.some((one) => !Object.hasOwn(SIMPLE, one))) return undefined;
  return SIMPLE[name];
}

function judgeFilter(simple: Simple, args: readonly string[]): Doubt[] {
  const { files, operands, unknown } = readArguments(simple, args);
  if (unknown !== null) return [unknownOption(unknown)];
  const free = simple.operands === 'text' ? 2 : simple.operands === 'pattern' ? 1 : 0;
  const [file] = [...files, ...operands.filter((one) => one !== '-').slice(free)];
  return file === undefined
    ? []
    : [{ reason: 'tools.exec.safeBins only filter what is piped in, and it names a file', mark: file }];
}

const unknownOption = (mark: string): Doubt => ({ reason: 'it has an option that is not known as harmless', mark });

function judgeSimple(simple: Simple, args: readonly string[], inside: Inside): Doubt[] {
  const { files, operands, used, unknown } = readArguments(simple, args);
  if (unknown !== null) return [unknownOption(unknown)];
  const isDeep = simple.deep === true || (simple.deep ?? '').split(/(?<=^.) |\s/).some((one) => used.has(one));
  const extent = simple.operands === 'files' ? 'file' : isDeep ? 'deep' : 'plain';
  const doubts = files.flatMap((one) => inside(one, 'read'));
  const read = (list: readonly string[]) => list.flatMap((one) => inside(one, 'read', extent));
  const write = (list: readonly string[]) => list.flatMap((one) => inside(one, 'write', 'deep'));
  switch (simple.operands) {
    case 'text':
      return doubts;
    case 'date': {
      const odd = operands.find((one) => !one.startsWith('+'));
      return odd === undefined ? doubts : [{ reason: 'it sets the clock', mark: odd }];
    }
    case 'one':
      return operands.length > 1
        ? [{ reason: 'it writes its second file', mark: operands[1] ?? '' }]
        : [...doubts, ...read(operands)];
    case 'pattern': {
      const hasPattern = ['e', 'f', 'regexp', 'file'].some((one) => used.has(one));
      const named = hasPattern ? operands : operands.slice(1);
      return [...doubts, ...read(named.length === 0 && isDeep ? ['.'] : named)];
    }
    case 'write':
      return [...doubts, ...write(operands)];
    case 'copy':
    case 'move': {
      const to = operands.at(-1) ?? '';
      const from = operands.slice(0, -1);
      // In a folder a link of that name may already stand.
      const landing = from.map((one) => `${to}/${baseOf(one.replace(/\/+$/, ''))}`);
      return [...doubts, ...(simple.operands === 'move' ? write(from) : read(from)), ...write([to]), ...write(landing)];
    }
    default:
      return [...doubts, ...read(operands.length === 0 && isDeep ? ['.'] : operands)];
  }
}

function judgeFind(args: readonly string[], inside: Inside): Doubt[] {
  const first = args.findIndex((one) => /^[-(),!]/.test(one));
  const places = first === -1 ? args : args.slice(0, first);
  for (let at = places.length; at < args.length; at += 1) {
    const arg = args[at] ?? '';
    const takes = FIND.get(arg);
    if (takes === undefined)
      return [{ reason: 'find runs, deletes, writes or follows what it finds by this', mark: arg }];
    at += takes;
  }
  return (places.length === 0 ? ['.'] : places).flatMap((one) => inside(one, 'read', 'deep'));
}

/** A listed program that can run anything: only in the ways that run a file that can be named. */
function judgeCode(program: Program, args: readonly string[], inside: Inside): Doubt[] {
  const names = program.names;
  const is = (list: readonly string[]): boolean => names.some((one) => list.includes(one));
  const [first = ''] = args;
  const mark = [names[0], ...args].join(' ').slice(0, 200);
  if (is(['sed'])) {
    const [script = '', ...files] = first === '-n' || first === '-E' || first === '-nE' ? args.slice(1) : args;
    const isPlain = PLAIN_SED.some((one) => one.test(script)) && !files.some((one) => one.startsWith('-'));
    return isPlain
      ? files.flatMap((one) => inside(one, 'read'))
      : [{ reason: 'sed can write and run by its script', mark: script || mark }];
  }
  if (is(WRAPPERS)) return [{ reason: `${names[0]} starts another program that is not followed`, mark }];
  if (is(INTERPRETERS)) {
    if (!names.every((one) => SCRIPTED.includes(one)) || !isScript(first))
      return [{ reason: `${names[0]} is handed code instead of a file with it`, mark }];
    return inside(first, 'read');
  }
  if (!is(RUNNERS)) return [];
  if (is(['make']) && args.every((one) => /^[\w.-]+$/.test(one) && !one.startsWith('-'))) return [];
  const known = RUNNER_WORDS[names[0] ?? ''];
  const risky = args.find((one) => isRisky(one));
  return known?.includes(first) && risky === undefined
    ? []
    : [{ reason: `${names[0]} can start other programs in this way`, mark: risky ?? first }];
}

/** A word that an interpreter takes as the name of a file; shells have options with `+` too. */
export const isScript = (word: string): boolean => word !== '' && !/^[-+]/.test(word);

function isRisky(arg: string): boolean {
  if (arg.includes('::')) return true;
  if (!arg.startsWith('--')) return /^-[A-Za-z]*[cxCoOfFS]/.test(arg);
  const name = arg.split('=')[0] ?? '';
  return name !== '--' && RISKY_OPTIONS.some((one) => one.startsWith(name));
}

/** Variables in front of a program. */
export const judgeNames = (sets: readonly string[]): Doubt[] =>
  sets
    .filter((name) => !isSafeEnvName(name))
    .map((name) => ({ reason: `${name} can change what a program does`, mark: `${name}=` }));

function firstOf<T>(list: readonly T[], find: (one: T) => string | null): string | null {
  for (const one of list) {
    const found = find(one);
    if (found !== null) return found;
  }
  return null;
}

const baseOf = (path: string): string => path.split('/').at(-1) ?? path;
