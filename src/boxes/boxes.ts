// Owns joining the boxes to the house: whose conversation a call belongs to, which settings hold for it now, and where what
// leaves a box is written down. Part of the composition; what a plan means is decided in sandbox/pool/.
import { homedir } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import type { Env, Paths } from '../config/paths.ts';
import type { Config } from '../config/schema.ts';
import { type Zones, zonesOf } from '../config/zones.ts';
import type { Journal } from '../journal/journal.ts';
import { openRoot, type Root } from '../platform/root.ts';
import type { Effect } from '../policy/effects.ts';
import { isSteeringFile, STEERING_FILES } from '../policy/steering.ts';
import { type Limit, limitsOf } from '../sandbox/pool/facts.ts';
import { conversationOf, MAIN, type Plan, planFor } from '../sandbox/pool/plan.ts';
import { type Handed, openSandboxes } from '../sandbox/pool/pool.ts';
import { createSandboxReach } from '../sandbox/reach.ts';
import { workspaceOwner } from '../sandbox/workspace.ts';
import type { Speaker } from '../sessions/turn.ts';
import { createReach, type Reach } from '../tools/reach.ts';

export type BoxPorts = {
  readonly paths: Paths;
  readonly workspace: Root;
  /** as it is now */
  config(): Config;
  /** of the workspace */
  zones(): Zones;
  /** tells a container engine's client where its engine is */
  readonly env: Env;
  /** no box before the first command */
  readonly isLazy?: true;
};

/** A call, or a turn that has not called anything yet. */
export type Spoken = { readonly sessionKey: string; readonly agentId: string; readonly speaker: Speaker };
export type Boxes = ReturnType<typeof openBoxes>;

export function openBoxes({ paths, workspace, config, zones, env, isLazy }: BoxPorts) {
  let record: Journal['record'] = () => {};
  const specPorts = {
    stateDir: paths.stateDir,
    hidden: [paths.stateDir, paths.configPath],
    fixedFiles: STEERING_FILES,
    reach: createSandboxReach(zones, homedir()),
    record: (kind: string, body: Record<string, unknown>) => record(kind, body),
    env,
  };
  const sandboxes = openSandboxes({
    ...specPorts,
    workspace,
    hosts: () => config().agents.defaults.sandbox.allowedHosts,
    plan: (conversation) => planFor(config(), conversation),
    now: Date.now,
    ...(isLazy ? { isLazy } : {}),
  });
  let aloneUntilMs = 0;
  const planOf = (call: Spoken): Plan => planFor(config(), conversationOf(call));
  const openFiles = { rw: createReach(zones), ro: createReach(() => readOnly(zones())) };
  const privateFiles = new Map<
    string,
    { readonly zones: Zones; readonly files: Reach; readonly root: () => Promise<Root> }
  >();
  /** Nothing but the folder of that conversation: neither the workspace nor what else the owner allows. */
  const privateOf = (call: Spoken) => {
    const folder = sandboxes.folderFor(conversationOf(call));
    const known = privateFiles.get(folder);
    if (known) return known;
    const security = { allowedPaths: [], deniedPaths: [], dangerouslyReadable: [] };
    const only = zonesOf({ security, workspaceOnly: true }, { ...paths, workspace: folder });
    let root: Promise<Root> | null = null;
    // Opened when somebody asks for it: nobody would hear that it failed before.
    const open = (): Promise<Root> => (root ??= openRoot(folder, workspaceOwner()));
    const made = { zones: only, files: createReach(() => only), root: open };
    privateFiles.set(folder, made);
    return made;
  };
  return {
    ...sandboxes,
    planOf,
    limits: (): readonly Limit[] => limitsOf(planFor(config(), MAIN), sandboxes.known()?.driver ?? null),
    /** where commands of this conversation run */
    whereOf: (call: Spoken): 'sandbox' | 'host' => (planOf(call).isBoxed ? 'sandbox' : 'host'),
    /** where the files are that this conversation may read and write */
    zonesOf(call: Spoken): Zones {
      const { access } = planOf(call);
      return access === 'none' ? privateOf(call).zones : access === 'ro' ? readOnly(zones()) : zones();
    },
    rootOf: async (call: Spoken): Promise<Root> =>
      planOf(call).access === 'none' ? privateOf(call).root() : workspace,
    async openFor(call: Spoken, effects: readonly Effect[]): Promise<Handed & { readonly files: Reach }> {
      const { access } = planOf(call);
      const needsBox = effects.some(({ kind }) => kind === 'run');
      if (effects.some(isForAlone)) {
        await sandboxes.quiet();
        aloneUntilMs = Date.now() + (needsBox ? ALONE_MS : WRITE_MS);
      }
      const waitMs = aloneUntilMs - Date.now();
      if (needsBox && waitMs > 0 && !effects.some(isForAlone)) await wait(waitMs);
      const handed = await sandboxes.forCall(conversationOf(call), needsBox);
      return { ...handed, files: access === 'none' ? privateOf(call).files : openFiles[access] };
    },
    /** A box for a program of the owner's that is no command, with a folder of its own unless it may see the workspace. */
    async openApart(name: string, access: Plan['access'], hosts: readonly string[], setting: string) {
      const plan: Plan = {
        ...planFor(config(), MAIN),
        ...{ scopeKey: name, access, network: hosts.length === 0 ? 'none' : 'allowlist' },
      };
      const { openApart } = await import('../sandbox/pool/apart.ts');
      const ports = { ...specPorts, workspace: workspace.path, hosts: () => hosts, hostsSetting: setting };
      return { sandbox: await openApart(plan, ports), limits: plan.limits };
    },
    /** where what leaves a box is written down, once there is a journal */
    recordWith(journal: Journal['record']): void {
      record = journal;
    },
  };
}

/** From the last look at what was approved to its start; no command in a box begins meanwhile. */
const ALONE_MS = 3_000;
const WRITE_MS = 300;

/**
 * A command on the host reads files that one in a box could swap right after they were compared with what was approved. And
 * replacing a steering file takes away its cover in every box: whatever runs there would find the new one bare.
 */
const isForAlone = (one: Effect): boolean =>
  (one.kind === 'run' && (one.where === 'host' || one.elevated === true)) ||
  (one.kind === 'write' && isSteeringFile(one.path));

/** Nothing anywhere is written. */
const readOnly = (zones: Zones): Zones => ({
  ...zones,
  denied: [...zones.denied, { path: 'every file of a conversation that only reads', spellings: ['/'], access: 'w' }],
});
