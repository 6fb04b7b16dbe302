// Owns what policy says about a command line: where it would run, what it would start there, and on which files. It must
// never read a command with a pattern where a grammar is needed, and what cannot be decided it asks about.
import { INTERPRETERS, plainProgramName, runsAnything } from '../../config/interpreters.ts';
import type { Zones } from '../../config/zones.ts';
import { isOthers } from '../../store/label.ts';
import type { ToolCall } from '../decide.ts';
import type { Effect } from '../effects.ts';
import type { Always, Verdict } from '../verdict.ts';
import { type Borders, bordersOf } from './borders.ts';
import { canonicalOf, folderOf } from './canonical.ts';
import type { Doubt } from './doubts.ts';
import { type Reading, type Redirect, readCommand, type Segment } from './reading.ts';
import { createResolve, type Resolve } from './resolve.ts';
import { isScript, judgeNames, judgeProgram, type ListRules, whyNever } from './segment.ts';
import { SCRIPTED } from './simple-programs.ts';
import { unwrap, withoutShells } from './unwrap.ts';

export type ShellRules = {
  readonly mode?: 'deny' | 'allowlist' | 'ask' | 'full' | undefined;
  readonly allow: readonly string[];
  readonly safeBins: readonly string[];
  readonly strictInlineEval: boolean;
  readonly zones: Zones;
  readonly resolve: Resolve;
};
type Run = Extract<Effect, { kind: 'run' }>;

const KEY = 'tools.exec.mode';
const MAX_MARKS = 8;
/** Each may be a path, and each of those is looked at. */
const MAX_WORDS = 500;
const MAX_FOLDERS = 64;

export const shellRulesOf = (exec: Omit<ShellRules, 'zones' | 'resolve'>, zones: Zones): ShellRules => ({
  ...exec,
  zones,
  resolve: createResolve(),
});

export async function judgeShell(
  context: ToolCall['context'],
  effects: readonly Effect[],
  rules: ShellRules,
): Promise<Verdict[]> {
  const runs = effects.filter((effect) => effect.kind === 'run');
  return (await Promise.all(runs.map((run) => judgeRun(run, rules, isOthers(context))))).flat();
}

async function judgeRun(run: Run, rules: ShellRules, isTainted: boolean): Promise<Verdict[]> {
  const { command, where } = run;
  const { mode } = rules;
  if (mode === 'deny')
    return [denied('EXEC_DENIED', KEY, 'commands are switched off', `openclaw config set ${KEY} ask`)];
  if (where === 'host' && mode === undefined) return [HOST];
  // In the box nothing is asked unless the owner wants it, so nothing has to be read either.
  if (where === 'sandbox' && (mode === undefined || mode === 'full')) return [];
  const reading = await readCommand(command);
  const isHopeless = (one: Doubt): boolean => one.isHopeless === true || (where === 'sandbox' && !!one.isHopeless);
  const beyond = reading.doubts.find(isHopeless);
  const named = beyond ? [] : neverIn(reading, rules.resolve);
  const hopeless = beyond ?? named.find(isHopeless);
  if (hopeless) {
    const { reason, mark } = hopeless;
    return [{ ...denied('COMMAND_REFUSED', 'built in', reason, ''), ...(mark === '' ? {} : { marks: [mark] }) }];
  }
  const canonical = canonicalOf(reading, rules.resolve);
  const doubts = [...reading.doubts, ...named, ...doubtsBy(run, reading, rules)];
  if (mode === 'full' && doubts.length === 0) return [];
  if (mode === 'allowlist' && doubts.length === 0 && canonical !== null)
    return [{ rule: 'allow', key: 'tools.exec.allow', runAs: canonical }];
  const always = alwaysOf(reading, canonical, run, isTainted);
  const first = doubts[0]?.reason;
  const reasons = [...new Set(doubts.map(({ reason }) => reason))].slice(0, 4);
  return [
    {
      rule: 'ask',
      key: KEY,
      code: mode === 'ask' ? 'COMMAND_ASKS' : 'COMMAND_NOT_LISTED',
      reason: mode === 'ask' || first === undefined ? askReason(mode, reasons) : reasons.join('; '),
      fix: mode === 'allowlist' ? listFix(doubts, rules.allow) : '',
      marks: [...new Set(doubts.map(({ mark }) => mark).filter((mark) => mark !== ''))].slice(0, MAX_MARKS),
      // For a grant: what runs by it is what it was compared by.
      ...(always && canonical !== null ? { always, runAs: canonical } : {}),
    },
  ];
}

const askReason = (mode: string | undefined, more: readonly string[]): string =>
  [`each command is asked about (${KEY} is ${mode})`, ...more].join('; ');

/** The whole list as it would be; only of plain names, since the model chose them and a person will paste it. */
const listFix = (doubts: readonly Doubt[], listed: readonly string[]): string => {
  const opens = doubts.every(
    ({ reason, mark }) => reason.endsWith('is not in tools.exec.allow') && /^[A-Za-z0-9][\w.+-]*$/.test(mark),
  );
  if (!opens || doubts.length === 0) return '';
  const list = [...new Set([...listed, ...doubts.map(({ mark }) => mark)])];
  return list.some((name) => name.includes("'"))
    ? 'openclaw config get tools.exec.allow'
    : `openclaw config set tools.exec.allow '${JSON.stringify(list)}'`;
};

/** What stands against it by the mode: by the list in `allowlist`, else only code that nobody can see. */
function doubtsBy(run: Run, reading: Reading, rules: ShellRules): Doubt[] {
  if (rules.mode === 'allowlist') return byList(run, reading, { ...rules, borders: bordersOf(rules.zones, run.where) });
  return [...reading.steps.map(({ segment }) => segment), ...reading.inner]
    .flatMap(({ words, text }) => {
      const program = words[0]?.value ?? null;
      return program !== null && runsAnything(program)
        ? [{ reason: `${program.split('/').at(-1)} can run other code or programs`, mark: text.slice(0, 200) }]
        : [];
    })
    .filter(() => rules.mode === 'ask' || rules.strictInlineEval);
}

function byList({ cwd }: Run, { steps, doubts }: Reading, rules: ListRules): Doubt[] {
  // Wherever a `cd` may have led by then: each use of a path must be fine in all of them.
  const folders = [cwd];
  const found: Doubt[] = [];
  const outside = rules.borders('.', cwd, 'read');
  if (outside !== null) found.push({ reason: outside, mark: cwd });
  for (const { segment } of steps) {
    const { words, assigns, redirects } = segment;
    found.push(...judgeNames(assigns.map(({ name }) => name)));
    if (words.length > MAX_WORDS) {
      found.push({ reason: `it has more than ${MAX_WORDS} words`, mark: words[0]?.text ?? '' });
      break;
    }
    if (words.length === 0 && doubts.length === 0) found.push({ reason: 'it starts no program', mark: segment.text });
    found.push(...redirects.flatMap((one) => judgeRedirect(one, folders, rules.borders)));
    let rest = words;
    for (;;) {
      const inner = unwrap(rest);
      const isShells = ['command', 'builtin'].includes(rest[0]?.value ?? '');
      const own = inner.kind === 'inner' ? rest.slice(0, 1) : rest;
      const argv = own.map(({ value }) => value);
      if (inner.kind === 'inner') found.push(...judgeNames(inner.sets));
      if (argv.every((one) => one !== null) && argv.length > 0 && !isShells) {
        found.push(
          ...(inner.kind === 'inner' ? judgeWrapper(argv[0] ?? '', rules) : judgeProgram(argv, folders, rules)),
        );
      }
      if (inner.kind !== 'inner') break;
      rest = rest.slice(inner.at);
    }
    const bare = withoutShells(words);
    if (bare[0]?.value !== 'cd') continue;
    const folder = folderOf(bare);
    if (folder === null) found.push({ reason: 'it goes to a folder that is not followed', mark: segment.text });
    else {
      const next = folders.map((one) => `${one}/${folder}`).slice(0, MAX_FOLDERS - folders.length);
      // What names no file works on the folder itself.
      const why = next.map((one) => rules.borders('.', one, 'read')).find((one) => one !== null);
      if (why) found.push({ reason: why, mark: segment.text });
      folders.push(...next);
    }
    if (folders.length >= MAX_FOLDERS) found.push({ reason: 'it changes its folder too often', mark: 'cd' });
  }
  // What is moved may hold a link that then leads out from another place.
  if (steps.length > 1 && steps.some(({ segment }) => segment.words.some(({ value }) => value === 'mv')))
    found.push({ reason: 'it moves files and goes on', mark: 'mv' });
  return found;
}

/** As `nice`: its own options are known, and what it starts is judged by itself. */
function judgeWrapper(name: string, rules: ListRules): Doubt[] {
  const program = rules.resolve(name);
  const isListed = program !== null && rules.allow.some((entry) => rules.resolve(entry)?.real === program.real);
  return isListed ? [] : [{ reason: `${name} is not in tools.exec.allow`, mark: name }];
}

function judgeRedirect(
  { operator, fd, target, text }: Redirect,
  folders: readonly string[],
  borders: Borders,
): Doubt[] {
  const { value } = target;
  if (value === null || operator === '<<' || operator === '<<<') return [];
  if (fd !== null && fd > 2) return [{ reason: 'it opens a channel of its own', mark: text }];
  if ((operator === '>&' || operator === '<&') && /^[0-2]$/.test(value)) return [];
  if (operator === '<') {
    const why = folders.map((cwd) => borders(value, cwd, 'read')).find((one) => one !== null);
    return why ? [{ reason: why, mark: text }] : [];
  }
  const isQuiet = value === '/dev/null' && ['>', '>>', '>|', '&>', '&>>'].includes(operator);
  return isQuiet ? [] : [{ reason: 'it redirects into a file', mark: text }];
}

/** Whatever may start a program that no yes makes good, also inside of what is not followed. */
function neverIn({ steps, inner }: Reading, resolve: Resolve): Doubt[] {
  return [...steps.map(({ segment }) => segment), ...inner].flatMap(({ words }) => {
    const found: Doubt[] = [];
    let rest: Segment['words'] = words;
    for (let depth = 0; depth < 8 && rest.length > 0; depth += 1) {
      const never = whyNever(rest[0]?.value ?? '', resolve);
      if (never) found.push(never);
      const next = unwrap(rest);
      if (next.kind !== 'inner') break;
      rest = rest.slice(next.at);
    }
    return found;
  });
}

/** Only for words that say everything; on the host only when nothing from outside has had a hand in it. */
function alwaysOf(reading: Reading, canonical: string | null, run: Run, isTainted: boolean): Always | undefined {
  if (canonical === null) return undefined;
  const isOpen = reading.steps.some(({ segment }) => opensAnything(segment.words));
  if (isOpen || (run.where === 'host' && isTainted)) return undefined;
  const place = run.where === 'host' ? 'on the host' : 'in the sandbox';
  const isCode = reading.steps.some(({ segment }) => segment.words.some(({ value }) => runsAnything(value ?? '')));
  const folder = run.cwd === '.' ? '' : `, in ${run.cwd}`;
  return {
    kind: 'exec',
    pattern: patternOf(run, canonical),
    shown: `${canonical}, with no other arguments${folder}, ${place}${isCode ? ', whatever its files say by then' : ''}`,
  };
}

/** Code in an argument is another program each time, and what a wrapper starts unseen is too. */
function opensAnything(words: Segment['words']): boolean {
  const found = unwrap(words);
  if (found.kind === 'unknown') return true;
  if (found.kind === 'inner') return opensAnything(words.slice(found.at));
  const name = words[0]?.value ?? '';
  if (!runsAnything(name)) return false;
  const plain = plainProgramName(name);
  return !isScript(words[1]?.value ?? '') || (INTERPRETERS.includes(plain) && !SCRIPTED.includes(plain));
}

const patternOf = ({ where, cwd }: Run, canonical: string): string => JSON.stringify([where, cwd, canonical]);

/** Whether one of the patterns that the owner allowed covers a command: compared by words, never by text. */
export async function isCovered(run: Run, patterns: readonly string[], resolve: Resolve): Promise<boolean> {
  const canonical = canonicalOf(await readCommand(run.command), resolve);
  return canonical !== null && patterns.includes(patternOf(run, canonical));
}

const denied = (code: string, key: string, reason: string, fix: string) =>
  ({ rule: 'deny', key, code, reason, fix }) as const;
const HOST = denied(
  'HOST_EXEC_DENIED',
  'built in',
  'commands run only inside the sandbox, never on the host',
  'openclaw status   (shows whether a sandbox driver is available)',
);
