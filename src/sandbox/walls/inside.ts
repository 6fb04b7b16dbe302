// Owns what runs inside a sandbox before the command: the init of its pid namespace and the limits. The same for every
// driver, so that a command cannot tell them apart.
import { namesOf, SANDBOX_WORKSPACE } from '../../platform/workspace-path.ts';
import type { ExecRequest } from '../driver.ts';
import { exportsOf } from '../environment.ts';
import { PROXY_FOLDER, PROXY_SOCKET } from './layout.ts';

const MAX_OPEN_FILES = 1024;
/** Runtimes reserve far more addresses than memory (Node.js over 1 GiB at rest), so addresses get a wider limit. */
const ADDRESS_FACTOR = 8;

/**
 * The shell stays as process 1: it collects orphans, and when it ends the kernel ends everything else. Limits are set
 * here, since the kernel counts processes a user namespace: outside, all processes of the user would count. One shell
 * calls that limit -u, another -p. $1 folder, $2 to $6 limits, $7 a Perl program or nothing, $8 how many exports follow,
 * those, then the command.
 */
const INIT = `echo 1000 2>/dev/null >/proc/self/oom_score_adj
cd "./$1" 2>/dev/null || { echo "there is no folder $1 in the workspace" >&2; exit 126; }
ulimit -c 0 && ulimit -n "$2" && ulimit -f "$3" && ulimit -d "$4" && ulimit -v "$5" || exit 125
ulimit -u "$6" 2>/dev/null || ulimit -p "$6" || exit 125
unset OLDPWD
umask 077
[ -z "$7" ] || perl -e "$7" || exit 125
n=$8
shift 8
while [ "$n" -gt 0 ]; do export "$1"; shift; n=$((n-1)); done
"$@"
exit "$?"`;

const PROXY_PORT = 3128;
const PROXY_URL = `http://127.0.0.1:${PROXY_PORT}`;
export const PROXY_ENVIRONMENT: Readonly<Record<string, string>> = {
  ...{ HTTP_PROXY: PROXY_URL, HTTPS_PROXY: PROXY_URL, http_proxy: PROXY_URL, https_proxy: PROXY_URL },
  ...{ NO_PROXY: 'localhost,127.0.0.1', no_proxy: 'localhost,127.0.0.1', NODE_USE_ENV_PROXY: '1' },
};

/** From the loopback to the proxy's socket, which programs cannot dial. It listens before it lets the command begin. */
export const FORWARDER = `use IO::Socket::INET; use IO::Socket::UNIX; use IO::Select; use Errno;
my $l = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => ${PROXY_PORT}, Listen => 64, ReuseAddr => 1) or die "no way to the proxy: $!\n";
defined(my $pid = fork) or die "no way to the proxy: $!\n";
exit 0 if $pid;
open STDIN, "<", "/dev/null"; open STDOUT, ">", "/dev/null"; open STDERR, ">", "/dev/null";
$SIG{PIPE} = "IGNORE";
my ($r, $w) = (IO::Select->new($l), IO::Select->new);
my (%to, %out, %over);
while (1) {
  my ($in, $free) = IO::Select->select($r, $w, undef);
  for my $h (@{$in || []}) {
    if ($h == $l) {
      my $c = $l->accept or next;
      my $u = IO::Socket::UNIX->new(Peer => "${PROXY_FOLDER}/${PROXY_SOCKET}") or (close $c, next);
      for my $p ([$c, $u], [$u, $c]) { my ($x, $y) = @$p; $to{$x} = $y; $out{$x} = ""; $x->blocking(0); $r->add($x) }
      next;
    }
    my $o = $to{$h} or next;
    my $n = sysread $h, my $b, 65536;
    next if !defined $n && ($!{EAGAIN} || $!{EINTR});
    $r->remove($h);
    if ($n) { $out{$o} .= $b } elsif (defined $n) { $over{$o} = 1 } else { $over{$o} = $over{$h} = 1; $out{$h} = $out{$o} = "" }
    $w->add($o);
  }
  for my $h (@{$free || []}) {
    my $o = $to{$h} or next;
    if (length $out{$h}) {
      my $n = syswrite $h, $out{$h};
      next if !defined $n && ($!{EAGAIN} || $!{EINTR});
      if (defined $n) { substr($out{$h}, 0, $n) = ""; next if length $out{$h} }
      else { $out{$h} = ""; $over{$o} = $over{$h} = 1 }
    }
    $w->remove($h);
    if (!$over{$h}) { $r->add($o); next }
    shutdown $h, 1;
    next if !$over{$o} || length $out{$o};
    for my $x ($h, $o) { $r->remove($x); $w->remove($x); delete $to{$x}; delete $out{$x}; delete $over{$x} }
    close $h; close $o;
  }
}`;

/** Where in what `insideArgv` gives the limit of processes stands. */
export const PROCESSES_AT = 9;

/** `sh -c INIT …`: to be started in /workspace, as the sandbox user, inside all namespaces. */
export function insideArgv(request: ExecRequest, sh: string, hasProxy = false, ownWalls = false): string[] {
  const folder = namesOf(request.cwd === '' ? '.' : request.cwd, [SANDBOX_WORKSPACE]).join('/') || '.';
  const exports = exportsOf(hasProxy ? { ...PROXY_ENVIRONMENT, ...request.env } : request.env);
  const { maxFileBytes, memoryBytes, maxProcesses } = request.limits;
  const limits = [
    MAX_OPEN_FILES,
    Math.floor(maxFileBytes / 512),
    Math.floor(memoryBytes / 1024),
    ownWalls ? 'unlimited' : Math.floor((memoryBytes * ADDRESS_FACTOR) / 1024),
    // One more for init itself; what leads to the proxy is one of the command's own.
    maxProcesses + 1,
  ].map(String);
  return [
    sh,
    '-c',
    INIT,
    'init',
    folder,
    ...limits,
    hasProxy ? FORWARDER : '',
    String(exports.length),
    ...exports,
    ...request.argv,
  ];
}
