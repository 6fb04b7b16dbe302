// Owns the one program that stays inside a container: its process 1, which starts commands, carries their input and
// output in frames, and ends everything that a command leaves behind. It must never run in reach of a command: it is
// process 1, so no signal from inside ends it, and not dumpable, so nobody inside opens its descriptors or memory.
import { callFilter, namespaceFilter } from '../walls/call-filter.ts';

/** PR_SET_DUMPABLE, PR_SET_SECCOMP and PR_SET_CHILD_SUBREAPER are the same everywhere; the call's number is not. */
const CALLS: Readonly<Record<string, { readonly prctl: number; readonly statfs: number }>> = {
  x64: { prctl: 157, statfs: 137 },
  arm64: { prctl: 167, statfs: 43 },
};

/**
 * A frame is one letter, the number of the command and the length as 32-bit numbers, then that many bytes.
 * In: S start, I input, E end of input, K kill. Out: B ready, O and R output, A input taken, M too much memory,
 * X ended, F not started. A command is started in a session of its own whose leader collects its orphans, so that
 * descent tells which command a process belongs to; who descends from no running command is stopped, then killed.
 */
const PROGRAM = String.raw`use strict;
use Fcntl;
use POSIX ();
my ($prctl, $statfs, $filter, $home, @base) = @ARGV;
$0 = 'sandbox-runner';
syscall($prctl, 4, 0, 0, 0, 0) == 0 or die "the runner can be read by others: $!\n";
for (split /,/, $filter) {
  my $code = pack 'H*', $_;
  my $program = pack 'S x!8 P', length($code) / 8, $code;
  syscall($prctl, 22, 2, $program) == 0 or die "no call filter: $!\n";
}
%ENV = map { split /=/, $_, 2 } @base;
umask 077;
my (%jobs, %leader, $in);
$in = '';
pipe(my $wake, my $waker) or die $!;
fcntl $_, F_SETFL, O_NONBLOCK for $wake, $waker;
$SIG{CHLD} = sub { syswrite $waker, 'x' };
$SIG{PIPE} = 'IGNORE';

sub say_frame {
  my ($type, $id, $data) = @_;
  my $frame = pack('a1NN', $type, $id, length $data) . $data;
  my $at = 0;
  while ($at < length $frame) {
    my $wrote = syswrite STDOUT, $frame, length($frame) - $at, $at;
    if (!defined $wrote) { next if $!{EINTR}; exit 1 }
    $at += $wrote;
  }
}

sub processes {
  my %found;
  opendir my $proc, '/proc' or return \%found;
  for my $pid (grep /^\d+$/, readdir $proc) {
    open my $stat, '<', "/proc/$pid/stat" or next;
    local $/;
    my $line = <$stat>;
    defined $line && $line =~ /^\d+ \(.*\) (\S) (\d+)/s or next;
    $found{$pid} = { state => $1, parent => $2 };
  }
  return \%found;
}

sub leader_of {
  my ($pid, $all) = @_;
  for (my $steps = 0; $steps < 5000; $steps++) {
    return $pid if $leader{$pid};
    my $one = $all->{$pid} or return 0;
    $pid = $one->{parent};
    return 0 if $pid <= 1;
  }
  return 0;
}

sub strays {
  my $all = processes();
  return grep { $_ != 1 && $all->{$_}{state} !~ /[ZX]/ && !leader_of($_, $all) } keys %$all;
}

sub collect {
  my $ended = 0;
  while ((my $pid = waitpid -1, POSIX::WNOHANG()) > 0) {
    my $id = delete $leader{$pid};
    next unless defined $id && $jobs{$id};
    my $status = $?;
    $jobs{$id}{code} = $status & 127 ? 128 + ($status & 127) : $status >> 8;
    $jobs{$id}{until} = now() + 0.5;
    $ended = 1;
  }
  return $ended;
}

sub now { (POSIX::times())[0] / 100 }

sub sweep {
  my ($end, %stopped) = (now() + 2);
  while (my @left = strays()) {
    exit 1 if now() > $end;
    my @new = grep { !$stopped{$_}++ } @left;
    if (@new) { kill 'STOP', @new; next }
    kill 'KILL', @left;
    %stopped = ();
    select undef, undef, undef, 0.002;
    collect();
  }
}

sub tasks {
  my $count = 0;
  opendir my $proc, '/proc' or return 1;
  for my $pid (grep /^\d+$/, readdir $proc) { $count += ((stat "/proc/$pid/task")[3] // 2) - 2 }
  return $count;
}

sub start {
  my ($id, $text) = @_;
  my ($hasInput, $bytes, $others, $place, @argv) = split /\0/, $text, -1;
  $argv[$place] += $others eq '' ? tasks() : $others;
  my ($inR, $inW, $outR, $outW, $errR, $errW);
  if (!(pipe($outR, $outW) && pipe($errR, $errW) && (!$hasInput || pipe($inR, $inW)))) { say_frame('F', $id, "$!"); return }
  $hasInput or open $inR, '<', '/dev/null';
  my $pid = fork;
  if (!defined $pid) { say_frame('F', $id, "$!"); return }
  if (!$pid) {
    $SIG{CHLD} = $SIG{PIPE} = 'DEFAULT';
    POSIX::setsid();
    setpriority 0, 0, 10;
    syscall($prctl, 36, 1, 0, 0, 0);
    POSIX::dup2(fileno $inR, 0);
    POSIX::dup2(fileno $outW, 1);
    POSIX::dup2(fileno $errW, 2);
    chdir $home;
    exec { $argv[0] } @argv;
    syswrite STDERR, "$argv[0]: $!\n";
    POSIX::_exit(127);
  }
  fcntl $inW, F_SETFL, O_NONBLOCK if $inW;
  $leader{$pid} = $id;
  $jobs{$id} = { pid => $pid, in => $inW, out => $outR, err => $errR, input => '', bytes => $bytes, scratch => scratch() };
}

sub held {
  my ($pid, $exact) = @_;
  open my $file, '<', $exact ? "/proc/$pid/smaps_rollup" : "/proc/$pid/status" or return 0;
  local $/;
  my $text = <$file> // '';
  my $total = 0;
  $total += $_ for $exact ? $text =~ /^Pss:\s+(\d+)/m : $text =~ /^Vm(?:RSS|PTE):\s+(\d+)/mg;
  return $total * 1024;
}

sub scratch {
  my $total = 0;
  for my $folder ('/tmp', '/dev/shm') {
    my ($path, $facts) = ("$folder\0", "\0" x 256);
    syscall($statfs, $path, $facts) == 0 or next;
    my (undef, $size, $blocks, $free, undef, $files, $unused) = unpack 'q7', $facts;
    $total += $size * ($blocks - $free) + 1024 * ($files - $unused);
  }
  return $total;
}

sub look {
  my ($all, $scratch) = (processes(), scratch());
  my %members;
  for my $pid (keys %$all) { my $leader = leader_of($pid, $all); push @{ $members{$leader} }, $pid if $leader }
  for my $leader (keys %members) {
    my $job = $jobs{ $leader{$leader} } or next;
    my ($total, %each) = ($scratch - $job->{scratch});
    $total += $each{$_} = held($_, 0) for @{ $members{$leader} };
    my $until = now() + 0.3;
    for my $pid (sort { $each{$b} <=> $each{$a} } grep { $each{$_} >= 1 << 24 } @{ $members{$leader} }) {
      last if $total <= $job->{bytes} || now() > $until;
      my $share = held($pid, 1);
      $total -= $each{$pid} - $share if $share && $share < $each{$pid};
    }
    next if $total <= $job->{bytes};
    say_frame('M', $leader{$leader}, '');
    kill 'KILL', $leader;
  }
}

say_frame('B', 0, do { open my $map, '<', '/proc/self/uid_map'; join '', <$map> });
my $looked = 0;
while (1) {
  my ($r, $w) = ('', '');
  vec($r, 0, 1) = 1;
  vec($r, fileno $wake, 1) = 1;
  for my $job (values %jobs) {
    for my $name ('out', 'err') { vec($r, fileno $job->{$name}, 1) = 1 if $job->{$name} }
    if ($job->{in} && $job->{input} ne '') { vec($w, fileno $job->{in}, 1) = 1 }
    elsif ($job->{in} && $job->{end}) { close delete $job->{in} }
  }
  my $count = select $r, $w, undef, %jobs ? 0.08 : undef;
  next if $count < 0;
  if (vec $r, fileno $wake, 1) { sysread $wake, my $rest, 4096 }
  sweep() if collect();
  if (vec $r, 0, 1) {
    my $got = sysread STDIN, $in, 1 << 16, length $in;
    exit 0 unless $got;
    while (length $in >= 9) {
      my ($type, $id, $size) = unpack 'a1NN', $in;
      last if length $in < 9 + $size;
      my $data = substr $in, 9, $size;
      substr $in, 0, 9 + $size, '';
      if ($type eq 'S') { start($id, $data); next }
      my $job = $jobs{$id} or next;
      if ($type eq 'I') { $job->{in} ? ($job->{input} .= $data) : say_frame('A', $id, pack 'N', $size) }
      if ($type eq 'E') { $job->{end} = 1 }
      if ($type eq 'K') { kill 'KILL', $job->{pid} if $leader{ $job->{pid} } }
    }
  }
  for my $id (keys %jobs) {
    my $job = $jobs{$id};
    if ($job->{in} && vec $w, fileno $job->{in}, 1) {
      my $wrote = syswrite $job->{in}, $job->{input};
      if (defined $wrote) { substr $job->{input}, 0, $wrote, '' }
      elsif (!$!{EAGAIN} && !$!{EINTR}) { $wrote = length $job->{input}; $job->{input} = ''; close delete $job->{in} }
      say_frame('A', $id, pack 'N', $wrote) if $wrote;
    }
    for (['out', 'O'], ['err', 'R']) {
      my ($name, $type) = @$_;
      next unless $job->{$name} && vec $r, fileno $job->{$name}, 1;
      my $got = sysread $job->{$name}, my $data, 1 << 16;
      if ($got) { say_frame($type, $id, $data) }
      elsif (defined $got) { close delete $job->{$name} }
    }
    next unless defined $job->{code} && (!$job->{out} && !$job->{err} || now() > $job->{until});
    say_frame('X', $id, pack 'N', $job->{code});
    delete $jobs{$id};
  }
  if (%leader && now() - $looked >= 0.08) { look(); $looked = now() }
}`;

/** What comes after the image: the interpreter is its entry point. `environment` is all that commands inherit. */
export function runnerArgs(environment: Readonly<Record<string, string>>, home: string): string[] | null {
  const calls = CALLS[process.arch];
  const filters = [callFilter(), namespaceFilter()].flatMap((one) =>
    one === null ? [] : [Buffer.from(one).toString('hex')],
  );
  if (calls === undefined || filters.length < 2) return null;
  const base = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  return ['-e', PROGRAM, String(calls.prctl), String(calls.statfs), filters.join(), home, ...base];
}
