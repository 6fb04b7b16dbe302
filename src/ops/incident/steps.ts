// Owns the way through a bad day: the steps of the guides (S071-S075, S278, S279) in their order, each with what is known
// about it here, its command, and whether it can be taken back. Pure over facts; it does nothing by itself.
import { type Panic, panicLine } from '../panic/panic.ts';
import { takenBackAt } from './pages.ts';

export type IncidentFacts = {
  readonly sinceMs: number;
  readonly nowMs: number;
  readonly panic: Panic | null;
  readonly isRunning: boolean;
  /** every credential that lies here, by its name */
  readonly credentials: readonly { readonly name: string; readonly changedAtMs: number }[];
  readonly channels: readonly string[];
  /** null: it could not be read */
  readonly people: { readonly approved: number; readonly invited: number; readonly grants: number } | null;
  readonly ran: { readonly commands: number; readonly files: number; readonly requests: number; readonly messages: number; readonly refusals: number; readonly unusual: readonly string[] } | null; // biome-ignore format: one line
  readonly record: { readonly isWhole: boolean; readonly records: number; readonly why: string } | null;
  readonly sessions: readonly { readonly key: string; readonly channel: string; readonly createdAtMs: number }[];
  readonly turnsWithFiles: number;
  readonly configVersions: readonly { readonly atMs: number; readonly by: string; readonly why: string }[];
  readonly skills: readonly string[];
  readonly lastBackupAtMs: number | null;
};

export type Step = {
  readonly title: string;
  /** done: seen to be so; open: to be done; yours: only you can look */
  readonly state: 'done' | 'open' | 'yours';
  readonly says: readonly string[];
  readonly commands: readonly string[];
  readonly back: string;
};

const when = (atMs: number): string => new Date(atMs).toISOString().slice(0, 16).replace('T', ' ');

export function stepsOf(facts: IncidentFacts): readonly Step[] {
  const since = new Date(facts.sinceMs).toISOString().slice(0, 10);
  const { panic, credentials, people, ran, record } = facts;
  const stale = credentials.filter(({ changedAtMs }) => changedAtMs < facts.sinceMs);
  const hours = Math.max(1, Math.ceil((facts.nowMs - facts.sinceMs) / 3_600_000));
  const gateway = credentials.find(({ name }) => name === 'gateway-token');
  const isTokenNew = gateway !== undefined && gateway.changedAtMs >= facts.sinceMs;
  return [
    {
      title: 'Stop it',
      state: panic !== null || !facts.isRunning ? 'done' : 'open',
      says: [panic === null ? (facts.isRunning ? 'the gateway runs and works' : 'no gateway runs') : panicLine(panic)],
      commands: panic === null ? ['openclaw panic'] : [],
      back: 'openclaw panic --lift',
    },
    {
      title: 'Rotate every key, before you look into anything',
      state: stale.length === 0 ? 'done' : 'open',
      says: [
        ...stale
          .filter(({ name }) => name !== 'gateway-token')
          .map(({ name, changedAtMs }) => `${name}, from ${when(changedAtMs)}: ${takenBackAt(name)}`),
        ...(stale.length === 0 ? [`all ${credentials.length} are newer than ${since}`] : []),
      ],
      commands: stale.filter(({ name }) => name !== 'gateway-token').map(({ name }) => `openclaw secrets set ${name}`),
      back: 'cannot be taken back: an old key must never work again',
    },
    {
      title: 'Rotate the gateway token: every page and client signs in anew',
      state: isTokenNew ? 'done' : 'open',
      says: [gateway === undefined ? 'its file is not there' : `from ${when(gateway.changedAtMs)}`],
      commands: isTokenNew ? [] : ['openclaw token rotate'],
      back: 'cannot be taken back, nor has it to be',
    },
    {
      title: 'Take back rights and sessions',
      state: people === null ? 'yours' : people.approved + people.invited + people.grants === 0 ? 'done' : 'open',
      says: [
        people === null
          ? 'the database could not be read'
          : `${people.approved} people and groups approved, ${people.invited} invitations unused, ${people.grants} standing yeses`,
        ...facts.channels.map((name) => `${name}: ${takenBackAt(name)}`),
      ],
      commands: [
        'openclaw pairing approved',
        'openclaw pairing revoke ID',
        'openclaw approvals grants',
        'openclaw mcp list',
      ],
      back: 'approve them again',
    },
    {
      title: `See what ran since ${since}`,
      state: ran !== null && ran.unusual.length === 0 ? 'done' : 'open',
      says:
        ran === null
          ? ['the record could not be read']
          : [
              `${ran.commands} commands, ${ran.files} files written, ${ran.requests} requests out, ${ran.messages} messages to others, ${ran.refusals} refusals`,
              ...ran.unusual.map((what) => `unusual: ${what}`),
            ],
      commands: [`openclaw audit report --since ${hours}h`, `openclaw audit log --since ${hours}h`],
      back: 'only looks',
    },
    {
      title: 'Look for sessions that you do not know',
      state: facts.sessions.length === 0 ? 'done' : 'yours',
      says: facts.sessions.map(({ key, channel, createdAtMs }) => `${key}, by ${channel}, begun ${when(createdAtMs)}`),
      commands: ['openclaw sessions list', 'openclaw sessions show KEY'],
      back: 'only looks',
    },
    {
      title: 'Look at changed files and settings',
      state: facts.turnsWithFiles + facts.configVersions.length === 0 ? 'done' : 'yours',
      says: [
        `${facts.turnsWithFiles} turns changed files of the workspace`,
        ...facts.configVersions.map(({ atMs, by, why }) => `settings changed ${when(atMs)} by ${by}: ${why}`),
      ],
      commands: [
        'openclaw undo list',
        'openclaw undo --turn ID',
        'openclaw config history',
        'openclaw config rollback',
        'openclaw memory changes',
      ],
      back: 'each is itself a way back, and can be undone',
    },
    {
      title: 'Look at skills and tools of others',
      state: facts.skills.length === 0 ? 'done' : 'open',
      says: facts.skills.length === 0 ? ['none is changed or waits'] : facts.skills,
      commands: ['openclaw skills verify', 'openclaw skills remove NAME', 'openclaw mcp list'],
      back: 'install and approve again',
    },
    {
      title: 'Verify the record',
      state: record === null ? 'yours' : record.isWhole ? 'done' : 'open',
      says: [
        record === null ? 'it could not be read' : record.isWhole ? `whole, ${record.records} records` : record.why,
      ],
      commands: ['openclaw audit verify'],
      back: 'only looks',
    },
    {
      title: 'Look at this machine',
      state: 'yours',
      says: ['who signed in, what is started by itself, whose keys open the door'],
      commands: ['last', 'crontab -l', 'cat ~/.ssh/authorized_keys', 'openclaw security audit --deep --host'],
      back: 'only looks',
    },
    {
      title: 'Keep the evidence',
      state: 'open',
      says: ['record, log, sessions and settings, without secrets, each file with its hash'],
      commands: [`openclaw incident export --since ${since}`],
      back: 'delete the folder',
    },
    {
      title: 'Restore what was lost',
      state: 'yours',
      says: [
        facts.lastBackupAtMs === null ? 'there is no backup' : `the last backup is of ${when(facts.lastBackupAtMs)}`,
      ],
      commands: ['openclaw backup list', 'openclaw backup restore FILE --dry-run'],
      back: 'what was there is kept first',
    },
    {
      title: 'Let it work again',
      state: panic === null ? 'done' : 'open',
      says: ['only when all of the above is done'],
      commands: panic === null ? [] : ['openclaw panic --lift'],
      back: 'openclaw panic',
    },
  ];
}
