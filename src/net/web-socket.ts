// Owns the dialling of a WebSocket of a platform: limits on the handshake and on the size of a frame, no redirects, no
// compression. What is said over it belongs to the caller.
import { WebSocket } from 'ws';

export type PlatformSocket = {
  send(text: string): void;
  /** says goodbye, and cuts the line when nobody answers within two seconds */
  close(code: number): void;
  cut(): void;
};
export type PlatformSocketEvents = {
  text(text: string): void;
  /** once, whatever ended it: 1006 when nobody said goodbye */
  closed(code: number, reason: string): void;
};

const HANDSHAKE_MS = 15_000;
const GOODBYE_MS = 2_000;

/** With `deafAfterMs` it is pinged, and cut when nothing comes back for so long; without, the caller has a heartbeat. */
export function dialWebSocket(
  url: string,
  maxFrameBytes: number,
  events: PlatformSocketEvents,
  deafAfterMs?: number,
): PlatformSocket {
  const socket = new WebSocket(url, {
    perMessageDeflate: false,
    followRedirects: false,
    handshakeTimeout: HANDSHAKE_MS,
    maxPayload: maxFrameBytes,
  });
  let why = '';
  let goodbye: NodeJS.Timeout | undefined;
  const isDeaf = (said: string): void => {
    why ||= said;
  };
  const stopPings = deafAfterMs === undefined ? () => {} : pingUntilDeaf(socket, deafAfterMs, isDeaf);
  socket.on('error', (error) => {
    why ||= error.message;
  });
  socket.on('message', (data, isBinary) => {
    if (!isBinary) events.text(String(data));
  });
  socket.on('close', (code, reason) => {
    clearTimeout(goodbye);
    stopPings();
    events.closed(code, reason.toString() || why);
  });
  return {
    send(text) {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close(code) {
      socket.close(code);
      goodbye ??= setTimeout(() => socket.terminate(), GOODBYE_MS);
    },
    cut: () => socket.terminate(),
  };
}

function pingUntilDeaf(socket: WebSocket, deafAfterMs: number, isDeaf: (why: string) => void): () => void {
  let heardAtMs = performance.now();
  const heard = (): void => {
    heardAtMs = performance.now();
  };
  for (const sign of ['open', 'message', 'ping', 'pong']) socket.on(sign, heard);
  const timer = setInterval(() => {
    if (socket.readyState !== WebSocket.OPEN) return;
    if (performance.now() - heardAtMs < deafAfterMs) return socket.ping();
    isDeaf(`no answer to pings for ${Math.round(deafAfterMs / 1000)} s`);
    socket.terminate();
  }, deafAfterMs / 3);
  return () => clearInterval(timer);
}
