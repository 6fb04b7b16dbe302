// Owns the settings of access in the form that the gate asks them in: per channel and account, with sets instead of lists,
// each with the path that it came from. Built once per configuration; it must never widen what was written.
import { readPattern } from '../config/pattern/pattern.ts';
import { CHANNEL_NAMES, type ChannelName } from '../config/schema/channels.ts';
import type { Config } from '../config/schema.ts';
import { personOf } from '../config/shape/people.ts';

export type GroupRules = { readonly requireMention: boolean; readonly allowFrom: ReadonlySet<string> | null };
export type GuildRules = {
  readonly users: ReadonlySet<string>;
  readonly roles: ReadonlySet<string>;
  readonly channels: ReadonlySet<string>;
};

export type AccountRules = {
  /** such as `channels.telegram` or `channels.telegram.accounts.work` */
  readonly at: string;
  readonly enabled: boolean;
  readonly dmPolicy: string;
  readonly allowFrom: ReadonlySet<string>;
  readonly groupPolicy: string;
  readonly groupAllowFrom: ReadonlySet<string>;
  readonly groups: ReadonlyMap<string, GroupRules>;
  readonly guilds: ReadonlyMap<string, GuildRules>;
  /** "*" in a list and open policies mean nothing without it */
  readonly dangerouslyAllowAnyone: boolean;
  /** what a mail says about itself is enough */
  readonly acceptsClaims: boolean;
};

export type Rules = {
  /** undefined: there is no such channel, or no such account of it */
  account(channel: string, account: string): AccountRules | undefined;
  readonly owners: ReadonlySet<string>;
  readonly commanders: ReadonlySet<string>;
  readonly autoApprove: boolean;
  readonly groupsPair: boolean;
  readonly holdMessage: boolean;
  readonly codeTtlMs: number;
  readonly botLoopProtection: boolean;
  readonly dailyTokens: number | null;
  /** of each person but the owner, in a day */
  readonly dailyUsd: number | null;
  readonly historyLimit: number;
  readonly showsAllQuotes: boolean;
  readonly implicit: {
    readonly replyToBot: boolean;
    readonly quotedBot: boolean;
    readonly threadParticipation: boolean;
  };
  readonly dmScope: string;
  readonly groupScope: string;
  /** `telegram:123` to the name of the person */
  readonly links: ReadonlyMap<string, string>;
  /** `telegram:123` whose words are `secret`, or anybody's (trust.tiers) */
  readonly tiers: { readonly high: ReadonlySet<string>; readonly low: ReadonlySet<string> };
  namesAssistant(text: string): boolean;
};

type Written = {
  readonly enabled: boolean;
  readonly dmPolicy: string;
  readonly allowFrom: readonly string[];
  readonly groupPolicy?: string;
  readonly groupAllowFrom?: readonly string[];
  readonly groups?: Readonly<Record<string, { requireMention: boolean; allowFrom?: readonly string[] | undefined }>>;
  readonly guilds?: Readonly<Record<string, { users: string[]; roles: string[]; channels: string[] }>>;
  readonly dangerouslyAllowAnyone: boolean;
  readonly minEvidence?: string;
  readonly accounts?: Readonly<Record<string, Written>>;
};

/** Of each person but the owner in a day, where nothing is set. */
const SENDER_USD = 1;
/** The name of the account of a channel that has no `accounts`. */
const DEFAULT_ACCOUNT = 'default';

export function readRules(config: Config): Rules {
  const accounts = new Map<string, AccountRules>();
  for (const name of CHANNEL_NAMES) {
    const channel = config.channels[name] as unknown as Written | undefined;
    if (!channel) continue;
    const at = `channels.${name}`;
    accounts.set(keyOf(name, DEFAULT_ACCOUNT), accountRules(channel, at, true));
    for (const [id, account] of Object.entries(channel.accounts ?? {})) {
      accounts.set(keyOf(name, id), accountRules(account, `${at}.accounts.${id}`, channel.enabled));
    }
  }
  const { commands, pairing, messages, session, budget } = config;
  const { defaults } = config.channels;
  const patterns = messages.groupChat.mentionPatterns.flatMap((source) => {
    const read = readPattern(source);
    return 'match' in read ? [read.match] : [];
  });
  return {
    account: (channel, account) => accounts.get(keyOf(channel, account)),
    owners: peopleOf(commands.ownerAllowFrom),
    commanders: peopleOf(commands.allowFrom),
    autoApprove: pairing.autoApprove && pairing.dangerouslyAutoApproveStrangers,
    groupsPair: pairing.groups,
    holdMessage: pairing.holdMessage,
    codeTtlMs: pairing.codeTtlMinutes * 60_000,
    botLoopProtection: defaults.botLoopProtection,
    dailyTokens: budget['perSender']?.tokens ?? null,
    // A friend is let in to talk, not to spend: what nobody has set is little.
    dailyUsd: budget['perSender'] ? (budget['perSender'].usd ?? null) : SENDER_USD,
    historyLimit: defaults.historyLimit,
    showsAllQuotes: defaults.contextVisibility !== 'allowlist',
    implicit: defaults.implicitMentions,
    dmScope: session.dmScope,
    groupScope: session.groupScope,
    links: new Map(
      Object.entries(session.identityLinks).flatMap(([name, ids]) => ids.map((id) => [id, name] as const)),
    ),
    tiers: { high: sendersOf(config.trust.tiers.high), low: sendersOf(config.trust.tiers.low) },
    namesAssistant: (text) => patterns.some((match) => match(text)),
  };
}

const sendersOf = (entries: readonly string[]): ReadonlySet<string> =>
  new Set(entries.flatMap((entry) => (entry.startsWith('sender:') ? [entry.slice('sender:'.length)] : [])));

function accountRules(written: Written, at: string, channelEnabled: boolean): AccountRules {
  return {
    at,
    enabled: channelEnabled && written.enabled,
    dmPolicy: written.dmPolicy,
    allowFrom: new Set(written.allowFrom),
    groupPolicy: written.groupPolicy ?? 'disabled',
    groupAllowFrom: new Set(written.groupAllowFrom ?? []),
    groups: new Map(
      Object.entries(written.groups ?? {}).map(([id, { requireMention, allowFrom }]) => [
        id,
        { requireMention, allowFrom: allowFrom ? new Set(allowFrom) : null },
      ]),
    ),
    guilds: new Map(
      Object.entries(written.guilds ?? {}).map(([id, { users, roles, channels }]) => [
        id,
        { users: new Set(users), roles: new Set(roles), channels: new Set(channels) },
      ]),
    ),
    dangerouslyAllowAnyone: written.dangerouslyAllowAnyone,
    acceptsClaims: written.minEvidence === 'asserted',
  };
}

/** `telegram:123`, each in the form that its channel reports it. An id without its channel names nobody, nor does a name. */
function peopleOf(written: readonly string[]): ReadonlySet<string> {
  return new Set(
    written.flatMap((entry) => {
      const [channel, ...rest] = entry.split(':');
      if (!CHANNEL_NAMES.includes(channel as ChannelName) || rest.length === 0) return [];
      const person = personOf(channel as ChannelName, rest.join(':'));
      return 'id' in person && person.id !== '*' ? [`${channel}:${person.id}`] : [];
    }),
  );
}

const keyOf = (channel: string, account: string): string => `${channel}\0${account}`;
