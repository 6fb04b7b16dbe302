// Owns the one rule about system calls that namespaces cannot express: which kinds of sockets a command may make. It
// must allow everything that it does not know to be a way out.

/** A network namespace does not contain the others: a vsock, for one, reaches the host of a virtual machine. */
const ALLOWED_FAMILIES = { unix: 1, inet: 2, inet6: 10, netlink: 16 } as const;

type Machine = { readonly audit: number; readonly socket: number; readonly x32Bit: number | null };
/** Numbers of linux/audit.h and of each system call table; another machine goes without the filter. */
const MACHINES: Readonly<Record<string, Machine>> = {
  x64: { audit: 0xc000003e, socket: 41, x32Bit: 0x40000000 },
  arm64: { audit: 0xc00000b7, socket: 198, x32Bit: null },
};

const LOAD = 0x20;
const IF_EQUAL = 0x15;
const IF_AT_LEAST = 0x35;
const RETURN = 0x06;
const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
/** SECCOMP_RET_ERRNO with EAFNOSUPPORT: what a kernel without that kind of socket says. */
const NO_SUCH_FAMILY = 0x00050000 | 97;

/** Makes sockets too, past the filter; the same number on every machine. It says that there is no such call (ENOSYS). */
const IO_URING_SETUP = 425;
const NO_SUCH_CALL = 0x00050000 | 38;

/** Offsets in struct seccomp_data; the first argument's low half comes first on both machines. */
const AT = { number: 0, machine: 4, firstArgument: 16 } as const;

/** A program for the kernel's filter, or null on a machine whose numbers we do not know. */
export function socketFilter(arch: string = process.arch): Uint8Array | null {
  const machine = MACHINES[arch];
  if (machine === undefined) return null;
  const families = Object.values(ALLOWED_FAMILIES);
  const program: [code: number, ifTrue: number, ifFalse: number, value: number][] = [
    [LOAD, 0, 0, AT.machine],
    // Calls by another table (32-bit programs) would have other numbers, so they end the program that makes them.
    [IF_EQUAL, 1, 0, machine.audit],
    [RETURN, 0, 0, KILL],
    [LOAD, 0, 0, AT.number],
    ...(machine.x32Bit === null
      ? []
      : [
          [IF_AT_LEAST, 0, 1, machine.x32Bit] as [number, number, number, number],
          [RETURN, 0, 0, KILL] as [number, number, number, number],
        ]),
    [IF_EQUAL, 0, 1, IO_URING_SETUP],
    [RETURN, 0, 0, NO_SUCH_CALL],
    [IF_EQUAL, 1, 0, machine.socket],
    [RETURN, 0, 0, ALLOW],
    [LOAD, 0, 0, AT.firstArgument],
    ...families.map((family, index): [number, number, number, number] => [
      IF_EQUAL,
      families.length - index,
      0,
      family,
    ]),
    [RETURN, 0, 0, NO_SUCH_FAMILY],
    [RETURN, 0, 0, ALLOW],
  ];
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, [code, ifTrue, ifFalse, value]] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(ifTrue, index * 8 + 2);
    bytes.writeUInt8(ifFalse, index * 8 + 3);
    bytes.writeUInt32LE(value >>> 0, index * 8 + 4);
  }
  return bytes;
}
