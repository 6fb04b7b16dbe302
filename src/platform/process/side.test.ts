// What a process beside the gateway can make the gateway do by what it says: no more than it may say at that time.
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { startSideProcess } from './side.ts';

const start = (script: string, maxLineChars: () => number) => {
  const lines: number[] = [];
  const { ended } = startSideProcess([process.execPath, '-e', script], {
    ...{ cwd: tmpdir(), env: {}, maxLineChars },
    onLine: (line) => void lines.push(line.length),
  });
  return { ended, lines };
};

test('a line of 40 MB is put together without looking at its beginning again and again', async () => {
  const script = `const b = 'a'.repeat(1 << 20); let n = 40;
    const go = () => { while (n-- > 0) if (!process.stdout.write(b)) return process.stdout.once('drain', go); process.stdout.write('\\nend\\n'); }; go();`;
  const before = process.cpuUsage();
  const { ended, lines } = start(script, () => 50_000_000);
  expect((await ended).how).toBe('it ended with code 0');
  expect(lines).toEqual([40 * 1024 * 1024, 3]);
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1e6).toBeLessThan(3);
}, 30_000);

test('a line without an end is over as soon as it is longer than what may be said now', async () => {
  const { ended, lines } = start(
    `process.stdout.write('ok\\n'); setInterval(() => process.stdout.write('a'.repeat(60_000)), 1)`,
    () => 100_000,
  );
  expect((await ended).how).toBe('it said a line that is too long');
  expect(lines).toEqual([2]);
});
