// Owns every number that bounds what a peer can make the gateway do. A limit lives here or it does not exist; a caller
// may lower one for a test, and nothing may read one from a request.

export const LIMITS = {
  /** one frame before the peer has shown the token */
  preAuthFrameBytes: 65_536,
  /** frames that may arrive while a connect is being answered */
  preAuthPendingFrames: 8,
  /** sockets without a token, per client address and in all; the oldest gives way, so that a flood cannot shut the owner out */
  preAuthSocketsPerIp: 32,
  preAuthSockets: 256,
  handshakeTimeoutMs: 15_000,
  maxPayloadBytes: 26_214_400,
  maxBufferedBytes: 52_428_800,
  /** from here on a slow client gets no text deltas; it gets the whole text when it has caught up */
  laggingBytes: 1_048_576,
  maxConnections: 4_096,
  tickIntervalMs: 30_000,
  pongTimeoutMs: 25_000,
  closeGraceMs: 1_000,
  /** requests that may start in one turn of the event loop, and the time that they may take of it */
  startsPerTurn: 64,
  startBudgetMs: 12,
  queuedStarts: 2_048,
  queuedStartsPerConnection: 128,
  inFlightPerConnection: 256,
  /** missing-scope answers before the socket is closed; one is forgiven every second */
  deniedCalls: 60,
  wrongRoleCalls: 10,
  messageSubscriptions: 256,
  historyBytes: 6_291_456,
  /** text of one run is sent at most this often */
  deltaIntervalMs: 15,
  sessionChangeIntervalMs: 100,
  presenceIntervalMs: 1_000,
  presenceEntries: 64,
  /** wrong tokens: the first is answered after this long, each further one after twice as long */
  wrongTokenDelayMs: 250,
  wrongTokenMaxDelayMs: 5_000,
  wrongTokenWindowMs: 60_000,
  wrongTokenBuckets: 10_000,
  /** HTTP answers that may be waiting out such a delay; more are answered 429 at once */
  delayedAnswers: 64,
  /** refusals that are logged and journalled in a minute; the rest is counted */
  refusalsPerMinute: 120,
  headerBytes: 16_384,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 15_000,
  keepAliveTimeoutMs: 5_000,
} as const;

export type Limits = { readonly [K in keyof typeof LIMITS]: number };
