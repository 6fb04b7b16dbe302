// Owns the list of platforms: the secrets each needs and where they may come from, which settings concern its connection,
// and how its folder is loaded, which happens only when it is configured. A new platform is one entry here.
import type { ChannelName } from '../config/schema/channels.ts';
import type { ChannelSetup, ConnectedChannel } from './channel.ts';

export type SecretSpec = {
  /** in the settings, dotted where it lies deeper */
  readonly key: string;
  /** variable that stands in, for the account `default` */
  readonly env?: string;
  /** setting that names a file which holds it; that goes before the others */
  readonly fileKey?: string;
  /** the channel cannot run without it */
  readonly needed?: true;
  /** only asked for in this `mode` of the channel */
  readonly mode?: string;
  /** what it looks like, so that the token of another platform is refused with one line */
  readonly shape?: RegExp;
  readonly example?: string;
  /** its name for people */
  readonly label: string;
};

export type Platform = {
  readonly label: string;
  readonly secrets: readonly SecretSpec[];
  open(setup: ChannelSetup): Promise<ConnectedChannel>;
};

export type Platforms = Readonly<Partial<Record<ChannelName, Platform>>>;

/** Who may talk is asked of the settings at every message; a change of these never touches the connection. */
export const POLICY_KEYS: readonly string[] = [
  ...['dmPolicy', 'allowFrom', 'dangerouslyAllowAnyone', 'groupPolicy', 'groupAllowFrom', 'groups', 'guilds'],
  ...['accounts', 'enabled'],
];

export const PLATFORMS: Platforms = {
  telegram: {
    label: 'Telegram',
    secrets: [
      {
        key: 'botToken',
        env: 'TELEGRAM_BOT_TOKEN',
        fileKey: 'tokenFile',
        needed: true,
        shape: /^\d{5,16}:[A-Za-z0-9_-]{30,64}$/,
        example: '123456789:AA…, from BotFather',
        label: 'bot token',
      },
      { key: 'webhookSecret', label: 'webhook secret' },
    ],
    open: async (setup) => (await import('./telegram/telegram.ts')).openTelegram(setup),
  },
  discord: {
    label: 'Discord',
    secrets: [
      {
        ...{ key: 'token', env: 'DISCORD_BOT_TOKEN', needed: true, label: 'bot token' },
        shape: /^(Bot\s+)?[\w-]{18,40}\.[\w-]{4,12}\.[\w-]{20,80}$/,
        example: 'MTIz….Gx….…, from the developer portal',
      },
    ],
    open: async (setup) => (await import('./discord/discord.ts')).openDiscord(setup),
  },
  slack: {
    label: 'Slack',
    secrets: [
      {
        ...{ key: 'botToken', env: 'SLACK_BOT_TOKEN', needed: true, label: 'bot token' },
        ...{ shape: /^xoxb-[\w-]{10,}$/, example: 'xoxb-…' },
      },
      {
        ...{
          key: 'appToken',
          env: 'SLACK_APP_TOKEN',
          needed: true,
          mode: 'socket',
          label: 'app token for socket mode',
        },
        ...{ shape: /^xapp-[\w-]{10,}$/, example: 'xapp-…' },
      },
      {
        ...{ key: 'signingSecret', env: 'SLACK_SIGNING_SECRET', needed: true, mode: 'http', label: 'signing secret' },
        ...{ shape: /^[0-9a-f]{32}$/i, example: '32 hexadecimal digits' },
      },
    ],
    open: async (setup) => (await import('./slack/slack.ts')).openSlack(setup),
  },
  mail: {
    label: 'Mail',
    secrets: [
      { key: 'imap.password', needed: true, label: 'password of the mailbox' },
      { key: 'smtp.password', label: 'password for sending' },
    ],
    open: async (setup) => (await import('./mail/open.ts')).openMailFrom(setup),
  },
  whatsapp: {
    label: 'WhatsApp',
    secrets: [],
    open: async (setup) => (await import('./whatsapp/whatsapp.ts')).openWhatsapp(setup),
  },
};
