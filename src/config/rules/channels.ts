// Owns the rules of the channels: open only with "*" and an acknowledgement, no example where a token belongs, nothing
// configured that can never answer.
import type { Finding } from '../findings.ts';
import { CHANNEL_NAMES, type ChannelName } from '../schema/channels.ts';
import { type Rule, risky, wrong } from './rule.ts';

/** What the rules look at; every channel and every account has these. */
type Channel = {
  readonly enabled: boolean;
  readonly dmPolicy: string;
  readonly allowFrom: readonly string[];
  readonly dangerouslyAllowAnyone: boolean;
  readonly groupPolicy?: string;
  readonly mode?: string;
  readonly groupAllowFrom?: readonly string[];
  readonly groups?: Readonly<
    Record<string, { readonly requireMention: boolean; readonly allowFrom?: readonly string[] }>
  >;
  readonly accounts?: Readonly<Record<string, Channel>>;
};

/** Per channel: secrets it may have, which of them it cannot do without (in one mode), and the variable that stands in. */
const TOKENS: Readonly<Record<ChannelName, readonly { key: string; needed?: true; env?: string; mode?: string }[]>> = {
  telegram: [{ key: 'botToken', needed: true, env: 'TELEGRAM_BOT_TOKEN' }, { key: 'webhookSecret' }],
  whatsapp: [],
  discord: [{ key: 'token', needed: true, env: 'DISCORD_BOT_TOKEN' }],
  slack: [
    { key: 'botToken', needed: true, env: 'SLACK_BOT_TOKEN' },
    { key: 'appToken', needed: true, env: 'SLACK_APP_TOKEN', mode: 'socket' },
    { key: 'signingSecret', needed: true, env: 'SLACK_SIGNING_SECRET', mode: 'http' },
  ],
  mail: [],
};

export const channels: Rule = function* (config, { env }) {
  for (const name of CHANNEL_NAMES) {
    const channel = config.channels[name] as unknown as Channel | undefined;
    if (!channel) continue;
    yield* channelRules(name, channel, `channels.${name}`, env);
    for (const [id, account] of Object.entries(channel.accounts ?? {})) {
      yield* channelRules(name, account, `channels.${name}.accounts.${id}`, {});
    }
  }
  yield* telegramWebhook(config.channels.telegram);
  yield* dmScope(config);
};

function* channelRules(
  name: ChannelName,
  channel: Channel,
  at: string,
  env: Readonly<Record<string, string | undefined>>,
): Generator<Finding> {
  yield* directRules(channel, at);
  yield* groupRules(channel, at);
  for (const { key, needed, env: variable, mode } of TOKENS[name]) {
    if (mode !== undefined && mode !== channel.mode) continue;
    const value = (channel as Record<string, unknown>)[key];
    if (
      value === undefined &&
      needed &&
      channel.enabled &&
      !(variable && env[variable]) &&
      !('tokenFile' in channel && channel.tokenFile) &&
      Object.keys(channel.accounts ?? {}).length === 0
    ) {
      yield risky(
        'channel-without-token',
        `${at}.${key}`,
        `${at} has no ${key}, so the channel stays off`,
        variable ? `set ${variable}, or ${at}.${key}` : `set ${at}.${key}`,
      );
    }
  }
}

function* directRules({ dmPolicy, allowFrom, dangerouslyAllowAnyone }: Channel, at: string): Generator<Finding> {
  const anyone = allowFrom.includes('*');
  const acknowledge = `add ${at}.dangerouslyAllowAnyone: true if you want that, or set ${at}.dmPolicy to "pairing" and remove "*"`;
  if (dmPolicy === 'open' && !anyone) {
    yield wrong(
      'open-without-star',
      `${at}.dmPolicy`,
      `${at}.dmPolicy is "open", and ${at}.allowFrom has no "*"`,
      `set ${at}.dmPolicy to "pairing"; or write allowFrom: ["*"] and dangerouslyAllowAnyone: true`,
    );
  } else if (anyone && dmPolicy !== 'disabled' && !dangerouslyAllowAnyone) {
    yield wrong(
      'open-to-anyone',
      `${at}.allowFrom`,
      `${at}.allowFrom has "*", so any stranger can talk to your assistant`,
      acknowledge,
    );
  } else if (anyone && dmPolicy !== 'open' && dmPolicy !== 'disabled') {
    yield risky(
      'star-without-open',
      `${at}.allowFrom`,
      `${at}.allowFrom has "*", and with ${at}.dmPolicy "${dmPolicy}" it lets nobody in`,
      `remove "*"; or set ${at}.dmPolicy to "open" if any stranger may talk to your assistant`,
    );
  } else if (dmPolicy === 'allowlist' && allowFrom.length === 0) {
    yield wrong(
      'allowlist-empty',
      `${at}.allowFrom`,
      `${at}.dmPolicy is "allowlist", and ${at}.allowFrom names nobody`,
      'list your own id there, or set dmPolicy to "pairing"',
    );
  }
}

function* groupRules(
  { groupPolicy, groupAllowFrom = [], groups = {}, dangerouslyAllowAnyone }: Channel,
  at: string,
): Generator<Finding> {
  if (groupPolicy === 'open' && !dangerouslyAllowAnyone) {
    yield wrong(
      'groups-open',
      `${at}.groupPolicy`,
      `${at}.groupPolicy is "open", so everybody in any group can talk to your assistant`,
      `set ${at}.groupPolicy to "allowlist" and list the groups; or add ${at}.dangerouslyAllowAnyone: true`,
    );
  }
  if (groupAllowFrom.includes('*') && !dangerouslyAllowAnyone) {
    yield wrong(
      'groups-anyone',
      `${at}.groupAllowFrom`,
      `${at}.groupAllowFrom has "*", so everybody in a group can talk to your assistant`,
      `list the senders; or add ${at}.dangerouslyAllowAnyone: true`,
    );
  }
  for (const [id, group] of Object.entries(groups)) {
    const key = `${at}.groups.${id}`;
    if (!group.requireMention) {
      yield risky(
        'mention-off',
        `${key}.requireMention`,
        `${key}: every message of the group is read by the model, also when it is not mentioned`,
        `remove ${key}.requireMention: false`,
      );
    }
    if (group.allowFrom?.includes('*') && !dangerouslyAllowAnyone) {
      yield wrong(
        'groups-anyone',
        `${key}.allowFrom`,
        `${key}.allowFrom has "*", so everybody in it can talk to your assistant`,
        `list the senders; or add ${at}.dangerouslyAllowAnyone: true`,
      );
    }
  }
}

function* telegramWebhook(
  telegram: { readonly webhookUrl?: string | undefined; readonly webhookSecret?: string | undefined } | undefined,
): Generator<Finding> {
  if (telegram?.webhookUrl && !telegram.webhookSecret) {
    yield wrong(
      'webhook-secret',
      'channels.telegram.webhookSecret',
      'channels.telegram.webhookUrl is set without webhookSecret, so anybody could speak as Telegram',
      'set channels.telegram.webhookSecret to the output of `openssl rand -hex 32`',
    );
  }
}

function* dmScope(config: Parameters<Rule>[0]): Generator<Finding> {
  if (config.session.dmScope !== 'main') return;
  const people = Object.values(config.channels).flatMap((channel) =>
    channel && 'allowFrom' in channel ? channel.allowFrom : [],
  );
  if (new Set(people).size > 1) {
    yield risky(
      'shared-conversation',
      'session.dmScope',
      'session.dmScope is "main", so everybody you allow reads one conversation',
      'remove it; each person then has a conversation of their own',
    );
  }
}
