// Owns a socket from its opening to hello-ok: challenge, one connect, the verdict, the journal entry, the greeting.
// Until the verdict nothing of the house is told, and every way out but one is a close.
import type { RawData, WebSocket } from 'ws';
import { newId } from '../../platform/ids.ts';
import { type Grant, judgeConnect, type Peer, type Verdict } from '../auth/grant.ts';
import type { Refusals } from '../auth/refusals.ts';
import { bucketsOf, type Throttle } from '../auth/throttle.ts';
import type { TokenMatcher } from '../auth/token.ts';
import type { Limits } from '../limits.ts';
import type { GatewayLog } from '../options.ts';
import { type ConnectParams, connectParams } from '../protocol/connect-params.ts';
import { invalidRequest, unavailable, type WireError } from '../protocol/errors.ts';
import {
  answer,
  closeReason,
  eventFrameWithoutSeq,
  eventHead,
  isBad,
  parseRequest,
  refusal,
} from '../protocol/frames.ts';
import { check } from '../protocol/params.ts';
import type { WaitingRoom } from './waiting-room.ts';

export type Admitted = {
  readonly socket: WebSocket;
  readonly peer: Peer;
  readonly grant: Grant;
  readonly client: ConnectParams['client'];
  readonly connId: string;
};

export type HandshakeOptions = {
  readonly limits: Limits;
  readonly now: () => number;
  readonly matches: TokenMatcher;
  readonly throttle: Throttle;
  readonly refusals: Refusals;
  readonly room: WaitingRoom;
  /** writes the grant into the journal; nobody is let in when that fails */
  readonly record: (kind: string, body: Record<string, unknown>) => void;
  readonly log: GatewayLog;
  readonly isReady: () => boolean;
  readonly hello: (admitted: Admitted, protocol: number) => unknown;
  readonly onAdmitted: (admitted: Admitted) => void;
};

/** `answered`: a connect was read, its refusal is on the way. */
type State = { phase: 'waiting' | 'answered' | 'done'; strayFrames: number };

export function createHandshake(options: HandshakeOptions): (socket: WebSocket, peer: Peer) => void {
  const { limits, now, matches, throttle, refusals, room } = options;

  return (socket, peer) => {
    const challenge = { nonce: newId(), ts: now() };
    const state: State = { phase: 'waiting', strayFrames: 0 };
    const guest = { ip: peer.ip, evict: () => socket.terminate() };
    const timer = setTimeout(() => socket.close(1000), limits.handshakeTimeoutMs);
    const leave = (): void => {
      clearTimeout(timer);
      room.leave(guest);
    };
    const refuse = (id: string, error: WireError, closeCode = 1008): void => {
      state.phase = 'answered';
      if (socket.readyState !== socket.OPEN) return;
      socket.send(refusal(id, error));
      socket.close(closeCode, closeReason(error.message));
    };

    const admit = (id: string, connect: ConnectParams, verdict: Extract<Verdict, { allow: true }>) => {
      const { grant, protocol } = verdict;
      const admitted: Admitted = { socket, peer, grant, client: connect.client, connId: newId() };
      try {
        options.record('gateway.grant', grantFacts(admitted));
      } catch {
        return refuse(id, unavailable('the journal cannot be written, so nobody is let in', 'journal', 5_000), 1011);
      }
      state.phase = 'done';
      leave();
      socket.off('message', onMessage);
      socket.off('close', leave);
      socket.send(answer(id, options.hello(admitted, protocol)));
      options.onAdmitted(admitted);
    };

    const turnAway = (id: string, verdict: Extract<Verdict, { allow: false }>, clientId: string) => {
      state.phase = 'answered';
      const { ip, origin, mark } = peer;
      refusals.note({ via: 'ws', ip, reason: verdict.reason, origin, clientId, mark });
      const delayMs = verdict.guess ? throttle.failed(bucketsOf(peer.ip, peer.origin)) : 0;
      if (delayMs === 0) return refuse(id, verdict.error, verdict.closeCode);
      const answerTimer = setTimeout(() => refuse(id, verdict.error, verdict.closeCode), delayMs);
      socket.once('close', () => clearTimeout(answerTimer));
    };

    const onConnect = (id: string, params: unknown) => {
      const checked = check(connectParams, 'connect', params);
      if (!checked.ok) {
        refusals.note({ via: 'ws', ip: peer.ip, reason: 'invalid_connect', origin: peer.origin });
        return refuse(id, invalidRequest(checked.message));
      }
      if (!options.isReady()) {
        return refuse(id, unavailable('gateway starting; retry shortly', 'startup-sidecars', 500), 1013);
      }
      const verdict = judgeConnect(checked.value, peer, challenge, matches);
      if (verdict.allow) admit(id, checked.value, verdict);
      else turnAway(id, verdict, checked.value.client.id);
    };

    const onMessage = (data: RawData, isBinary: boolean) => {
      if (state.phase !== 'waiting') {
        state.strayFrames += 1;
        if (state.strayFrames > limits.preAuthPendingFrames) socket.close(1008, 'too many pending handshake frames');
        return;
      }
      const request = isBinary ? { id: null, reason: 'binary' } : parseRequest(String(data));
      // Not a word to who does not speak the protocol.
      if (isBad(request) && request.id === null) return socket.close(1000);
      if (isBad(request) || request.method !== 'connect') {
        return refuse(request.id ?? '', invalidRequest('invalid handshake: first request must be connect'));
      }
      try {
        onConnect(request.id, request.params);
      } catch (error) {
        options.log.error('a connect failed', { error });
        socket.close(1011, 'internal error');
      }
    };

    room.enter(guest);
    socket.on('close', leave);
    socket.on('error', ignore);
    socket.on('message', onMessage);
    socket.send(eventFrameWithoutSeq(eventHead('connect.challenge', challenge)));
  };
}

/** ws has closed the socket with the right code by then; without a listener the process would end. */
const ignore = (): void => {};

function grantFacts({ connId, peer, grant, client }: Admitted): Record<string, unknown> {
  return {
    connId,
    clientId: grant.clientId,
    mode: grant.mode,
    version: client.version,
    role: 'operator',
    scopes: grant.granted,
    ip: peer.ip,
    ...(peer.origin === null ? {} : { origin: peer.origin }),
    ...(grant.deviceId === null ? {} : { deviceId: grant.deviceId }),
  };
}
