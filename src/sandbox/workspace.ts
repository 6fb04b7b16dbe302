// Owns whose the workspace is. Commands never run as root, so when the gateway does, they run as nobody, and the
// workspace with everything in it is nobody's.
import { ensureFolder } from '../platform/files.ts';
import type { Owner } from '../platform/folder-handle.ts';
import { giveTree } from '../platform/ownership.ts';

/** The account without rights; the same numbers on every Linux. */
export const NOBODY: Owner = { uid: 65_534, gid: 65_534 };

/** For `openRoot`: who owns what is made in the workspace, when that is not the gateway's own account. */
export function workspaceOwner(): { readonly owner?: Owner } {
  return process.platform === 'linux' && process.geteuid?.() === 0 ? { owner: NOBODY } : {};
}

/** Makes the folder (0700) if it is missing, and hands it over. To be called before anything else touches it. */
export function prepareWorkspace(dir: string): void {
  ensureFolder(dir);
  const { owner } = workspaceOwner();
  if (owner !== undefined) giveTree(dir, owner);
}
