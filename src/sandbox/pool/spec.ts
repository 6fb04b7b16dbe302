// Owns what a box is made of for a plan: the folder it shows as the workspace, what is bound into it, the socket of its
// proxy. It must never show the workspace to a conversation that the plan gives none of it.
import { join } from 'node:path';
import { ensureFolder, removeFile } from '../../platform/files.ts';
import { sha256 } from '../../platform/ids.ts';
import { giveTree } from '../../platform/ownership.ts';
import type { Bind, SandboxSpec } from '../driver.ts';
import { PROXY_SOCKET } from '../walls/layout.ts';
import { prepareWorkspace, workspaceOwner } from '../workspace.ts';
import type { Plan } from './plan.ts';

export type SpecPorts = {
  readonly workspace: string;
  readonly stateDir: string;
  readonly fixedFiles: readonly string[];
  readonly hidden: readonly string[];
  /** folders outside the workspace that the owner allows, and what in all of them stays hidden */
  readonly reach?: { binds(): readonly Bind[]; masked(): Promise<readonly string[]> };
  /** the list as it is now */
  hosts(): readonly string[];
  readonly hostsSetting?: string;
  record(kind: 'sandbox.request', body: Record<string, unknown>): void;
  /** for tests alone: who answers for names; no setting reaches it */
  readonly dangerouslyResolve?: (host: string) => Promise<readonly string[]>;
};

export type Ready = { readonly spec: SandboxSpec; readonly fingerprint: string; close(): Promise<void> };

const idOf = (text: string): string => sha256(text).slice(0, 24);

/** The folder of conversations that have nothing of the workspace. */
export const privateFolder = (stateDir: string, scopeKey: string): string =>
  join(stateDir, 'sandboxes', idOf(scopeKey), 'workspace');

/** Pure but for the places that it looks at: the same plan gives the same text until something of it changes. */
export function specOf(plan: Plan, ports: SpecPorts): Omit<SandboxSpec, 'network'> {
  const isPrivate = plan.access === 'none';
  const { reach } = ports;
  return {
    workspace: isPrivate ? privateFolder(ports.stateDir, plan.scopeKey) : ports.workspace,
    workspaceAccess: plan.access === 'ro' ? 'ro' : 'rw',
    fixedFiles: isPrivate ? [] : ports.fixedFiles,
    hidden: ports.hidden,
    // Whoever has nothing of the workspace has nothing of what lies outside it either, but what is bound into every box.
    binds: [...plan.binds.map(bindOf), ...(isPrivate ? [] : readOnlyIf(plan.access === 'ro', reach?.binds() ?? []))],
    ...(isPrivate || !reach ? {} : { masked: reach.masked }),
    most: { memoryBytes: plan.limits.memoryBytes, maxProcesses: plan.limits.maxProcesses, cpus: plan.cpus },
    image: plan.image,
  };
}

export const fingerprintOf = (plan: Plan, spec: Omit<SandboxSpec, 'network'>): string =>
  JSON.stringify([plan.backend, plan.network, spec]);

/** Makes what must be there before a driver opens. `sessions`: whose commands run in the box at that moment. */
export async function prepare(plan: Plan, ports: SpecPorts, sessions: () => readonly string[]): Promise<Ready> {
  const spec = specOf(plan, ports);
  const fingerprint = fingerprintOf(plan, spec);
  if (plan.access === 'none') prepareWorkspace(spec.workspace);
  if (plan.network === 'none') return { fingerprint, spec: { ...spec, network: 'none' }, close: async () => {} };
  const { openEgressProxy } = await import('../../net/egress/proxy.ts');
  const folder = join(ports.stateDir, 'sandboxes', idOf(`${plan.scopeKey} ${fingerprint}`).slice(0, 12));
  const socketPath = join(folder, PROXY_SOCKET);
  ensureFolder(folder);
  removeFile(socketPath);
  const { owner } = workspaceOwner();
  const proxy = await openEgressProxy({
    socketPath,
    hosts: ports.hosts,
    ...(ports.hostsSetting ? { setting: ports.hostsSetting } : {}),
    seen: (request) => ports.record('sandbox.request', { ...request, box: plan.scopeKey, sessions: sessions() }),
    ...(ports.dangerouslyResolve ? { dangerouslyResolve: ports.dangerouslyResolve } : {}),
  });
  if (owner) giveTree(folder, owner);
  return {
    fingerprint,
    spec: { ...spec, network: { proxySocket: socketPath } },
    async close() {
      await proxy.close();
      removeFile(socketPath);
    },
  };
}

/** The rules of the configuration have looked at its shape. */
function bindOf(text: string): Bind {
  const [source = '', target = '', mode = 'rw'] = text.split(':');
  return { source, target, access: mode === 'ro' ? 'ro' : 'rw' };
}

const readOnlyIf = (isReadOnly: boolean, binds: readonly Bind[]): Bind[] =>
  binds.map((bind) => (isReadOnly ? { ...bind, access: 'ro' } : bind));
