// Owns what follows from settings once they fit: ids in one form, `~` as a folder, one workspace, the strict policies that
// nothing written has answered. It may only narrow what is allowed.
import { isAbsolute, join } from 'node:path';
import { placeholderIn } from '../secrets/strength.ts';
import type { Finding } from './findings.ts';
import { personOf } from './people.ts';
import { CHANNEL_NAMES, type ChannelName } from './schema/channels.ts';
import type { Config } from './schema.ts';

/** Changes `config` in place, as far as it has the sections. */
export function derive(config: Partial<Config>, home: string): Finding[] {
  const findings: Finding[] = [];
  if (config.channels) for (const name of CHANNEL_NAMES) deriveChannel(config.channels, name, findings);
  if (config.tools) strictPolicies(config.tools.policies);
  if (config.security && config.agents) oneWorkspace(config.security, config.agents.defaults, home, findings);
  return findings;
}

type People = {
  allowFrom: string[];
  groupAllowFrom?: string[];
  groups?: Record<string, { allowFrom?: string[] | undefined }>;
  accounts?: Record<string, People>;
};

function deriveChannel(channels: Config['channels'], name: ChannelName, findings: Finding[]): void {
  const channel = channels[name] as unknown as People | undefined;
  if (!channel) return;
  const narrow = (people: People, at: string): void => {
    people.allowFrom = persons(name, people.allowFrom, `${at}.allowFrom`, findings);
    if (people.groupAllowFrom) {
      people.groupAllowFrom = persons(name, people.groupAllowFrom, `${at}.groupAllowFrom`, findings);
    }
    for (const [id, group] of Object.entries(people.groups ?? {})) {
      if (group.allowFrom) group.allowFrom = persons(name, group.allowFrom, `${at}.groups.${id}.allowFrom`, findings);
    }
    for (const [id, account] of Object.entries(people.accounts ?? {})) narrow(account, `${at}.accounts.${id}`);
  };
  narrow(channel, `channels.${name}`);
}

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
        message: `${key}: "${entry}" ${placeholder.why}`,
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

function oneWorkspace(
  security: Config['security'],
  defaults: Config['agents']['defaults'],
  home: string,
  findings: Finding[],
): void {
  const folder = (path: string, key: string): string => {
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
    return absolute.length > 1 ? absolute.replace(/\/+$/, '') : absolute;
  };
  security.allowedPaths = security.allowedPaths.map((path) => folder(path, 'security.allowedPaths'));
  security.deniedPaths = security.deniedPaths.map((path) => folder(path, 'security.deniedPaths'));
  if (defaults.workspace !== undefined) defaults.workspace = folder(defaults.workspace, 'agents.defaults.workspace');
  if (security.workspace === undefined) return;
  security.workspace = folder(security.workspace, 'security.workspace');
  if (defaults.workspace !== undefined && defaults.workspace !== security.workspace) {
    findings.push({
      level: 'error',
      code: 'spellings-disagree',
      key: 'security.workspace',
      message: 'security.workspace and agents.defaults.workspace name different folders',
      fix: 'remove one of them',
    });
  }
  defaults.workspace = security.workspace;
}
