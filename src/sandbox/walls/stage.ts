// Owns the step down from root: a private mount namespace in which nobody can reach the workspace, and the words that
// put a command there as nobody. Without root there is nothing to step down from. It must never change the host's mounts.
import { statSync } from 'node:fs';
import { HardshellError, reasonOf } from '../../platform/errors.ts';
import { findProgram, howToAllow } from '../programs.ts';
import { NOBODY, workspaceOwner } from '../workspace.ts';
import { holdNamespaces, SAY_READY } from './hold.ts';
import { COVERABLE, type Layout } from './layout.ts';

export type Stage = {
  /** what comes before the argv of the driver */
  readonly prefix: readonly string[];
  /** the workspace as the driver sees it */
  readonly workspace: string;
  /** the binds of the layout, in their order, as the driver sees them */
  readonly binds: readonly string[];
  close(): void;
};

/**
 * Each folder is entered, by its path or, where that could be swapped, compared with what it was, before a small tmpfs
 * hides what lies above it. $1 that tmpfs, $2 workspace, then path and identity of each further folder.
 */
const STAGE_SCRIPT = `set -eu
base=$1
cd "$2"
shift 2
n=0
mount -t tmpfs -o size=64k,mode=0755,nosuid,nodev tmpfs "$base"
mkdir "$base/workspace"
mount --no-canonicalize --rbind . "$base/workspace"
while [ "$#" -gt 0 ]; do
  cd "$1"
  [ "$(stat -c %d:%i .)" = "$2" ] || { echo "$1 is another folder now" >&2; exit 1; }
  mkdir "$base/bind$n"
  mount --no-canonicalize --rbind . "$base/bind$n"
  n=$((n+1))
  shift 2
done
${SAY_READY}`;

/** Without root and without further folders there is nothing to prepare. */
export async function openStage({ workspace, binds }: Pick<Layout, 'workspace' | 'binds'>): Promise<Stage> {
  const isRoot = workspaceOwner().owner !== undefined;
  if (!isRoot && binds.length === 0) return { prefix: [], workspace, binds: [], close: () => {} };
  const [unshare, sh, nsenter] = ['unshare', 'sh', 'nsenter'].map(findProgram);
  if (!unshare || !sh || !nsenter) throw failed('util-linux is not installed', 'apt install util-linux');
  const base = coverableFolder([workspace, ...binds.map(({ source }) => source)]);
  const folders = binds.flatMap(({ source, identity }) => [source, identity]);
  const user = isRoot ? [] : ['--user', '--map-root-user'];
  const argv = [unshare, ...user, '--mount', '--propagation', 'private', sh, '-c', STAGE_SCRIPT, 'stage'];
  const held = await holdNamespaces([...argv, base, workspace, ...folders], isRoot ? ['mnt'] : ['user', 'mnt']).catch(
    (error: unknown) => {
      throw failed(
        `no private mount namespace: ${reasonOf(error)}`,
        isRoot ? 'run the gateway as an ordinary user instead of root' : howToAllow(),
      );
    },
  );
  const enter = isRoot
    ? // Setting the group also drops the supplementary groups; leaving user 0 drops every capability.
      [`--setuid=${NOBODY.uid}`, `--setgid=${NOBODY.gid}`]
    : ['--preserve-credentials', `--user=${held.path('user')}`];
  return {
    prefix: [nsenter, `--mount=${held.path('mnt')}`, ...enter, '--'],
    workspace: `${base}/workspace`,
    binds: binds.map((_, index) => `${base}/bind${index}`),
    close: held.close,
  };
}

/** A folder to mount something on: its content is hidden in a private namespace only, so any will do that holds none of `avoid`. */
export function coverableFolder(avoid: readonly string[]): string {
  const free = COVERABLE.filter((folder) => !avoid.some((one) => `${one}/`.startsWith(`${folder}/`)));
  return free.find((folder) => statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) ?? '/tmp';
}

function failed(message: string, fix: string): HardshellError {
  return new HardshellError({ code: 'SANDBOX_UNAVAILABLE', message, fix });
}
