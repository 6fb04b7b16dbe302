// Owns which hosts and addresses may be reached, from a box and for pages: names by the owner's list, addresses only where
// they are public. It must never let a name decide about an address, nor an address that was not looked at be dialled.
import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

export type Target = { readonly host: string; readonly port: number };

/** `text` is `host:port`, or `host` for the port that goes without saying. Null for what is no plain name. */
export function targetOf(text: string, port: number): Target | null {
  const [, name = '', given] = /^([^:/@\s]{1,253}|\[[\da-fA-F:.]+\])(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = name
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');
  const wanted = given === undefined ? port : Number(given);
  const isName = /^[a-z0-9]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9_-]*[a-z0-9])?)*$/.test(host);
  return (isName || isIP(host) !== 0) && wanted > 0 && wanted < 65_536 ? { host, port: wanted } : null;
}

/** Whether an entry such as `example.net`, `*.example.net` or `example.net:8443` lets the target through. */
export function isListed({ host, port }: Target, hosts: readonly string[], usual: number): boolean {
  return hosts.some((entry) => {
    const [, name = '', listed] = /^(.*?)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
    if (port !== (listed === undefined ? usual : Number(listed))) return false;
    // Below the domain, and not the domain itself; an address is no name below anything.
    return name.startsWith('*.') ? isIP(host) === 0 && host.endsWith(name.slice(1)) : host === name;
  });
}

const PRIVATE_4 = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'],
  ...['224.0.0.0/4', '240.0.0.0/4'],
];
/** Of the public part of IPv6: documentation, and what carries an IPv4 address inside. */
const ODD_6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];
const GLOBAL_6 = '2000::/3';

/** Made when the first address is looked at: a gateway that reads no page keeps nothing of it. */
let lists: { readonly blocked: BlockList; readonly global6: BlockList } | undefined;

/** Public, and not one of this machine. */
export function isPublic(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return false;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  lists ??= { blocked: listOf([...PRIVATE_4, ...ODD_6]), global6: listOf([GLOBAL_6]) };
  const { blocked, global6 } = lists;
  if (blocked.check(address, type) || (family === 6 && !global6.check(address, type))) return false;
  return !isOfMachine(address);
}

/** Of the network that this machine is in, but neither this machine, nor what machines of a cloud tell about themselves. */
export function isOfOwnNetwork(address: string): boolean {
  const family = isIP(address);
  if (family !== 4 && family !== 6) return false;
  lan ??= { 4: listOf(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16']), 6: listOf(['fc00::/7']) };
  const isIn = lan[family].check(address, family === 4 ? 'ipv4' : 'ipv6');
  return isIn && !/^fd00:ec2:/i.test(address) && !isOfMachine(address);
}
let lan: { readonly 4: BlockList; readonly 6: BlockList } | undefined;

const isOfMachine = (address: string): boolean =>
  Object.values(networkInterfaces()).some((list) => list?.some((one) => one.address === address));

/** Who answers for names. */
export type Resolve = (host: string) => Promise<readonly string[]>;

export const lookUp: Resolve = async (host) => {
  if (isIP(host) !== 0) return [host];
  const { lookup } = await import('node:dns/promises');
  return (await lookup(host, { all: true })).map(({ address }) => address);
};

/** Looked up once, to be dialled as they are; one that is not public spoils all of them. */
export async function addressesOf(
  host: string,
  resolve: Resolve = lookUp,
  isAllowed: (address: string) => boolean = isPublic,
): Promise<{ readonly addresses: readonly string[]; readonly problem: 'none' | 'private' | null }> {
  const addresses = await resolve(host);
  if (addresses.length === 0) return { addresses, problem: 'none' };
  return addresses.every(isAllowed) ? { addresses, problem: null } : { addresses: [], problem: 'private' };
}

function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [net = '', bits] = range.split('/');
    list.addSubnet(net, Number(bits), net.includes(':') ? 'ipv6' : 'ipv4');
  }
  return list;
}
