// Owns the figures of the sandboxes: first use and a warm command in each, against a bare spawn of the same shell, taken in
// turns so that a busy moment hits all alike. It starts the engines that it measures and ends them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { bubblewrapDriver } from '../src/sandbox/bubblewrap.ts';
import { dockerDriver, podmanDriver } from '../src/sandbox/docker.ts';
import type { Sandbox, SandboxDriver } from '../src/sandbox/driver.ts';
import { DEFAULT_LIMITS } from '../src/sandbox/driver.ts';
import { unshareDriver } from '../src/sandbox/unshare.ts';
import { openPodman, startDockerd, withImage } from '../test/support/engines.ts';
import { makePlace } from '../test/support/sandbox.ts';

const OPENINGS = 5;
const COMMANDS = 60;
const ARGV = ['/bin/sh', '-c', 'echo hi'] as const;
const BUDGET: Readonly<Record<string, readonly [firstMs: number, overMs: number]>> = {
  ...{ bubblewrap: [150, 15], unshare: [150, 15], docker: [1000, 40], podman: [1000, 40] },
};

const place = makePlace();
const docker = await startDockerd().then(withImage);
const podman = await openPodman().then(withImage);
const drivers: readonly SandboxDriver[] = [
  bubblewrapDriver(),
  unshareDriver(),
  dockerDriver(docker),
  podmanDriver(podman),
];
const spec = {
  workspace: place.workspace,
  workspaceAccess: 'rw',
  network: 'none',
  fixedFiles: ['AGENTS.md'],
  hidden: [place.state],
} as const;

const took = async (what: () => Promise<unknown>): Promise<number> => {
  const startMs = performance.now();
  await what();
  return performance.now() - startMs;
};
const bare = async (): Promise<void> => {
  const child = spawn(ARGV[0], ARGV.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
  await once(child, 'close');
};
const run = (sandbox: Sandbox) =>
  sandbox.exec({ argv: ARGV, cwd: '.', limits: DEFAULT_LIMITS, signal: new AbortController().signal });
const p = (times: number[], share: number): number =>
  times.sort((a, b) => a - b)[Math.floor(times.length * share)] ?? 0;

try {
  const first = new Map<string, number[]>(drivers.map(({ name }) => [name, []]));
  for (let i = 0; i < OPENINGS; i += 1) {
    for (const driver of drivers) {
      const opened: Sandbox[] = [];
      const use = async (): Promise<void> => {
        const sandbox = await driver.open(spec);
        opened.push(sandbox);
        await run(sandbox);
      };
      first.get(driver.name)?.push(await took(use));
      for (const sandbox of opened) await sandbox.close();
    }
  }
  const open = await Promise.all(drivers.map((driver) => driver.open(spec)));
  const warm = new Map<string, number[]>(['bare', ...drivers.map(({ name }) => name)].map((name) => [name, []]));
  for (let i = 0; i < COMMANDS; i += 1) {
    warm.get('bare')?.push(await took(bare));
    for (const sandbox of open) warm.get(sandbox.driver)?.push(await took(() => run(sandbox)));
  }
  for (const sandbox of open) await sandbox.close();
  const floor = p(warm.get('bare') ?? [], 0.5);
  console.log(`bare spawn of sh: p50 ${floor.toFixed(1)} ms`);
  for (const { name } of drivers) {
    const [firstMs, warmMs] = [p(first.get(name) ?? [], 0.5), warm.get(name) ?? []];
    const over = p(warmMs, 0.5) - floor;
    const [most = 0, mostOver = 0] = BUDGET[name] ?? [];
    const verdict = firstMs <= most && over <= mostOver ? 'holds' : 'MISSED';
    console.log(
      `${name}: first use ${firstMs.toFixed(0)} ms (budget ${most}), warm p50 ${p(warmMs, 0.5).toFixed(1)} ms, p95 ${p(warmMs, 0.95).toFixed(1)} ms, over a bare spawn ${over.toFixed(1)} ms (budget ${mostOver}): ${verdict}`,
    );
  }
} finally {
  await docker.stop();
  await podman.stop();
  place.remove();
}
