// Owns gateways whose platforms are doubles: the entry of platforms-entry.ts, bundled as the program is, once a test file.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleProgram } from '../../scripts/bundle.ts';
import type { DiscordEndpoints } from '../../src/channels/discord/endpoints.ts';
import type { SlackEndpoints } from '../../src/channels/slack/endpoints.ts';
import { type GatewayOptions, startTestGateway, type TestGateway } from './gateway.ts';

export type PlatformAddresses = {
  readonly discord?: DiscordEndpoints;
  readonly slack?: SlackEndpoints;
  /** the command of its side process */
  readonly whatsapp?: readonly [string, ...string[]];
};

export async function bundlePlatformGateway() {
  const folder = mkdtempSync(join(tmpdir(), 'hardshell-bundle-'));
  await bundleProgram(join(import.meta.dirname, 'platforms-entry.ts'), folder);
  return {
    start: (platforms: PlatformAddresses, options: GatewayOptions): Promise<TestGateway> =>
      startTestGateway({
        ...options,
        program: join(folder, 'openclaw.mjs'),
        env: { ...options.env, HARDSHELL_TEST_PLATFORMS: JSON.stringify(platforms) },
      }),
    remove: (): void => rmSync(folder, { recursive: true, force: true }),
  };
}
