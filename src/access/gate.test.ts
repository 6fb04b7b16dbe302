// The gate: the whole space of policy, place, listing, mention, ownership and limits against a second statement of the rules
// in plain words, each refusal with its code; and that nothing without an explicit rule is ever let in.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../config/load.ts';
import { type Facts, type Judgement, judge, type Known, type Load } from './gate.ts';
import { type AccountRules, type Rules, readRules } from './rules.ts';

const empty = readRules(loadConfig({ configPath: '/nonexistent/openclaw.json' }, {}).config);
const ME: string = '111';
const FRIEND: string = '222';
const OTHER = '999';
const GROUP = '-100';

const base: AccountRules = {
  at: 'channels.telegram',
  enabled: true,
  dmPolicy: 'pairing',
  allowFrom: new Set(),
  groupPolicy: 'allowlist',
  groupAllowFrom: new Set(),
  groups: new Map(),
  guilds: new Map(),
  dangerouslyAllowAnyone: false,
  acceptsClaims: false,
};
const rulesWith = (account: Partial<AccountRules>, more: Partial<Rules> = {}): Rules => ({
  ...empty,
  ...more,
  account: (channel, name) => (channel === 'telegram' && name === 'default' ? { ...base, ...account } : undefined),
});
const facts = (more: Partial<Facts> = {}): Facts => ({
  channel: 'telegram',
  account: 'default',
  chat: '5',
  within: [],
  isDirect: true,
  sender: FRIEND,
  isBot: false,
  roles: [],
  assurance: 'platform',
  isMentioned: () => false,
  ...more,
});
const nobody: Known = { person: null, group: null };
const idle: Load = { nowMs: 1_000, lastMinute: 0, isLooping: false, tokensToday: 0, messagesToday: 0, usdToday: 0 };
const code = (verdict: Judgement): string => verdict.code;

describe('the whole space', () => {
  const bools = [false, true];
  const space = ['pairing', 'allowlist', 'open', 'disabled'].flatMap((policy) =>
    bools.flatMap((direct) =>
      bools.flatMap((listed) =>
        bools.flatMap((groupListed) =>
          bools.flatMap((mentioned) =>
            bools.flatMap((owner) =>
              bools.flatMap((anyone) =>
                (['none', 'rate', 'spend'] as const).map((limit) => ({
                  policy,
                  direct,
                  listed,
                  groupListed,
                  mentioned,
                  owner,
                  anyone,
                  limit,
                })),
              ),
            ),
          ),
        ),
      ),
    ),
  );
  type Case = (typeof space)[number];

  const expected = ({ policy, direct, listed, groupListed, mentioned, owner, anyone, limit }: Case): string => {
    const limited = limit === 'rate' ? 'RATE_LIMITED' : limit === 'spend' ? 'SPEND_LIMIT' : null;
    if (direct) {
      if (policy === 'disabled') return 'DM_OFF';
      if (owner) return 'OWNER';
      if (listed) return limited ?? 'LISTED';
      if (anyone && policy === 'open') return limited ?? 'OPEN';
      return policy === 'pairing' ? 'DM_NOT_PAIRED' : 'DM_NOT_LISTED';
    }
    if (policy === 'disabled' || policy === 'pairing') return 'GROUPS_OFF';
    const open = policy === 'open' && anyone;
    if (!open && !groupListed) return 'GROUP_NOT_APPROVED';
    if (!owner && !open && !listed) return 'GROUP_SENDER_NOT_LISTED';
    if (!mentioned) return 'NOT_MENTIONED';
    return owner ? 'OWNER' : (limited ?? (open ? 'OPEN' : 'MEMBER'));
  };

  test(`${space.length} cases end as the rules say, each with code, setting and fix`, () => {
    for (const c of space) {
      const verdict = judge(
        facts({
          isDirect: c.direct,
          sender: c.owner ? ME : FRIEND,
          chat: c.direct ? '5' : GROUP,
          isMentioned: () => c.mentioned,
        }),
        rulesWith(
          {
            dmPolicy: c.policy,
            groupPolicy: c.policy,
            // In a group "*" of the direct chats lets nobody in.
            allowFrom: new Set([...(c.listed ? [FRIEND] : []), ...(c.anyone ? ['*'] : [])]),
            groups: new Map(c.groupListed ? [[GROUP, { requireMention: true, allowFrom: null }]] : []),
            dangerouslyAllowAnyone: c.anyone,
          },
          { owners: new Set([`telegram:${ME}`]), dailyTokens: 100 },
        ),
        nobody,
        { ...idle, lastMinute: c.limit === 'rate' ? 20 : 0, tokensToday: c.limit === 'spend' ? 100 : 99 },
      );
      expect([c, code(verdict)]).toEqual([c, expected(c)]);
      expect(verdict.at).toMatch(/^(channels\.|commands\.|budget\.|openclaw |\d+ a minute)/);
      if (!verdict.allow) {
        expect(verdict.reason).not.toBe('');
        expect(verdict.fix).not.toBe('');
      }
    }
  });
});

describe('nobody is let in without a rule that says so', () => {
  const id = fc.oneof(
    fc.constantFrom('', '*', ME, FRIEND, GROUP, '@friend', 'undefined', 'null', ' 222', '222 ', '2222', '22'),
    fc.string(),
  );
  const anyFacts = fc.record({
    channel: fc.constantFrom('telegram', 'discord', 'webchat', 'mail', ''),
    account: fc.constantFrom('default', 'work', ''),
    chat: id,
    within: fc.array(id, { maxLength: 2 }),
    isDirect: fc.boolean(),
    sender: id,
    isBot: fc.boolean(),
    roles: fc.array(id, { maxLength: 2 }),
    assurance: fc.constantFrom('platform', 'claimed', 'operator', 'verified', ''),
    isMentioned: fc.boolean().map((is) => () => is),
  });
  const policy = fc.constantFrom('pairing', 'allowlist', 'open', 'disabled', 'opne', '');

  test('closed settings let nobody in, whatever arrives', () => {
    fc.assert(
      fc.property(anyFacts, policy, policy, fc.boolean(), (f, dmPolicy, groupPolicy, flag) => {
        // "*" without the flag, or the flag without "*": neither is a rule.
        const star = flag ? new Set<string>() : new Set(['*']);
        const closed = {
          dmPolicy,
          groupPolicy: flag && groupPolicy === 'open' ? 'allowlist' : groupPolicy,
          allowFrom: star,
          groupAllowFrom: star,
          groups: new Map([['*', { requireMention: false, allowFrom: star }]]),
          guilds: new Map([['*', { users: star, roles: new Set<string>(), channels: new Set(['*']) }]]),
          dangerouslyAllowAnyone: flag,
        };
        const rules: Rules = { ...empty, account: () => ({ ...base, ...closed }) };
        return !judge(f, rules, nobody, idle).allow;
      }),
      { numRuns: 5_000 },
    );
  });

  test('who is let in is named by exactly their id, and proven to be', () => {
    fc.assert(
      fc.property(anyFacts, fc.array(fc.constantFrom(ME, FRIEND), { maxLength: 2 }), (f, listed) => {
        const list = new Set(listed);
        const rules: Rules = {
          ...empty,
          account: () => ({
            ...base,
            dmPolicy: 'allowlist',
            allowFrom: list,
            groups: new Map([['*', { requireMention: true, allowFrom: null }]]),
          }),
        };
        const verdict = judge(f, rules, nobody, idle);
        return !verdict.allow || (list.has(f.sender) && f.assurance === 'platform' && (f.isDirect || f.isMentioned()));
      }),
      { numRuns: 5_000 },
    );
  });

  test('a channel or account that is not configured, or off, is closed for the owner too', () => {
    const owners = { owners: new Set([`telegram:${ME}`, `discord:${ME}`]) };
    expect(code(judge(facts({ channel: 'discord', sender: ME }), rulesWith({}, owners), nobody, idle))).toBe(
      'CHANNEL_OFF',
    );
    expect(code(judge(facts({ account: 'work', sender: ME }), rulesWith({}, owners), nobody, idle))).toBe(
      'CHANNEL_OFF',
    );
    expect(code(judge(facts({ sender: ME }), rulesWith({ enabled: false }, owners), nobody, idle))).toBe('CHANNEL_OFF');
  });
});

describe('people', () => {
  const guest = (more: object): Known => ({
    ...nobody,
    person: {
      role: 'guest',
      untilMs: 2_000,
      limits: { tools: [], folder: null, messagesPerDay: 1, tokensPerDay: null },
      ...more,
    },
  });
  test.each<[string, Known, Partial<Load>, string]>([
    ['paired', { ...nobody, person: { role: 'paired', untilMs: null, limits: null } }, {}, 'PAIRED'],
    ['an owner by pairing', { ...nobody, person: { role: 'owner', untilMs: null, limits: null } }, {}, 'OWNER'],
    ['a guest', guest({}), {}, 'GUEST'],
    ['a guest whose pass is over', guest({ untilMs: 1_000 }), {}, 'GUEST_EXPIRED'],
    ['a guest who has had their message', guest({}), { messagesToday: 1 }, 'SPEND_LIMIT'],
  ])('%s', (_, known, load, expected) => {
    expect(code(judge(facts(), rulesWith({}), known, { ...idle, ...load }))).toBe(expected);
  });

  test('an approval for direct messages opens no group (D10)', () => {
    const known: Known = { person: { role: 'paired', untilMs: null, limits: null }, group: null };
    const groups = new Map([[GROUP, { requireMention: true, allowFrom: null }]]);
    const inGroup = facts({ isDirect: false, chat: GROUP, isMentioned: () => true });
    expect(code(judge(inGroup, rulesWith({}), known, idle))).toBe('GROUP_NOT_APPROVED');
    expect(code(judge(inGroup, rulesWith({ groups }), known, idle))).toBe('GROUP_SENDER_NOT_LISTED');
  });

  test('a group that was approved lets in those who are listed, and everybody only when that was said', () => {
    const inGroup = facts({ isDirect: false, chat: GROUP, isMentioned: () => true });
    const approved = (members: boolean): Known => ({ person: null, group: { members, was: null } });
    expect(code(judge(inGroup, rulesWith({}), approved(false), idle))).toBe('GROUP_SENDER_NOT_LISTED');
    expect(code(judge(inGroup, rulesWith({}), approved(true), idle))).toBe('GROUP_APPROVED');
    expect(code(judge({ ...inGroup, isMentioned: () => false }, rulesWith({}), approved(true), idle))).toBe(
      'NOT_MENTIONED',
    );
    expect(code(judge(inGroup, rulesWith({ groupAllowFrom: new Set([FRIEND]) }), approved(false), idle))).toBe(
      'MEMBER',
    );
  });

  test('an empty list of a group is nobody, and its own list goes before the others', () => {
    const inGroup = facts({ isDirect: false, chat: GROUP, isMentioned: () => true });
    const groups = new Map([
      [GROUP, { requireMention: true, allowFrom: new Set<string>() }],
      ['*', { requireMention: false, allowFrom: new Set([FRIEND]) }],
    ]);
    expect(code(judge(inGroup, rulesWith({ groups, groupAllowFrom: new Set([FRIEND]) }), nobody, idle))).toBe(
      'GROUP_SENDER_NOT_LISTED',
    );
    expect(code(judge({ ...inGroup, chat: '-7' }, rulesWith({ groups }), nobody, idle))).toBe('MEMBER');
  });

  test('a group id where senders are listed lets nobody in (D09)', () => {
    const inGroup = facts({ isDirect: false, chat: GROUP, isMentioned: () => true });
    const groups = new Map([['*', { requireMention: true, allowFrom: null }]]);
    expect(code(judge(inGroup, rulesWith({ groups, groupAllowFrom: new Set([GROUP]) }), nobody, idle))).toBe(
      'GROUP_SENDER_NOT_LISTED',
    );
  });

  test('what a sender only claims to be is never let in, unless mail is told to; and never as the owner', () => {
    const rules = rulesWith({ allowFrom: new Set([FRIEND]) }, { owners: new Set([`telegram:${FRIEND}`]) });
    expect(code(judge(facts({ assurance: 'claimed' }), rules, nobody, idle))).toBe('SENDER_UNVERIFIED');
    expect(code(judge(facts({ assurance: 'operator' }), rules, nobody, idle))).toBe('SENDER_UNVERIFIED');
    const lax = rulesWith(
      { acceptsClaims: true, allowFrom: new Set([FRIEND]) },
      { owners: new Set([`telegram:${FRIEND}`]) },
    );
    expect(judge(facts({ assurance: 'claimed' }), lax, nobody, idle)).toMatchObject({
      allow: true,
      standing: 'paired',
    });
  });

  test('a bot needs its own id in the list, and two that answer each other fall silent', () => {
    const bot = facts({ isBot: true });
    expect(code(judge(bot, rulesWith({ allowFrom: new Set(['*']), dangerouslyAllowAnyone: true }), nobody, idle))).toBe(
      'BOT_SENDER',
    );
    expect(code(judge(bot, rulesWith({ allowFrom: new Set([FRIEND]) }), nobody, idle))).toBe('LISTED');
    expect(code(judge(bot, rulesWith({ allowFrom: new Set([FRIEND]) }), nobody, { ...idle, isLooping: true }))).toBe(
      'BOT_LOOP',
    );
  });

  test('mail by domain, and strangers by mail get no code', () => {
    const mail = (sender: string) => facts({ channel: 'mail', sender });
    const rules: Rules = { ...empty, account: () => ({ ...base, allowFrom: new Set(['*@example.net']) }) };
    expect(code(judge(mail('a@example.net'), rules, nobody, idle))).toBe('LISTED');
    expect(code(judge(mail('a@evil-example.net'), rules, nobody, idle))).toBe('DM_NOT_LISTED');
    expect(code(judge(mail('a@example.net.evil.org'), rules, nobody, idle))).toBe('DM_NOT_LISTED');
  });

  test('the text of a stranger is not even looked at', () => {
    const inGroup = facts({
      isDirect: false,
      chat: GROUP,
      isMentioned: () => {
        throw new Error('the text was read');
      },
    });
    const groups = new Map([[GROUP, { requireMention: true, allowFrom: null }]]);
    expect(code(judge(inGroup, rulesWith({ groups }), nobody, idle))).toBe('GROUP_SENDER_NOT_LISTED');
  });
});

test('the fix is a command that does it, for this account, and never repeats what a shell would obey', () => {
  const rules: Rules = { ...empty, account: () => base };
  const fix = (more: Partial<Facts>): string => (judge(facts(more), rules, nobody, idle) as { fix: string }).fix;
  expect(fix({})).toBe('openclaw pairing approve telegram:222');
  expect(fix({ account: 'work' })).toBe('openclaw pairing approve telegram:222 --account work');
  expect(fix({ isDirect: false, channel: 'discord', chat: '123' })).toBe(
    'openclaw pairing approve discord:123 --group',
  );
  expect(fix({ sender: '$(reboot)' })).toBe('openclaw pairing approve <id>');
});

describe('servers of Discord (S228, S230)', () => {
  const guilds = new Map([['g1', { users: new Set([ME]), roles: new Set(['r1']), channels: new Set(['c1']) }]]);
  const rules: Rules = { ...empty, account: () => ({ ...base, at: 'channels.discord', guilds }) };
  const room = (more: Partial<Facts>) =>
    facts({ channel: 'discord', isDirect: false, chat: 'c1', within: ['g1'], isMentioned: () => true, ...more });
  test.each<[string, Partial<Facts>, string]>([
    ['a user who is listed', { sender: ME }, 'MEMBER'],
    ['a member of a role', { sender: OTHER, roles: ['r1'] }, 'MEMBER'],
    ['somebody else', { sender: OTHER }, 'GROUP_SENDER_NOT_LISTED'],
    ['another room of the server', { sender: ME, chat: 'c2' }, 'GROUP_NOT_APPROVED'],
    ['a thread in a listed room', { sender: ME, chat: 't9', within: ['g1', 'c1'] }, 'MEMBER'],
    ['another server', { sender: ME, within: ['g2'] }, 'GROUP_NOT_APPROVED'],
    ['a role of the same name elsewhere', { sender: OTHER, within: ['g2'], roles: ['r1'] }, 'GROUP_NOT_APPROVED'],
  ])('%s', (_, more, expected) => {
    expect(code(judge(room(more), rules, nobody, idle))).toBe(expected);
  });
});
