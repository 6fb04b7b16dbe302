// Owns what startGateway is handed. Everything that the gateway uses of the outside comes through here.
import type { Log } from '../log/log.ts';
import type { Backend } from './backend.ts';
import type { Limits } from './limits.ts';

export type GatewayLog = Pick<Log, 'debug' | 'info' | 'warn' | 'error'>;

export type GatewayOptions = {
  readonly backend: Backend;
  /** addresses to listen on; an address family that this machine lacks is left out */
  readonly hosts: readonly string[];
  /** 0: any free one */
  readonly port: number;
  /** what the secret is called to clients; none: whoever reaches the port is let in */
  readonly authMode?: 'token' | 'password' | 'none';
  /** asked at every check, so that a rotated token takes effect at once; the password in mode "password" */
  readonly token: () => string;
  /** the token before a rotation, while its grace lasts */
  readonly isPreviousToken?: (offered: string) => boolean;
  /** further `host:port` values of the Host header, for a proxy that the owner runs in front */
  readonly allowedHosts?: readonly string[];
  /** further exact page origins, such as `https://claw.example.org` */
  readonly allowedOrigins?: readonly string[];
  /** the built page, or null when there is none */
  readonly uiFolder: string | null;
  readonly log: GatewayLog;
  /** what a client is told of an error passes through this: it may repeat what was sent, or what a program said */
  readonly hide?: (text: string) => string;
  /** milliseconds since 1970 */
  readonly clock?: () => number;
  /** false while something that a turn needs is still being started */
  readonly ready?: () => boolean;
  readonly limits?: Partial<Limits>;
};
