// A command in a box that is told by the kernel (inotify) when the gateway has looked at an approved script for the last time,
// and swaps it before the host's shell opens it. So nothing runs in a box, nor begins there, when one starts on the host.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { OWNER } from '../../src/access/admit.ts';
import { openBoxes } from '../../src/boxes/boxes.ts';
import { loadConfig } from '../../src/config/load.ts';
import { zonesOf } from '../../src/config/zones.ts';
import { openRoot } from '../../src/platform/root.ts';
import { workspaceOwner } from '../../src/sandbox/workspace.ts';
import { bashIn, makePlace, type Place, until } from '../support/sandbox.ts';

let place: Place;
let close = async (): Promise<void> => {};
afterEach(async () => {
  await close();
  place.remove();
});

const speaker = { principal: OWNER, place: 'dm', channel: 'webchat', account: 'default', chat: 'main', sender: 'owner' } as const; // biome-ignore format: one speaker
const call = { sessionKey: 'agent:main:main', agentId: 'main', speaker };
const run = (where: 'sandbox' | 'host') => [{ kind: 'run', command: 'bash x.sh', cwd: '.', where }] as const;

test('E25 what runs in a box on the workspace ends before a command starts on the host, and none begins for a while', async () => {
  place = makePlace();
  const configPath = join(place.state, 'none.json');
  const { config } = loadConfig({ configPath }, {});
  const zones = zonesOf(
    { security: config.security, workspaceOnly: true },
    { workspace: place.workspace, stateDir: place.state, configPath },
  );
  const workspace = await openRoot(place.workspace, workspaceOwner());
  const boxes = openBoxes({
    paths: { stateDir: place.state, configPath } as Parameters<typeof openBoxes>[0]['paths'],
    ...{ workspace, config: () => config, zones: () => zones, env: {} },
  });
  close = boxes.close;
  const { sandbox, sandboxReason } = await boxes.openFor(call, run('sandbox'));
  if (!sandbox) throw new Error(sandboxReason);
  writeFileSync(join(place.workspace, 'x.sh'), 'echo kind', { mode: 0o666 });
  const swapping = bashIn(sandbox, 'echo begun >begun; sleep 20', { limits: { timeoutMs: 25_000 } });
  await until(() => existsSync(join(place.workspace, 'begun')), 20_000);
  await boxes.openFor(call, run('host'));
  const startedMs = performance.now();
  expect(await swapping).toMatchObject({ stopped: 'aborted' });
  const again = await boxes.openFor(call, run('sandbox'));
  expect(performance.now() - startedMs).toBeGreaterThan(1_500);
  expect((await bashIn(again.sandbox ?? sandbox, 'cat begun')).stdout).toBe('begun\n');
});
