// Owns one soak: five platforms talk to one gateway, faults fall, the gateway is killed and started again, and in the end
// everything is counted. It ends what it started; its seed plays the same choices again, though never the same moments.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { startDiscordServer } from '../../doubles/discord-server.ts';
import { startMailHouse, startPostOffice } from '../../doubles/mail-servers.ts';
import { startModelServer } from '../../doubles/model-server.ts';
import { startSlackServer } from '../../doubles/slack-server.ts';
import { startTelegramServer } from '../../doubles/telegram-server.ts';
import { startLiveWhatsapp } from '../../doubles/whatsapp/live-server.ts';
import { freePort, newHome, type TestGateway } from '../gateway.ts';
import { figuresOf } from '../measure.ts';
import { configFor } from '../model-config.ts';
import { bundlePlatformGateway } from '../platform-gateway.ts';
import { type ChannelCount, checkChannel, readTables } from './check.ts';
import { createDice } from './dice.ts';
import { discordSite, mailSite, type Said, type Site, slackSite, telegramSite, whatsappSite } from './sites.ts';

export type SoakPlan = {
  /** messages by channel; the last is said when the last life begins to settle */
  readonly messages: Readonly<Record<'telegram' | 'discord' | 'slack' | 'whatsapp' | 'mail', number>>;
  /** said in one life, without a kill, before the killing begins; memory is compared inside it */
  readonly quiet: number;
  /** how often every line breaks in it */
  readonly breaks: number;
  readonly settledAfter: number;
  readonly kills: number;
  readonly seed: number;
};
export type Footprint = { readonly rssMb: number; readonly descriptors: number };
type Row = { id: string; state: string; balance: Record<string, number>; replies: Record<string, number> };

/** How many may be on their way before the people wait for answers. */
const MAX_OPEN = 120;
const OFTEN = { reply: 0.03, again: 0.03 } as const;

export async function runSoak(plan: SoakPlan) {
  const dice = createDice(plan.seed);
  const port = await freePort();
  const home = newHome();
  const [telegram, discord, slack, whatsapp, house, model, program] = await Promise.all([
    startTelegramServer(),
    startDiscordServer(),
    startSlackServer({ maxTries: 1_000 }),
    startLiveWhatsapp(),
    startMailHouse(),
    startModelServer({ keep: 50, idleMs: 5_000 }),
    bundlePlatformGateway(),
  ]);
  const post = await startPostOffice(house, house.key);
  const sites: readonly Site[] = [
    telegramSite(telegram, dice),
    discordSite(discord, dice),
    slackSite(slack, dice),
    whatsappSite(whatsapp, dice),
    mailSite(house, post, dice),
  ];
  const said = new Map<string, Said[]>(sites.map(({ id }) => [id, []]));
  const mayBeUnknown = new Map<string, number>();
  const total = Object.values(plan.messages).reduce((sum, n) => sum + n, 0);
  const count = (): number => [...said.values()].reduce((sum, all) => sum + all.length, 0);
  let wanted = 0;
  /** What has no answer and never will (its fate is unknown) must not make the people wait for ever. */
  let forgiven = 0;
  const open = (): number => wanted - forgiven - sites.reduce((sum, site) => sum + site.shown().length, 0);
  // The last tag: what a crash left unanswered stands before it.
  model.script(({ user }) => ({ text: `re ${tagsIn(user).at(-1)}`, headersMs: Math.floor(Math.random() * 30) }));

  const link = join(home, '.openclaw', 'credentials', 'whatsapp', 'default', 'link');
  mkdirSync(link, { recursive: true, mode: 0o700 });
  writeFileSync(join(link, 'creds.json'), '{"me":{}}');
  writeFileSync(join(home, 'ca.pem'), house.ca);
  const config = {
    ...configFor(model),
    messages: { queue: { mode: 'followup' } },
    channels: Object.fromEntries(sites.map(({ id, settings }) => [id, settings])),
  };
  const start = (): Promise<TestGateway> =>
    program.start(
      { discord: discord.endpoints, slack: slack.endpoints(), whatsapp: whatsapp.command },
      { home, port, config, env: { NODE_EXTRA_CA_CERTS: join(home, 'ca.pem') } },
    );

  const heard = (id: string, news: readonly Said[]): void => {
    said.get(id)?.push(...news);
    wanted += news.filter(({ isAnswered }) => isAnswered).length;
  };
  /** One message, of a platform that has some left, and now and then a misfortune. */
  const step = async (): Promise<void> => {
    const left = sites.map(
      (site) => plan.messages[site.id as keyof SoakPlan['messages']] - (said.get(site.id)?.length ?? 0),
    );
    const tickets = left.map((n) => Math.max(0, n));
    const drawn = dice.roll() * tickets.reduce((sum, n) => sum + n, 0);
    const site = sites.find((_, at) => drawn < tickets.slice(0, at + 1).reduce((sum, n) => sum + n, 0)) ?? sites[0];
    if (!site) return;
    heard(site.id, await site.say());
    if (dice.happens(OFTEN.reply) && site.spoilReply()) mayBeUnknown.set(site.id, (mayBeUnknown.get(site.id) ?? 0) + 1);
    if (dice.happens(OFTEN.again)) await site.again();
  };
  const breathe = async (isOver: () => boolean): Promise<void> => {
    for (let waits = 0; open() > MAX_OPEN && !isOver(); waits += 1) {
      await sleep(20);
      if (waits === 200) forgiven += open();
    }
  };
  /** Says until so many are said in all, as fast as they are answered. */
  const talk = async (until: number, isOver: () => boolean = () => false): Promise<void> => {
    for (let n = 1; count() < until && !isOver(); n += 1) {
      await step();
      if (n % 10 === 0) await breathe(isOver);
      await sleep(dice.between(0, 6));
    }
  };
  const balances = async (gateway: TestGateway): Promise<Row[]> => {
    const status = (await gateway.rpc('status', {}, 30_000)) as { channels?: Row[] };
    return status.channels ?? [];
  };
  /** What was written before the first connection of all is nobody's business. */
  const connected = (gateway: TestGateway): Promise<void> =>
    expect
      .poll(async () => (await balances(gateway)).filter(({ state }) => state === 'connected').length, {
        timeout: 60_000,
      })
      .toBe(sites.length);
  const rowsOf = (rows: readonly Row[], id: string): Row | undefined => rows.find((row) => row.id === id);
  const settled = async (gateway: TestGateway, limitMs: number): Promise<Row[]> => {
    const deadline = performance.now() + limitMs;
    for (;;) {
      const rows = await balances(gateway);
      const isDone = sites.every(({ id }) => {
        const row = rowsOf(rows, id);
        return (
          row?.balance['received'] === said.get(id)?.length &&
          row?.balance['queued'] === 0 &&
          row.replies['queued'] === 0
        );
      });
      if (isDone) return rows;
      if (performance.now() > deadline) return rows;
      await sleep(250);
    }
  };
  /** The least of a few looks, until idle connections have closed: garbage comes and goes. */
  const footprint = async (gateway: TestGateway): Promise<Footprint> => {
    await settled(gateway, 30_000);
    const seen: Footprint[] = [];
    for (let look = 0; look < 16; look += 1) {
      await sleep(500);
      const descriptors = readdirSync(`/proc/${gateway.pid}/fd`).length;
      seen.push({ rssMb: figuresOf(gateway.pid).rssMb, descriptors });
    }
    return {
      rssMb: Math.min(...seen.map(({ rssMb }) => rssMb)),
      descriptors: Math.min(...seen.map(({ descriptors }) => descriptors)),
    };
  };

  let gateway: TestGateway | undefined;
  try {
    gateway = await start();
    await connected(gateway);
    for (const site of sites) heard(site.id, site.begin?.() ?? []);
    await settled(gateway, 20_000);
    await talk(Math.min(plan.settledAfter, plan.quiet));
    const isMeasured = plan.quiet > plan.settledAfter;
    const early = isMeasured ? await footprint(gateway) : null;
    for (let n = 0; n < plan.breaks; n += 1) {
      for (const site of sites) site.spoilLine();
      await talk(count() + Math.floor((plan.quiet - count()) / (plan.breaks - n + 1)));
    }
    await talk(plan.quiet);
    const late = isMeasured ? await footprint(gateway) : null;
    if (isMeasured) console.log(`after ${plan.settledAfter}`, early, `after ${plan.quiet}`, late);

    for (let kill = 0; kill < plan.kills; kill += 1) {
      const share = plan.quiet + ((total - plan.quiet) * (kill + 1)) / plan.kills;
      const dieAtMs = performance.now() + dice.between(200, 4_000);
      if (dice.happens(0.5))
        setTimeout(() => picked(sites, dice.below(sites.length))?.spoilLine(), dice.between(0, 2_000)).unref();
      await Promise.all([
        talk(share, () => performance.now() > dieAtMs + 500),
        sleep(dieAtMs - performance.now()).then(() => gateway?.kill9()),
      ]);
      // Some is said while nobody is there.
      for (let n = 0; n < 10 && count() < total; n += 1) await step();
      gateway = await start();
    }
    await talk(total);
    console.log(`${total} said, ${plan.kills} kills`);
    const rows = await settled(gateway, 300_000);
    const health = await gateway.rpc('channels.status', {});
    await gateway.stop();

    const tables = readTables(home);
    const counts = new Map<string, ChannelCount>();
    for (const site of sites) {
      const all = said.get(site.id) ?? [];
      const found = checkChannel(site, all, tables);
      const { received, answered, declined, queued, failed } = rowsOf(rows, site.id)?.balance ?? {};
      counts.set(site.id, found);
      const expected = {
        received: all.length,
        answered: found.answered,
        declined: found.declined,
        queued: 0,
        failed: found.failed,
      };
      expect({ received, answered, declined, queued, failed }, `balance of ${site.id}`).toEqual(expected);
    }
    return { counts, early, late, mayBeUnknown, health };
  } finally {
    await gateway?.dispose();
    program.remove();
    await Promise.all([telegram.close(), discord.close(), slack.close(), whatsapp.close(), model.close(), post.end()]);
    await house.end();
  }
}

const tagsIn = (text: string): string[] => [...text.matchAll(/\[\[id:([0-9a-f-]+)\]\]/g)].map(([, tag = '']) => tag);
const picked = <T>(all: readonly T[], n: number): T | undefined => all[n];
