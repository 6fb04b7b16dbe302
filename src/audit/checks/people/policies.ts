// Owns the checks of who may start to talk: open direct chats, open groups, groups that need no mention, strangers that are
// let in unasked.
import { showKeyPath } from '../../../config/edit/key-path.ts';
import type { Check } from '../../check.ts';
import { found } from '../../looking.ts';
import { mend, type Wanted } from '../../mend.ts';
import { overIn, whenIs, whenSaid } from '../over.ts';
import { type Account, accountsOf, isOpen, isOpenToGroups, named } from './accounts.ts';

const over = overIn('Who can talk');

export const POLICY_CHECKS: readonly Check[] = [
  over('channels.dm.open', 'Are unknown senders kept out?', {
    why: 'any stranger gives your assistant orders, reads what it says, and spends your money',
    rows: ['S004', 'S007', 'S013', 'S020', 'S027', 'S079', 'S136', 'S175', 'S180', 'S250', 'S257'],
    isMain: true,
    pass(settings) {
      const policies = [...accountsOf(settings)].filter(({ enabled }) => enabled).map(({ dmPolicy }) => dmPolicy);
      return `DM policy: ${[...new Set(policies)].join(', ') || 'pairing'} (secure)`;
    },
    *look(settings, facts) {
      for (const account of accountsOf(settings)) {
        if (!isOpen(account)) continue;
        const { at, dmPolicy, allowFrom } = account;
        const star = allowFrom.includes('*') ? `, ${at}.allowFrom has "*"` : '';
        yield found('CRITICAL', `${at}.dmPolicy is "${dmPolicy}"${star}`, mend(facts, closed(account)), {
          ...(star === '' ? {} : { where: `${at}.allowFrom` }),
        });
      }
    },
  }),
  over('pairing.auto_approve', 'Are you asked before a stranger is let in?', {
    why: 'every stranger who writes is let in at once, and spends your money',
    rows: ['S115', 'S116', 'S136'],
    isMain: true,
    pass: 'Pairing: you approve each stranger',
    *look({ pairing }, facts) {
      if (pairing.autoApprove)
        yield found(
          'CRITICAL',
          'pairing.autoApprove is true',
          mend(facts, {
            'pairing.autoApprove': null,
            ...(pairing.dangerouslyAutoApproveStrangers ? { 'pairing.dangerouslyAutoApproveStrangers': null } : {}),
          }),
        );
    },
  }),
  over('channels.dm.locked', 'Does each list let somebody in?', {
    why: 'the channel answers nobody, you neither',
    pass: 'Each list lets somebody in',
    look: whenSaid(['allowlist-empty'], {
      ...{ key: /^channels\./, by: mend },
      wanted({ key }) {
        const at = key.replace(/\.(allowFrom|groupAllowFrom)$/, '');
        return key.endsWith('.allowFrom') ? { [`${at}.dmPolicy`]: 'pairing' } : { [`${at}.groupAllowFrom`]: null };
      },
    }),
  }),
  over('channels.groups.open', 'Do only people whom you know give orders in groups?', {
    why: 'everybody in any group that your assistant is added to gives it orders',
    rows: ['S008', 'S080', 'S088', 'S114', 'S156', 'S225', 'S228', 'S257'],
    isMain: true,
    pass: 'Groups: only listed people are heard',
    *look(settings, facts) {
      for (const account of accountsOf(settings)) {
        if (!isOpenToGroups(account)) continue;
        const { at, groupPolicy } = account;
        const lists = Object.keys(groupsClosed(account)).filter((key) => key.endsWith('llowFrom'));
        const what = groupPolicy === 'open' ? `${at}.groupPolicy is "open"` : `${lists[0] ?? at} has "*"`;
        yield found('CRITICAL', what, mend(facts, groupsClosed(account)));
      }
    },
  }),
  over('channels.groups.mention_not_required', 'Is it silent in groups until it is mentioned?', {
    why: 'each message of the group goes to the model, costs money, and may carry orders',
    rows: ['S009', 'S035', 'S037', 'S081', 'S177', 'S178'],
    isMain: true,
    pass: 'Group chats: mention required',
    *look(settings, facts) {
      for (const { at, groups = {} } of accountsOf(settings))
        for (const [id, { requireMention }] of Object.entries(groups)) {
          const key = `${below(`${at}.groups`, id)}.requireMention`;
          if (!requireMention) yield found('WARNING', `${key} is false`, mend(facts, { [key]: true }));
        }
    },
  }),
  over('pairing.groups_unasked', 'Are you asked before it takes part in a new group?', {
    why: 'you learn of no new group; with groups."*" it takes part in each that anybody adds it to',
    rows: ['S088', 'S114'],
    pass: 'New groups: you approve each',
    look: whenIs('pairing.groups', false, 'INFO'),
  }),
  over(
    'channels.discord.allowlisted_groups.broad_members',
    'Is it people, and not whole servers, that are let in on Discord?',
    {
      why: 'everybody on that server, and everybody who joins it tomorrow, gives orders',
      rows: ['S228', 'S230'],
      pass: 'Discord: people and roles, not whole servers',
      *look(settings, facts) {
        for (const { at, guilds = {}, dangerouslyAllowAnyone } of accountsOf(settings))
          for (const [id, { users, roles }] of Object.entries(guilds)) {
            const key = below(`${at}.guilds`, id);
            // The role that everybody has bears the number of the server.
            const isEverybody = roles.includes(id) || (users.includes('*') && dangerouslyAllowAnyone);
            if (!isEverybody) continue;
            const list = roles.includes(id) ? 'roles' : 'users';
            yield found(
              'CRITICAL',
              `${key}.${list} has ${list === 'roles' ? `"${id}", the role that everybody has` : '"*"'}`,
              mend(facts, { [`${key}.${list}`]: null }),
            );
          }
      },
    },
  ),
  over('channels.mail.sender_unproven', 'Must a mail prove who sent it?', {
    why: 'anybody writes any sender into a mail; who is on your list is then whoever says so',
    pass: 'Mail: only senders whose domain vouches for them',
    *look(settings, facts) {
      for (const { at, minEvidence } of accountsOf(settings))
        if (minEvidence === 'asserted')
          yield found('CRITICAL', `${at}.minEvidence is "asserted"`, mend(facts, { [`${at}.minEvidence`]: null }));
    },
  }),
  over('channels.bot_loop_protection_off', 'Does it fall silent when two bots answer each other?', {
    why: 'two assistants talk to each other all night, and you pay for both',
    pass: 'Two bots that answer each other fall silent',
    look: whenIs('channels.defaults.botLoopProtection', false, 'WARNING'),
  }),
  over('channels.context_visible_to_all', 'Does the model read only what listed people say in groups?', {
    why: 'whatever strangers write in a group is read along, and may carry orders',
    rows: ['S214'],
    pass: 'Of groups the model reads what listed people say',
    look: whenIs('channels.defaults.contextVisibility', 'all', 'WARNING'),
  }),
  over('channels.implicit_mentions_wide', 'Is it only a mention that wakes it in groups?', {
    why: 'a thread in which it once wrote goes on being read, whoever writes there later',
    rows: ['S037'],
    pass: 'Threads do not keep it awake',
    look: whenIs('channels.defaults.implicitMentions.threadParticipation', true, 'INFO'),
  }),
];

/** A key with the id of a group or server below it. */
const below = (key: string, id: string): string => key + showKeyPath([id]).replace(/^(?!\[)/, '.');

/** Back to pairing, with whoever is named. */
function closed({ at, dmPolicy, allowFrom, dangerouslyAllowAnyone }: Account): Wanted {
  const isEmptied = dmPolicy === 'allowlist' && named(allowFrom) === null;
  return {
    ...(dmPolicy === 'open' || isEmptied ? { [`${at}.dmPolicy`]: 'pairing' } : {}),
    ...(allowFrom.includes('*') ? { [`${at}.allowFrom`]: named(allowFrom) } : {}),
    ...(dangerouslyAllowAnyone ? { [`${at}.dangerouslyAllowAnyone`]: null } : {}),
  };
}

function groupsClosed(account: Account): Wanted {
  const { at, groupPolicy, groupAllowFrom = [], groups = {}, dangerouslyAllowAnyone } = account;
  const starred = Object.entries(groups).filter(([, { allowFrom }]) => allowFrom?.includes('*'));
  return {
    ...(groupPolicy === 'open' ? { [`${at}.groupPolicy`]: 'allowlist' } : {}),
    ...(groupAllowFrom.includes('*') ? { [`${at}.groupAllowFrom`]: named(groupAllowFrom) } : {}),
    ...Object.fromEntries(
      starred.map(([id, { allowFrom = [] }]) => [`${below(`${at}.groups`, id)}.allowFrom`, named(allowFrom)]),
    ),
    ...(dangerouslyAllowAnyone && !isOpen(account) ? { [`${at}.dangerouslyAllowAnyone`]: null } : {}),
  };
}
