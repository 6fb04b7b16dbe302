import { defineConfig } from 'vitest/config';

// unit: fast, in-process, part of `npm run check`.   system: starts real processes, containers and browsers.
// long: soak, many kills, big fuzz runs (`npm run test:long`).
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['src/**/*.test.ts', 'test/architecture.test.ts', 'test/contracts/**/*.test.ts'], testTimeout: 20_000 } },
      { test: { name: 'system', include: ['test/{flows,guides,attacks,budgets,docs}/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000, fileParallelism: false } },
      { test: { name: 'long', include: ['test/long/**/*.test.ts'], testTimeout: 900_000, hookTimeout: 120_000, fileParallelism: false } },
    ],
  },
});
