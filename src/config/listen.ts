// Owns the step from gateway.bind to addresses. It must never come out at every network unless that is what was written.
import { isIP, isLoopback } from './ip.ts';
import type { Config } from './schema.ts';

export type ListenHosts =
  | { readonly hosts: readonly string[]; readonly loopback: boolean }
  | { readonly reason: string; readonly fix: string };

const LOOPBACK = { hosts: ['127.0.0.1', '::1'], loopback: true } as const;

/** `addresses` are those of this machine. What cannot be met is an answer with a reason, never another address. */
export function listenHosts(
  gateway: Pick<Config['gateway'], 'bind' | 'customBindHost'>,
  addresses: readonly string[],
): ListenHosts {
  if (gateway.bind === 'loopback' || gateway.bind === 'auto') return LOOPBACK;
  if (gateway.bind === 'lan') return { hosts: ['0.0.0.0', '::'], loopback: false };
  if (gateway.bind === 'tailnet') {
    const found = addresses.filter(isTailnet);
    if (found.length > 0) return { hosts: found, loopback: false };
    return {
      reason: 'gateway.bind is "tailnet", and this machine has no Tailscale address',
      fix: 'start Tailscale (tailscale up), or use "loopback" with gateway.tailscale.mode "serve"',
    };
  }
  return custom(gateway.customBindHost, addresses);
}

function custom(host: string | undefined, addresses: readonly string[]): ListenHosts {
  const fix = 'set gateway.customBindHost to an address of this machine (ip addr), or gateway.bind to "loopback"';
  if (host === undefined) return { reason: 'gateway.bind is "custom", and gateway.customBindHost is missing', fix };
  if (isLoopback(host)) return { hosts: [host === 'localhost' ? '127.0.0.1' : host], loopback: true };
  if (!isIP(host)) return { reason: `gateway.customBindHost "${host}" is not an IP address`, fix };
  if (/^[0.:]+$/.test(host))
    return {
      reason: `gateway.customBindHost "${host}" stands for every network`,
      fix: 'use gateway.bind "lan" if that is what you want',
    };
  if (!addresses.includes(host))
    return { reason: `gateway.customBindHost "${host}" is not an address of this machine`, fix };
  return { hosts: [host], loopback: false };
}

/** 100.64.0.0/10 and fd7a:115c:a1e0::/48 are Tailscale's. */
function isTailnet(address: string): boolean {
  const [a, b] = address.split('.').map(Number);
  return (a === 100 && b !== undefined && b >= 64 && b < 128) || /^fd7a:115c:a1e0:/i.test(address);
}
