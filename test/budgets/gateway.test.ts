// Owns the budgets of the running gateway: how soon it answers, what it costs to leave running, and how much prompt it
// sends for a first "hello". The second `npm start` is timed here too.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { afterEach, describe, test } from 'vitest';
import { cleanEnv, freePort, newHome, REPO, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { bestOf, budgetTable, figuresOf, quickWithin } from '../support/measure.ts';

const budget = budgetTable('the gateway');
const IDLE_AFTER_MS = 5_000;
const running: TestGateway[] = [];

afterEach(async () => {
  for (const gateway of running.splice(0)) await gateway.dispose();
});

async function startedIn(home?: string): Promise<TestGateway> {
  const gateway = await startTestGateway(home === undefined ? {} : { home });
  running.push(gateway);
  return gateway;
}

describe('the gateway', () => {
  test('is ready, from exec to hello, in 0.7 s, the first time and every time', async () => {
    const home = newHome();
    const first = await startedIn(home);
    await first.stop();
    const again = await quickWithin(700, 5, async () => {
      const gateway = await startedIn(home);
      await gateway.stop();
      return gateway.readyMs;
    });
    budget('exec to hello', again, 700, 'ms');
    const fresh = await quickWithin(700, 3, async () => (await startedIn()).readyMs);
    budget('exec to hello in a fresh HOME', fresh, 700, 'ms');
  });

  test('stays under 80 MB resident when idle', async () => {
    const rssMb = await bestOf(
      3,
      (value: number) => value <= 80,
      async () => {
        const gateway = await startedIn();
        await new Promise((resolve) => setTimeout(resolve, IDLE_AFTER_MS));
        return figuresOf(gateway.pid).rssMb;
      },
    );
    budget('resident, 5 s after ready', rssMb, 80, 'MB');
  });
});

describe('npm start', () => {
  test('the second time is ready in 2 s', async () => {
    const home = newHome();
    try {
      const wallMs = await quickWithin(2_000, 3, () => timeNpmStart(home));
      budget('second npm start, to the ready line', wallMs, 2_000, 'ms');
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });
});

/** From the command to the port that answers. */
async function timeNpmStart(home: string): Promise<number> {
  const port = await freePort();
  const startedAt = performance.now();
  const env = cleanEnv(home, { OPENCLAW_GATEWAY_PORT: String(port), HARDSHELL_NO_LINK: '1' });
  const child = spawn('npm', ['start', '--silent'], { cwd: REPO, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (data) => {
    output += String(data);
  });
  child.stderr.on('data', (data) => {
    output += String(data);
  });
  const ended = once(child, 'close');
  try {
    const deadline = startedAt + 20_000;
    for (;;) {
      if (await answers(port)) return performance.now() - startedAt;
      if (child.exitCode !== null || performance.now() > deadline)
        throw new Error(`npm start is not ready:\n${output}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}

async function answers(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
  } catch {
    return false;
  }
}
