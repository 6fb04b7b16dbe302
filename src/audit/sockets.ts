// Owns reading which sockets listen on this machine, and which process has them, from /proc alone. What it may not see it
// says; it never guesses an owner.
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { read } from './looking.ts';

export type Listening = {
  readonly address: string;
  readonly port: number;
  readonly uid: number;
  readonly inode: string;
  /** reachable from this machine alone */
  readonly isLocal: boolean;
};

const LISTENS = '0A';

/** Null: the system does not tell. `root` holds the machine's own tree. */
export function listeningOn(root = '/'): readonly Listening[] | null {
  const tables = ['tcp', 'tcp6'].map((name) => read(join(root, 'proc/net', name), 16_000_000).text);
  if (tables.every((text) => text === null)) return null;
  return tables.flatMap((text) =>
    (text ?? '').split('\n').flatMap((line): Listening[] => {
      const [, local = '', , state, , , , uid, , inode] = line.trim().split(/\s+/);
      const [hex, port] = local.split(':');
      if (state !== LISTENS || hex === undefined || port === undefined) return [];
      const address = hex.length === 8 ? ipv4(hex) : ipv6(hex);
      const isLocal = /^127\./.test(address) || address === '::1' || address.startsWith('::ffff:127.');
      return [{ address, port: Number.parseInt(port, 16), uid: Number(uid), inode: inode ?? '', isLocal }];
    }),
  );
}

/** The sockets that a process has; null: it may not be looked at. */
export function socketsOf(pid: number): ReadonlySet<string> | null {
  try {
    const folder = `/proc/${pid}/fd`;
    return new Set(
      readdirSync(folder).flatMap((fd) => {
        try {
          return /^socket:\[(\d+)\]$/.exec(readlinkSync(join(folder, fd)))?.[1] ?? [];
        } catch {
          return [];
        }
      }),
    );
  } catch {
    return null;
  }
}

/** The kernel prints words in the order of the machine, which is little-endian on all that we run on. */
const ipv4 = (hex: string): string => [6, 4, 2, 0].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)).join('.');

function ipv6(hex: string): string {
  const bytes = [0, 8, 16, 24].flatMap((word) => [6, 4, 2, 0].map((at) => hex.slice(word + at, word + at + 2)));
  const groups = Array.from({ length: 8 }, (_, at) => `${bytes[2 * at]}${bytes[2 * at + 1]}`.toLowerCase());
  if (groups.every((group) => group === '0000')) return '::';
  if (groups.slice(0, 7).every((group) => group === '0000') && groups[7] === '0001') return '::1';
  if (groups.slice(0, 5).every((group) => group === '0000') && groups[5] === 'ffff')
    return `::ffff:${bytes
      .slice(12)
      .map((byte) => Number.parseInt(byte, 16))
      .join('.')}`;
  return groups.map((group) => group.replace(/^0{1,3}/, '')).join(':');
}

export const spoken = ({ address, port }: Pick<Listening, 'address' | 'port'>): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
