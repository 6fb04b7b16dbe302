// Owns where a server that the owner wrote down may be: one at home where that is what the address says, and never where
// machines of a cloud keep their keys. A public name that leads into a private network was not meant by anybody.
import { lookup as lookUp } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { isPublic } from './reachable.ts';

/** For tests alone: who answers for names. */
export type DangerouslyResolve = (host: string) => Promise<readonly { address: string; family: number }[]>;

/** Names that mean nothing outside a house: who writes one down means an address in it. */
const AT_HOME = /(^|\.)(localhost|local|lan|internal|home\.arpa)$/;
const ofClouds = new BlockList();
ofClouds.addSubnet('169.254.0.0', 16, 'ipv4');
ofClouds.addAddress('100.100.100.200', 'ipv4');
ofClouds.addSubnet('fe80::', 10, 'ipv6');
ofClouds.addSubnet('fd00:ec2::', 32, 'ipv6');
ofClouds.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6');

export const isOfClouds = (address: string): boolean =>
  isIP(address) !== 0 && ofClouds.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');

export class LeadsHome extends Error {}
export const bareHost = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '');

/** The address to dial is the one that was looked at. Nobody asks it about an address that stands in the URL itself. */
export function lookupFor(url: URL, dangerouslyResolve?: DangerouslyResolve): LookupFunction {
  const host = bareHost(url);
  const isMeant = isIP(host) !== 0 || AT_HOME.test(host) || !host.includes('.');
  return (name, options, done) => {
    const give = (found: readonly { address: string; family: number }[]): void => {
      const [first] = found;
      const isFine = found.every(({ address }) => !isOfClouds(address) && (isMeant || isPublic(address)));
      if (!first || !isFine)
        done(new LeadsHome(`${name} leads to an address of a private network or of this machine`), '', 0);
      else if (options.all) done(null, [...found]);
      else done(null, first.address, first.family);
    };
    if (dangerouslyResolve) {
      dangerouslyResolve(name).then(give, (error: Error) => done(error, '', 0));
      return;
    }
    lookUp(name, { all: true }, (error, found) => {
      if (error) done(error, '', 0);
      else give(found);
    });
  };
}
