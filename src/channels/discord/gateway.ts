// Owns one connection to Discord's gateway: identify or resume, heartbeats, and events one after another. An event counts
// as received only when it has been dealt with; one that was not is replayed to the next connection. It never reconnects.
import { dialWebSocket } from '../../net/web-socket.ts';
import { tryParseJson } from '../../platform/json.ts';
import type { ChannelFailure } from '../channel.ts';
import { closeFailure, endsSession, failureOf, networkFailure } from './failures.ts';
import type { Memory } from './memory.ts';
import { type Frame, frameSchema, helloSchema, readySchema } from './wire.ts';

/** Guilds, GuildMessages, DirectMessages and MessageContent: what answering needs, and nothing else (S229). */
export const INTENTS = 37_377;

const OP = { event: 0, beat: 1, identify: 2, resume: 6, reconnect: 7, invalid: 9, hello: 10, ack: 11 } as const;
/** Goodbye with a code that keeps the session; 1000 would end it. */
const KEEPS_SESSION = 4_000;
/** A big server is described in one frame. */
const MAX_FRAME_BYTES = 16 * 1024 * 1024;
/** what it has always been */
const UNSAID_BEAT_MS = 41_250;
const HELLO_MS = 20_000;
const READY_MS = 60_000;

export type GatewayPorts = {
  readonly url: string;
  readonly token: string;
  readonly memory: Memory;
  readonly identifyWaitMs: number;
  readonly now: () => number;
  alive(): void;
  /** Settles when the event may be forgotten; a rejection ends the connection, and the event comes again. */
  event(type: string, data: unknown, signal: AbortSignal): Promise<void>;
};

/** Resolves when the signal ended it or Discord asked for a new connection; rejects when it was lost. */
export function followGateway(ports: GatewayPorts, signal: AbortSignal): Promise<'stopped' | 'asked'> {
  const { memory, token } = ports;
  return new Promise((resolve, reject) => {
    let end: 'stopped' | 'asked' | ChannelFailure | null = null;
    const gone = new AbortController();
    let tail: Promise<void> = Promise.resolve();
    let isAcknowledged = true;
    let isReady = false;
    let beat: NodeJS.Timeout | undefined;
    let deadline: NodeJS.Timeout | undefined;
    const resumedAt = memory.session?.resumeUrl === '' ? null : memory.session;

    const finish = (why: 'stopped' | 'asked' | ChannelFailure, cut = false): void => {
      if (end !== null) return;
      end = why;
      clearTimeout(beat);
      clearTimeout(deadline);
      signal.removeEventListener('abort', stop);
      gone.abort();
      if (cut) socket.cut();
      else socket.close(KEEPS_SESSION);
    };
    const stop = (): void => finish('stopped');
    const within = (ms: number, what: string): void => {
      clearTimeout(deadline);
      deadline = setTimeout(() => finish(networkFailure(`Discord sent no ${what} in ${ms / 1_000} s`), true), ms);
    };
    const say = (op: number, d: unknown): void => socket.send(JSON.stringify({ op, d }));

    const heartbeat = (everyMs: number, waitMs: number): void => {
      beat = setTimeout(() => {
        if (isAcknowledged) {
          isAcknowledged = false;
          say(OP.beat, memory.session?.seq ?? null);
          heartbeat(everyMs, everyMs);
        } else finish(networkFailure('Discord stopped answering heartbeats'), true);
      }, waitMs);
    };
    const introduce = (): void => {
      within(READY_MS, 'READY');
      const { session } = memory;
      const properties = { os: process.platform, browser: 'hardshell', device: 'hardshell' };
      if (session) say(OP.resume, { token, session_id: session.id, seq: session.seq });
      else say(OP.identify, { token, intents: INTENTS, properties, large_threshold: 50 });
    };
    const hello = (data: unknown): void => {
      const everyMs = helloSchema.safeParse(data).data?.heartbeat_interval;
      heartbeat(everyMs ?? UNSAID_BEAT_MS, (everyMs ?? UNSAID_BEAT_MS) * Math.random());
      introduce();
    };
    const invalid = async (canResume: boolean): Promise<void> => {
      if (end !== null) return;
      if (!canResume) memory.session = null;
      await new Promise<void>((done) => {
        deadline = setTimeout(done, ports.identifyWaitMs * (1 + 4 * Math.random()));
        gone.signal.addEventListener('abort', () => done(), { once: true });
      });
      if (end === null) introduce();
    };
    const take = async (type: string, seq: number, data: unknown): Promise<void> => {
      if (end !== null) return;
      const isFirst = type === 'READY';
      if (isFirst) {
        const ready = readySchema.parse(data);
        memory.session = { id: ready.session_id, resumeUrl: ready.resume_gateway_url, seq };
      }
      if (isFirst || type === 'RESUMED') {
        clearTimeout(deadline);
        isReady = true;
      }
      try {
        await ports.event(type, data, gone.signal);
      } catch (error) {
        // A session whose beginning was not dealt with would never tell it again.
        if (isFirst) memory.session = null;
        throw error;
      }
      if (memory.session && seq > memory.session.seq) memory.session.seq = seq;
      memory.heardAtMs = ports.now();
      memory.changed();
    };
    const enqueue = (work: () => Promise<void>): void => {
      tail = tail.then(work).catch((error: unknown) => finish(failureOf(error)));
    };

    const read = ({ op, t, s, d }: Frame): void => {
      if (op === OP.event) enqueue(() => take(t ?? '', s ?? 0, d));
      // What came before it cannot be replayed any more, so it is dealt with first.
      else if (op === OP.invalid) enqueue(() => invalid(d === true));
      else if (op === OP.hello) hello(d);
      else if (op === OP.reconnect) finish('asked');
      else if (op === OP.beat) say(OP.beat, memory.session?.seq ?? null);
      else if (op === OP.ack) {
        isAcknowledged = true;
        if (isReady) memory.heardAtMs = ports.now();
      }
    };
    const text = (raw: string): void => {
      if (end !== null) return;
      const frame = frameSchema.safeParse(tryParseJson(raw)).data;
      if (frame) {
        ports.alive();
        read(frame);
      } else finish(networkFailure('Discord sent what is no frame of its protocol'));
    };
    const closed = (code: number, reason: string): void => {
      if (end === null && endsSession(code)) memory.session = null;
      // The address of a session may die before the session does.
      if (!isReady && end === null && resumedAt && memory.session) memory.session.resumeUrl = '';
      finish(closeFailure(code, reason));
      void tail.then(() => (typeof end === 'string' ? resolve(end) : reject(end)));
    };
    const socket = dialWebSocket(ports.url, MAX_FRAME_BYTES, { text, closed });
    within(HELLO_MS, 'HELLO');
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop);
  });
}
