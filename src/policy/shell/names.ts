// Owns which programs a command would start and which files its words may name, so that a yes can be bound to both. It
// decides nothing; what only the run can tell makes the answer not bindable.
import { INTERPRETERS, plainProgramName } from '../../config/interpreters.ts';
import { isSafeEnvName } from '../../sandbox/environment.ts';
import { readCommand, type Segment } from './reading.ts';
import { unwrap } from './unwrap.ts';

/** Words as the command has them: names for PATH, paths relative to its folder, or absolute ones. */
export type Names = {
  readonly programs: readonly string[];
  readonly files: readonly string[];
  /** false: some program or file of it is chosen only when it runs */
  readonly isBindable: boolean;
};

const MAX_NAMES = 200;
const MAX_DEPTH = 4;
const MAX_CODE = 8;
const MAX_FOLDERS = 32;
/** So many words of a program that is not followed may be the one that it starts. */
const MAX_TAILS = 50;

/** `seen` is told of each program with its words, also of those that others start; null is what only the run can tell. */
export async function namesIn(
  command: string,
  seen: (words: readonly (string | null)[]) => void = () => {},
): Promise<Names> {
  const programs = new Set<string>();
  const files = new Set<string>();
  /** wherever a `cd` may have led by then: a name may mean a file in each of them */
  const folders = [''];
  let isBindable = true;
  const lost = (): void => {
    isBindable = false;
  };

  const below = (name: string): string[] =>
    name.startsWith('/') ? [name] : folders.map((folder) => (folder === '' ? name : `${folder}/${name}`));
  function goTo(words: readonly (string | null)[]): void {
    const folder = words.find((one, at) => at > 0 && !one?.startsWith('-'));
    if (words[0] !== 'cd' || typeof folder !== 'string' || words.length > 3 || folders.length * 2 > MAX_FOLDERS) lost();
    else folders.push(...below(folder));
  }

  async function take(text: string, depth: number): Promise<void> {
    if (depth > MAX_DEPTH) return lost();
    const { steps, inner, doubts } = await readCommand(text);
    if (doubts.length > 0) lost();
    for (const segment of [...steps.map((one) => one.segment), ...inner]) await segmentNames(segment, depth);
  }

  /** Where a program is looked for, and what it loads, can stand in a variable. */
  const set = (names: readonly string[]): void => {
    if (!names.every(isSafeEnvName)) lost();
  };

  async function segmentNames({ words, assigns, redirects }: Segment, depth: number): Promise<void> {
    let rest = words;
    set(assigns.map(({ name }) => name));
    for (let nested = 0; rest.length > 0; nested += 1) {
      const program = rest[0]?.value;
      if (program === null || program === undefined) lost();
      else for (const name of program.includes('/') ? below(program) : [program]) programs.add(name);
      const values = rest.map(({ value }) => value);
      seen(values);
      const found = unwrap(rest);
      if (found.kind === 'unknown')
        for (let at = 1; at < Math.min(values.length, MAX_TAILS); at += 1) seen(values.slice(at));
      if (found.kind === 'unknown' || nested > MAX_DEPTH) lost();
      // Any word of a program that is not followed may be the program that it starts.
      if (found.kind === 'unknown')
        for (const { value } of rest.slice(1)) if (value && isName(value)) programs.add(value);
      if (found.kind !== 'inner') break;
      set(found.sets);
      rest = rest.slice(found.at);
    }
    for (const { value } of [...words.slice(1), ...redirects.map(({ target }) => target)]) {
      if (value === null) lost();
      else for (const path of pathsIn(value).flatMap(below)) files.add(path);
    }
    if (['cd', 'pushd', 'popd'].includes(rest[0]?.value ?? '')) goTo(rest.map(({ value }) => value));
    if (!INTERPRETERS.includes(plainProgramName(rest[0]?.value ?? ''))) return;
    // Code in an argument: if it is of the shell it names programs too, and if it is not, reading it does no harm.
    const code = rest.slice(1).flatMap(({ value }) => (value !== null && /[\s;|&]/.test(value) ? [value] : []));
    if (code.length > MAX_CODE) lost();
    for (const value of code.slice(0, MAX_CODE)) await take(value, depth + 1);
  }

  await take(command, 0);
  if (programs.size > MAX_NAMES || files.size > MAX_NAMES) lost();
  return { programs: [...programs].slice(0, MAX_NAMES), files: [...files].slice(0, MAX_NAMES), isBindable };
}

const isName = (value: string): boolean => /^[\w./+-]+$/.test(value) && !value.startsWith('-');

/** An operand, and what stands behind an option's name. */
function pathsIn(value: string): string[] {
  if (value === '' || value === '-' || value.length > 4_096 || /[\n\0]/.test(value)) return [];
  if (!value.startsWith('-')) return [value, ...afterSign(value)];
  return value.startsWith('--') ? afterSign(value) : [value.slice(2), ...afterSign(value)].filter((one) => one !== '');
}
const afterSign = (value: string): string[] => {
  const at = value.indexOf('=');
  return at === -1 || at === value.length - 1 ? [] : [value.slice(at + 1)];
};
