// Owns the verdict on a connect: who gets in and with which scopes. It reads only what the peer proved (token, device
// key) and what the network says (address, Origin); a client id or mode that was merely claimed never opens anything.
import { isLoopback } from '../http/peer.ts';
import { type ConnectParams, MIN_PROBE_PROTOCOL, PROTOCOL } from '../protocol/connect-params.ts';
import { invalidRequest, type WireError } from '../protocol/errors.ts';
import { clip } from '../protocol/frames.ts';
import { type Challenge, checkDeviceProof } from './device-proof.ts';
import { effective, isScope, type Scope, type Scopes } from './scopes.ts';
import type { TokenMatcher } from './token.ts';

export type Peer = {
  readonly ip: string;
  /** an origin that the request guard let through, or null for a program */
  readonly origin: string | null;
  /** the origin is that of our own listener, not one from the owner's list */
  readonly ownOrigin: boolean;
  readonly mark?: string | string[] | undefined;
};

export type Grant = {
  readonly clientId: ConnectParams['client']['id'];
  readonly mode: ConnectParams['client']['mode'];
  readonly granted: readonly Scope[];
  readonly allows: Scopes;
  readonly caps: ReadonlySet<string>;
  readonly deviceId: string | null;
};

export type Verdict =
  | { readonly allow: true; readonly protocol: number; readonly grant: Grant }
  | {
      readonly allow: false;
      readonly error: WireError;
      readonly closeCode: 1002 | 1008;
      /** for the log and the journal */
      readonly reason: string;
      /** a wrong token: its answer waits, see throttle.ts */
      readonly guess: boolean;
    };

const KNOWN_CAPS = ['tool-events', 'compact-deltas'];
const capSets = new Map<string, ReadonlySet<string>>();

export function judgeConnect(connect: ConnectParams, peer: Peer, challenge: Challenge, matches: TokenMatcher): Verdict {
  const protocol = negotiate(connect);
  if (protocol === null) return refuse(protocolMismatch(connect), 'protocol_mismatch', 1002);
  if (connect.role === 'node') return refuse(notPaired(), 'role_not_paired');
  if (connect.role !== 'operator') return refuse(invalidRequest('invalid role'), 'invalid_role');

  const unknown = connect.scopes.find((scope) => !isScope(scope));
  if (unknown !== undefined) return refuse(unknownScope(unknown), 'unknown_scope');

  const { token, password } = connect.auth ?? {};
  // Both are compared always: which field held the secret must not show in the time.
  const right = [matches(token), matches(password)].includes(true);
  if (!right && !token && !password) return refuse(noCredential(), 'token_missing');
  if (!right) return { ...refuse(wrongCredential(), 'token_mismatch'), guess: true };

  if (connect.device) {
    const failure = checkDeviceProof(connect.device, connect, challenge);
    if (failure) return refuse(deviceRefused(failure), failure.toLowerCase());
  }
  const granted = grantedScopes(connect, peer);
  const grant: Grant = {
    clientId: connect.client.id,
    mode: connect.client.mode,
    granted,
    allows: effective(granted),
    caps: knownCaps(connect.caps),
    deviceId: connect.device?.id ?? null,
  };
  return { allow: true, protocol, grant };
}

/**
 * What was asked, when the peer is one that may hold scopes at all. That is
 * - a device that proved its key,
 * - a program on this machine: it read the token from a file that only the owner can read, and sends no Origin,
 * - the page that this gateway serves itself. Its Origin is exact in scheme, host and port, browsers do not let a page
 *   choose it, and the token came to it in the URL fragment. A device key in the same page would prove no more: whoever
 *   runs script there has both.
 * A page from the owner's list of origins, a peer on another machine and a probe get in, but without scopes.
 */
function grantedScopes(connect: ConnectParams, peer: Peer): readonly Scope[] {
  const asked = [...new Set(connect.scopes.filter(isScope))];
  if (connect.device) return asked;
  if (connect.client.mode === 'probe') return [];
  if (peer.origin !== null) return peer.ownOrigin ? asked : [];
  return isLoopback(peer.ip) ? asked : [];
}

function negotiate({ minProtocol, maxProtocol, client }: ConnectParams): number | null {
  if (minProtocol <= PROTOCOL && maxProtocol >= PROTOCOL) return PROTOCOL;
  const old = minProtocol <= MIN_PROBE_PROTOCOL && maxProtocol >= MIN_PROBE_PROTOCOL;
  return old && client.mode === 'probe' ? MIN_PROBE_PROTOCOL : null;
}

/** Only those that change what we send; one shared set for each combination. */
function knownCaps(caps: readonly string[]): ReadonlySet<string> {
  const known = KNOWN_CAPS.filter((cap) => caps.includes(cap));
  const key = known.join(' ');
  const set = capSets.get(key) ?? new Set(known);
  capSets.set(key, set);
  return set;
}

function refuse(error: WireError, reason: string, closeCode: 1002 | 1008 = 1008) {
  return { allow: false, error, closeCode, reason, guess: false } as const;
}

const protocolMismatch = (connect: ConnectParams): WireError =>
  invalidRequest('protocol mismatch', {
    code: 'PROTOCOL_MISMATCH',
    clientMinProtocol: connect.minProtocol,
    clientMaxProtocol: connect.maxProtocol,
    expectedProtocol: PROTOCOL,
    minimumProbeProtocol: MIN_PROBE_PROTOCOL,
  });

const notPaired = (): WireError => ({
  code: 'NOT_PAIRED',
  message: 'pairing required: this gateway accepts no nodes yet',
  details: { code: 'PAIRING_REQUIRED', reason: 'not-paired', requestedRole: 'node' },
});

const unknownScope = (scope: string): WireError =>
  invalidRequest(`unknown scope: ${clip(scope)}`, { code: 'AUTH_SCOPE_MISMATCH' });

const noCredential = (): WireError =>
  invalidRequest('unauthorized: the gateway token is required', {
    code: 'AUTH_TOKEN_MISSING',
    authReason: 'token_missing',
    canRetryWithDeviceToken: false,
    recommendedNextStep: 'update_auth_configuration',
    fix: 'openclaw dashboard   (prints the address with the token)',
  });

/** One answer for every wrong secret: no hint at the mode, the length or the field (B19). */
const wrongCredential = (): WireError =>
  invalidRequest('unauthorized', {
    code: 'AUTH_TOKEN_MISMATCH',
    authReason: 'token_mismatch',
    canRetryWithDeviceToken: false,
    recommendedNextStep: 'update_auth_credentials',
  });

const deviceRefused = (code: string): WireError =>
  invalidRequest('device identity proof failed', {
    code,
    reason: code.toLowerCase().replace('device_auth_', 'device-').replace('_invalid', '').replaceAll('_', '-'),
  });
