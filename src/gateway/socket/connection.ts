// Owns one authenticated socket: its grant, what it subscribed to, its own event counter, and the rule for slow readers.
// It must never send an event that the grant does not allow; who may see what is asked here and nowhere else.
import type { WebSocket } from 'ws';
import type { Grant } from '../auth/grant.ts';
import type { Scope } from '../auth/scopes.ts';
import type { Actor } from '../backend.ts';
import type { Limits } from '../limits.ts';
import type { ConnectParams } from '../protocol/connect-params.ts';
import type { WireError } from '../protocol/errors.ts';
import { answer, closeReason, type EventHead, eventFrame, refusal } from '../protocol/frames.ts';

/** A class, for once: a thousand idle connections share its methods instead of carrying their own. */
export class Connection {
  readonly id: string;
  /** counts up over all connections, so that "was here before" is a comparison */
  readonly number: number;
  readonly socket: WebSocket;
  readonly grant: Grant;
  readonly client: ConnectParams['client'];
  readonly ip: string;
  readonly connectedAtMs: number;
  readonly limits: Limits;
  private readonly hide: (text: string) => string;
  seq = 0;
  inFlight = 0;
  queued = 0;
  deniedCalls = 0;
  deniedAtMs = 0;
  wrongRoleCalls = 0;
  answeredPing = true;
  wantsSessions = false;
  private keys: Set<string> | null = null;

  constructor(
    facts: Pick<Connection, 'id' | 'number' | 'socket' | 'grant' | 'client' | 'ip' | 'connectedAtMs' | 'limits'> & {
      readonly hide: (text: string) => string;
    },
  ) {
    this.id = facts.id;
    this.number = facts.number;
    this.socket = facts.socket;
    this.grant = facts.grant;
    this.client = facts.client;
    this.ip = facts.ip;
    this.connectedAtMs = facts.connectedAtMs;
    this.limits = facts.limits;
    this.hide = facts.hide;
  }

  get actor(): Actor {
    const { clientId, deviceId } = this.grant;
    return { connId: this.id, clientId, ...(deviceId === null ? {} : { deviceId }) };
  }

  may(scope: Scope | null): boolean {
    return scope === null || this.grant.allows.has(scope);
  }

  /** false: there are too many already */
  watch(key: string): boolean {
    this.keys ??= new Set();
    if (!this.keys.has(key) && this.keys.size >= this.limits.messageSubscriptions) return false;
    this.keys.add(key);
    return true;
  }

  unwatch(key: string): void {
    this.keys?.delete(key);
  }

  watches(key: string): boolean {
    return this.keys?.has(key) ?? false;
  }

  answer(id: string, payload: unknown): void {
    this.write(answer(id, payload));
  }

  refuse(id: string, error: WireError): void {
    const { message, details } = error;
    const fix = details?.['fix'];
    const shown = typeof fix === 'string' ? { details: { ...details, fix: this.hide(fix) } } : {};
    this.write(refusal(id, { ...error, message: this.hide(message), ...shown }));
  }

  /** An event that must not be lost: a reader who is too slow for it is cut off and can start again. */
  push(head: EventHead): void {
    this.seq += 1;
    this.write(eventFrame(head, this.seq));
  }

  /**
   * An event that a slow reader can do without. Its number is used up all the same, so that the gap shows.
   * False: it was left out.
   */
  pushIfKeepingUp(head: EventHead): boolean {
    this.seq += 1;
    if (this.socket.bufferedAmount > this.limits.laggingBytes) return false;
    this.write(eventFrame(head, this.seq));
    return true;
  }

  close(code: number, reason: string): void {
    this.socket.close(code, closeReason(reason));
  }

  private write(frame: string): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    if (this.socket.bufferedAmount + frame.length > this.limits.maxBufferedBytes) {
      this.close(1008, 'slow consumer');
      return;
    }
    this.socket.send(frame);
  }
}
