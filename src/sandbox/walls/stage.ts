// Owns the step down from root: a private mount namespace in which nobody can reach the workspace, and the words that
// put a command there as nobody. Without root there is nothing to step down from. It must never change the host's mounts.
import { statSync } from 'node:fs';
import { HardshellError, reasonOf } from '../../platform/errors.ts';
import { findProgram } from '../programs.ts';
import { NOBODY, workspaceOwner } from '../workspace.ts';
import { holdNamespaces, SAY_READY } from './hold.ts';
import { COVERABLE } from './layout.ts';

export type Stage = {
  /** what comes before the argv of the driver */
  readonly prefix: readonly string[];
  /** the workspace as the driver sees it */
  readonly workspace: string;
  close(): void;
};

/** The folder is entered before a small tmpfs hides its parents, and shown again below a folder that nobody can pass. */
const STAGE_SCRIPT = `set -eu
cd "$1"
mount -t tmpfs -o size=64k,mode=0755,nosuid,nodev tmpfs "$2"
mkdir "$2/workspace"
mount --no-canonicalize --rbind . "$2/workspace"
${SAY_READY}`;

export async function openStage(workspace: string): Promise<Stage> {
  if (workspaceOwner().owner === undefined) return { prefix: [], workspace, close: () => {} };
  const [unshare, sh, nsenter] = ['unshare', 'sh', 'nsenter'].map(findProgram);
  if (!unshare || !sh || !nsenter) throw failed('util-linux is not installed', 'apt install util-linux');
  const base = coverableFolder(workspace);
  const argv = [unshare, '--mount', '--propagation', 'private', sh, '-c', STAGE_SCRIPT, 'stage', workspace, base];
  const held = await holdNamespaces(argv, ['mnt']).catch((error: unknown) => {
    throw failed(
      `no private mount namespace: ${reasonOf(error)}`,
      'run the gateway as an ordinary user instead of root',
    );
  });
  return {
    // Setting the group also drops the supplementary groups; leaving user 0 drops every capability.
    prefix: [nsenter, `--mount=${held.path('mnt')}`, `--setuid=${NOBODY.uid}`, `--setgid=${NOBODY.gid}`, '--'],
    workspace: `${base}/workspace`,
    close: held.close,
  };
}

/** A folder to mount something on: its content is hidden in a private namespace only, so any will do that holds `avoid` not. */
export function coverableFolder(avoid: string): string {
  const free = COVERABLE.filter((folder) => !`${avoid}/`.startsWith(`${folder}/`));
  return free.find((folder) => statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) ?? '/tmp';
}

function failed(message: string, fix: string): HardshellError {
  return new HardshellError({ code: 'SANDBOX_UNAVAILABLE', message, fix });
}
