// Owns the invariants of the way of a call, over made-up calls: nothing runs but what was decided, an approval is of one
// call, no call lifts its own rights, and whatever fails closes. Real parts; only what stands behind them is made up.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { createBinder } from '../../../src/asking/binding.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { zonesOf } from '../../../src/config/zones.ts';
import { changedIn } from '../../../src/policy/approvals/approval.ts';
import { decide, demandPermit, type Judge, type PermittedCall, type ToolCall } from '../../../src/policy/decide.ts';
import type { Effect } from '../../../src/policy/effects.ts';
import { judgeFlow } from '../../../src/policy/flow/judge.ts';
import { judgesOf } from '../../../src/policy/judges.ts';
import { isSteeringFile } from '../../../src/policy/steering.ts';
import { strictest, type Verdict } from '../../../src/policy/verdict.ts';
import { fromColumns, label } from '../../../src/store/label.ts';
import { type CallerPorts, createToolCaller } from '../../../src/tools/call.ts';
import { TOOLS as OURS } from '../../../src/tools/registry.ts';
import type { AnyTool, ToolEnv } from '../../../src/tools/tool.ts';
import { OWNER_DM } from '../speaker.ts';
import { callFor, type Dice, diceOf, type Invariant, must, shown, TOOLS, VALUES } from './traces.ts';

const toolCall = (name: string, args: unknown, more: Partial<ToolCall> = {}): ToolCall => ({
  ...{ turnId: 'r', sessionKey: 's', agentId: 'main', callId: 'c', name, args, speaker: OWNER_DM },
  ...{ context: label('untrusted', 'owner', 'web:evil.example'), ...more },
});
const verdict = (rule: 'ask' | 'deny'): Verdict => ({ rule, key: 'k', code: 'C', reason: 'because', fix: '' });
const each =
  <P>(one: (seed: number, parts: P) => Promise<void>, parts: P) =>
  async (from: number, count: number): Promise<void> => {
    for (let seed = from; seed < from + count; seed++) await one(seed, parts);
  };

// 1. Mediation: what a call can reach it reaches with a permit of this very call, and that only a decision makes.
type Gate = { readonly demand: typeof demandPermit; readonly decide: typeof decide };
const FORGERIES: readonly ((real: PermittedCall) => unknown)[] = [
  (real) => ({ ...real }),
  (real) => Object.assign(Object.create(real), {}),
  (real) => structuredClone({ ...real, heard: undefined }),
  (real) => JSON.parse(JSON.stringify(real)),
  (real) => new Proxy(real, {}),
  (real) => ({ ...real, args: {} }),
];
async function mediated(seed: number, gate: Gate): Promise<void> {
  const dice = diceOf(seed);
  const verdicts = dice.some<Verdict>([verdict('ask'), verdict('deny'), { rule: 'allow', key: 'k' }], 3);
  const answer = dice.pick(['allowed', 'no', 'asleep'] as const);
  const holdsStill = dice.chance(70);
  const isForged = dice.chance(50);
  const forge = dice.pick(FORGERIES);
  let reached = false;
  const tool: AnyTool = {
    ...{ name: 'act', description: '', parameters: z.any() },
    effects: () => [{ kind: 'write', path: 'a' }],
    async run(call) {
      gate.demand((isForged ? forge(call) : call) as PermittedCall);
      reached = true;
      return { text: '', isError: false, label: label('tool-local', 'owner') };
    },
  };
  const ports: CallerPorts = {
    ...{ tools: [tool], where: () => 'sandbox', decided() {}, started() {}, ended() {}, failed() {} },
    decide: (call, effects) => gate.decide(call, effects, verdicts),
    openEnv: async () => ({}) as ToolEnv,
    askOwner: async () =>
      answer === 'allowed'
        ? { kind: 'allowed', confirm: async () => (holdsStill ? null : 'it changed') }
        : answer === 'no'
          ? { kind: 'no', why: 'no', fix: '' }
          : { kind: 'asleep' },
  };
  await createToolCaller(ports)(toolCall('act', callFor(dice).args), new AbortController().signal);
  const strict = strictest(verdicts);
  const may = strict === null || (strict.rule === 'ask' && answer === 'allowed' && holdsStill);
  must(!reached || (may && !isForged), seed, () => `reached with ${shown({ verdicts, answer, holdsStill, isForged })}`);
  must(reached || !may || isForged, seed, () => 'what was permitted did not run');
}

// 4. Binding: an approval is of one call as it was; any bound thing that changes voids it.
type Made = { readonly call: ToolCall; readonly effects: readonly Effect[] };
type Change = { readonly what: string; fits?(effects: readonly Effect[]): boolean; now(made: Made): Made };
const withArgs = ({ call, effects }: Made, args: unknown): Made => ({ call: { ...call, args }, effects });
const inRuns = ({ call, effects }: Made, more: object): Made => ({
  call,
  effects: effects.map((one) => (one.kind === 'run' ? { ...one, ...more } : one)),
});
const runs = (effects: readonly Effect[]): boolean => effects.some(({ kind }) => kind === 'run');
const writes = (effects: readonly Effect[]): boolean => effects.some(({ kind }) => kind === 'write');

async function bound(from: number, count: number, without: string | null = null): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'hardshell-bound-'));
  const [one, other] = [join(home, 'one'), join(home, 'other')];
  for (const folder of [one, other]) mkdirSync(join(folder, 'deep'), { recursive: true });
  const put = (content: string): void => {
    for (const folder of [one, other])
      for (const file of ['a.md', 'run.sh']) writeFileSync(join(folder, file), content);
  };
  put('before');
  let folder = one;
  const bind = createBinder({
    folderOf: () => folder,
    namesIn: async (command) => ({
      programs: [],
      files: command.includes('run.sh') ? ['run.sh'] : [],
      isBindable: true,
    }),
  });
  const parts = async ({ call, effects }: Made) =>
    (await bind(call, effects)).parts.filter(({ what }) => without === null || !what.startsWith(without));
  const CHANGES: readonly Change[] = [
    { what: 'one more argument', now: (made) => withArgs(made, { ...(made.call.args as object), more: 1 }) },
    {
      what: 'a letter of an argument',
      now: (made) => withArgs(made, JSON.parse(JSON.stringify(made.call.args).replace('.', '\u2024'))),
    },
    { what: 'the tool', now: ({ call, effects }) => ({ call: { ...call, name: `${call.name}2` }, effects }) },
    { what: 'where it runs', fits: runs, now: (made) => inRuns(made, { where: 'host' }) },
    { what: 'its folder', fits: runs, now: (made) => inRuns(made, { cwd: 'deep' }) },
    {
      what: 'one more effect',
      now: ({ call, effects }) => ({ call, effects: [...effects, { kind: 'write', path: 'new.md' }] }),
    },
    { what: 'one effect less', fits: writes, now: ({ call, effects }) => ({ call, effects: effects.slice(0, -1) }) },
    {
      what: 'the workspace',
      now(made) {
        folder = other;
        return made;
      },
    },
    {
      what: 'the content of a file',
      fits: writes,
      now(made) {
        put('after');
        return made;
      },
    },
  ];
  const KINDS: readonly (readonly Effect[])[] = [
    [{ kind: 'run', command: 'ls', cwd: '.', where: 'sandbox' }],
    [
      { kind: 'run', command: 'bash run.sh', cwd: '.', where: 'sandbox' },
      { kind: 'write', path: 'a.md' },
    ],
  ];
  try {
    for (let seed = from; seed < from + count; seed++) {
      const dice = diceOf(seed);
      // Most touch no file, since looking at files is what takes time.
      const effects = seed % 16 === 0 ? dice.pick(KINDS) : [{ kind: 'fetch', url: 'https://a.example/' } as const];
      const args = { path: 'a.md', text: dice.pick(VALUES), n: dice.below(1e6) };
      const made: Made = { call: toolCall('act', args), effects };
      const change = dice.pick(CHANGES.filter(({ fits }) => fits?.(effects) ?? true));
      const approved = await parts(made);
      // With its keys in another order it is the same call.
      const same = withArgs(made, Object.fromEntries(Object.entries(args).reverse()));
      if (seed % 8 === 1) must(changedIn(approved, await parts(same)) === null, seed, () => 'nothing changed');
      const found = changedIn(approved, await parts(change.now(made)));
      if (change.what.startsWith('the content')) put('before');
      folder = one;
      must(found !== null, seed, () => `${change.what} changed, and the approval still holds`);
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

// 5. No self-lift: no call of any tool of ours, however it names things, changes what rights rest on without a card.
const HOME = '/home/ann';
const STATE = `${HOME}/.openclaw`;
const PLACES = { workspace: `${STATE}/workspace`, stateDir: STATE, configPath: `${STATE}/openclaw.json` };
const RIGHTS = [
  'openclaw.json',
  'credentials/gateway-token',
  'state.sqlite',
  'state.sqlite-head',
  'logs/x.log',
  'snapshots/a',
  'checkpoints/b',
];
const STEERING = ['AGENTS.md', 'SOUL.md', 'IDENTITY.md', 'USER.md'];
const spelled = (dice: Dice, path: string): string => {
  const detour = dice.pick(['', './', 'x/../', '//', 'memory/../']);
  const cased = dice.chance(25)
    ? path.toUpperCase()
    : dice.chance(25)
      ? path.replace('A', 'Ａ').replace('U', 'Ｕ')
      : path;
  return dice.chance(30) ? `${PLACES.workspace}/${detour}${cased}` : `${detour}${cased}`;
};
const target = (dice: Dice): string =>
  dice.pick([
    () => spelled(dice, dice.pick(STEERING)),
    () => `${dice.pick(['../', `${STATE}/`, '/workspace/../', `${HOME}/x/../.openclaw/`])}${dice.pick(RIGHTS)}`,
    () => spelled(dice, dice.pick(['notes.md', 'a/b.txt', 'MEMORY.md', 'HEARTBEAT.md'])),
    () => dice.pick(['~/.ssh/authorized_keys', `${HOME}/.bashrc`, '/etc/crontab', '/var/spool/cron/crontabs/root', `${HOME}/.config/systemd/user/x.timer`, `${HOME}/.gitconfig`]),
  ])(); // biome-ignore format: a table
const argumentsFor = (dice: Dice, name: string): Record<string, unknown> => {
  const [path, text] = [target(dice), dice.pick(VALUES)];
  const all: Record<string, () => Record<string, unknown>> = {
    write: () => ({ path, content: text }),
    edit: () => ({ path, oldText: 'a', newText: text }),
    memory_write: () => ({ text, file: path }),
    exec: () => ({ command: `echo ${text} > ${path}` }),
    message: () => ({ to: '', text }),
  };
  return all[name]?.() ?? { path, text };
};
const isRight = (path: string): boolean => {
  const whole = path.startsWith('/') ? join(path) : join(PLACES.workspace, path);
  return !whole.startsWith(`${PLACES.workspace}/`) || (isSteeringFile(path) && !path.startsWith('memory/'));
};
const CONFIG = loadConfig({ configPath: '/nowhere/openclaw.json' }, {}).config;
const ZONES = zonesOf({ security: CONFIG.security, workspaceOnly: CONFIG.tools.fs.workspaceOnly }, PLACES);
const JUDGES = judgesOf(CONFIG, ZONES, {
  rolesOf: (name) => OURS.find((one) => one.name === name)?.roles,
  registry: {},
});
/** One rule less: by the name that stands in it. */
const judgesWithout = (rule: string): readonly Judge[] => {
  const rest = JUDGES.filter((judge) => !String(judge).includes(rule));
  if (rest.length !== JUDGES.length - 1) throw new Error(`there is no single judge ${rule}`);
  return rest;
};
async function notLifted(seed: number, judges: readonly Judge[]): Promise<void> {
  const dice = diceOf(seed);
  const tool = dice.pick(OURS);
  const parsed = tool.parameters.safeParse(argumentsFor(dice, tool.name));
  if (!parsed.success) return;
  let effects: readonly Effect[];
  try {
    effects = tool.effects(parsed.data, 'sandbox');
  } catch {
    return;
  }
  const before = JSON.stringify(CONFIG);
  const call = toolCall(tool.name, parsed.data, { heard: () => ({ words: dice.pick(VALUES), results: [] }) });
  const verdicts = (await Promise.all(judges.map((judge) => judge(call, effects)))).flat();
  const { kind } = decide(call, effects, verdicts);
  const lifting = effects.find((one) => one.kind === 'write' && isRight(one.path));
  must(kind !== 'allow' || lifting === undefined, seed, () => `${tool.name} may unasked: ${shown(lifting)}`);
  const outside = effects.find((one) => one.kind === 'run' && (one.where === 'host' || one.elevated));
  must(kind !== 'allow' || outside === undefined, seed, () => `${tool.name} leaves the box unasked`);
  must(JSON.stringify(CONFIG) === before, seed, () => 'judging changed the settings');
}

// 7. Fail closed: whatever is missing, unknown or throws, nothing runs that was not plainly permitted.
type Closing = {
  readonly judge: typeof judgeFlow;
  readonly columns: typeof fromColumns;
  wrap(ports: CallerPorts): CallerPorts;
};
const FAILURES = ['effects', 'judge', 'started', 'env', 'prepare', 'unknown', 'words', 'label', 'undeclared'] as const;
async function closed(seed: number, { judge, columns, wrap }: Closing): Promise<void> {
  const dice = diceOf(seed);
  const failure = dice.pick(FAILURES);
  const fail = (at: (typeof FAILURES)[number]): void => {
    if (failure === at) throw new Error(`${at} is broken`);
  };
  if (failure === 'label') {
    const odd = { integrity: dice.pick(['', 'root', 'OWNER', 'owner ', '__proto__']), readers: dice.pick(['owner', '{', '[1]', 'x']), sources: '' }; // biome-ignore format: one thought
    must(columns(odd).integrity === 'untrusted', seed, () => `${shown(odd)} was read as ${columns(odd).integrity}`);
    return;
  }
  let ran = false;
  const known = dice.pick(Object.keys(TOOLS).filter((name) => TOOLS[name]?.effect !== 'read'));
  const name = failure === 'undeclared' ? dice.pick(['srv__tool', '__proto__', 'constructor', 'launch']) : known;
  const tool: AnyTool = {
    ...{ name, description: '', parameters: z.any() },
    effects() {
      fail('effects');
      return [{ kind: 'call', server: 's', tool: name }];
    },
    async run() {
      ran = true;
      return { text: 'ran', isError: false, label: label('tool-local', 'owner') };
    },
  };
  // Everything is as it should be, but for the one thing: the owner has named all of it.
  const args = Object.fromEntries(Object.keys(TOOLS[known]?.args ?? {}).map((key) => [key, 'Bob']));
  const isAllowed = failure !== 'words' && failure !== 'undeclared';
  const ports: CallerPorts = wrap({
    ...{ tools: failure === 'unknown' ? [] : [tool], where: () => 'sandbox', decided() {}, ended() {}, failed() {} },
    decide(call, effects) {
      fail('judge');
      const rolesOf = (one: string) => (Object.hasOwn(TOOLS, one) ? TOOLS[one] : { effect: 'execute' as const, args: {}, result: 'untrusted' as const }); // biome-ignore format: one thought
      return decide(call, effects, isAllowed ? [] : judge(call, { rolesOf, registry: {} }));
    },
    async openEnv() {
      fail('env');
      return {} as ToolEnv;
    },
    async prepare() {
      fail('prepare');
    },
    started() {
      fail('started');
    },
    askOwner: async () => ({ kind: 'no', why: 'nobody is there', fix: '' }),
  });
  const result = await createToolCaller(ports)(toolCall(name, args), new AbortController().signal);
  must(!ran && result.isError, seed, () => `${name} ran although ${failure} was missing or broken`);
  must(result.text.length > 20, seed, () => `nothing is said of ${failure}`);
}
const lenient: Closing = { judge: judgeFlow, columns: fromColumns, wrap: (ports) => ports };
const swallow =
  (step: 'started' | 'prepare') =>
  (ports: CallerPorts): CallerPorts => ({
    ...ports,
    async [step](...given: [ToolCall, readonly Effect[]]) {
      try {
        await ports[step]?.(...given);
      } catch {
        // As if the disk were not full.
      }
    },
  });

export const MEDIATED: Invariant = {
  name: '1. nothing is reached but by a decision, with the permit that it made',
  hold: each(mediated, { demand: demandPermit, decide }),
  without: {
    'every way out asks for the permit': each(mediated, { demand: () => {}, decide }),
    'a denial holds': each(mediated, {
      demand: demandPermit,
      decide: (call, effects, all) =>
        decide(
          call,
          effects,
          all.filter(({ rule }) => rule !== 'deny'),
        ),
    }),
    'a question holds': each(mediated, {
      demand: demandPermit,
      decide: (call, effects, all) =>
        decide(
          call,
          effects,
          all.filter(({ rule }) => rule !== 'ask'),
        ),
    }),
  },
};
export const BOUND: Invariant = {
  name: '4. an approval is of one call as it was',
  hold: bound,
  without: Object.fromEntries(
    ['the arguments', 'the workspace', 'where it runs', 'the folder', 'the file'].map((part) => [
      `${part}: bound`,
      (from, count) => bound(from, count, part),
    ]),
  ),
};
export const NOT_LIFTED: Invariant = {
  name: '5. no call lifts its own rights',
  hold: each(notLifted, JUDGES),
  without: {
    'files outside the workspace are closed': each(notLifted, judgesWithout('judgePaths')),
    'what steers changes by card': each(notLifted, judgesWithout('judgeSteering')),
  },
};
export const CLOSED: Invariant = {
  name: '7. whatever is missing or fails, nothing runs',
  hold: each(closed, lenient),
  without: {
    'nothing starts that is not on record': each(closed, { ...lenient, wrap: swallow('started') }),
    'nothing starts without the way back': each(closed, { ...lenient, wrap: swallow('prepare') }),
    'a label that makes no sense is untrusted': each(closed, {
      ...lenient,
      columns: ({ integrity }) => label(integrity as 'owner', 'owner'),
    }),
    'words that nobody heard vouch for nothing': each(closed, { ...lenient, judge: () => [] }),
    'a judge that fails does not agree': each(closed, {
      ...lenient,
      wrap: (ports) => ({
        ...ports,
        async decide(call, effects) {
          try {
            return await ports.decide(call, effects);
          } catch {
            return decide(call, effects, []);
          }
        },
      }),
    }),
  },
};
