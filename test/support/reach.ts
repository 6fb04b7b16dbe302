// Owns the files of a tool in a test: a workspace, and what is allowed besides.
import { type Zones, zonesOf } from '../../src/config/zones.ts';
import { createReach, type Reach } from '../../src/tools/reach.ts';

export type Paths = {
  readonly allowed?: readonly string[];
  readonly denied?: readonly string[];
  readonly readable?: readonly string[];
  readonly workspaceOnly?: boolean;
  readonly stateDir?: string;
};

export function zonesFor(workspace: string, paths: Paths = {}): Zones {
  const { allowed = [], denied = [], readable = [], workspaceOnly = true, stateDir = '/nowhere/state' } = paths;
  const security = { allowedPaths: [...allowed], deniedPaths: [...denied], dangerouslyReadable: [...readable] };
  return zonesOf({ security, workspaceOnly }, { workspace, stateDir, configPath: `${stateDir}/openclaw.json` });
}

export function reachOn(workspace: string, paths: Paths = {}): Reach {
  const zones = zonesFor(workspace, paths);
  return createReach(() => zones);
}
