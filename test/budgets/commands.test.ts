// Owns the budgets of the command line: how long a person waits for a word, with the gateway up and with it down. A
// whole process is timed, from the launcher that is typed to its exit.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanEnv, freePort, newHome, REPO, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { budgetTable, endedChildrenCpuMs, percentile, quickWithin } from '../support/measure.ts';

const RUNS = 7;
const LAUNCHER = join(REPO, 'bin', 'openclaw.cjs');
const budget = budgetTable(`commands, quick quarter of ${RUNS} runs`);

/** Wall time of one command. An unexpected exit code fails the test: an error is quick to print. */
async function timed(args: readonly string[], env: Record<string, string>, code: number): Promise<number> {
  const startedAt = performance.now();
  const run = spawnSync(LAUNCHER, args, { env, encoding: 'utf8', timeout: 20_000 });
  const wallMs = performance.now() - startedAt;
  expect(run.status, `openclaw ${args.join(' ')}: ${run.stdout}${run.stderr}`).toBe(code);
  return wallMs;
}

type Local = { readonly args: readonly string[]; readonly code?: number };
/** What answers from files alone. */
const LOCAL: readonly Local[] = [
  { args: ['config', 'file'] },
  { args: ['config', 'get'] },
  { args: ['config', 'get', 'tools.profile'] },
  { args: ['config', 'set', 'tools.profile', 'minimal', '--dry-run'] },
  { args: ['config', 'validate'] },
  { args: ['config', 'schema'] },
  { args: ['config', 'history'] },
  { args: ['config', 'diff'] },
  { args: ['secrets', 'list'] },
  { args: ['secrets', 'audit'] },
  { args: ['token', 'generate'] },
  { args: ['gateway', 'install', '--print'] },
  { args: ['completion', 'bash'] },
  { args: ['policy', 'explain', '--tool', 'exec', '--command', 'git status'] },
  { args: ['policy', 'test', join(REPO, 'docs', 'policy-tests.json5')] },
];

/** A file as people have it: several sections, a reference, a variable, a version before it. */
const CONFIG = `{
  // what the assistant may do
  gateway: { port: 18790, bind: 'loopback' },
  tools: { profile: 'messaging', deny: ['browser'] },
  agents: { defaults: { timeoutSeconds: 120 } },
  security: { workspace: '~/assistant' },
  models: { providers: { local: { baseUrl: 'http://127.0.0.1:9/v1', apiKey: { source: 'file', id: 'local-key' }, models: [] } } },
  channels: { telegram: { enabled: false, botToken: '\${BUDGET_BOT_TOKEN}', allowFrom: [7] } },
}
`;

describe('commands', () => {
  let localHome: string;
  let localEnv: Record<string, string>;
  let home: string;
  let downEnv: Record<string, string>;
  let gateway: TestGateway;

  beforeAll(async () => {
    home = newHome();
    downEnv = cleanEnv(home, { OPENCLAW_GATEWAY_PORT: String(await freePort()) });
    gateway = await startTestGateway();
    localHome = newHome();
    localEnv = cleanEnv(localHome, { BUDGET_BOT_TOKEN: '7000000001:AAF-q1w2e3r4t5y6u7i8o9p0a1s2d3f4g5h' });
    const stateDir = join(localHome, '.openclaw');
    mkdirSync(join(stateDir, 'credentials'), { recursive: true, mode: 0o700 });
    writeFileSync(join(stateDir, 'openclaw.json'), CONFIG, { mode: 0o600 });
    writeFileSync(join(stateDir, 'credentials', 'local-key'), 'k-3f9c1b7a5d2e8f60', { mode: 0o600 });
    await timed(['config', 'set', 'tools.profile', 'coding'], localEnv, 0);
  });

  afterAll(async () => {
    await gateway?.dispose();
    rmSync(localHome, { recursive: true, force: true });
    rmSync(home, { recursive: true, force: true });
  });

  const upEnv = (): Record<string, string> => cleanEnv(gateway.home, gateway.env);

  test('--version answers in 80 ms', async () => {
    const wallMs = await quickWithin(80, RUNS, () => timed(['--version'], downEnv, 0));
    budget('--version', wallMs, 80, 'ms');
  });

  test.each([{ args: ['--help'] }, { args: ['gateway', '--help'] }, { args: ['sessions', '--help'] }])(
    '$args answers in 150 ms',
    async ({ args }) => {
      const wallMs = await quickWithin(150, RUNS, () => timed(args, downEnv, 0));
      budget(args.join(' '), wallMs, 150, 'ms');
    },
  );

  test.each(LOCAL)('$args answers in 150 ms, without a gateway and without what only one would need', async (local) => {
    const cpu: number[] = [];
    const wallMs = await quickWithin(150, RUNS, async () => {
      const before = endedChildrenCpuMs();
      const ms = await timed(local.args, localEnv, local.code ?? 0);
      cpu.push(endedChildrenCpuMs() - before);
      return ms;
    });
    budget(local.args.join(' '), wallMs, 150, 'ms');
    // What it costs, however long it had to wait for a processor; V8's own threads compile and collect beside it.
    budget(`${local.args.join(' ')}, processor`, percentile(cpu, 0.25), 200, 'ms');
  });

  test('status answers in 250 ms with the gateway down, and says so by its exit code', async () => {
    const wallMs = await quickWithin(250, RUNS, () => timed(['status'], downEnv, 69));
    budget('status, gateway down', wallMs, 250, 'ms');
  });

  test.each(['status', 'health'])('%s answers in 250 ms with the gateway up', async (command) => {
    const wallMs = await quickWithin(250, RUNS, () => timed([command], upEnv(), 0));
    budget(`${command}, gateway up`, wallMs, 250, 'ms');
  });

  test('S085 doctor looks at everything in a second, the sandbox included', async () => {
    const wallMs = await quickWithin(1_000, RUNS, () => timed(['doctor'], upEnv(), 0));
    budget('doctor, gateway up', wallMs, 1_000, 'ms');
  });

  test('sessions list answers in 250 ms with the gateway up', async () => {
    const wallMs = await quickWithin(250, RUNS, () => timed(['sessions', 'list'], upEnv(), 0));
    budget('sessions list, gateway up', wallMs, 250, 'ms');
  });
});
