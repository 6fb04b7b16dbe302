// The contract of a sandbox on real engines that this test starts itself: docker and podman, as root. What cannot run here
// fails and says why; nothing is left out without a word.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dockerDriver, podmanDriver } from '../../src/sandbox/docker.ts';
import { sandboxContract } from '../contracts/sandbox.ts';
import { openPodman, startDockerd, type TestEngine, withImage } from '../support/engines.ts';
import { isRoot, until } from '../support/sandbox.ts';

const ENGINES = [
  { name: 'docker', start: startDockerd, driver: dockerDriver, makes: 'dockerDriver' },
  { name: 'podman', start: openPodman, driver: podmanDriver, makes: 'podmanDriver' },
] as const;

const ran: string[] = [];
afterAll(() => console.log(`containers: the contract ran on ${ran.join(', ') || 'nothing'}`));

test('there is root, without whom no engine can be started here', () => {
  expect(isRoot).toBe(true);
});

for (const { name, start, driver, makes } of ENGINES) {
  const engine: TestEngine = await start().then(withImage);
  describe(name, () => {
    beforeAll(() => void ran.push(name));
    afterAll(async () => {
      // Everything that the suite opened and closed is gone; what a killed gateway left ends by itself.
      try {
        await until(() => engine.ask('ps', '--all', '--quiet') === '', 15_000);
      } finally {
        await engine.stop();
      }
    });
    const { client } = engine;
    sandboxContract({
      ...{ name, make: () => driver({ client }), uid: 65_534, processes: 2, isContainer: true },
      source: `(await load('docker.ts')).${makes}({ client: ${JSON.stringify(client)} })`,
    });
  });
}
