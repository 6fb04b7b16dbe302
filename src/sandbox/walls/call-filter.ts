// Owns the few system calls that no namespace and no limit contains: kinds of sockets that leave the machine, the keys of
// whoever started the gateway, memory that belongs to no process, and other processors. It must allow everything that it does not know to
// be a way out.

/** A network namespace does not contain the others: a vsock, for one, reaches the host of a virtual machine. */
const ALLOWED_FAMILIES = { unix: 1, inet: 2, inet6: 10, netlink: 16 } as const;

/** The same number on every machine. */
const ANYWHERE = {
  // makes sockets past this filter
  io_uring_setup: 425,
  memfd_secret: 447,
} as const;

/**
 * A process hands its keyring on to every descendant, into every namespace. Memory files and System V memory, semaphores
 * and queues are counted for nobody, so that no limit would hold for them; /dev/shm and mmap are there instead. Who may
 * move to another processor is limited to none.
 */
type Absent =
  | 'add_key'
  | 'request_key'
  | 'keyctl'
  | 'memfd_create'
  | 'shmget'
  | 'semget'
  | 'msgget'
  | 'sched_setaffinity';
type Machine = {
  readonly audit: number;
  readonly socket: number;
  readonly x32Bit: number | null;
  readonly absent: Readonly<Record<Absent, number>>;
};
/** Numbers of linux/audit.h and of each system call table; another machine goes without the filter. */
const MACHINES: Readonly<Record<string, Machine>> = {
  x64: {
    audit: 0xc000003e,
    socket: 41,
    x32Bit: 0x40000000,
    absent: {
      add_key: 248,
      request_key: 249,
      keyctl: 250,
      memfd_create: 319,
      shmget: 29,
      semget: 64,
      msgget: 68,
      sched_setaffinity: 203,
    },
  },
  arm64: {
    audit: 0xc00000b7,
    socket: 198,
    x32Bit: null,
    absent: {
      add_key: 217,
      request_key: 218,
      keyctl: 219,
      memfd_create: 279,
      shmget: 194,
      semget: 190,
      msgget: 186,
      sched_setaffinity: 122,
    },
  },
};

const LOAD = 0x20;
const IF_EQUAL = 0x15;
const IF_AT_LEAST = 0x35;
const IF_ANY_BIT = 0x45;
const RETURN = 0x06;
const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
/** SECCOMP_RET_ERRNO with EAFNOSUPPORT and ENOSYS: what a kernel says that was built without it. */
const NO_SUCH_FAMILY = 0x00050000 | 97;
const NO_SUCH_CALL = 0x00050000 | 38;

/** SECCOMP_RET_ERRNO with EPERM. */
const NOT_PERMITTED = 0x00050000 | 1;

/** Every CLONE_NEW… flag of linux/sched.h. */
const NEW_NAMESPACES = 0x7e020080;
const NAMESPACE_CALLS: Readonly<Record<string, Record<'unshare' | 'setns' | 'clone' | 'clone3', number>>> = {
  x64: { unshare: 272, setns: 308, clone: 56, clone3: 435 },
  arm64: { unshare: 97, setns: 268, clone: 220, clone3: 435 },
};

/** Offsets in struct seccomp_data; the first argument's low half comes first on both machines. */
const AT = { number: 0, machine: 4, firstArgument: 16 } as const;

type Step = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

/** A program for the kernel's filter, or null on a machine whose numbers we do not know. */
export function callFilter(arch: string = process.arch): Uint8Array | null {
  const machine = MACHINES[arch];
  if (machine === undefined) return null;
  const families = Object.values(ALLOWED_FAMILIES);
  const absent = [...Object.values(machine.absent), ...Object.values(ANYWHERE)];
  const program: Step[] = [
    [LOAD, 0, 0, AT.machine],
    // Calls by another table (32-bit programs) would have other numbers, so they end the program that makes them.
    [IF_EQUAL, 1, 0, machine.audit],
    [RETURN, 0, 0, KILL],
    [LOAD, 0, 0, AT.number],
    ...(machine.x32Bit === null ? [] : orElse(IF_AT_LEAST, machine.x32Bit, KILL)),
    ...absent.flatMap((number) => orElse(IF_EQUAL, number, NO_SUCH_CALL)),
    [IF_EQUAL, 1, 0, machine.socket],
    [RETURN, 0, 0, ALLOW],
    [LOAD, 0, 0, AT.firstArgument],
    ...families.map((family, index): Step => [IF_EQUAL, families.length - index, 0, family]),
    [RETURN, 0, 0, NO_SUCH_FAMILY],
    [RETURN, 0, 0, ALLOW],
  ];
  return assembled(program);
}

/** What a container's engine may leave open: namespaces of one's own, in which a process has every capability. */
export function namespaceFilter(arch: string = process.arch): Uint8Array | null {
  const calls = NAMESPACE_CALLS[arch];
  if (calls === undefined) return null;
  return assembled([
    [LOAD, 0, 0, AT.number],
    ...orElse(IF_EQUAL, calls.unshare, NOT_PERMITTED),
    ...orElse(IF_EQUAL, calls.setns, NOT_PERMITTED),
    // Its flags lie in memory, where no filter looks; the C library then takes the older call.
    ...orElse(IF_EQUAL, calls.clone3, NO_SUCH_CALL),
    [IF_EQUAL, 1, 0, calls.clone],
    [RETURN, 0, 0, ALLOW],
    [LOAD, 0, 0, AT.firstArgument],
    [IF_ANY_BIT, 0, 1, NEW_NAMESPACES],
    [RETURN, 0, 0, NOT_PERMITTED],
    [RETURN, 0, 0, ALLOW],
  ]);
}

function assembled(program: readonly Step[]): Uint8Array {
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, [code, ifTrue, ifFalse, value]] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(ifTrue, index * 8 + 2);
    bytes.writeUInt8(ifFalse, index * 8 + 3);
    bytes.writeUInt32LE(value >>> 0, index * 8 + 4);
  }
  return bytes;
}

/** Ends with `verdict` when the test holds, goes on otherwise. */
const orElse = (test: number, value: number, verdict: number): Step[] => [
  [test, 0, 1, value],
  [RETURN, 0, 0, verdict],
];

const PR_SET_SECCOMP = 22;
const SECCOMP_MODE_FILTER = 2;
const PRCTL: Readonly<Record<string, number>> = { x64: 157, arm64: 167 };

/** For a driver whose tools cannot load a filter: Perl, which is part of every Debian, can make the call itself. */
export function loadWith(perl: string, filter: Uint8Array, arch: string = process.arch): string[] {
  const script = `my $filter = pack "H*", shift;
my $program = pack "S x!8 P", length($filter) / 8, $filter;
syscall(${PRCTL[arch]}, ${PR_SET_SECCOMP}, ${SECCOMP_MODE_FILTER}, $program) == 0 or die "no call filter: $!\\n";
exec {$ARGV[0]} @ARGV or die "$ARGV[0]: $!\\n";`;
  return [perl, '-e', script, Buffer.from(filter).toString('hex')];
}
