// Owns what a sandboxed command can see of this machine: the read-only system, a minimal /etc, nothing else. A driver
// turns this list into mounts; it must never add a folder of its own.
import { existsSync, lstatSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { EXIT, HardshellError } from '../../platform/errors.ts';
import { isSystemFolder } from '../../platform/system-folders.ts';
import type { SandboxSpec } from '../driver.ts';
import type { OpenBind } from './binds.ts';
import { RM_SHIM, SHIM_FOLDER } from './trash.ts';

export type Layout = {
  /** real path on the host; shown as /workspace */
  readonly workspace: string;
  readonly writable: boolean;
  /** further folders, and that of the proxy's socket */
  readonly binds: readonly OpenBind[];
  readonly hasProxy: boolean;
  readonly ownWalls: boolean;
  /** on how many processors it runs */
  readonly cpus: number;
  masked(): Promise<readonly Mask[]>;
  /** names in the workspace that stay as they are, whatever a command does */
  readonly fixedFiles: readonly string[];
  /** host folders and files shown read-only under the same path */
  readonly readOnly: readonly string[];
  /** top-level links such as /bin -> usr/bin */
  readonly links: readonly { readonly at: string; readonly to: string }[];
  /** small files made for the sandbox alone */
  readonly files: readonly { readonly at: string; readonly text: string; readonly isProgram?: true }[];
};

/** A path as commands see it, which reads as empty. */
export type Mask = { readonly path: string; readonly isFolder: boolean };

/** Where a command finds the socket of the filtering proxy. */
export const PROXY_FOLDER = '/etc/proxy';
export const PROXY_SOCKET = 'proxy.sock';
export const SANDBOX_ID = 1000;
/** Counted as memory by the watch, and small enough that a filled one hurts nobody. */
export const TMP_BYTES = 256 * 1024 ** 2;
export const SHM_BYTES = 64 * 1024 ** 2;
export const HOSTNAME = 'sandbox';

const SYSTEM = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];
/** Nothing below names a person, a key, a network or a service of the host. */
const ETC = `/etc/alternatives /etc/ld.so.cache /etc/ld.so.conf /etc/ld.so.conf.d /etc/ssl/certs
  /etc/ssl/openssl.cnf /etc/pki/tls/certs /etc/pki/ca-trust/extracted /etc/ca-certificates/extracted /etc/localtime
  /etc/mime.types /etc/terminfo /etc/fonts`.split(/\s+/);

const FILES: Layout['files'] = [
  {
    at: '/etc/passwd',
    text: `sandbox:x:${SANDBOX_ID}:${SANDBOX_ID}::/workspace:/bin/sh\nnobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n`,
  },
  { at: '/etc/group', text: `sandbox:x:${SANDBOX_ID}:\nnogroup:x:65534:\n` },
  { at: '/etc/hosts', text: `127.0.0.1 localhost ${HOSTNAME}\n::1 localhost\n` },
  { at: '/etc/nsswitch.conf', text: 'passwd: files\ngroup: files\nhosts: files\n' },
  { at: `${SHIM_FOLDER}/rm`, text: RM_SHIM, isProgram: true },
];

export async function layoutFor(spec: SandboxSpec): Promise<Layout> {
  const links: { at: string; to: string }[] = [];
  const readOnly: string[] = [];
  for (const at of SYSTEM) {
    const found = lstatSync(at, { throwIfNoEntry: false });
    if (found?.isSymbolicLink() === true) links.push({ at, to: readlinkSync(at) });
    else if (found !== undefined) readOnly.push(at);
  }
  readOnly.push(...ETC.filter((path) => existsSync(path)));
  const writable = spec.workspaceAccess === 'rw';
  const workspace = realWorkspace(spec.workspace, spec.hidden);
  const hasProxy = spec.network !== 'none';
  const binds =
    hasProxy || (spec.binds ?? []).length > 0 ? (await import('./binds.ts')).openBinds(spec, PROXY_FOLDER) : [];
  return {
    workspace,
    writable,
    binds,
    hasProxy,
    ownWalls: spec.ownWalls === true,
    cpus: spec.most?.cpus ?? 1,
    masked: async () => ((await spec.masked?.()) ?? []).flatMap((path) => maskAt(path, workspace, binds)),
    fixedFiles: writable ? spec.fixedFiles.map(plainName) : [],
    readOnly,
    links,
    files: FILES,
  };
}

/** What is no plain file and no folder shows nothing that could be hidden. */
function maskAt(path: string, workspace: string, binds: readonly OpenBind[]): Mask[] {
  const bind = binds.find(({ target }) => path.startsWith(`${target}/`));
  const outside = bind === undefined ? join(workspace, path) : bind.source + path.slice(bind.target.length);
  const found = lstatSync(outside, { throwIfNoEntry: false });
  if (!found?.isFile() && !found?.isDirectory()) return [];
  return [{ path: bind === undefined ? join('/workspace', path) : path, isFolder: found.isDirectory() }];
}

function plainName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) return name;
  throw refused(`${JSON.stringify(name)} cannot be a fixed file`, 'name a file at the top of the workspace');
}

const FIX = 'set agents.defaults.workspace to a folder of its own';

/** Folders that hold nothing which others need to see; a probe opens one, and a private namespace may hide it. As a
 *  workspace they are refused before a sandbox is asked for. */
export const COVERABLE: readonly string[] = ['/mnt', '/media', '/srv', '/tmp'];

/** Where the workspace really is. Throws when it is, or holds, anything that is not the assistant's. */
function realWorkspace(workspace: string, hidden: readonly string[]): string {
  let path: string;
  try {
    path = realpathSync(workspace);
  } catch (error) {
    throw refused(`the workspace ${workspace} does not exist`, `mkdir -m 700 ${workspace}`, error);
  }
  if (!statSync(path).isDirectory()) throw refused(`the workspace ${path} is not a folder`, FIX);
  if (isSystemFolder(path) && !COVERABLE.includes(path))
    throw refused(`${path} belongs to the system and cannot be a workspace`, FIX);
  const shown = [homedir(), ...hidden].map(realOrSame).find((folder) => `${folder}/`.startsWith(`${path}/`));
  if (shown === undefined) return path;
  throw refused(`${path} cannot be a workspace: it holds ${shown}`, FIX);
}

function realOrSame(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function refused(message: string, fix: string, cause?: unknown): HardshellError {
  return new HardshellError({ code: 'BAD_WORKSPACE', message, fix, exitCode: EXIT.config, cause });
}
