// Owns what an engine is asked for: the whole of `run` up to the image. It must never name a device, a capability, a
// network, a socket of an engine, or a path that a command could have swapped for another.
import { sha256 } from '../../platform/ids.ts';
import type { Root } from '../../platform/root.ts';
import type { SandboxSpec } from '../driver.ts';
import { HOSTNAME, type Layout, type Mask, SHM_BYTES, TMP_BYTES } from '../walls/layout.ts';
import type { Engine } from './engine.ts';
import { boxOwner } from './tasks.ts';

export type Plan = {
  readonly engine: Engine;
  readonly layout: Layout;
  readonly workspace: Root;
  readonly most: NonNullable<SandboxSpec['most']>;
  readonly image: string;
  /** as the image has it */
  readonly sh: string;
  /** the engine is asked for limits of its own, besides those of each command */
  readonly isLimited: boolean;
};

export type Asked = Pick<Plan, 'engine' | 'layout' | 'most' | 'image' | 'isLimited'> & {
  readonly name: string;
  readonly masks: readonly Mask[];
  /** copies of the fixed files: the engine is root and would follow a link that a command has put there */
  readonly fixed: readonly { readonly name: string; readonly path: string }[];
  /** files of the image that an engine would otherwise write the owner's account into */
  readonly accounts: readonly { readonly at: string; readonly path: string }[];
  readonly emptyFile: string;
  readonly emptyFolder: string;
};

const OPEN_FILES = 1024;
export function boxArguments(asked: Asked): string[] {
  const { engine, layout, most, name } = asked;
  const { uid, gid } = boxOwner();
  const memory = String(memoryOf(most.memoryBytes));
  const mounts = mountsOf(asked);
  // Podman knows no such limit; what inodes take counts as memory of the container.
  const inodes = engine.name === 'docker' ? ',nr_inodes=65536' : '';
  const limits = [
    ...['--pids-limit', String(most.maxProcesses), '--memory', memory, '--memory-swap', memory],
    ...['--cpus', String(most.cpus)],
  ];
  const walls = [
    ...['--network', 'none', '--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'],
    ...['--user', `${uid}:${gid}`, '--hostname', HOSTNAME, '--workdir', '/workspace'],
    ...(asked.isLimited ? limits : []),
    ...['--ulimit', `nofile=${OPEN_FILES}:${OPEN_FILES}`, '--ulimit', 'core=0:0'],
    ...['--ipc', 'private', '--shm-size', String(SHM_BYTES)],
    ...['--tmpfs', `/tmp:rw,exec,nosuid,nodev,size=${TMP_BYTES}${inodes},mode=1777`],
    ...mounts,
    ...(engine.name === 'podman' ? PODMAN : []),
    ...(engine.rootless ? ['--userns', 'keep-id'] : []),
  ];
  const hash = sha256(JSON.stringify([asked.image, walls])).slice(0, 16);
  return [
    ...['run', '--interactive', '--rm', '--pull', 'never', '--name', name, '--log-driver', 'none', '--no-healthcheck'],
    ...labels({ 'openclaw.sandbox': '1', 'openclaw.session': layout.workspace, 'openclaw.confighash': hash }),
    ...labels({ 'openclaw.created': new Date().toISOString() }),
    ...walls,
    ...['--entrypoint', 'perl'],
  ];
}

/** What podman does of its own accord and docker does not: it raises the limit of processes, too, which not every root may. */
const PODMAN = [
  '--read-only-tmpfs=false',
  '--http-proxy=false',
  '--systemd=false',
  '--no-hosts',
  '--ulimit',
  'nproc=16384:16384',
];

/** What podman makes of its own accord for a user who is not in the image. */
export const ACCOUNTS = ['/etc/passwd', '/etc/group'];

/** The kernel counts pages. */
export const memoryOf = (bytes: number): number => Math.floor(bytes / 4096) * 4096;

/** Every place where something is mounted that was asked for. */
export const targetsOf = (layout: Layout, masks: readonly Mask[]): string[] => [
  ...['/workspace', ...layout.binds.map(({ target }) => target)],
  ...layout.fixedFiles.map((name) => `/workspace/${name}`),
  ...masks.map(({ path }) => path),
];

function mountsOf({ layout, accounts, masks, fixed, emptyFile, emptyFolder }: Asked): string[] {
  // An engine mounts nothing twice, and nothing into what is empty.
  const hidden = masks.filter(({ path }) => !masks.some((one) => one.isFolder && path.startsWith(`${one.path}/`)));
  const kept = fixed.filter(({ name }) => !hidden.some(({ path }) => path === `/workspace/${name}`));
  return [
    ...bind(layout.workspace, '/workspace', layout.writable),
    ...layout.binds.flatMap(({ source, target, writable }) => bind(source, target, writable)),
    ...accounts.flatMap(({ at, path }) => bind(path, at, false)),
    ...kept.flatMap(({ name, path }) => bind(path, `/workspace/${name}`, false)),
    ...hidden.flatMap(({ path, isFolder }) => bind(isFolder ? emptyFolder : emptyFile, path, false)),
  ];
}

/** What is read-only has nothing mounted below it that would stay writable. */
const bind = (source: string, target: string, writable: boolean): string[] => [
  '--mount',
  csv(['type=bind', `source=${source}`, `target=${target}`, ...(writable ? [] : ['readonly', 'bind-nonrecursive'])]),
];

/** The client reads the fields as a line of CSV. */
const csv = (fields: readonly string[]): string =>
  fields.map((field) => (/[",\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(',');

const labels = (all: Readonly<Record<string, string>>): string[] =>
  Object.entries(all).flatMap(([name, value]) => ['--label', `${name}=${value}`]);
