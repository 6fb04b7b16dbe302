// Owns the driver that builds its sandbox with bubblewrap: every namespace, an empty root with the read-only system in
// it, the workspace, and nothing else. It must never share a namespace with the host or pass a descriptor inside.
import { HardshellError } from '../platform/errors.ts';
import { openRoot, type Root } from '../platform/root.ts';
import type { SandboxDriver, SandboxSpec } from './driver.ts';
import { findProgram, howToAllow, isExecutable } from './programs.ts';
import { type Launch, openSession, probeBy } from './session.ts';
import { callFilter } from './walls/call-filter.ts';
import { insideArgv } from './walls/inside.ts';
import { HOSTNAME, type Layout, layoutFor, type Mask, SANDBOX_ID, SHM_BYTES, TMP_BYTES } from './walls/layout.ts';
import { openStage, type Stage } from './walls/stage.ts';
import { workspaceOwner } from './workspace.ts';

export type BubblewrapOptions = {
  /** absolute path; found in the system's folders when it is left out */
  readonly bwrap?: string;
};

const INSTALL = 'apt install bubblewrap';

export function bubblewrapDriver(options: BubblewrapOptions = {}): SandboxDriver {
  async function open(spec: SandboxSpec) {
    const bwrap = options.bwrap ?? findProgram('bwrap');
    if (bwrap === undefined || !isExecutable(bwrap)) throw missing('bubblewrap is not installed', INSTALL);
    const sh = findProgram('sh');
    if (sh === undefined) throw missing('there is no /bin/sh', 'apt install dash');
    const layout = await layoutFor(spec);
    const workspace = await openRoot(layout.workspace, workspaceOwner());
    const stage = await openStage(layout);
    const walls = wallsOf(layout, stage);
    return openSession({
      driver: 'bubblewrap',
      layout,
      fix: howToAllow(),
      async launch(request): Promise<Launch> {
        const masks = maskFlags(await layout.masked(), FIRST_FEED + walls.feeds.length + layout.fixedFiles.length);
        const flags = [...walls.flags, ...masks.flags, ...LAST];
        const argv = [
          ...stage.prefix,
          bwrap,
          ...flags,
          '--',
          ...insideArgv(request, sh, layout.hasProxy, layout.ownWalls),
        ];
        const fixed = await Promise.all(layout.fixedFiles.map((name) => fixedContent(workspace, name)));
        return { argv, feeds: [...walls.feeds, ...fixed, ...masks.feeds] };
      },
      close: () => stage.close(),
    });
  }
  return {
    name: 'bubblewrap',
    probe: () =>
      probeBy(open, 'bubblewrap: own user, mount, pid, net, ipc and uts namespaces, call filter, no capabilities'),
    open,
  };
}

const MAX_FIXED_BYTES = 1_000_000;
/** The first descriptor after the standard three. */
const FIRST_FEED = 3;

const LAST = ['--remount-ro', '/', '--chdir', '/workspace'];

function wallsOf(
  layout: Layout,
  { workspace, binds }: Pick<Stage, 'workspace' | 'binds'>,
): { flags: string[]; feeds: (string | Uint8Array)[] } {
  const filter = callFilter();
  const feeds: (string | Uint8Array)[] = layout.files.map((file) => file.text);
  if (filter !== null) feeds.push(filter);
  const flags = [
    ...['user', 'pid', 'net', 'ipc', 'uts', 'cgroup-try'].map((space) => `--unshare-${space}`),
    ...(layout.ownWalls ? [] : ['--disable-userns']),
    ...['--uid', String(SANDBOX_ID), '--gid', String(SANDBOX_ID), '--hostname', HOSTNAME],
    '--die-with-parent',
    '--new-session',
    // Our own init is process 1: bubblewrap then ends only after the kernel has ended everything inside.
    '--as-pid-1',
    ...['--cap-drop', 'ALL'],
    ...['--perms', '0755', '--dir', '/etc'],
    ...layout.readOnly.flatMap((path) => ['--ro-bind', path, path]),
    ...layout.links.flatMap(({ at, to }) => ['--symlink', to, at]),
    ...layout.files.flatMap(({ at, isProgram }, index) => [
      ...['--perms', isProgram ? '0555' : '0444', '--file', String(FIRST_FEED + index), at],
    ]),
    ...['--proc', '/proc', '--dev', '/dev'],
    ...['--perms', '1777', '--size', String(SHM_BYTES), '--tmpfs', '/dev/shm', '--remount-ro', '/dev'],
    ...['--perms', '1777', '--size', String(TMP_BYTES), '--tmpfs', '/tmp'],
    ...[layout.writable ? '--bind' : '--ro-bind', workspace, '/workspace'],
    ...layout.binds.flatMap(({ target, writable }, index) => [
      ...[writable ? '--bind' : '--ro-bind', binds[index] ?? '', target],
    ]),
    // A copy, fed in by us: the file itself could be swapped for a link while bubblewrap looks for it.
    ...layout.fixedFiles.flatMap((name, index) => [
      ...['--perms', '0600', '--ro-bind-data', String(FIRST_FEED + feeds.length + index), `/workspace/${name}`],
    ]),
    ...(filter === null ? [] : ['--seccomp', String(FIRST_FEED + layout.files.length)]),
  ];
  return { flags, feeds };
}

/** Empty files and folders over what is not to be read. */
function maskFlags(masks: readonly Mask[], firstFeed: number): { flags: string[]; feeds: string[] } {
  const flags: string[] = [];
  const feeds: string[] = [];
  for (const { path: at, isFolder } of masks) {
    if (isFolder) flags.push('--perms', '0500', '--size', '4096', '--tmpfs', at, '--remount-ro', at);
    else flags.push('--perms', '0400', '--ro-bind-data', String(firstFeed + feeds.push('') - 1), at);
  }
  return { flags, feeds };
}

/** Made when it is missing, since bubblewrap would make it so that not even its owner could write it. */
async function fixedContent(workspace: Root, name: string): Promise<Buffer> {
  const content = await workspace.tryRead(name, MAX_FIXED_BYTES);
  if (content === null) await workspace.replace(name, '');
  return content ?? Buffer.alloc(0);
}

function missing(message: string, fix: string): HardshellError {
  return new HardshellError({ code: 'SANDBOX_UNAVAILABLE', message, fix });
}
