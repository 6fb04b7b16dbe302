// Owns the program that tests of several channels run: `gateway run` as it is, with the platforms at the addresses of
// their doubles. It is bundled like the program itself (platform-gateway.ts) before it is started.
import { PLATFORMS } from '../../src/channels/platforms.ts';
import { run } from '../../src/cli/commands/gateway-run.ts';
import { createOutput } from '../../src/cli/output.ts';
import type { PlatformAddresses } from './platform-gateway.ts';

const { discord, slack, whatsapp } = JSON.parse(process.env['HARDSHELL_TEST_PLATFORMS'] ?? '{}') as PlatformAddresses;
const platforms: typeof PLATFORMS = {
  ...PLATFORMS,
  ...(discord &&
    PLATFORMS.discord && {
      discord: {
        ...PLATFORMS.discord,
        open: async (setup) => (await import('../../src/channels/discord/discord.ts')).openDiscord(setup, discord),
      },
    }),
  ...(slack &&
    PLATFORMS.slack && {
      slack: {
        ...PLATFORMS.slack,
        open: async (setup) => (await import('../../src/channels/slack/slack.ts')).openSlack(setup, slack),
      },
    }),
  ...(whatsapp &&
    PLATFORMS.whatsapp && {
      whatsapp: {
        ...PLATFORMS.whatsapp,
        open: async (setup) =>
          (await import('../../src/channels/whatsapp/whatsapp.ts')).openWhatsapp(setup, [...whatsapp]),
      },
    }),
};
const out = createOutput(process, process.env, false);
process.exitCode = await run({ out, env: process.env }, {}, { platforms });
