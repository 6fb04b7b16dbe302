// Owns the list of escape attempts: each a short script that says THROUGH when it got somewhere, and nothing when it was
// refused. It tries for real what must not work and leaves nothing behind; it must never do harm where it does work.

/** Outside, for the attempts to reach. */
export type Outside = {
  /** a listener on the loopback of this machine */
  readonly port: number;
  /** the name of a listening abstract socket */
  readonly abstract: string;
  /** a process of this machine that the account may end */
  readonly pid: number;
  readonly stateDir: string;
  readonly home: string;
};
export type Attempt = { readonly id: string; readonly what: string; readonly script: string };

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
/** Perl, since a shell cannot make most calls; numbers for x64 and arm64. */
const perl = (code: string): string => `perl -MSocket -e ${quoted(`sub through { print "THROUGH\\n" } ${code}`)} 2>&1`;
const call = (x64: number, arm64: number, args: string): string =>
  perl(
    `chomp(my $m = \`uname -m\`); my $r = syscall($m eq "x86_64" ? ${x64} : ${arm64}, ${args}); $r < 0 ? print "$!\\n" : through`,
  );
const runs = (line: string): string => `( ${line} ) 2>&1 && echo THROUGH`;
const writes = (...paths: string[]): string =>
  `for p in ${paths.join(' ')}; do ( : >>"$p" ) 2>&1 && echo "THROUGH $p"; done`;
const sees = (...paths: string[]): string =>
  `for p in ${paths.map(quoted).join(' ')}; do [ -e "$p" ] && echo "THROUGH $p"; done; true`;

export function attemptsFor({ port, abstract, pid, stateDir, home }: Outside): Attempt[] {
  const keys = ['.ssh', '.gnupg', '.aws', '.kube', '.docker', '.netrc', '.config', '.mozilla'];
  return [
    {
      id: 'tcp',
      what: 'a TCP port of this machine',
      script: `(exec 3<>/dev/tcp/127.0.0.1/${port}) 2>&1 && echo THROUGH`,
    },
    {
      id: 'tcp-out',
      what: 'a TCP connection to elsewhere',
      script: perl(
        `socket(S,2,1,0) or die; connect(S, pack_sockaddr_in(80, inet_aton("192.0.2.1"))) ? through : print "$!\\n"`,
      ),
    },
    {
      id: 'udp-out',
      what: 'a UDP packet to elsewhere',
      script: perl(
        `socket(S,2,2,0) or die; defined(send(S, "x", 0, pack_sockaddr_in(53, inet_aton("192.0.2.1")))) ? through : print "$!\\n"`,
      ),
    },
    { id: 'dns', what: 'the address of a name', script: runs('getent hosts example.com') },
    {
      id: 'interfaces',
      what: 'an interface besides the loopback',
      script: `grep -v '^ *lo:' /proc/net/dev | grep ':' && echo THROUGH; true`,
    },
    {
      id: 'netlink',
      what: 'changing an interface over netlink',
      script: perl(
        `socket(S,16,3,0) or die "$!\\n"; my $m = pack("LSSLL CCSLLL", 32, 16, 5, 1, 0, 0, 0, 1, 1, 0, 1); send(S, $m, 0) or die "$!\\n"; recv(S, my $b, 4096, 0); my (undef, $t, undef, undef, undef, $e) = unpack("LSSLLl", $b); $t == 2 && $e == 0 ? through : print "refused ", -$e, "\\n"`,
      ),
    },
    {
      id: 'raw',
      what: 'a raw or packet socket',
      script: perl(`socket(S,2,3,1) and through; socket(S,17,3,3) and through; print "$!\\n"`),
    },
    {
      id: 'abstract',
      what: 'an abstract Unix socket of this machine',
      script: perl(`socket(S,1,1,0) or die; connect(S, pack_sockaddr_un("\\0${abstract}")) ? through : print "$!\\n"`),
    },
    {
      id: 'vsock',
      what: 'sockets that no namespace holds (vsock, alg, tipc)',
      script: perl('for (40, 38, 30) { socket(S, $_, 1, 0) and through } print "$!\\n"'),
    },
    {
      id: 'engine',
      what: 'the socket of a container engine',
      script: sees(
        '/var/run/docker.sock',
        '/run/docker.sock',
        '/run/podman/podman.sock',
        '/run/containerd/containerd.sock',
      ),
    },
    {
      id: 'state',
      what: 'the state folder with its keys',
      script: `${sees(`${stateDir}/credentials`, `${stateDir}/openclaw.json`, `${stateDir}/state.sqlite`)}; ls -d /workspace/../credentials 2>&1 && echo THROUGH; true`,
    },
    {
      id: 'keys',
      what: 'keys and logins in your home folder',
      script: sees(...keys.map((name) => `${home}/${name}`), '/root/.ssh'),
    },
    {
      id: 'environment',
      what: 'secrets in the environment',
      script: `env | grep -iE '^[^=]*(token|secret|password|passwd|api_?key|credential)[^=]*=' && echo THROUGH; true`,
    },
    {
      id: 'accounts',
      what: 'the accounts and passwords of this machine',
      script: `${sees('/etc/shadow', '/etc/ssh', '/etc/sudoers')}; true`,
    },
    {
      id: 'processes',
      what: 'other processes and what they were started with',
      script: `cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -i 'openclaw' && echo THROUGH; [ "$(ls -d /proc/[0-9]* | wc -l)" -lt 16 ] || echo THROUGH; true`,
    },
    { id: 'signal', what: 'ending a process outside', script: runs(`kill -0 ${pid}`) },
    {
      id: 'ptrace',
      what: 'tracing a process of another account or outside',
      script: call(101, 117, `0x4206, ${pid}, 0, 0`),
    },
    {
      id: 'write',
      what: 'writing to the system',
      script: writes('/x', '/usr/x', '/usr/bin/x', '/etc/passwd', '/lib/x', '/dev/x'),
    },
    {
      id: 'mount',
      what: 'mounting',
      script: runs(
        'mount -t tmpfs none /tmp || mount --bind /workspace /usr || mount -o remount,rw /usr || mount -o remount,rw /',
      ),
    },
    { id: 'umount', what: 'taking a mount away', script: runs('umount -l /proc || umount -l /workspace') },
    {
      id: 'namespaces',
      what: 'namespaces of its own',
      script: runs('unshare --user true || unshare --net true || unshare --mount true'),
    },
    { id: 'chroot', what: 'another root', script: call(161, 51, 'my $p = "/tmp\\0"') },
    {
      id: 'setuid',
      what: 'the rights of a setuid program, or of root',
      script: `cp /bin/sh /workspace/.probe-sh 2>/dev/null && chmod 4755 /workspace/.probe-sh && [ "$(/workspace/.probe-sh -p -c 'id -u')" = 0 ] && echo THROUGH; rm -f /workspace/.probe-sh; ${perl('$> = 0; $< = 0; ($> == 0 || $< == 0) ? through : print "$!\\n"')}; [ "$(id -u)" != 0 ] || echo THROUGH`,
    },
    {
      id: 'capabilities',
      what: 'any capability',
      script: `grep -E '^Cap(Prm|Eff|Bnd|Amb)' /proc/self/status | grep -v 0000000000000000 && echo THROUGH; grep -q '^NoNewPrivs:.*1' /proc/self/status || echo THROUGH; true`,
    },
    {
      id: 'devices',
      what: 'device nodes',
      script: `${sees('/dev/mem', '/dev/kmem', '/dev/sda', '/dev/vda', '/dev/kvm', '/dev/fuse', '/dev/net/tun')}; mknod /tmp/d b 8 0 2>&1 && echo THROUGH; true`,
    },
    { id: 'kernel-log', what: 'the log of the kernel', script: call(103, 116, '3, (my $b = " " x 64), 64') },
    {
      id: 'bpf',
      what: 'programs in the kernel (bpf)',
      script: call(321, 280, '0, (my $b = pack("LLLL", 1, 4, 4, 1) . "\\0" x 100), 72'),
    },
    {
      id: 'perf',
      what: 'performance counters of the machine',
      script: call(298, 241, '(my $b = pack("LLQ", 1, 112, 0) . "\\0" x 96), -1, 0, -1, 0'),
    },
    {
      id: 'io-uring',
      what: 'io_uring, which makes sockets unseen',
      script: call(425, 425, '8, (my $b = "\\0" x 120)'),
    },
    { id: 'keyring', what: 'the keyring of whoever started the gateway', script: call(250, 219, '0, -3, 1') },
    {
      id: 'modules',
      what: 'kernel modules, and another kernel',
      script: `${call(175, 105, '0, 0, my $p = "\\0"')}; ${call(246, 104, '0, 0, 0, 0')}`,
    },
    {
      id: 'sysctl',
      what: 'settings of the kernel',
      script: writes('/proc/sys/kernel/core_pattern', '/proc/sys/kernel/hostname', '/proc/sysrq-trigger'),
    },
    {
      id: 'limits',
      what: 'looser limits, and more processors',
      script: `( ulimit -u 100000 ) 2>&1 && echo THROUGH; ( renice -n -5 $$ ) >/dev/null 2>&1 && echo THROUGH; ${call(203, 122, '0, 128, (my $b = "\\xff" x 128)')}`,
    },
    {
      id: 'pids',
      what: 'more processes than allowed',
      script: perl(
        'my $n = 0; while ($n < 5000) { my $p = fork; last unless defined $p; $p or (sleep(20), exit); $n++ } print $n >= 5000 ? "THROUGH\\n" : "$n\\n"',
      ),
    },
    {
      id: 'memory',
      what: 'more memory than allowed',
      script: perl('my $n = 64e9; my $x = "a" x $n; length $x and through'),
    },
    {
      id: 'files',
      what: 'more open files than allowed',
      script: perl(
        'my @f; while (@f < 5000) { open(my $h, "<", "/dev/null") or last; push @f, $h } print @f >= 5000 ? "THROUGH\\n" : scalar(@f) . "\\n"',
      ),
    },
  ];
}
