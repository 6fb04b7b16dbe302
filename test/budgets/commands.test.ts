// Owns the budgets of the command line: how long a person waits for a word, with the gateway up and with it down. A
// whole process is timed, from the launcher that is typed to its exit.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanEnv, freePort, newHome, REPO, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { budgetTable, quickWithin } from '../support/measure.ts';

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

describe('commands', () => {
  let home: string;
  let downEnv: Record<string, string>;
  let gateway: TestGateway;

  beforeAll(async () => {
    home = newHome();
    downEnv = cleanEnv(home, { OPENCLAW_GATEWAY_PORT: String(await freePort()) });
    gateway = await startTestGateway();
  });

  afterAll(async () => {
    await gateway?.dispose();
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
