// Owns the list of platforms: the secrets each needs and where they may come from, which settings concern its connection,
// and how its folder is loaded, which happens only when it is configured. A new platform is one entry here.
import type { ChannelName } from '../config/schema/channels.ts';
import type { Log } from '../log/log.ts';
import type { ConnectedChannel } from './channel.ts';

/** What a platform is made from. Everything in it was checked; nothing is connected yet. */
export type ChannelSetup = {
  readonly account: string;
  /** its keys of the configuration, with those of the channel that an account leaves out */
  readonly settings: Readonly<Record<string, unknown>>;
  /** those of `secrets` below, by key; all that are needed are there */
  readonly secrets: Readonly<Record<string, string>>;
  /** a folder of its own for what it must remember, below credentials/ since it may be secret; made when it is used */
  readonly stateFolder: string;
  /** the bytes of a file in the workspace, by a handle that leads nowhere else */
  readFile(path: string, maxBytes: number): Promise<Uint8Array>;
  readonly log: Log;
  readonly now: () => number;
};

export type SecretSpec = {
  /** in the settings, dotted where it lies deeper */
  readonly key: string;
  /** variable that stands in, for the account `default` */
  readonly env?: string;
  /** setting that names a file which holds it; that goes before the others */
  readonly fileKey?: string;
  /** the channel cannot run without it */
  readonly needed?: true;
  /** what it looks like, so that the token of another platform is refused with one line */
  readonly shape?: RegExp;
  readonly example?: string;
  /** its name for people */
  readonly label: string;
};

export type Platform = {
  readonly label: string;
  readonly secrets: readonly SecretSpec[];
  /** why it cannot run with these settings, or null */
  missing?(settings: Readonly<Record<string, unknown>>): { readonly what: string; readonly fix: string } | null;
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
};
