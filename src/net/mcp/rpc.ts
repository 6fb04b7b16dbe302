// Owns the conversation with one MCP server in JSON-RPC: our requests with their answers, time limits and cancelling, and
// the budget for nonsense. It grants a server nothing: what a server asks of us is refused, and nothing here dials or spawns.

export type Message = { readonly jsonrpc: '2.0'; readonly [field: string]: unknown };
export type Answering = { readonly timeoutMs: number; readonly signal?: AbortSignal };

export type PeerPorts = {
  /**
   * Hands one message over. `settled` is aborted once nobody waits for an answer to it any more. `over`: whatever answer
   * there is has come by now; `sent`: it may still come.
   */
  send(message: Message, settled: AbortSignal): Promise<'sent' | 'over'>;
  notified(method: string): void;
  /** it floods, or talks nonsense; the connection is to be ended */
  misbehaved(why: string): void;
};
export type Peer = ReturnType<typeof createPeer>;

/** `answered`: the server itself said no. */
export class RpcFailed extends Error {
  readonly kind: 'answered' | 'timeout' | 'cancelled' | 'broken';
  constructor(kind: RpcFailed['kind'], message: string) {
    super(message);
    this.name = 'RpcFailed';
    this.kind = kind;
  }
}

type Waiting = { done(result: unknown): void; fail(error: Error): void };

/** Some servers print to the wrong place when they start; this many lines of nonsense are forgiven. */
const MAX_NONSENSE = 50;
const MAX_UNASKED = 500;
const WINDOW_MS = 10_000;
const MAX_SAID_CHARS = 300;
const NOTE_MS = 10_000;
const METHOD_NOT_FOUND = -32_601;

export function createPeer({ send, notified, misbehaved }: PeerPorts) {
  const waiting = new Map<number, Waiting>();
  /** answered too late, or cancelled: their answers are no nonsense */
  const past = new Set<number>();
  let lastId = 0;
  let nonsense = 0;
  let unasked = 0;
  let windowAtMs = 0;
  let broken: Error | null = null;

  function odd(): void {
    nonsense += 1;
    if (nonsense === MAX_NONSENSE) misbehaved('it sends what is no answer to anything');
  }
  function countUnasked(): boolean {
    const now = performance.now();
    if (now - windowAtMs > WINDOW_MS) [windowAtMs, unasked] = [now, 0];
    unasked += 1;
    if (unasked === MAX_UNASKED) misbehaved('it floods us with messages that nobody asked for');
    return unasked <= MAX_UNASKED;
  }
  /** Whoever is not there to hear it needs no answer either. */
  const post = (message: Message): Promise<unknown> => send(message, AbortSignal.timeout(NOTE_MS)).catch(() => {});

  function take(message: unknown): void {
    const { id, method, result, error } = fieldsOf(message);
    if (typeof method === 'string') {
      if (countUnasked()) asked(id, method);
      return;
    }
    const one = typeof id === 'number' ? waiting.get(id) : undefined;
    if (one && error === undefined) one.done(result);
    else if (one) one.fail(new RpcFailed('answered', saidIn(error)));
    else if (typeof id !== 'number' || !past.delete(id)) odd();
  }
  /** Models, folders and people are not a server's to ask for. */
  function asked(id: unknown, method: string): void {
    if (id === undefined) notified(method);
    else if (typeof id !== 'number' && typeof id !== 'string') odd();
    else if (method === 'ping') void post({ jsonrpc: '2.0', id, result: {} });
    else void post({ jsonrpc: '2.0', id, error: { code: METHOD_NOT_FOUND, message: 'not offered by this client' } });
  }

  return {
    request(method: string, params: unknown, { timeoutMs, signal }: Answering): Promise<unknown> {
      if (broken !== null) return Promise.reject(broken);
      lastId += 1;
      const id = lastId;
      const settled = new AbortController();
      return new Promise((resolve, reject) => {
        const end = (): void => {
          waiting.delete(id);
          clearTimeout(timer);
          signal?.removeEventListener('abort', onAbort);
          settled.abort();
        };
        const giveUp = (error: RpcFailed): void => {
          end();
          past.add(id);
          reject(error);
          if (method !== 'initialize')
            void post({
              jsonrpc: '2.0',
              method: 'notifications/cancelled',
              params: { requestId: id, reason: error.kind },
            });
        };
        const onAbort = (): void => giveUp(new RpcFailed('cancelled', 'the turn was stopped'));
        const timer = setTimeout(
          () => giveUp(new RpcFailed('timeout', `no answer in ${Math.round(timeoutMs / 100) / 10} s`)),
          timeoutMs,
        );
        const fail = (error: Error): void => {
          end();
          reject(error);
        };
        waiting.set(id, {
          fail,
          done(result) {
            end();
            resolve(result);
          },
        });
        if (signal?.aborted) {
          onAbort();
          return;
        }
        signal?.addEventListener('abort', onAbort, { once: true });
        send({ jsonrpc: '2.0', id, method, params }, settled.signal).then(
          (state) => {
            if (state === 'over' && waiting.has(id)) fail(new RpcFailed('broken', 'it ended without an answer'));
          },
          (error: Error) => {
            if (waiting.has(id)) fail(error);
          },
        );
      });
    },
    notify: (method: string): Promise<unknown> => post({ jsonrpc: '2.0', method }),
    /** One message of the server, or several, already parsed. */
    receive(message: unknown): void {
      const all = Array.isArray(message) ? message.slice(0, MAX_UNASKED) : [message];
      for (const one of all) if (broken === null) take(one);
    },
    /** What came was no JSON. */
    odd,
    /** Nobody gets an answer any more. */
    end(error: Error): void {
      broken ??= error;
      for (const one of [...waiting.values()]) one.fail(broken);
    },
  };
}

const saidIn = (error: unknown): string =>
  String(fieldsOf(error)['message'] ?? 'it says only that it failed').slice(0, MAX_SAID_CHARS);
const fieldsOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
