// Owns what the settings mean for one conversation: whether its commands are boxed, which box it shares with whom, and what
// of the workspace it has. Pure: status, explain and the pool all read it here, so that they cannot disagree.
import type { Config } from '../../config/schema.ts';
import { DEFAULT_LIMITS, type SandboxLimits } from '../driver.ts';

export type Conversation = {
  readonly sessionKey: string;
  readonly agentId: string;
  /** nobody but the owner speaks in it or hears it */
  readonly isOwners: boolean;
  /** who speaks is a guest whose pass names a folder of the workspace */
  readonly hasFolder: boolean;
};

type Spoken = Pick<Conversation, 'sessionKey' | 'agentId'> & {
  readonly speaker: {
    readonly principal: { readonly kind: string; readonly limits: { readonly folder: string | null } | null };
    readonly place: string;
  };
};

export const conversationOf = ({ sessionKey, agentId, speaker: { principal, place } }: Spoken): Conversation => ({
  ...{ sessionKey, agentId },
  isOwners: principal.kind === 'owner' && place === 'dm',
  hasFolder: (principal.limits?.folder ?? null) !== null,
});

export type Access = 'none' | 'ro' | 'rw';
export type Plan = {
  readonly mode: 'all' | 'non-main' | 'off';
  readonly isBoxed: boolean;
  readonly scope: 'session' | 'agent' | 'shared';
  /** conversations with the same one share a box, and a private folder if they have one */
  readonly scopeKey: string;
  readonly access: Access;
  readonly backend: Config['agents']['defaults']['sandbox']['backend'];
  readonly image: string;
  readonly network: 'none' | 'allowlist';
  readonly hosts: readonly string[];
  /** as they are written, `/from:/to:ro` */
  readonly binds: readonly string[];
  readonly limits: SandboxLimits;
  readonly cpus: number;
  readonly idleMs: number;
  /** the setting that says so, by name of the field */
  readonly because: Readonly<Record<'mode' | 'scope' | 'access', string>>;
};

const DEFAULTS = 'agents.defaults.sandbox';
const HOUR_MS = 60 * 60_000;

export function planFor(config: Pick<Config, 'agents' | 'tools'>, conversation: Conversation): Plan {
  const { sessionKey, agentId, isOwners, hasFolder } = conversation;
  const { defaults, entries } = config.agents;
  const box = defaults.sandbox;
  const own = entries[agentId]?.sandbox;
  const keyOf = (name: 'mode' | 'scope' | 'workspaceAccess'): string =>
    own?.[name] === undefined ? `${DEFAULTS}.${name}` : `agents.entries.${agentId}.sandbox.${name}`;
  const mode = own?.mode ?? box.mode;
  const wanted = own?.scope ?? box.scope;
  // Whoever may write into a box must not meet what another conversation left in it, unless all is shared on purpose.
  const scope = wanted === 'agent' && !isOwners ? 'session' : wanted;
  const isMain =
    isOwners && (sessionKey === `agent:${agentId}:main` || sessionKey.startsWith(`agent:${agentId}:main:`));
  const isBoxed = mode === 'all' || (mode === 'non-main' && !isMain);
  const written = own?.workspaceAccess ?? box.workspaceAccess;
  const access = !isBoxed ? 'rw' : (written ?? (isOwners || hasFolder ? 'rw' : 'none'));
  const { docker } = box;
  return {
    ...{ mode, isBoxed, scope, access },
    scopeKey: scope === 'shared' ? 'shared' : scope === 'agent' ? `agent:${agentId}` : sessionKey,
    backend: box.backend,
    image: docker.image,
    network: docker.network,
    hosts: docker.network === 'none' ? [] : box.allowedHosts,
    binds: docker.binds,
    limits: {
      ...DEFAULT_LIMITS,
      timeoutMs: config.tools.exec.timeoutSeconds * 1_000,
      memoryBytes: bytesOf(docker.memory),
      maxProcesses: docker.pidsLimit,
    },
    cpus: docker.cpus,
    idleMs: box.prune.idleHours * HOUR_MS,
    because: {
      mode: keyOf('mode'),
      scope: keyOf('scope'),
      access: isBoxed ? keyOf('workspaceAccess') : keyOf('mode'),
    },
  };
}

/** The conversation that a gateway opens a box for before anybody speaks. */
export const MAIN: Conversation = {
  sessionKey: 'agent:main:main',
  agentId: 'main',
  isOwners: true,
  hasFolder: false,
};

const UNITS: Readonly<Record<string, number>> = { m: 1024 ** 2, g: 1024 ** 3 };
const bytesOf = (text: string): number => Number.parseInt(text, 10) * (UNITS[text.slice(-1)] ?? 1);
