// Owns the checks of who is let in by name: how many on each channel, entries that mean nobody or somebody else, who is the
// owner, invitations that are out. It reads lists and the database, and names nobody's messages.
import { existsSync } from 'node:fs';
import { CHANNEL_NAMES, type ChannelName } from '../../../config/schema/channels.ts';
import type { Config } from '../../../config/schema.ts';
import type { Grant } from '../../../store/people/pairing.ts';
import type { Check, Facts, Finding, Outcome, Severity } from '../../check.ts';
import { amiss, found } from '../../looking.ts';
import { advise, mend, pathIn, valueAt } from '../../mend.ts';
import { orUnset, overIn, saidOf, told, UNREADABLE } from '../over.ts';
import { accountsOf } from './accounts.ts';

const group = 'Who can talk';
const over = overIn(group);
/** One owner, a family, a few friends; beyond that it is a service. */
const MANY_PEOPLE = 25;
const NAMES: Readonly<Record<ChannelName, string>> = {
  telegram: 'Telegram',
  whatsapp: 'WhatsApp',
  discord: 'Discord',
  slack: 'Slack',
  mail: 'Mail',
};

/** `node:sqlite` takes 10 ms to load, which nobody pays who has no database. */
async function grantsOf({ paths, nowMs }: Facts): Promise<readonly Grant[] | null> {
  if (!existsSync(paths.databasePath)) return [];
  const { readGrants } = await import('../../../store/people/read-grants.ts');
  return readGrants(paths.databasePath)?.filter(({ untilMs }) => untilMs === null || untilMs > nowMs) ?? null;
}

const unread = ({ paths }: Facts): Outcome => ({ skipped: `${paths.databasePath} cannot be read` });

/** Everybody who is let in on a channel: listed, and approved. */
function peopleOn(channel: ChannelName, settings: Config, grants: readonly Grant[]): ReadonlySet<string> {
  const accounts = [...accountsOf(settings)].filter((one) => one.channel === channel);
  const listed = accounts.flatMap(({ allowFrom, groupAllowFrom = [], groups = {} }) => [
    ...allowFrom,
    ...groupAllowFrom,
    ...Object.values(groups).flatMap((one) => one.allowFrom ?? []),
  ]);
  const paired = grants.filter((one) => one.channel === channel && one.kind === 'person').map(({ subject }) => subject);
  return new Set([...listed, ...paired].filter((one) => one !== '*'));
}

const users = (count: number): string => `${count} user${count === 1 ? '' : 's'}`;

const allowlists = CHANNEL_NAMES.map(
  (channel): Check => ({
    id: `channels.${channel}.allowlist`,
    group,
    title: `Who is let in on ${NAMES[channel]}?`,
    why: 'each of them gives orders; the fewer there are, the fewer accounts can be taken over',
    rows: ['S008', 'S014', 'S025', 'S080', 'S224'],
    depth: 'read',
    isMain: true,
    async probe(facts) {
      const { settings } = facts;
      if (settings === null) return { skipped: UNREADABLE };
      if (settings.channels[channel] === undefined) return { skipped: `${NAMES[channel]} is not configured` };
      const grants = await grantsOf(facts);
      if (grants === null) return unread(facts);
      const count = peopleOn(channel, settings, grants).size;
      if (count <= MANY_PEOPLE) return { pass: `${NAMES[channel]} allowlist: restricted to ${users(count)}` };
      return amiss('WARNING', `${users(count)} are let in on ${NAMES[channel]}`, 'openclaw pairing approved');
    },
  }),
);

/** The list at a key as it is written, without the entries that a message names. */
function listWithout(facts: Facts, key: string, entries: readonly string[]): readonly unknown[] | null {
  const tree = facts.inspection?.understood;
  const written = valueAt(tree, pathIn(tree, key) ?? key.split('.'));
  const left = Array.isArray(written) ? written.filter((one) => !entries.includes(String(one))) : [];
  return left.length > 0 ? left : null;
}

/** Entries of a list of people that are complained of, list by list, each list mended at once. */
function entries(head: Pick<Check, 'id' | 'title' | 'why' | 'rows'>, codes: readonly string[], pass: string): Check {
  return over(head.id, head.title, {
    ...head,
    pass,
    *look(_, facts) {
      const found = saidOf(facts, codes, /(^commands\.|[aA]llowFrom$|\.users$)/);
      const named = Object.groupBy(found, ({ key }) => key);
      for (const [key, list = []] of Object.entries(named)) {
        const odd = list.map(({ message }) => /"([^"]*)"/.exec(message.slice(key.length))?.[1] ?? '');
        const fix = mend(facts, { [key]: listWithout(facts, key, odd) });
        yield* told(facts, list, () => ({ ...fix, where: key }));
      }
    },
  });
}

const whenStarred = (name: 'ownerAllowFrom' | 'allowFrom', severity: Severity) =>
  function* ({ commands }: Config, facts: Facts): Generator<Finding> {
    const key = `commands.${name}`;
    const left = orUnset(commands[name].filter((one) => one !== '*'));
    if (commands[name].includes('*')) yield found(severity, `${key} has "*"`, mend(facts, { [key]: left }));
  };

export const LISTED_CHECKS: readonly Check[] = [
  ...allowlists,
  entries(
    {
      id: 'channels.allowFrom.mutable_entries_inert',
      title: 'Are people listed by ids that cannot be changed?',
      why: 'a username can be given up and taken by somebody else, so it lets nobody in; write the id instead',
      rows: ['S031', 'S252'],
    },
    ['mutable-name', 'nobody-listed'],
    'People are listed by ids that cannot be changed',
  ),
  entries(
    {
      id: 'channels.allowFrom.placeholder_entries',
      title: 'Is nobody listed whom a guide made up?',
      why: 'it stands for nobody, or for a stranger who happens to have that id',
      rows: ['S031', 'S251'],
    },
    ['placeholder', 'environment-name', 'variable', 'redacted'],
    'Nobody is listed whom a guide made up',
  ),
  entries(
    {
      id: 'channels.groupAllowFrom.groups_listed',
      title: 'Are groups listed as groups, and people as people?',
      why: 'this list is of senders; the group that you meant is not answered',
      rows: ['S179'],
    },
    ['group-in-senders'],
    'Groups are listed as groups, and people as people',
  ),
  over('commands.owner_wildcard', 'Is it you alone whom it takes for you?', {
    why: 'everybody who writes approves commands and changes what is allowed',
    rows: ['S002'],
    pass: ({ commands }) =>
      `Owner in chats: ${commands.ownerAllowFrom.length > 0 ? commands.ownerAllowFrom.join(', ') : 'who paired as owner'}`,
    look: whenStarred('ownerAllowFrom', 'CRITICAL'),
  }),
  over('commands.allowFrom_wildcard', 'May only people whom you name use chat commands?', {
    why: 'everybody who is let in asks for status and switches conversations',
    rows: [],
    pass: 'Chat commands: you, and whom you name',
    look: whenStarred('allowFrom', 'WARNING'),
  }),
  {
    ...{ id: 'channels.routing.owner_missing', group, depth: 'read', rows: ['S002', 'S034'] },
    title: 'Does it know which of several people is you?',
    why: 'none of them is asked when something needs a yes; it waits on the page and in the terminal',
    async probe(facts) {
      const { settings } = facts;
      if (settings === null) return { skipped: UNREADABLE };
      const grants = await grantsOf(facts);
      if (grants === null) return unread(facts);
      const hasOwner = settings.commands.ownerAllowFrom.length > 0 || grants.some(({ role }) => role === 'owner');
      const crowded = CHANNEL_NAMES.find((channel) => peopleOn(channel, settings, grants).size > 1);
      if (hasOwner || crowded === undefined) return { pass: 'It knows who you are, or nobody else is there' };
      const [first = 'ID'] = peopleOn(crowded, settings, grants);
      return amiss(
        'INFO',
        `several people are let in on ${NAMES[crowded]}, and none of them is known as you`,
        advise(facts, { 'commands.ownerAllowFrom': [`${crowded}:${first}`] }),
      );
    },
  },
  {
    ...{ id: 'pairing.invites_outstanding', group, depth: 'read', rows: ['S021'] },
    title: 'Are invitations out that nobody has used?',
    why: 'whoever gets hold of the code is let in without being asked about',
    async probe(facts) {
      const { paths, nowMs } = facts;
      if (!existsSync(paths.databasePath)) return { pass: 'No invitation is out' };
      const { readOpenInvites } = await import('../../../store/people/read-grants.ts');
      const titles = readOpenInvites(paths.databasePath, nowMs);
      if (titles === null) return unread(facts);
      if (titles.length === 0) return { pass: 'No invitation is out' };
      const who = titles
        .map((title) => (title === '' ? 'one without a name' : JSON.stringify(title.slice(0, 40))))
        .join(', ');
      const evidence = `${titles.length === 1 ? 'an invitation is' : `${titles.length} invitations are`} out: ${who}`;
      return amiss(titles.length > 3 ? 'WARNING' : 'INFO', evidence, 'openclaw pairing list');
    },
  },
  {
    ...{ id: 'security.trust_model.multi_user_heuristic', group, depth: 'read', rows: ['S001'] },
    title: 'Is it the assistant of one person, and not a service?',
    why: 'this is built for one owner and a few people whom he trusts; it does not keep many from each other',
    isMain: true,
    async probe(facts) {
      const { settings } = facts;
      if (settings === null) return { skipped: UNREADABLE };
      const grants = await grantsOf(facts);
      if (grants === null) return unread(facts);
      const count = CHANNEL_NAMES.reduce((sum, channel) => sum + peopleOn(channel, settings, grants).size, 0);
      if (count <= 2 * MANY_PEOPLE) return { pass: `Trust model: one owner, ${users(count)} let in` };
      const evidence = `${users(count)} are let in altogether: that is a service`;
      return amiss('WARNING', evidence, 'openclaw pairing approved');
    },
  },
];
