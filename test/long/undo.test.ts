// What a large workspace costs: ten thousand files, each of which the first checkpoint has to make durable.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { expect, onTestFinished, test } from 'vitest';
import { openCheckpoints } from '../../src/ops/checkpoints/checkpoints.ts';
import { bestOf } from '../support/measure.ts';

test('10,000 files hold nobody up: a checkpoint after the first only looks, in slices', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hardshell-undo-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }), 60_000);
  const [top, state] = [join(folder, 'workspace'), join(folder, 'checkpoints')];
  const at = (path: string): string => join(top, path);
  mkdirSync(top);
  const points = openCheckpoints({ folder: state, top, now: Date.now });
  const turn = async (id: string, change: () => void): Promise<void> => {
    await points.before(id, 'main');
    change();
    await points.ended(id);
  };
  for (let d = 0; d < 100; d++) {
    mkdirSync(at(`d${d}`));
    for (let i = 0; i < 100; i++) writeFileSync(at(`d${d}/f${i}`), `${d} ${i}`);
  }
  await turn('first', () => writeFileSync(at('a'), 'a'));
  let turns = 1;
  const measure = async () => {
    turns += 1;
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const cpu = process.cpuUsage();
    const began = performance.now();
    await turn(`turn ${turns}`, () => writeFileSync(at('a'), `b${turns}`));
    const wallMs = performance.now() - began;
    delay.disable();
    return { wallMs, usedMs: process.cpuUsage(cpu).user / 1000, longestMs: delay.max / 1e6 };
  };
  const isQuick = ({ wallMs, usedMs, longestMs }: Awaited<ReturnType<typeof measure>>): boolean =>
    wallMs < 3_000 && usedMs < 1_500 && longestMs < 200;
  const { wallMs, usedMs, longestMs } = await bestOf(3, isQuick, measure);
  // Measured: 0.3 s for both looks, 0.26 s of CPU, 37 ms for the longest block; a machine under load gets some air.
  expect(wallMs).toBeLessThan(3_000);
  expect(usedMs).toBeLessThan(1_500);
  expect(longestMs).toBeLessThan(200);
  const written = readdirSync(join(state, 'objects'), { recursive: true }).length;
  expect(written).toBeLessThan(10_000 + 256 + 10);
});
