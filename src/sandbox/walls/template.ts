// Owns the root of the util-linux sandbox: built once, in a user and mount namespace of its own, and read-only when it
// stands. Each command gets a copy of its mounts; it must never hold a process or anything writable but the workspace.
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { findProgram } from '../programs.ts';
import { type Held, holdNamespaces, SAY_READY } from './hold.ts';
import { HOSTNAME, type Layout, type Mask, SHM_BYTES, TMP_BYTES } from './layout.ts';
import { lockedOptions, mountsBelow } from './mount-table.ts';
import { coverableFolder, type Stage } from './stage.ts';
import { SHIM_FOLDER } from './trash.ts';

export type TemplatePrograms = {
  readonly unshare: string;
  readonly sh: string;
  readonly mount: string;
  readonly umount: string;
  readonly mkdir: string;
  readonly ln: string;
  readonly pivot_root: string;
};

/** The prefix of the stage puts what follows it where its folders can be reached by the account that commands run as. */
export async function openTemplate(
  layout: Layout,
  stage: Pick<Stage, 'prefix' | 'workspace' | 'binds'>,
  programs: TemplatePrograms,
): Promise<Held> {
  const spaces = ['--user', '--map-root-user', '--mount', '--propagation', 'private', '--uts', '--'];
  const script = buildScript(layout, stage, programs);
  const argv = [...stage.prefix, programs.unshare, ...spaces, programs.sh, '-c', script];
  return holdNamespaces(argv, ['user', 'mnt', 'uts']);
}

const DEVICES = ['/dev/null', '/dev/zero', '/dev/full', '/dev/random', '/dev/urandom'];
/** Where the old root is put for the moment between pivot and unmount. */
const OLD_ROOT = '/mnt';

/** What each command mounts for itself, as the template's /etc/fstab. Unlike bubblewrap, tmpfs can limit files too. */
function ownMounts(layout: Layout, workspace: string): string {
  const flags = ['bind', 'ro', 'nosuid', 'nodev', ...lockedOptions(workspace)].join(',');
  return [
    `tmpfs /tmp tmpfs size=${TMP_BYTES},nr_inodes=65536,mode=1777,nosuid,nodev 0 0`,
    `tmpfs /dev/shm tmpfs size=${SHM_BYTES},nr_inodes=4096,mode=1777,nosuid,nodev 0 0`,
    ...layout.fixedFiles.map((name) => `/workspace/${name} /workspace/${name} none ${flags} 0 0`),
  ].join('\n');
}

/** Unlike echo, word for word. */
const SAY = "printf '%s\\n'";

function buildScript(layout: Layout, stage: Pick<Stage, 'workspace' | 'binds'>, programs: TemplatePrograms): string {
  const { workspace } = stage;
  const { mount, umount, mkdir, ln, pivot_root } = programs;
  const base = coverableFolder([workspace, ...stage.binds]);
  const targets = layout.binds.map(({ target }) => target);
  const folders = ['/proc', '/dev/shm', '/tmp', '/workspace', '/etc', SHIM_FOLDER, MASKS.folder, OLD_ROOT, ...targets];
  const plain = [...DEVICES];
  for (const path of layout.readOnly) {
    const isFolder = existsSync(`${path}/.`);
    folders.push(isFolder ? path : dirname(path));
    if (!isFolder) plain.push(path);
  }
  const files: Layout['files'] = [...layout.files, { at: '/etc/fstab', text: ownMounts(layout, workspace) }];
  plain.push(MASKS.file);
  const hostname = findProgram('hostname');
  const deviceLinks = { fd: 'fd', stdin: 'fd/0', stdout: 'fd/1', stderr: 'fd/2' };
  return [
    'set -e',
    `${mount} -t tmpfs -o size=1m,nr_inodes=1024,mode=0755,nosuid,nodev tmpfs ${base}`,
    `cd ${base}`,
    `${mkdir} -p ${[...new Set(folders)].map((path) => quoted(`.${path}`)).join(' ')}`,
    ...plain.map((path) => `>${quoted(`.${path}`)}`),
    ...files.map(({ at, text }) => `printf '%s\\n' ${quoted(text.trimEnd())} >.${at}`),
    `chmod 0555 ${files.flatMap(({ at, isProgram }) => (isProgram ? [quoted(`.${at}`)] : [])).join(' ')}`,
    ...layout.links.map(({ at, to }) => `${ln} -s ${quoted(to)} .${at}`),
    ...Object.entries(deviceLinks).map(([name, to]) => `${ln} -s /proc/self/${to} dev/${name}`),
    `${SAY} ${quoted(mountTable(layout, stage, base))} >./tmp/table`,
    `${mount} -a -T ${base}/tmp/table`,
    '>./tmp/table',
    ...mountsBelow(layout.readOnly).map((path) => `${mount} -o remount,bind,ro,nosuid,nodev ${quoted(base + path)}`),
    ...(hostname === undefined ? [] : [`${hostname} ${HOSTNAME}`]),
    `${pivot_root} . .${OLD_ROOT}`,
    'cd /',
    `${umount} -l ${OLD_ROOT}`,
    `${mount} -o remount,bind,ro,nosuid,nodev /`,
    SAY_READY,
  ].join('\n');
}

/** The mounts of the template in the form of an fstab, so that one process makes them all. */
function mountTable(layout: Layout, stage: Pick<Stage, 'workspace' | 'binds'>, base: string): string {
  const { workspace, binds } = stage;
  const line = (source: string, target: string, type: string, flags: string): string =>
    `${escaped(source)} ${escaped(base + target)} ${type} ${flags} 0 0\n`;
  const shown = (source: string, target: string, access: string, locked = lockedOptions(source)): string =>
    line(source, target, 'none', ['rbind', access, 'nosuid', 'nodev', ...locked].join(','));
  return [
    ...layout.readOnly.map((path) => shown(path, path, 'ro')),
    ...DEVICES.map((path) => line(path, path, 'none', 'bind')),
    // For the programs that still have to come in; each command's own /proc is mounted over it before the command runs.
    line('/proc', '/proc', 'none', 'rbind'),
    shown(workspace, '/workspace', layout.writable ? 'rw' : 'ro'),
    ...layout.binds.map(({ target, writable, locked }, index) =>
      shown(binds[index] ?? '', target, writable ? 'rw' : 'ro', [...locked]),
    ),
  ].join('');
}

/** What is put over a path that must read as empty. */
const MASKS = { file: '/etc/masked/file', folder: '/etc/masked/folder' };

/** As an fstab, for one command. */
export const maskTable = (masks: readonly Mask[]): string =>
  masks
    .map(({ path, isFolder }) => {
      return `${isFolder ? MASKS.folder : MASKS.file} ${escaped(path)} none bind,ro,nosuid,nodev 0 0\n`;
    })
    .join('');

const escaped = (path: string): string =>
  path.replace(/[\s\\#]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
