// Rows of the audit's matrix: who can talk.
import type { Row } from './row.ts';

const BOT = `botToken: "123456789:AAF-x7Q2_kLm3nOpQrStUvWxYz012345678"`;
const telegram = (more: string): string => `{ channels: { telegram: { ${BOT}, ${more} } } }`;
const discord = (more: string): string =>
  `{ channels: { discord: { token: "MTIzNDU2Nzg5MDEyMzQ1Njc4.GhIjKl.a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9", ${more} } } }`;
const SPENT = ['W budget.missing', 'W budget.per_sender_missing'];

/** A channel with more people than anybody knows. */
const crowd = (channel: string, token: string, id: (at: number) => string): Row => [
  `a crowd on ${channel}`,
  `{ channels: { ${channel}: { ${token} allowFrom: [${Array.from({ length: 30 }, (_, at) => `"${id(at)}"`).join(', ')}] } },
    commands: { ownerAllowFrom: ["${channel}:${id(0)}"] }, budget: { daily: { usd: 5 } } }`,
  [`W channels.${channel}.allowlist`],
];

export const PEOPLE: readonly Row[] = [
  crowd('whatsapp', '', (at) => `+1555123${4000 + at}`),
  crowd(
    'discord',
    'token: "MTIzNDU2Nzg5MDEyMzQ1Njc4.GhIjKl.a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9",',
    (at) => `1234567890123456${10 + at}`,
  ),
  crowd(
    'slack',
    'botToken: "xoxb-1-2-a8Kq2LmN4pQ6rS8t", appToken: "xapp-1-A1-2-a8Kq2LmN4pQ6rS8t",',
    (at) => `U01234${10 + at}`,
  ),
  crowd('mail', '', (at) => `someone${at}@example.net`),
  [
    'S027 open, with the star and the word for it',
    telegram(`dmPolicy: "open", allowFrom: ["*"], dangerouslyAllowAnyone: true`),
    ['C channels.dm.open', 'W config.insecure_or_dangerous_flags', ...SPENT],
  ],
  ['S180 open, with the star', telegram(`dmPolicy: "open", allowFrom: ["*"]`), ['C channels.dm.open', ...SPENT]],
  ['S027 open, without the star', telegram(`dmPolicy: "open"`), ['C channels.dm.open', ...SPENT]],
  ['the star under pairing', telegram(`allowFrom: ["*", "1303993020"]`), ['C channels.dm.open', ...SPENT]],
  ['the star under allowlist', telegram(`dmPolicy: "allowlist", allowFrom: ["*"]`), ['C channels.dm.open', ...SPENT]],
  [
    'open on WhatsApp',
    `{ channels: { whatsapp: { dmPolicy: "open", allowFrom: ["*"], dangerouslyAllowAnyone: true } } }`,
    ['C channels.dm.open', 'W config.insecure_or_dangerous_flags', ...SPENT],
  ],
  [
    'open for one account',
    telegram(
      `allowFrom: ["1303993020"], accounts: { work: { botToken: "987654321:BBF-x7Q2_kLm3nOpQrStUvWxYz012345678", dmPolicy: "open", allowFrom: ["*"] } }`,
    ),
    ['C channels.dm.open', ...SPENT],
  ],
  ['the old spelling of open', telegram(`dm: { policy: "open", allowFrom: ["*"] }`), ['C channels.dm.open', ...SPENT]],
  ['a list of nobody', telegram(`dmPolicy: "allowlist"`), ['C channels.dm.locked']],
  ['groups open', telegram(`groupPolicy: "open"`), ['C channels.groups.open', ...SPENT]],
  [
    'groups open, on purpose',
    telegram(`groupPolicy: "open", dangerouslyAllowAnyone: true`),
    ['C channels.groups.open', 'W config.insecure_or_dangerous_flags', ...SPENT],
  ],
  [
    'groups open for every channel',
    `{ channels: { defaults: { groupPolicy: "open" }, whatsapp: { allowFrom: ["+15551234567"] } } }`,
    ['C channels.groups.open', ...SPENT],
  ],
  ['everybody in groups', telegram(`groupAllowFrom: ["*"]`), ['C channels.groups.open', ...SPENT]],
  [
    'everybody in one group',
    telegram(`groups: { "-1001": { allowFrom: ["*", "42"] } }`),
    ['C channels.groups.open', ...SPENT],
  ],
  [
    'S009 a group that needs no mention',
    telegram(`groups: { "*": { requireMention: false } }`),
    ['W channels.groups.mention_not_required'],
  ],
  [
    'S178 two groups that need no mention',
    telegram(`groups: { "-1001": { requireMention: false }, "-1002": { requireMention: false }, "-1003": {} }`),
    ['W channels.groups.mention_not_required', 'W channels.groups.mention_not_required'],
  ],
  [
    'a room with dots that needs no mention',
    discord(`groups: { "a.b[1]": { requireMention: false } }`),
    ['W channels.groups.mention_not_required'],
  ],
  ['S115 strangers are let in unasked', `{ pairing: { autoApprove: true } }`, ['C pairing.auto_approve', ...SPENT]],
  [
    'S115 strangers are let in unasked, on purpose',
    `{ pairing: { autoApprove: true, dangerouslyAutoApproveStrangers: true } }`,
    ['C pairing.auto_approve', 'W config.insecure_or_dangerous_flags', ...SPENT],
  ],
  ['S114 groups need no approval', `{ pairing: { groups: false } }`, ['I pairing.groups_unasked']],
  [
    'S252 a username',
    telegram(`allowFrom: ["@someone", "1303993020"]`),
    ['W channels.allowFrom.mutable_entries_inert'],
  ],
  [
    'S031 the username out of guide A',
    telegram(`allowFrom: ["@your_username", "1234567890"]`),
    ['W channels.allowFrom.mutable_entries_inert'],
  ],
  [
    'S251 the sender out of guide E',
    telegram(`allowlist: { senders: ["your-telegram-user-id"] }`),
    ['C channels.allowFrom.placeholder_entries'],
  ],
  [
    'names on Discord and Slack',
    `{ channels: { discord: { token: "MTIzNDU2Nzg5MDEyMzQ1Njc4.GhIjKl.a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9", allowFrom: ["bob"] }, slack: { botToken: "xoxb-1-2-a8Kq2LmN4pQ6rS8t", appToken: "xapp-1-A1-2-a8Kq2LmN4pQ6rS8t", allowFrom: ["alice"] } } }`,
    ['W channels.allowFrom.mutable_entries_inert', 'W channels.allowFrom.mutable_entries_inert'],
  ],
  [
    'S179 a group among the senders',
    telegram(`allowFrom: ["42"], groupAllowFrom: ["-100123", "42"]`),
    ['W channels.groupAllowFrom.groups_listed'],
  ],
  ['everybody is the owner', `{ commands: { ownerAllowFrom: ["*", "telegram:42"] } }`, ['C commands.owner_wildcard']],
  [
    'owners that are nobody',
    `{ commands: { ownerAllowFrom: ["telegram:@me", "123"] } }`,
    ['W channels.allowFrom.mutable_entries_inert', 'W channels.allowFrom.mutable_entries_inert'],
  ],
  ['everybody commands', `{ commands: { allowFrom: ["*"] } }`, ['W commands.allowFrom_wildcard']],
  [
    'several people, and nobody is the owner',
    telegram(`allowFrom: ["42", "43"]`),
    ['I channels.routing.owner_missing'],
  ],
  [
    'a service',
    telegram(`allowFrom: [${Array.from({ length: 60 }, (_, i) => `"${1000 + i}"`).join(', ')}]`).replace(
      /}$/,
      `, commands: { ownerAllowFrom: ["telegram:1000"] }, budget: { daily: { usd: 5 } } }`,
    ),
    ['W channels.telegram.allowlist', 'W security.trust_model.multi_user_heuristic'],
  ],
  [
    'S089 several people in one conversation',
    telegram(`allowFrom: ["42", "43"]`).replace(
      /}$/,
      `, session: { dmScope: "main" }, commands: { ownerAllowFrom: ["telegram:42"] } }`,
    ),
    ['W channels.dm.scope_main_multiuser'],
  ],
  ['one conversation for whoever comes', `{ session: { dmScope: "main" } }`, ['I channels.dm.scope_main_multiuser']],
  ['groups share one conversation', `{ session: { groupScope: "main" } }`, ['W security.trust_model.group_scope_main']],
  [
    'one id, two people',
    `{ session: { identityLinks: { ann: ["telegram:42", "discord:123456789012345678"], bob: ["telegram:42", "slack:U0123456"] } } }`,
    ['W channels.dm.session_collision'],
  ],
  [
    'S230 a role that everybody has',
    discord(`guilds: { "123456789012345678": { roles: ["123456789012345678"] } }`),
    ['C channels.discord.allowlisted_groups.broad_members'],
  ],
  [
    'mail that anybody can forge',
    `{ channels: { mail: { minEvidence: "asserted", allowFrom: ["me@example.net"] } } }`,
    ['C channels.mail.sender_unproven'],
  ],
  ['two bots', `{ channels: { defaults: { botLoopProtection: false } } }`, ['W channels.bot_loop_protection_off']],
  [
    'strangers are read along',
    `{ channels: { defaults: { contextVisibility: "all" } } }`,
    ['W channels.context_visible_to_all'],
  ],
  [
    'a thread keeps it awake',
    `{ channels: { defaults: { implicitMentions: { threadParticipation: true } } } }`,
    ['I channels.implicit_mentions_wide'],
  ],
  [
    'names let in',
    telegram(`dangerouslyAllowNameMatching: true`),
    ['C channels.allowFrom.dangerous_name_matching_enabled'],
  ],
  ['a chat changes settings', telegram(`configWrites: true`), ['C channels.config_writes_enabled']],
  ['a chat has a shell', `{ commands: { bash: true } }`, ['C channels.config_writes_enabled']],
  [
    'rules for tools in a group',
    telegram(`groups: { "-1001": { tools: { deny: ["exec"] } } }`),
    ['C tools.policies_misplaced'],
  ],
];
