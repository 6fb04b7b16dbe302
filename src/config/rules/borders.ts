// Owns the rules of borders: a workspace that is not the machine, allowed folders that are not keys, and nothing of the
// host in the box.
import { realpathSync } from 'node:fs';
import { isAbsolute, normalize } from 'node:path';
import { isSystemFolder } from '../../platform/system-folders.ts';
import type { Finding } from '../findings.ts';
import { type Rule, type RuleContext, risky, wrong } from './rule.ts';

/** Never in a box, and nothing above or below them either. */
const SYSTEM = [
  '/etc',
  '/proc',
  '/sys',
  '/dev',
  '/root',
  '/boot',
  '/run',
  '/var/run',
  '/var/lib/docker',
  '/private/etc',
  '/private/var/run',
];
const KEYS = [
  '.ssh',
  '.gnupg',
  '.aws',
  '.azure',
  '.config',
  '.docker',
  '.kube',
  '.netrc',
  '.npm',
  '.npmrc',
  '.cargo',
  '.mozilla',
  '.password-store',
  '.local/share/keyrings',
  '.local/share/containers',
];

const STRICT_FIRST = ['all', 'non-main', 'off'];

export const borders: Rule = function* ({ agents, security }, context) {
  const workspaces = [
    ['agents.defaults.workspace', agents.defaults.workspace] as const,
    ...Object.entries(agents.entries).map(
      ([id, entry]) => [`agents.entries.${id}.workspace`, entry.workspace] as const,
    ),
  ];
  for (const [key, path] of workspaces) if (path !== undefined) yield* workspaceRules(key, path, context);
  for (const [id, { sandbox }] of Object.entries(agents.entries)) {
    if (sandbox.mode && STRICT_FIRST.indexOf(sandbox.mode) > STRICT_FIRST.indexOf(agents.defaults.sandbox.mode)) {
      const key = `agents.entries.${id}.sandbox.mode`;
      yield wrong(
        'box-looser',
        key,
        `${key} "${sandbox.mode}" is looser than agents.defaults.sandbox.mode "${agents.defaults.sandbox.mode}"`,
        'remove it',
      );
    }
  }
  for (const path of security.allowedPaths) {
    if (path === '/')
      yield wrong(
        'allows-everything',
        'security.allowedPaths',
        'security.allowedPaths: "/" allows everything',
        'list the folders that it needs',
      );
    else if (covers(path, context.stateDir) || covers(context.stateDir, path)) {
      yield wrong(
        'allows-state',
        'security.allowedPaths',
        `security.allowedPaths: "${path}" reaches the state folder with its keys`,
        'list folders elsewhere',
      );
    } else if (isHome(path, context) || keysBelow(context.home).some((one) => covers(one, path))) {
      yield risky(
        'allows-keys',
        'security.allowedPaths',
        `security.allowedPaths: "${path}" holds keys and logins; those stay denied`,
        'list the folders that it needs',
      );
    }
  }
  yield* boxRules(
    agents.defaults.sandbox.docker,
    agents.defaults.workspace ?? context.defaultWorkspace,
    security.allowedPaths,
    context,
  );
};

function* workspaceRules(key: string, path: string, context: RuleContext): Generator<Finding> {
  const fix = `name a folder of its own, such as ${context.defaultWorkspace}`;
  if (!isAbsolute(path)) return;
  if (path === '/' || isHome(path, context))
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
    SYSTEM.some((one) => covers(one, path) && !(one === '/root' && covers('/root', context.home)))
  ) {
    yield wrong('workspace-is-system', key, `${key} belongs to the system`, fix);
  } else if (keysBelow(context.home).some((one) => covers(one, path)))
    yield wrong('workspace-is-keys', key, `${key} holds keys and logins`, fix);
}

type Box = {
  readonly network: string;
  readonly binds: readonly string[];
  readonly dangerouslyAllowExternalBindSources: boolean;
};

function* boxRules(box: Box, workspace: string, allowed: readonly string[], context: RuleContext): Generator<Finding> {
  if (box.network !== 'none') {
    yield risky(
      'box-network',
      'agents.defaults.sandbox.docker.network',
      'commands in the box reach the network',
      'set agents.defaults.sandbox.docker.network to "none"',
    );
  }
  const key = 'agents.defaults.sandbox.docker.binds';
  for (const bind of box.binds) {
    const [from = '', to = '', mode = 'rw', ...more] = bind.split(':');
    if (!isAbsolute(from) || !isAbsolute(to) || more.length > 0 || !['ro', 'rw', 'z', 'Z'].includes(mode)) {
      yield wrong('bind-shape', key, `${key}: "${bind}" is not /from:/to:ro`, 'write both sides as absolute paths');
      continue;
    }
    const source = real(normalize(from));
    const forbidden = hostParts(source, context);
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

/** What of the host a bind would show, or null. */
function hostParts(source: string, context: RuleContext): string | null {
  if (source === '/') return 'the whole machine';
  if (/(^|\/)(docker|podman|containerd)[^/]*\.sock$/.test(source)) return 'the container engine, which is root';
  const home = context.home;
  const system = SYSTEM.find(
    (one) =>
      (covers(one, source) && !(one === '/root' && home === '/root' && source !== '/root')) || covers(source, one),
  );
  if (system) return system;
  if (
    covers(source, context.stateDir) ||
    (covers(context.stateDir, source) && !covers(context.defaultWorkspace, source))
  )
    return 'the state folder with its keys';
  const keys = keysBelow(home).find((one) => covers(one, source) || covers(source, one));
  return keys ?? null;
}

const keysBelow = (home: string): string[] => KEYS.map((name) => `${home}/${name}`);
const isHome = (path: string, { home }: RuleContext): boolean =>
  path === home || path === '/home' || path === '/Users' || (home !== '/' && covers(path, home));

/** `inner` is `outer` or lies in it. */
function covers(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(outer === '/' ? '/' : `${outer}/`);
}

/** Where a path really leads, as far as it exists. */
function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
