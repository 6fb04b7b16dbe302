// Owns what follows from settings once they fit: ids in one form, `~` as a folder, one workspace, the strict policies that
// nothing written has answered. It may only narrow what is allowed.
import { isAbsolute, join, normalize } from 'node:path';
import { placeholderIn } from '../../secrets/strength.ts';
import type { Finding } from '../findings.ts';
import { canonicalEntry } from '../path-entries.ts';
import { CHANNEL_NAMES, type ChannelName } from '../schema/channels.ts';
import type { Config, SectionName } from '../schema.ts';
import { personOf } from './people.ts';

/** Changes a section in place. */
export function derive(name: SectionName, section: unknown, home: string): Finding[] {
  const findings: Finding[] = [];
  if (name === 'channels') {
    for (const channel of CHANNEL_NAMES) deriveChannel(section as Config['channels'], channel, findings);
  } else if (name === 'tools') strictPolicies((section as Config['tools']).policies);
  else if (name === 'security') wholePaths(section as Config['security'], home, findings);
  else if (name === 'trust') wholeTiers((section as Config['trust']).tiers, home, findings);
  else if (name === 'agents') wholeWorkspaces(section as Config['agents'], home, findings);
  return findings;
}

type People = {
  allowFrom: string[];
  groupAllowFrom?: string[];
  groups?: Record<string, { allowFrom?: string[] | undefined }>;
  accounts?: Record<string, People>;
};

function deriveChannel(channels: Config['channels'], name: ChannelName, findings: Finding[]): void {
  const channel = channels[name];
  if (!channel) return;
  const narrow = (people: People, at: string): void => {
    people.allowFrom = persons(name, people.allowFrom, `${at}.allowFrom`, findings);
    if (people.groupAllowFrom) {
      const key = `${at}.groupAllowFrom`;
      const written = people.groupAllowFrom;
      people.groupAllowFrom = persons(name, written, key, findings);
      if (written.length > 0 && people.groupAllowFrom.length === 0) findings.push(emptied(key));
    }
    for (const [id, group] of Object.entries(people.groups ?? {})) {
      if (group.allowFrom) group.allowFrom = persons(name, group.allowFrom, `${at}.groups.${id}.allowFrom`, findings);
    }
    for (const [id, account] of Object.entries(people.accounts ?? {})) narrow(account, `${at}.accounts.${id}`);
  };
  narrow(channel, `channels.${name}`);
}

/** An empty list stands for the one of direct chats; one that was not empty must not become it. */
const emptied = (key: string): Finding => ({
  level: 'error',
  code: 'allowlist-empty',
  key,
  message: `${key} has no id that counts, and without it everybody in allowFrom could speak in groups`,
  fix: 'list ids there that cannot be changed, or remove it',
});

/** Only ids that cannot be changed let anybody in; what is dropped is said. */
function persons(channel: ChannelName, written: readonly string[], key: string, findings: Finding[]): string[] {
  return written.flatMap((entry) => {
    const person = personOf(channel, entry);
    if ('id' in person) return [person.id];
    const placeholder = person.kind !== 'name' || !entry.startsWith('@') ? placeholderIn(entry) : null;
    if (placeholder) {
      findings.push({
        level: 'error',
        code: 'placeholder',
        key,
        message: `${key}: "${entry}" ${placeholder.code === 'placeholder' ? 'is an example from a guide' : placeholder.why}`,
        fix: `write the real id; ${person.where}`,
      });
    } else {
      findings.push({
        level: 'warning',
        code: person.kind === 'group' ? 'group-in-senders' : 'mutable-name',
        key,
        message: `${key}: "${entry}" ${person.why}; it lets nobody in`,
        fix: person.where,
      });
    }
    return [];
  });
}

/** Commands and the browser stay out of groups and public channels unless a policy says otherwise (S254). */
function strictPolicies(policies: Config['tools']['policies']): void {
  for (const context of ['group', 'channel'] as const) {
    const own = policies[context] ?? {};
    const elsewhere = policies['*'] ?? {};
    for (const tool of ['exec', 'browser']) {
      if (own[tool] === undefined && elsewhere[tool] === undefined) own[tool] = 'deny';
    }
    policies[context] = own;
  }
}

function wholePaths(security: Config['security'], home: string, findings: Finding[]): void {
  for (const list of ['allowedPaths', 'deniedPaths', 'dangerouslyReadable'] as const)
    security[list] = security[list].map((entry) => canonicalEntry(list, entry, home, findings));
  if (security.workspace !== undefined)
    security.workspace = wholePath(security.workspace, 'security.workspace', home, findings);
}

function wholeTiers(tiers: Config['trust']['tiers'], home: string, findings: Finding[]): void {
  for (const tier of ['high', 'medium', 'low'] as const)
    tiers[tier] = tiers[tier].map((entry) => {
      if (/^(sender|connector):./.test(entry)) return entry;
      const key = `trust.tiers.${tier}`;
      if (/[*?[\]{}]/.test(entry)) {
        const message = `${key}: "${entry}" looks like a pattern, and only plain paths, senders and connectors count`;
        findings.push({ level: 'error', code: 'path-pattern', key, message, fix: 'name the folder or the file' });
      }
      const path = entry === '~' || entry.startsWith('~/') ? join(home, entry.slice(1)) : entry;
      return normalize(path).replace(/(.)\/+$/, '$1');
    });
}

function wholeWorkspaces({ defaults, entries }: Config['agents'], home: string, findings: Finding[]): void {
  if (defaults.workspace !== undefined) {
    defaults.workspace = wholePath(defaults.workspace, 'agents.defaults.workspace', home, findings);
  }
  for (const [id, entry] of Object.entries(entries)) {
    if (entry.workspace === undefined) continue;
    entry.workspace = wholePath(entry.workspace, `agents.entries.${id}.workspace`, home, findings);
  }
}

function wholePath(path: string, key: string, home: string, findings: Finding[]): string {
  const absolute = path === '~' || path.startsWith('~/') ? join(home, path.slice(1)) : path;
  if (!isAbsolute(absolute)) {
    findings.push({
      level: 'error',
      code: 'relative-path',
      key,
      message: `${key}: "${path}" is not an absolute path`,
      fix: 'write it from / or from ~',
    });
  }
  return normalize(absolute).replace(/(.)\/+$/, '$1');
}

/** Two names for one folder; the one that runs is agents.defaults.workspace. */
export function oneWorkspace(security: Config['security'], { defaults }: Config['agents']): Finding[] {
  if (security.workspace === undefined) return [];
  const other = defaults.workspace;
  defaults.workspace = security.workspace;
  if (other === undefined || other === security.workspace) return [];
  return [
    {
      level: 'error',
      code: 'spellings-disagree',
      key: 'security.workspace',
      message: 'security.workspace and agents.defaults.workspace name different folders',
      fix: 'remove one of them',
    },
  ];
}
