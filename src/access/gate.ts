// Owns the one decision who may talk. Pure: facts of the platform, settings, what was approved, what was spent; a verdict
// with a stable code, the setting that decided and the command that would open it. What no rule lets in stays out.
import type { Refusal } from '../channels/intake.ts';
import type { AccountRules, GroupRules, Rules } from './rules.ts';

/** What the gate looks at; never a name, a title or a text. */
export type Facts = {
  readonly channel: string;
  readonly account: string;
  readonly chat: string;
  readonly within: readonly string[];
  readonly isDirect: boolean;
  readonly sender: string;
  readonly isBot: boolean;
  readonly roles: readonly string[];
  readonly assurance: string;
  /** asked only when everything before it is answered with yes: it may have to read the text */
  readonly isMentioned: () => boolean;
};

export type Role = 'owner' | 'paired' | 'guest';
export type GuestLimits = {
  readonly tools: readonly string[];
  readonly folder: string | null;
  readonly messagesPerDay: number | null;
  readonly tokensPerDay: number | null;
};
/** What a person approved: by pairing, or by an invitation. */
export type PersonGrant = { readonly role: Role; readonly untilMs: number | null; readonly limits: GuestLimits | null };
/** `was`: the id it had before the platform gave it another one. */
export type GroupGrant = { readonly members: boolean; readonly was: string | null };
export type Known = { readonly person: PersonGrant | null; readonly group: GroupGrant | null };

/** What this sender has used up. */
export type Load = {
  readonly nowMs: number;
  readonly lastMinute: number;
  readonly isLooping: boolean;
  readonly tokensToday: number;
  readonly messagesToday: number;
  readonly usdToday: number;
};

export type Standing = 'owner' | 'paired' | 'guest' | 'member';
export type Judgement =
  | {
      readonly allow: true;
      readonly code: string;
      readonly at: string;
      readonly standing: Standing;
      readonly limits: GuestLimits | null;
    }
  | (Refusal & {
      readonly code: RefusalCode;
      /** what the owner should be asked */
      readonly ask?: 'person' | 'group';
    });

/** Stable; docs/pairing.md lists them. */
export type RefusalCode =
  | 'CHANNEL_OFF'
  | 'SENDER_UNKNOWN'
  | 'SENDER_UNVERIFIED'
  | 'BOT_SENDER'
  | 'BOT_LOOP'
  | 'DM_OFF'
  | 'DM_NOT_LISTED'
  | 'DM_NOT_PAIRED'
  | 'GUEST_EXPIRED'
  | 'GROUPS_OFF'
  | 'GROUP_NOT_APPROVED'
  | 'GROUP_SENDER_NOT_LISTED'
  | 'NOT_MENTIONED'
  | 'RATE_LIMITED'
  | 'SPEND_LIMIT';

const MESSAGES_PER_MINUTE = 20;
/** Ids as platforms make them; anything else came from somewhere else. */
const ID = /^[^\s\p{C}*]{1,200}$/u;

export function judge(facts: Facts, rules: Rules, known: Known, load: Load): Judgement {
  const account = rules.account(facts.channel, facts.account);
  if (!account?.enabled) return channelOff(facts, account);
  if (!ID.test(facts.sender) || !ID.test(facts.chat)) {
    return no(
      'SENDER_UNKNOWN',
      account.at,
      'the platform did not say who it is from',
      'nothing: such a message is never taken',
    );
  }
  if (facts.assurance !== 'platform' && !(facts.assurance === 'claimed' && account.acceptsClaims)) {
    return no(
      'SENDER_UNVERIFIED',
      `${account.at}.minEvidence`,
      'nothing proves that the sender is who they say',
      `openclaw config set ${account.at}.minEvidence asserted   (then anybody can claim to be anybody)`,
    );
  }
  const loop = bots(facts, rules, account, load);
  if (loop) return loop;
  const place = facts.isDirect ? direct(facts, rules, account, known, load) : group(facts, rules, account, known);
  return place.allow && place.standing !== 'owner' ? (spent(facts, rules, place, load) ?? place) : place;
}

/** Only from a proven sender: an owner has rights that nobody may claim. */
export const isOwner = (facts: Facts, rules: Rules, known: Known): boolean =>
  facts.assurance === 'platform' &&
  (rules.owners.has(`${facts.channel}:${facts.sender}`) || known.person?.role === 'owner');

function direct(facts: Facts, rules: Rules, account: AccountRules, known: Known, load: Load): Judgement {
  const { at } = account;
  if (account.dmPolicy === 'disabled') {
    return no(
      'DM_OFF',
      `${at}.dmPolicy`,
      'direct messages are switched off here',
      `openclaw config set ${at}.dmPolicy pairing`,
    );
  }
  if (isOwner(facts, rules, known)) return yes('OWNER', ownerAt(facts, rules), 'owner');
  if (lists(account.allowFrom, facts)) return yes('LISTED', `${at}.allowFrom`, 'paired');
  const { person } = known;
  if (person && person.role !== 'owner') {
    if (person.untilMs === null || load.nowMs < person.untilMs) {
      return yes(person.role === 'guest' ? 'GUEST' : 'PAIRED', 'openclaw pairing approved', person.role, person.limits);
    }
    const again = `openclaw pairing invite --until 7d   (and send them the new code)`;
    return no('GUEST_EXPIRED', 'openclaw pairing approved', 'their guest pass has expired', again);
  }
  // An account that says `pairing` or `allowlist` is not opened by the "*" that it inherits from its channel.
  if (account.dmPolicy === 'open' && account.dangerouslyAllowAnyone && account.allowFrom.has('*'))
    return yes('OPEN', `${at}.allowFrom`, 'guest');
  if (account.dmPolicy === 'pairing' && rules.autoApprove) return yes('AUTO_APPROVED', 'pairing.autoApprove', 'guest');
  const allow = `openclaw config set ${at}.allowFrom ${listWith(account.allowFrom, facts.sender)}`;
  // Whoever sends newsletters is no stranger at the door: mail is never answered with a code.
  if (account.dmPolicy !== 'pairing' || facts.channel === 'mail') {
    return no('DM_NOT_LISTED', `${at}.allowFrom`, `${said(facts.sender)} is not listed`, allow);
  }
  const approve = approveLine(facts, facts.sender);
  const reason = `${said(facts.sender)} is not paired`;
  return { ...no('DM_NOT_PAIRED', `${at}.dmPolicy`, reason, approve), ask: 'person' };
}

function group(facts: Facts, rules: Rules, account: AccountRules, known: Known): Judgement {
  const { at } = account;
  if (account.groupPolicy !== 'open' && account.groupPolicy !== 'allowlist') {
    return no(
      'GROUPS_OFF',
      `${at}.groupPolicy`,
      'groups are switched off here',
      `openclaw config set ${at}.groupPolicy allowlist`,
    );
  }
  const isOpen = account.groupPolicy === 'open' && account.dangerouslyAllowAnyone;
  const found = groupOf(facts, account, known);
  if (!isOpen && !found.isListed) {
    const approve = `${approveLine(facts, facts.chat)} --group`;
    const add = `openclaw config set ${at}.groups.${said(facts.chat)} '{}'`;
    const refusal = no(
      'GROUP_NOT_APPROVED',
      found.at,
      'nobody has approved this group',
      rules.groupsPair ? approve : add,
    );
    return rules.groupsPair ? { ...refusal, ask: 'group' } : refusal;
  }
  const sender = groupSender(facts, rules, account, known, found.rules, isOpen);
  if (!sender.allow) return sender;
  if ((found.rules?.requireMention ?? true) && !facts.isMentioned()) {
    const key = `${at}.groups.${said(found.rules ? found.key : facts.chat)}.requireMention`;
    return no('NOT_MENTIONED', key, 'the assistant was not mentioned', `openclaw config set ${key} false`);
  }
  return sender;
}

/** Whether anybody there may talk at all, and by which entry. */
function groupOf(
  facts: Facts,
  { at, groups, guilds }: AccountRules,
  { group: approved }: Known,
): { isListed: boolean; at: string; key: string; rules: GroupRules | undefined } {
  const was = approved?.was ?? '';
  const key = groups.has(facts.chat) ? facts.chat : groups.has(was) ? was : '*';
  const rules = groups.get(key);
  const own = key !== '*' && rules !== undefined;
  const guildId = facts.within[0] ?? '';
  if (own || approved || guilds.size === 0 || guildId === '') {
    return { isListed: rules !== undefined || approved !== null, at: `${at}.groups`, key, rules };
  }
  // Servers are listed: then only those, and of a server that lists rooms only these.
  const guildKey = guilds.has(guildId) ? guildId : '*';
  const guild = guilds.get(guildKey);
  const rooms = guild?.channels ?? new Set();
  const isRoom = [facts.chat, ...facts.within.slice(1)].some((id) => rooms.has(id)) || rooms.has('*');
  const isListed = guild !== undefined && (rooms.size === 0 ? rules !== undefined : isRoom);
  return { isListed, at: guild ? `${at}.guilds.${guildKey}.channels` : `${at}.guilds`, key, rules };
}

function groupSender(
  facts: Facts,
  rules: Rules,
  account: AccountRules,
  known: Known,
  own: GroupRules | undefined,
  isOpen: boolean,
): Judgement {
  const { at } = account;
  if (isOwner(facts, rules, known)) return yes('OWNER', ownerAt(facts, rules), 'owner');
  if (isOpen) return yes('OPEN', `${at}.groupPolicy`, 'member');
  const listed = (list: ReadonlySet<string>, path: string): Judgement | null =>
    lists(list, facts) || (account.dangerouslyAllowAnyone && list.has('*')) ? yes('MEMBER', path, 'member') : null;
  const guildId = facts.within[0] ?? '';
  const guildKey = account.guilds.has(guildId) ? guildId : '*';
  const guild = guildId === '' ? undefined : account.guilds.get(guildKey);
  if (guild && listed(guild.users, '')) return yes('MEMBER', `${at}.guilds.${guildKey}.users`, 'member');
  if (guild && facts.roles.some((role) => guild.roles.has(role))) {
    return yes('MEMBER', `${at}.guilds.${guildKey}.roles`, 'member');
  }
  const starred = account.groups.get('*')?.allowFrom;
  const [list, path] = own?.allowFrom
    ? [own.allowFrom, `${at}.groups.${said(facts.chat)}.allowFrom`]
    : starred
      ? [starred, `${at}.groups.*.allowFrom`]
      : account.groupAllowFrom.size > 0
        ? [account.groupAllowFrom, `${at}.groupAllowFrom`]
        : [withoutStar(account.allowFrom), `${at}.groupAllowFrom`];
  const found = listed(list, path);
  if (found) return found;
  if (known.group?.members) return yes('GROUP_APPROVED', 'openclaw pairing approved', 'member');
  return no(
    'GROUP_SENDER_NOT_LISTED',
    path,
    `${said(facts.sender)} may not speak to the assistant in this group`,
    `openclaw config set ${path} ${listWith(list, facts.sender)}`,
  );
}

/** A bot is let in only by its own id, and two that answer each other fall silent. */
function bots(facts: Facts, rules: Rules, account: AccountRules, load: Load): Judgement | null {
  if (!facts.isBot) return null;
  const { sender } = facts;
  const inGroup = account.groups.get(facts.chat)?.allowFrom?.has(sender) ?? false;
  const named = facts.isDirect ? account.allowFrom.has(sender) : account.groupAllowFrom.has(sender) || inGroup;
  const list = facts.isDirect ? account.allowFrom : account.groupAllowFrom;
  const path = `${account.at}.${facts.isDirect ? 'allowFrom' : 'groupAllowFrom'}`;
  if (!named) return no('BOT_SENDER', path, 'it is a bot', `openclaw config set ${path} ${listWith(list, sender)}`);
  if (!load.isLooping || !rules.botLoopProtection) return null;
  const at = 'channels.defaults.botLoopProtection';
  return no('BOT_LOOP', at, 'two bots answer each other', 'it opens again a minute after they fall silent');
}

function spent(
  facts: Facts,
  rules: Rules,
  { limits }: Extract<Judgement, { allow: true }>,
  load: Load,
): Judgement | null {
  if (load.lastMinute >= MESSAGES_PER_MINUTE) {
    const reason = `${said(facts.sender)} has sent ${load.lastMinute} messages within a minute`;
    return no('RATE_LIMITED', `${MESSAGES_PER_MINUTE} a minute`, reason, 'it opens by itself within a minute');
  }
  const caps = [
    { used: load.tokensToday, cap: rules.dailyTokens, what: 'tokens', at: 'budget.perSender.tokens' },
    { used: load.usdToday, cap: rules.dailyUsd, what: 'dollars', at: 'budget.perSender.usd' },
    { used: load.tokensToday, cap: limits?.tokensPerDay ?? null, what: 'tokens', at: 'openclaw pairing approved' },
    {
      used: load.messagesToday,
      cap: limits?.messagesPerDay ?? null,
      what: 'messages',
      at: 'openclaw pairing approved',
    },
  ];
  const over = caps.find(({ used, cap }) => cap !== null && used >= cap);
  if (!over) return null;
  const reason = `${said(facts.sender)} has used ${over.used} of ${over.cap} ${over.what} today`;
  const raise = over.at.startsWith('budget.')
    ? `openclaw config set ${over.at} ${(over.cap ?? 0) * 2}`
    : 'it opens by itself at midnight UTC';
  return no('SPEND_LIMIT', over.at, reason, raise);
}

function lists(list: ReadonlySet<string>, { channel, sender }: Facts): boolean {
  if (list.has(sender)) return true;
  return channel === 'mail' && list.has(`*@${sender.slice(sender.lastIndexOf('@') + 1)}`);
}

const withoutStar = (list: ReadonlySet<string>): ReadonlySet<string> =>
  list.has('*') ? new Set([...list].filter((id) => id !== '*')) : list;

const ownerAt = (facts: Facts, rules: Rules): string =>
  rules.owners.has(`${facts.channel}:${facts.sender}`) ? 'commands.ownerAllowFrom' : 'openclaw pairing approved';

function channelOff(facts: Facts, account: AccountRules | undefined): Judgement {
  const at = account ? `${account.at}.enabled` : `channels.${said(facts.channel)}`;
  const fix = account ? `openclaw config set ${at} true` : `openclaw channels add ${said(facts.channel)}`;
  return no('CHANNEL_OFF', at, `${said(facts.channel)} (${said(facts.account)}) is not switched on`, fix);
}

const yes = (code: string, at: string, standing: Standing, limits: GuestLimits | null = null): Judgement => ({
  allow: true,
  code,
  at,
  standing,
  limits,
});
const no = (code: RefusalCode, at: string, reason: string, fix: string): Extract<Judgement, { allow: false }> => ({
  allow: false,
  code,
  at,
  reason,
  fix,
});

const approveLine = ({ channel, account }: Facts, id: string): string =>
  `openclaw pairing approve ${said(`${channel}:${id}`)}${account === 'default' ? '' : ` --account ${said(account)}`}`;

/** An id as it may be printed and pasted: whatever a shell or a terminal would obey is not repeated. */
export const said = (id: string): string => (/^[\w.:@+-]{1,120}$/.test(id) ? id : '<id>');

const MAX_REPEATED = 12;
function listWith(list: ReadonlySet<string>, id: string): string {
  const others = [...list].filter((one) => one !== '*');
  const all = others.length > MAX_REPEATED ? [] : others;
  const more = others.length > MAX_REPEATED ? '   (together with those that are listed already)' : '';
  return `'${JSON.stringify([...all.map(said), said(id)])}'${more}`;
}
