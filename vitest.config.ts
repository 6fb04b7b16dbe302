// Owns which tests exist and in which order: unit tests first, then those that start real processes, one file at a
// time, because a budget measured while unit tests fill both cores says nothing.
import { defineConfig } from 'vitest/config';

// What is waited for ends the waiting when it comes; the limit is only for what never does, also on a busy machine.
const expect = { poll: { timeout: 20_000 } };

// unit: fast, in-process, part of `npm run check`.   system: starts real processes, containers and browsers.
// Groups start at 1, since vitest puts a one-worker project of group 0 last.
// long: soak, many kills, big fuzz runs (`npm run test:long`).
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'src/**/*.test.ts',
            'bin/**/*.test.ts',
            'ui/**/*.test.ts',
            'test/architecture.test.ts',
            'test/contracts/**/*.test.ts',
          ],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          expect,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'system',
          include: ['test/{flows,guides,attacks,budgets,docs}/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
          expect,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'long',
          include: ['test/long/**/*.test.ts'],
          testTimeout: 420_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          expect,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
