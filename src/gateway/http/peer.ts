// Owns what the network itself says about a peer: its address, and whether that is this machine. Never a header.
import type { IncomingMessage } from 'node:http';

/** The address as one spelling: IPv4 that came in over an IPv6 socket is IPv4. */
export function peerIp(req: IncomingMessage): string {
  return (req.socket.remoteAddress ?? 'unknown').replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/, '');
}

export const isLoopback = (ip: string): boolean => ip === '::1' || /^127\.\d+\.\d+\.\d+$/.test(ip);
