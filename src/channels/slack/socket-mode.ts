// Owns the connection of socket mode: an envelope is acknowledged on the socket it came on, and only after it is durable; a
// socket that Slack wants to replace goes only when the next one is there. Slack's own client does neither: it closes first
// and opens seconds later, and costs 23 MB more.
import type { Log } from '../../log/log.ts';
import { dialWebSocket, type PlatformSocket } from '../../net/web-socket.ts';
import { reasonOf } from '../../platform/errors.ts';
import { fieldsIn } from '../../platform/json.ts';
import { pause, untilAborted } from '../pause.ts';
import { disconnectFailure, failureOf, networkFailure } from './failures.ts';

export type SocketModePorts = {
  /** a fresh address, with its ticket */
  readonly openUrl: (signal: AbortSignal) => Promise<URL>;
  readonly take: (payload: unknown) => Promise<void>;
  /** a socket is ready; `overlapping` when another one was there until now, so that nothing can have been missed */
  readonly joined: (overlapping: boolean) => void;
  readonly alive: () => void;
  readonly deafAfterMs: number;
  readonly log: Log;
};

type Link = {
  readonly socket: PlatformSocket;
  readonly hello: Promise<void>;
  /** why Slack wants it to be replaced */
  readonly leave: Promise<string>;
  readonly closed: Promise<string>;
  readonly busy: Set<Promise<void>>;
  isClosed: boolean;
};
type Frame = {
  readonly type?: unknown;
  readonly reason?: unknown;
  readonly envelope_id?: unknown;
  readonly payload?: unknown;
};

const MAX_FRAME_BYTES = 4 * 1024 * 1024;
const HELLO_WITHIN_MS = 15_000;
const BETWEEN_LINKS_MS = 1_000;

/** Lives until the signal; rejects with a ChannelFailure when the last socket is gone. */
export async function runSocketMode(ports: SocketModePorts, signal: AbortSignal): Promise<void> {
  const { log } = ports;
  const links = new Set<Link>();
  const aborted = untilAborted(signal);

  const dial = (url: URL, before: Link | null): Link => {
    const hello = Promise.withResolvers<void>();
    const leave = Promise.withResolvers<string>();
    const closed = Promise.withResolvers<string>();
    const busy = new Set<Promise<void>>();
    const socket = dialWebSocket(
      url.href,
      MAX_FRAME_BYTES,
      {
        text(text) {
          ports.alive();
          const frame: Frame = fieldsIn(text);
          if (frame.type === 'hello') {
            // At once, not after a promise: the first envelope may lie in the same packet.
            ports.joined(before !== null && !before.isClosed);
            hello.resolve();
          } else if (frame.type === 'disconnect') leave.resolve(String(frame.reason).slice(0, 60));
          else if (typeof frame.envelope_id === 'string') receive(frame, frame.envelope_id);
          else log.debug('slack frame not used', { type: String(frame.type).slice(0, 40) });
        },
        closed(code, reason) {
          link.isClosed = true;
          links.delete(link);
          closed.resolve(reason === '' ? `code ${code}` : `${reason.slice(0, 120)}, code ${code}`);
        },
      },
      ports.deafAfterMs,
    );
    const link: Link = {
      socket,
      busy,
      hello: hello.promise,
      leave: leave.promise,
      closed: closed.promise,
      isClosed: false,
    };
    const receive = (frame: Frame, id: string): void => {
      const done = (
        frame.type === 'events_api' || frame.type === 'interactive' ? ports.take(frame.payload) : Promise.resolve()
      )
        .then(() => socket.send(JSON.stringify({ envelope_id: id })))
        .catch((error: unknown) =>
          log.warn('slack event not acknowledged; Slack sends it again', { reason: reasonOf(error) }),
        )
        .finally(() => busy.delete(done));
      busy.add(done);
    };
    links.add(link);
    return link;
  };

  const establish = async (before: Link | null): Promise<Link> => {
    const url = await ports.openUrl(signal).catch((error: unknown) => Promise.reject(failureOf(error, 'appToken')));
    signal.throwIfAborted();
    const link = dial(url, before);
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(networkFailure('Slack opened a socket and said nothing')),
      HELLO_WITHIN_MS,
    );
    try {
      await Promise.race([
        link.hello,
        link.closed.then((why) => Promise.reject(networkFailure(`Slack's socket did not open (${why})`))),
        link.leave.then((why) =>
          Promise.reject(disconnectFailure(why) ?? networkFailure(`Slack closed the socket at once (${why})`)),
        ),
        late.promise,
        aborted.then(() => Promise.reject(networkFailure('stopped'))),
      ]);
      return link;
    } catch (error) {
      link.socket.close(1000);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  };

  /** The old one keeps delivering meanwhile, and while it does, a failure to open the next is no loss. */
  const replace = async (old: Link): Promise<Link> => {
    for (;;) {
      try {
        return await establish(old);
      } catch (error) {
        const failure = failureOf(error, 'appToken');
        if (failure.family === 'refused' || old.isClosed || signal.aborted) throw failure;
        log.info('slack socket not replaced yet', { reason: failure.message });
        await Promise.race([pause(Math.max(BETWEEN_LINKS_MS, failure.retryAfterMs ?? 0), signal), old.closed]);
      }
    }
  };

  try {
    let link = await establish(null);
    for (;;) {
      const over = link.closed.then((why) => Promise.reject(networkFailure(`Slack's socket ended (${why})`)));
      const leave = await Promise.race([link.leave, over, aborted]);
      if (leave === undefined) return;
      const failure = disconnectFailure(leave);
      if (failure) throw failure;
      log.debug('slack wants another socket', { reason: leave });
      const old = link;
      link = await replace(old);
      await Promise.all(old.busy);
      old.socket.close(1000);
      // A server that wants to be left as soon as it is met must not be asked without a pause.
      await Promise.race([pause(BETWEEN_LINKS_MS, signal), link.closed]);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    const open = [...links];
    for (const { socket } of open) socket.close(1000);
    await Promise.all(open.map(({ closed }) => closed));
  }
}
