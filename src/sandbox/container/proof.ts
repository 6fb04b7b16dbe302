// Owns what a container has to show of itself before it is used: what every sandbox shows, and besides that its limits
// hold, that nothing is mounted but what was asked for, and that the engine has a call filter of its own. It must never
// take the engine's word for any of it.
import { type BoxParts, expectedOf, PROOF } from '../session.ts';
import { ACCOUNTS, memoryOf, type Plan, targetsOf } from './arguments.ts';
import { boxOwner } from './tasks.ts';

/** What an engine mounts for every container. */
const MOUNTS = [
  ...['/', '/tmp', '/proc', '/proc/*', '/sys', '/sys/*', '/dev', '/dev/pts', '/dev/shm', '/dev/mqueue', '/dev/null'],
  ...['/dev/zero', '/dev/full', '/dev/random', '/dev/urandom', '/dev/tty', '/dev/console'],
  ...['/etc/hosts', '/etc/hostname', '/etc/resolv.conf', '/run/.containerenv'],
];
const DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'tty', 'console', 'ptmx', 'stdin', 'stdout', 'stderr'];

/** The limit of processes is counted from where the container stands, so only that there is one is shown. */
const SCRIPT = `{ ${PROOF}
} | while read -r line; do case "$line" in processes:[0-9]*) echo processes:some ;; *) echo "$line" ;; esac; done
while read -r key value rest; do case "$key" in Seccomp_filters:) [ "$value" -ge 2 ] || echo "no filter of the engine" ;; esac; done </proc/self/status
[ -r /proc/1/environ ] && echo "the runner can be read"
for file in /dev/*; do
  case "\${file#/dev/}" in ${DEVICES.join('|')}) continue ;; esac
  if [ -b "$file" ] || [ -c "$file" ]; then echo "device $file"; fi
done`;

const LIMITS = `
say() { name=$1; shift; for file; do [ -r "$file" ] && { read -r a b <"$file"; echo "$name:$a\${b:+/$b}"; return; }; done; echo "$name:unknown"; }
g=/sys/fs/cgroup
say memory $g/memory.max $g/memory/memory.limit_in_bytes
say pids $g/pids.max $g/pids/pids.max
if [ -r $g/cpu.max ]; then say cpu $g/cpu.max; else
  read -r q <$g/cpu/cpu.cfs_quota_us && read -r p <$g/cpu/cpu.cfs_period_us && echo "cpu:$q/$p"; fi 2>/dev/null
swap=unlimited
if [ -r $g/memory.swap.max ]; then read -r s <$g/memory.swap.max; [ "$s" = 0 ] && swap=none
elif [ -r $g/memory/memory.memsw.limit_in_bytes ]; then
  read -r s <$g/memory/memory.memsw.limit_in_bytes; read -r m <$g/memory/memory.limit_in_bytes; [ "$s" = "$m" ] && swap=none
else while read -r key value rest; do [ "$key$value" = SwapTotal:0 ] && swap=none; done </proc/meminfo; fi
echo "swap:$swap"`;

export function proofOf({
  most,
  layout,
  engine,
  isLimited,
}: Pick<Plan, 'most' | 'layout' | 'engine' | 'isLimited'>): Omit<BoxParts['proof'], 'sh'> {
  const period = 100_000;
  const limits = [
    ...[`memory:${memoryOf(most.memoryBytes)}`, `pids:${most.maxProcesses}`, 'swap:none'],
    `cpu:${Math.round(most.cpus * period)}/${period}`,
  ];
  const walls = expectedOf(boxOwner().uid, true).map((line) =>
    line.startsWith('processes:') ? 'processes:some' : line,
  );
  return {
    script: `${isLimited ? SCRIPT + LIMITS : SCRIPT}\n${mountProof([...targetsOf(layout, []), ...(engine.rootless ? ACCOUNTS : [])])}`,
    expected: [...walls, ...(isLimited ? limits : [])],
    explain: (missing) => (limits.includes(missing) ? unlimited(engine, missing) : null),
  };
}

const SAID = { memory: 'of memory', pids: 'of processes', swap: 'of swap', cpu: 'of processors' };

/** A limit that was asked for and is not held is no limit. */
function unlimited(engine: Plan['engine'], missing: string): { why: string; fix: string } {
  const name = missing.replace(/:.*/, '') as keyof typeof SAID;
  const why = `the engine does not hold the limit ${SAID[name]} here`;
  if (name === 'swap') return { why, fix: 'boot with swapaccount=1, or turn swap off' };
  if (!engine.rootless) return { why, fix: `${engine.name} info   (see what it warns about)` };
  return { why, fix: 'boot with systemd.unified_cgroup_hierarchy=1, which lets an ordinary user set limits' };
}

/** What hides files lies below the workspace or a bind; everything else has to be on the list. */
function mountProof(targets: readonly string[]): string {
  const shown = targets.flatMap((target) => [quoted(target), `${quoted(target)}/*`]);
  return `while read -r id parent device root point rest; do
  case "$point" in ${[...MOUNTS, ...shown].join('|')}) ;; *) echo "mount $point" ;; esac
done </proc/self/mountinfo`;
}

/** As the list of mounts spells it. */
const quoted = (path: string): string =>
  `'${path.replace(/[\s\\]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`).replaceAll("'", `'\\''`)}'`;
