import { expect, test } from 'vitest';
import { callFilter, namespaceFilter } from './call-filter.ts';
import { lockedOptions, mountsBelow, parseMounts } from './mount-table.ts';

const TABLE = parseMounts(`22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 8:2 / /home rw,nosuid,nodev,noexec,relatime shared:2 - ext4 /dev/sda2 rw
31 22 8:3 / /usr/local ro,noatime shared:3 - ext4 /dev/sda3 ro
32 30 8:4 / /home/a\\040b rw,nodiratime - ext4 /dev/sda4 rw
`);

test('options that a user namespace may not take away come from the nearest mount', () => {
  expect(lockedOptions('/home/x/workspace', TABLE)).toEqual(['noexec']);
  expect(lockedOptions('/home/a b/workspace', TABLE)).toEqual(['nodiratime']);
  expect(lockedOptions('/homes/x', TABLE)).toEqual([]);
  expect(lockedOptions('/usr/local', TABLE)).toEqual(['noatime']);
});

test('mounts below a read-only folder are found, so that they become read-only too', () => {
  expect(mountsBelow(['/usr', '/etc/ssl'], TABLE)).toEqual(['/usr/local']);
  expect(mountsBelow(['/usr/local'], TABLE)).toEqual([]);
});

/** What the kernel would do with the program: a classic BPF machine, as far as the filter uses it. */
function decide(program: Uint8Array, call: { number: number; machine: number; first: number }): number {
  const bytes = Buffer.from(program);
  let loaded = 0;
  for (let at = 0; at < bytes.length / 8; at += 1) {
    const [code, yes, no] = [bytes.readUInt16LE(at * 8), bytes.readUInt8(at * 8 + 2), bytes.readUInt8(at * 8 + 3)];
    const value = bytes.readUInt32LE(at * 8 + 4);
    if (code === 0x06) return value;
    if (code === 0x20) loaded = { 0: call.number, 4: call.machine, 16: call.first }[value] ?? Number.NaN;
    else if (code === 0x15) at += loaded === value ? yes : no;
    else if (code === 0x45) at += (loaded & value) !== 0 ? yes : no;
    else if (code === 0x35) at += loaded >= value ? yes : no;
    else throw new Error(`unknown instruction ${code}`);
  }
  throw new Error('fell off the end');
}

const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const REFUSED = 0x00050000 + 97;

test.each([
  ['x64', 0xc000003e, 41, 59],
  ['arm64', 0xc00000b7, 198, 221],
])(
  'on %s only sockets that a network namespace holds can be made, and nothing else is touched',
  (arch, machine, socket, execve) => {
    const program = callFilter(arch);
    if (program === null) throw new Error('no filter');
    for (const family of [1, 2, 10, 16])
      expect(decide(program, { number: socket, machine, first: family })).toBe(ALLOW);
    for (const family of [0, 3, 17, 29, 31, 38, 40, 44, 255]) {
      expect(decide(program, { number: socket, machine, first: family })).toBe(REFUSED);
    }
    expect(decide(program, { number: execve, machine, first: 40 })).toBe(ALLOW);
    expect(decide(program, { number: 425, machine, first: 8 })).toBe(0x00050000 + 38);
    expect(decide(program, { number: socket, machine: 0x40000003, first: 1 })).toBe(KILL);
    if (arch === 'x64') expect(decide(program, { number: 0x40000000 + 41, machine, first: 40 })).toBe(KILL);
  },
);

test.each([
  ['x64', 0xc000003e, { keys: [248, 249, 250], memory: [319, 447, 29, 64, 68], others: [203] }],
  ['arm64', 0xc00000b7, { keys: [217, 218, 219], memory: [279, 447, 194, 190, 186], others: [122] }],
])(
  'on %s there are no keyrings, no memory without an owner, and no other processors',
  (arch, machine, { keys, memory, others }) => {
    const program = callFilter(arch);
    if (program === null) throw new Error('no filter');
    for (const number of [...keys, ...memory, ...others]) {
      expect(decide(program, { number, machine, first: 0 })).toBe(0x00050000 + 38);
    }
  },
);

test('a machine whose numbers are not known gets no filter', () => {
  expect(callFilter('riscv64')).toBeNull();
});

test.each([
  ['x64', 0xc000003e, { clone: 56, clone3: 435, unshare: 272, setns: 308, execve: 59 }],
  ['arm64', 0xc00000b7, { clone: 220, clone3: 435, unshare: 97, setns: 268, execve: 221 }],
])('on %s a container gives no new namespace, and still lets programs fork', (arch, machine, calls) => {
  const program = namespaceFilter(arch);
  if (program === null) throw new Error('no filter');
  const verdict = (number: number, first = 0): number => decide(program, { number, machine, first });
  for (const flag of [0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]) {
    expect(verdict(calls.clone, flag | 17)).toBe(0x00050000 + 1);
  }
  expect(verdict(calls.clone, 0x1200011)).toBe(ALLOW);
  expect(verdict(calls.clone, 0x3d0f00)).toBe(ALLOW);
  expect([calls.unshare, calls.setns].map((number) => verdict(number))).toEqual([0x00050000 + 1, 0x00050000 + 1]);
  expect(verdict(calls.clone3)).toBe(0x00050000 + 38);
  expect(verdict(calls.execve)).toBe(ALLOW);
});
