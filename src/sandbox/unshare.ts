// Owns the driver that builds its sandbox with util-linux, which every Debian has, and Perl for the one call that
// util-linux cannot make. The same walls as bubblewrap's. It must never start a command outside the template's root.
import { existsSync } from 'node:fs';
import { reasonOf } from '../platform/errors.ts';
import { type Sandbox, type SandboxDriver, type SandboxSpec, unusable } from './driver.ts';
import { findProgram, howToAllow, isExecutable } from './programs.ts';
import { openSession, probeBy } from './session.ts';
import { callFilter, loadWith } from './walls/call-filter.ts';
import type { Held } from './walls/hold.ts';
import { insideArgv } from './walls/inside.ts';
import { type Layout, layoutFor, SANDBOX_ID } from './walls/layout.ts';
import { openStage } from './walls/stage.ts';
import { maskTable, openTemplate } from './walls/template.ts';
import { workspaceOwner } from './workspace.ts';

export type UnshareOptions = {
  /** absolute path; found in the system's folders when it is left out */
  readonly unshare?: string;
};

const PROGRAMS = [
  'unshare',
  'sh',
  'mount',
  'umount',
  'mkdir',
  'ln',
  'pivot_root',
  'setpriv',
  'nsenter',
  'perl',
] as const;
type Programs = Record<(typeof PROGRAMS)[number], string>;

const INSTALL = 'apt install util-linux';

export function unshareDriver(options: UnshareOptions = {}): SandboxDriver {
  async function open(spec: SandboxSpec): Promise<Sandbox> {
    const programs = findPrograms(options);
    const layout = await layoutFor(spec);
    const stage = await openStage(layout);
    let template: Held;
    try {
      template = await openTemplate(layout, stage, programs);
    } catch (error) {
      throw unusable('unshare', reasonOf(error), howToAllow());
    } finally {
      // The template has a copy of its mounts by now.
      stage.close();
    }
    return openSession({
      driver: 'unshare',
      layout,
      fix: howToAllow(),
      async launch(request) {
        const masks = maskTable(await layout.masked());
        const way = wayIn(template, programs, layout, masks !== '');
        return {
          argv: [...way, ...insideArgv(request, programs.sh, layout.hasProxy)],
          feeds: masks === '' ? [] : [masks],
        };
      },
      close: () => template.close(),
    });
  }
  return {
    name: 'unshare',
    probe: () =>
      probeBy(open, 'util-linux: own user, mount, pid, net, ipc and uts namespaces, call filter, no capabilities'),
    open,
  };
}

/**
 * Runs as root of the command's own user namespace, which has rights over its copy of the mounts and nothing else. The
 * fixed files must be plain, since mount follows links. One more user namespace is allowed below: the one that the next
 * program makes and that the command cannot leave. $1 how many fixed files,
 * those, then what is to be done besides (masks from descriptor 3, loopback), then what comes next.
 */
const FINISH = `set -e
n=$1
shift
while [ "$n" -gt 0 ]; do
  file="/workspace/$1"
  [ -e "$file" ] || [ -L "$file" ] || (umask 077; true >"$file")
  [ -f "$file" ] && [ ! -L "$file" ] || { echo "$1 in the workspace is not a plain file" >&2; exit 125; }
  shift
  n=$((n-1))
done
echo 1 >/proc/sys/user/max_user_namespaces
mount -a
[ -z "$1" ] || { cat <&3 >/tmp/masks; mount -a -T /tmp/masks; rm /tmp/masks; exec 3<&-; }
[ -z "$2" ] || "$2" -e "$3"
shift 3
cd /workspace
exec "$@"`;

/** bubblewrap brings the loopback up by itself, util-linux does not; SIOCSIFFLAGS, up and running. */
const LOOPBACK_UP = `my $lo = pack("a16s", "lo", 0x41); socket(S, 2, 2, 0) && ioctl(S, 0x8914, $lo) or die "no loopback: $!\n"`;

/** From outside to the point where the shared init takes over: namespaces, then an ordinary user, then no capabilities. */
function wayIn(template: Held, programs: Programs, layout: Layout, hasMasks: boolean): string[] {
  const fixed = layout.fixedFiles;
  const { nsenter, setpriv, unshare, sh, perl } = programs;
  const filter = callFilter();
  // The template's user namespace calls us root already; only a real root has to become the one it means.
  const same = workspaceOwner().owner === undefined ? ['--preserve-credentials'] : [];
  const cgroup = existsSync('/proc/self/ns/cgroup') ? ['--cgroup'] : [];
  return [
    ...[
      nsenter,
      ...same,
      `--user=${template.path('user')}`,
      `--mount=${template.path('mnt')}`,
      `--uts=${template.path('uts')}`,
    ],
    ...['--', setpriv, '--pdeathsig=KILL', '--no-new-privs', '--', unshare, '--user', '--map-root-user', '--mount'],
    ...['--propagation', 'private', '--pid', '--fork', '--kill-child=KILL', '--mount-proc', '--net', '--ipc', '--uts'],
    ...[...cgroup, '--', sh, '-c', FINISH, 'finish', String(fixed.length), ...fixed],
    ...[hasMasks ? '3' : '', layout.hasProxy ? perl : '', LOOPBACK_UP],
    ...[unshare, '--user', `--map-user=${SANDBOX_ID}`, `--map-group=${SANDBOX_ID}`, '--keep-caps', '--'],
    ...[setpriv, '--no-new-privs', '--inh-caps=-all', '--ambient-caps=-all', '--bounding-set=-all', '--'],
    ...(filter === null ? [] : loadWith(perl, filter)),
  ];
}

function findPrograms(options: UnshareOptions): Programs {
  const found = Object.fromEntries(PROGRAMS.map((name) => [name, findProgram(name)]));
  if (options.unshare !== undefined) found['unshare'] = options.unshare;
  const missing = PROGRAMS.find((name) => !isExecutable(found[name] ?? ''));
  if (missing !== undefined)
    throw unusable('unshare', `${missing} is not installed`, missing === 'perl' ? 'apt install perl-base' : INSTALL);
  return found as Programs;
}
