// Owns `npm run bench`: drives the shared benchmark kit against the package as it would be published, and sets this
// machine's figures beside the budgets. It judges by nothing but the kit's own records and writes only below bench/.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { stage } from '../scripts/pack.ts';

const REPO = join(import.meta.dirname, '..');
/** What this program has so far; the kit's others (http, sandbox images, memory) join when their rooms exist. */
const SCENARIOS = ['install', 'cli', 'start', 'idle', 'turns', 'tools', 'concurrency', 'long', 'conns'];

type Stats = { p50?: number; p95?: number };
type Record = { scenario: string; [key: string]: unknown };
type Line = {
  readonly what: string;
  readonly scenario: string;
  readonly fits?: (record: Record) => boolean;
  readonly figure: (record: Record) => number | undefined;
  readonly unit: string;
  readonly budget: number;
  /** the budget is a least, not a most */
  readonly atLeast?: true;
};

const stats = (record: Record, key: string): Stats => (record[key] ?? {}) as Stats;
const number = (record: Record, key: string): number | undefined => record[key] as number | undefined;
const command = (id: string, gateway: string): ((record: Record) => boolean) => {
  return (record) => record['command'] === id && record['gateway'] === gateway;
};
const wall = (record: Record): number | undefined => stats(record, 'wallMs').p50;

const BUDGETS: readonly Line[] = [
  {
    what: 'installed size',
    scenario: 'install',
    figure: (r) => (number(r, 'totalBytes') ?? 0) / 1e6,
    unit: 'MB',
    budget: 40,
  },
  { what: '--version', scenario: 'cli', fits: command('version', 'down'), figure: wall, unit: 'ms', budget: 80 },
  { what: '--help', scenario: 'cli', fits: command('help', 'down'), figure: wall, unit: 'ms', budget: 150 },
  {
    what: 'status, gateway down',
    scenario: 'cli',
    fits: command('status', 'down'),
    figure: wall,
    unit: 'ms',
    budget: 250,
  },
  { what: 'status, gateway up', scenario: 'cli', fits: command('status', 'up'), figure: wall, unit: 'ms', budget: 250 },
  { what: 'exec to hello, p50', scenario: 'start', figure: (r) => stats(r, 'helloMs').p50, unit: 'ms', budget: 700 },
  { what: 'resident, idle', scenario: 'idle', figure: (r) => number(r, 'rssMb'), unit: 'MB', budget: 80 },
  { what: 'turn, p50', scenario: 'turns.one-session', figure: (r) => stats(r, 'finalMs').p50, unit: 'ms', budget: 5 },
  { what: 'turn, p95', scenario: 'turns.one-session', figure: (r) => stats(r, 'finalMs').p95, unit: 'ms', budget: 20 },
  {
    what: 'in front of the model, p50',
    scenario: 'turns.many-sessions',
    figure: (r) => stats(r, 'preModelMs').p50,
    unit: 'ms',
    budget: 5,
  },
  {
    what: 'in front of the model, p95',
    scenario: 'turns.many-sessions',
    figure: (r) => stats(r, 'preModelMs').p95,
    unit: 'ms',
    budget: 20,
  },
  {
    what: 'CPU per turn',
    scenario: 'turns.many-sessions',
    figure: (r) => number(r, 'cpuMsPerTurn'),
    unit: 'ms',
    budget: 6,
  },
  {
    what: 'written per turn',
    scenario: 'turns.many-sessions',
    figure: (r) => (number(r, 'writeBytesPerTurn') ?? 0) / 1000,
    unit: 'kB',
    budget: 40,
  },
  {
    what: 'exec in a warm sandbox, tool part',
    scenario: 'tools',
    fits: (r) => r['tool'] === 'exec echo hi',
    figure: (r) => stats(r, 'toolGapMs').p50,
    unit: 'ms',
    budget: 20,
  },
  {
    what: '50 sessions at once',
    scenario: 'concurrency',
    figure: (r) => number(r, 'turnsPerS'),
    unit: 'turns/s',
    budget: 250,
    atLeast: true,
  },
];

async function main(): Promise<number> {
  const { values, rest } = readFlags(process.argv.slice(2));
  if (values.help) {
    console.log('npm run bench -- [--kit FOLDER] [--only cli,turns] [flags of the kit]   (see the README of the kit)');
    return 0;
  }
  const kit = resolve(REPO, values.kit ?? process.env['BENCH_KIT'] ?? '../shared/bench');
  if (!existsSync(join(kit, 'run.mjs'))) {
    console.error(`error: there is no benchmark kit in ${kit}; name its folder with --kit or BENCH_KIT`);
    return 2;
  }
  if (!existsSync(join(REPO, 'dist', '.files'))) {
    console.error('error: nothing is built; run: npm run build');
    return 2;
  }
  const results = join(REPO, 'bench', 'results', `${new Date().toISOString().replaceAll(/[:.]/g, '-')}.jsonl`);
  mkdirSync(join(REPO, 'bench', 'results'), { recursive: true });
  const root = stage();
  const work = mkdtempSync(join(tmpdir(), 'hardshell-bench-'));
  let code = 1;
  try {
    code = await runKit([
      join(kit, 'run.mjs'),
      ...['--adapter', 'hardshell', '--adapter-file', join(REPO, 'bench', 'adapter.mjs')],
      ...['--root', root, '--installroot', root, '--nodebin', process.execPath],
      ...['--work', work, '--out', results, '--only', values.only ?? SCENARIOS.join(',')],
      ...rest,
    ]);
    if (existsSync(results)) print(readFileSync(results, 'utf8'));
    console.log(`\nall records: ${results}`);
    return code;
  } finally {
    rmSync(root, { recursive: true, force: true });
    // The logs of the gateways are in there, and after a failure somebody wants to read them.
    if (code === 0) rmSync(work, { recursive: true, force: true });
    else console.error(`the logs of the run: ${work}`);
  }
}

type Flags = { kit?: string; only?: string; help?: true };

/** Ours are taken out; all others are the kit's. */
function readFlags(words: readonly string[]): { values: Flags; rest: string[] } {
  const values: Flags = {};
  const rest: string[] = [];
  for (let i = 0; i < words.length; i += 1) {
    const word = words[i] ?? '';
    if (word === '--help') values.help = true;
    else if (word === '--kit' || word === '--only') values[word === '--kit' ? 'kit' : 'only'] = words[++i] ?? '';
    else rest.push(word);
  }
  return { values, rest };
}

async function runKit(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  const [code] = (await once(child, 'close')) as [number | null];
  return code ?? 1;
}

function print(text: string): void {
  const records = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record);
  const rows = BUDGETS.flatMap((line) => {
    const found = records.filter((record) => record.scenario === line.scenario && (line.fits?.(record) ?? true));
    const figures = found.map(line.figure).filter((figure) => figure !== undefined);
    if (figures.length === 0) return [];
    const best = line.atLeast ? Math.max(...figures) : Math.min(...figures);
    const isMet = line.atLeast ? best >= line.budget : best <= line.budget;
    return [
      {
        what: line.what,
        measured: `${best.toFixed(1)} ${line.unit}`,
        budget: `${line.atLeast ? '>=' : '<='} ${line.budget} ${line.unit}`,
        verdict: isMet ? 'met' : 'MISSED',
      },
    ];
  });
  for (const record of records.filter((one) => one.scenario.endsWith('.error'))) {
    console.log(`${record.scenario}: ${String(record['error']).split('\n')[0]}`);
  }
  console.table(rows);
}

process.exitCode = await main();
