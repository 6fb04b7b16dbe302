// Owns the rules of borders: a workspace that is not the machine, and nothing of the host in the box.
import { basename, isAbsolute, normalize } from 'node:path';
import { homePlaces, NEVER_IN_BOX, secretName } from '../../platform/never-readable.ts';
import { isSystemFolder } from '../../platform/system-folders.ts';
import type { Finding } from '../findings.ts';
import { parseEntry } from '../path-entries.ts';
import { covers, real } from '../zones.ts';
import { holdsKeys, isHome, systemTree } from './places.ts';
import { type Rule, type RuleContext, risky, wrong } from './rule.ts';

const STRICT_FIRST = {
  mode: ['all', 'non-main', 'off'],
  scope: ['session', 'agent', 'shared'],
  workspaceAccess: ['none', 'ro', 'rw'],
};

export const borders: Rule = function* ({ agents, security }, context) {
  const workspaces = [
    ['agents.defaults.workspace', agents.defaults.workspace] as const,
    ...Object.entries(agents.entries).map(
      ([id, entry]) => [`agents.entries.${id}.workspace`, entry.workspace] as const,
    ),
  ];
  for (const [key, path] of workspaces) if (path !== undefined) yield* workspaceRules(key, path, context);
  for (const [id, { sandbox }] of Object.entries(agents.entries)) {
    for (const [name, order] of Object.entries(STRICT_FIRST)) {
      const [own, most] = [sandbox, agents.defaults.sandbox].map((one) => one[name as keyof typeof STRICT_FIRST]);
      if (own === undefined || order.indexOf(own) <= order.indexOf(most ?? order.at(-1) ?? '')) continue;
      const key = `agents.entries.${id}.sandbox.${name}`;
      yield wrong(
        'box-looser',
        key,
        `${key} "${own}" is looser than agents.defaults.sandbox.${name} "${most}"`,
        'remove it',
      );
    }
  }
  yield* hostRules(agents.defaults.sandbox);
  yield* boxRules(
    agents.defaults.sandbox.docker,
    agents.defaults.workspace ?? context.defaultWorkspace,
    security.allowedPaths.map((text) => parseEntry('allowedPaths', text).path),
    context,
  );
};

function* workspaceRules(key: string, path: string, context: RuleContext): Generator<Finding> {
  const fix = `name a folder of its own, such as ${context.defaultWorkspace}`;
  if (!isAbsolute(path)) return;
  if (path === '/' || isHome(path, context.home))
    yield wrong('workspace-too-wide', key, `${key} is ${path === '/' ? 'the whole machine' : 'your home folder'}`, fix);
  else if (path === context.stateDir || covers(path, context.stateDir))
    yield wrong('workspace-is-state', key, `${key} holds the state folder with its keys`, fix);
  else if (
    covers(context.stateDir, path) &&
    path !== context.defaultWorkspace &&
    !covers(context.defaultWorkspace, path) &&
    !/^workspace(-[\w-]+)?(\/|$)/.test(path.slice(context.stateDir.length + 1))
  ) {
    yield wrong('workspace-in-state', key, `${key} lies among the keys of the state folder`, fix);
  } else if (
    isSystemFolder(path) ||
    NEVER_IN_BOX.some((one) => covers(one, path) && !(one === '/root' && covers('/root', context.home)))
  ) {
    yield wrong('workspace-is-system', key, `${key} belongs to the system`, fix);
  } else if (holdsKeys(path, context.home)) yield wrong('workspace-is-keys', key, `${key} holds keys and logins`, fix);
}

type Box = {
  readonly binds: readonly string[];
  readonly dangerouslyAllowExternalBindSources: boolean;
};

const HOST = /^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+(:\d{1,5})?$/i;
const ALLOWED_HOSTS = 'agents.defaults.sandbox.allowedHosts';
const MEMORY = 'agents.defaults.sandbox.docker.memory';
const LEAST_MB = 64;

function* hostRules(box: {
  readonly allowedHosts: readonly string[];
  readonly docker: { readonly network: string; readonly memory: string };
}): Generator<Finding> {
  const odd = box.allowedHosts.find((host) => !HOST.test(host));
  if (odd !== undefined) {
    const fix = 'write example.net, *.example.net or example.net:8443';
    yield wrong('box-host', ALLOWED_HOSTS, `${ALLOWED_HOSTS}: "${odd}" is not the name of a host`, fix);
  }
  if (box.docker.network === 'allowlist' && box.allowedHosts.length === 0) {
    const message = 'agents.defaults.sandbox.docker.network is "allowlist", and no host is allowed';
    yield risky('box-hosts-missing', ALLOWED_HOSTS, message, `openclaw config set ${ALLOWED_HOSTS} '["example.net"]'`);
  }
  if (/m$/.test(box.docker.memory) && Number.parseInt(box.docker.memory, 10) < LEAST_MB)
    yield wrong(
      'box-memory',
      MEMORY,
      `${MEMORY}: no program runs in ${box.docker.memory}`,
      `write at least ${LEAST_MB}m`,
    );
}

function* boxRules(box: Box, workspace: string, allowed: readonly string[], context: RuleContext): Generator<Finding> {
  const key = 'agents.defaults.sandbox.docker.binds';
  for (const bind of box.binds) {
    const [from = '', to = '', mode = 'rw', ...more] = bind.split(':');
    if (!isAbsolute(from) || !isAbsolute(to) || more.length > 0 || !['ro', 'rw', 'z', 'Z'].includes(mode)) {
      yield wrong('bind-shape', key, `${key}: "${bind}" is not /from:/to:ro`, 'write both sides as absolute paths');
      continue;
    }
    const source = real(normalize(from));
    const { home, stateDir, defaultWorkspace } = context;
    const forbidden = hostParts(source, { home, stateDirs: [stateDir], kept: defaultWorkspace });
    if (forbidden)
      yield wrong(
        'bind-forbidden',
        key,
        `${key}: "${from}" would show ${forbidden} to commands`,
        'remove it; this can not be allowed',
      );
    else if (/^\/(workspace|agent|proc|sys|dev|etc|usr|bin|sbin|lib)?(\/|$)/.test(normalize(to))) {
      yield wrong(
        'bind-target',
        key,
        `${key}: "${to}" would cover a part of the box`,
        'use another place, such as /data',
      );
    } else if (
      ![workspace, ...allowed].some((folder) => covers(folder, source)) &&
      !box.dangerouslyAllowExternalBindSources
    ) {
      yield wrong(
        'bind-outside',
        key,
        `${key}: "${from}" lies outside the workspace and security.allowedPaths`,
        `add it to security.allowedPaths`,
      );
    }
  }
}

export type HostFacts = {
  readonly home: string;
  readonly stateDirs: readonly string[];
  /** what may be shown although it lies in the state folder */
  readonly kept: string | null;
};

/** What of the host a real path would show to commands, or null. */
export function hostParts(source: string, { home, stateDirs, kept }: HostFacts): string | null {
  if (source === '/') return 'the whole machine';
  const secret = secretName(basename(source));
  if (secret !== null) return secret;
  const system = systemTree(source, home);
  if (system) return system;
  const isState = (dir: string): boolean =>
    covers(source, dir) || (covers(dir, source) && !(kept !== null && covers(kept, source)));
  if (stateDirs.some(isState)) return 'the state folder with its keys';
  return homePlaces(home).find((one) => covers(one, source) || covers(source, one)) ?? null;
}
