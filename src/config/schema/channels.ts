// Owns the settings of the channels: who may talk on each, and with which account. The keys that all channels share are
// made by one function, so that they cannot drift apart.
import * as z from 'zod/mini';
import {
  choice,
  flag,
  group,
  ids,
  maybeChoice,
  maybeGroup,
  maybeMatch,
  maybeText,
  maybeTexts,
  NAME,
  named,
  secret,
  whatever,
  whole,
} from './leaf.ts';

/** An id of a group, a server or a room, or * for all. */
const ROOM_ID = /^(\*|[^\s\p{Cc}*]{1,200})$/u;
const HTTPS = /^https:\/\/[^\s\p{Cc}]+$/u;
const HTTP = /^https?:\/\/[^\s\p{Cc}]+$/u;

/** Who may talk, on a channel that knows direct messages only. */
const people = () => ({
  enabled: flag('Connect this channel', true),
  dmPolicy: choice(
    'Direct messages: strangers get a pairing code, are ignored (allowlist), all are ignored (disabled), or anybody (open)',
    'pairing',
    ['pairing', 'allowlist', 'disabled', 'open'],
  ),
  allowFrom: ids('Senders that may write direct messages, by the id that cannot be changed'),
  dangerouslyAllowAnyone: flag('You know that an open policy lets strangers talk to your assistant', false),
  accounts: whatever(
    'Further accounts by name; each takes the keys of the channel and inherits what it leaves out',
    z._default(z.record(z.string().check(z.regex(NAME)), z.record(z.string(), z.unknown())), {}),
  ),
});

const rooms = () => ({
  groupPolicy: choice('Groups: only listed ones, none, or any', 'allowlist', ['allowlist', 'disabled', 'open']),
  groupAllowFrom: ids('Senders (not groups) that may speak to the assistant inside a group'),
  groups: named(
    'Groups it takes part in, by id; * stands for all',
    {
      requireMention: flag('Answer only when mentioned', true),
      allowFrom: maybeTexts('Senders in this group; otherwise groupAllowFrom'),
    },
    ROOM_ID,
  ),
});

const telegram = () =>
  maybeGroup('Telegram, by a bot of your own', {
    ...people(),
    ...rooms(),
    botToken: secret('The bot token from BotFather; otherwise TELEGRAM_BOT_TOKEN'),
    tokenFile: maybeText('A file that holds the bot token'),
    apiRoot: maybeMatch('Another Bot API server than api.telegram.org', HTTP),
    webhookUrl: maybeMatch('Receive by webhook instead of polling; https only', HTTPS),
    webhookSecret: secret('What Telegram must send along with each webhook call'),
  });

const whatsapp = () =>
  maybeGroup('WhatsApp, as a linked device', {
    ...people(),
    ...rooms(),
  });

const discord = () =>
  maybeGroup('Discord, by a bot of your own', {
    ...people(),
    ...rooms(),
    token: secret('The bot token; otherwise DISCORD_BOT_TOKEN'),
    guilds: named(
      'Servers it takes part in, by id',
      {
        users: ids('Users that may speak to it there'),
        roles: ids('Roles whose members may speak to it there'),
        channels: ids('Channels it reads there; none means all that are listed in groups'),
      },
      ROOM_ID,
    ),
  });

const slack = () =>
  maybeGroup('Slack, by an app of your own', {
    ...people(),
    ...rooms(),
    botToken: secret('The xoxb- token; otherwise SLACK_BOT_TOKEN'),
    mode: choice('Hold a socket to Slack, or let Slack post events to an address that leads here', 'socket', [
      'socket',
      'http',
    ]),
    appToken: secret('The xapp- token for mode socket; otherwise SLACK_APP_TOKEN'),
    signingSecret: secret('What Slack signs its events with in mode http; otherwise SLACK_SIGNING_SECRET'),
    port: whole('Port on 127.0.0.1 that mode http listens on, for a proxy with TLS before it', 18_797, {
      min: 1024,
      max: 65_535,
    }),
  });

const mail = () =>
  maybeGroup('Mail: one mailbox is read, answers are sent from it', {
    ...people(),
    address: maybeText('The address that answers are sent from'),
    minEvidence: choice('How surely the sender must be known: signed by its domain, or only claimed', 'verified', [
      'verified',
      'asserted',
    ]),
    imap: group('Where mail is read', {
      host: maybeText('IMAP server; always with TLS'),
      port: whole('IMAP port', 993, { min: 1, max: 65_535 }),
      user: maybeText('Account name'),
      password: secret('Account password'),
    }),
    smtp: group('Where answers are handed over', {
      host: maybeText('SMTP server; always with TLS'),
      port: whole('SMTP port', 465, { min: 1, max: 65_535 }),
      user: maybeText('Account name; otherwise that of imap'),
      password: secret('Account password; otherwise that of imap'),
    }),
  });

const defaults = () =>
  group('What holds for every channel', {
    groupPolicy: maybeChoice('groupPolicy of channels that leave it out', ['allowlist', 'disabled', 'open']),
    historyLimit: whole('Earlier messages of a group that are shown along when it is mentioned', 50, {
      min: 0,
      max: 500,
    }),
    contextVisibility: choice(
      'Whose messages in a group reach the model: those of listed senders, with what they quote, or all',
      'allowlist',
      ['allowlist', 'allowlist_quote', 'all'],
    ),
    implicitMentions: group('What counts as a mention besides the name', {
      replyToBot: flag('A reply to the assistant', true),
      quotedBot: flag('A quote of the assistant', false),
      threadParticipation: flag('A thread the assistant has written in', false),
    }),
    botLoopProtection: flag('Fall silent when two bots answer each other', true),
    mediaMaxMb: whole('Largest attachment that is taken, in megabytes', 20, { min: 1, max: 200 }),
  });

const MAKERS = { telegram, whatsapp, discord, slack, mail } as const;
export type ChannelName = keyof typeof MAKERS;
export const CHANNEL_NAMES = Object.keys(MAKERS) as readonly ChannelName[];

type ChannelSchemas = { [K in ChannelName]: ReturnType<(typeof MAKERS)[K]> };
const built: Partial<ChannelSchemas> = {};

/** Built only when it is written: most people use one or two of them. */
export function channelSchema<K extends ChannelName>(name: K): ChannelSchemas[K] {
  const schema = built[name] ?? MAKERS[name]();
  Object.assign(built, { [name]: schema });
  return schema as ChannelSchemas[K];
}

let builtDefaults: ReturnType<typeof defaults> | undefined;
export function channelDefaults() {
  builtDefaults ??= defaults();
  return builtDefaults;
}

/** `present` names the channels whose keys are needed; the others take nothing. */
export function channels(present: readonly string[] = CHANNEL_NAMES) {
  const shapes = Object.fromEntries(
    CHANNEL_NAMES.map((name) => [name, present.includes(name) ? channelSchema(name) : z.optional(z.never())]),
  ) as ChannelSchemas;
  return group('The channels: who may talk, and where', { defaults: channelDefaults(), ...shapes });
}
