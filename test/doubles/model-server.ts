// Owns a model provider for tests: POST /v1/messages, /v1/responses and /v1/chat/completions on a loopback port, scripted
// per request. It must stay strict: what the real APIs refuse is refused here too.
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorBody, errorEvent, wholeOf } from './model-answers.ts';
import { complaintAbout } from './model-rules.ts';
import { type Ids, type Reply, streamOf, type WireKind } from './model-wire.ts';

export type { ChatQuirks, Reply, ScriptedCall, WireKind } from './model-wire.ts';

export type ReplyBehaviour = Reply & {
  /** before the headers */
  readonly headersMs?: number;
  /** before each event of the body */
  readonly delayMs?: number;
  /** what happens in place of the proper end, after the body; `late` and `tail-…`: after the proper end */
  readonly ending?:
    | 'destroy'
    | 'truncate'
    | 'hang'
    | 'garbage'
    | 'late'
    | 'tail-hang'
    | 'tail-destroy'
    | { readonly error: string; readonly code: string };
};
export type HttpBehaviour = {
  readonly status: number;
  readonly message?: string;
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** instead of an error body in the provider's form */
  readonly body?: string;
};
export type Behaviour = ReplyBehaviour | HttpBehaviour | 'hang' | 'destroy';

export type SeenRequest = {
  readonly kind: WireKind;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
  /** the last message of the user, how many tool results follow it, and the latest of them */
  readonly user: string;
  readonly rounds: number;
  readonly result: string | null;
  /** `[[id:TAG]]` in that message */
  readonly tag: string | null;
  /** the Nth connection to this server */
  readonly connection: number;
  /** performance.now() when the body was there, when the first byte went out, when the reply was complete */
  readonly receivedAtMs: number;
  firstByteAtMs: number;
  endedAtMs: number;
  /** the client went away before the reply was complete */
  cutOff: boolean;
};

export type ModelServerOptions = {
  /** refuse any other key with 401 */
  readonly apiKey?: string;
  readonly tokens?: number;
  readonly delayMs?: number;
  /** how many requests are remembered; 10,000 unless told */
  readonly keep?: number;
  /** how long an idle connection stays open */
  readonly idleMs?: number;
};

export type ModelServer = {
  /** without /v1: as an Anthropic base address; OpenAI's is `${url}/v1` */
  readonly url: string;
  readonly requests: SeenRequest[];
  /** Behaviours for the next requests, in order; a function decides for all requests after that (undefined: directives). */
  script(...steps: readonly (Behaviour | ((request: SeenRequest) => Behaviour | undefined))[]): void;
  /** resolves when this many requests have arrived */
  received(count: number): Promise<void>;
  close(): Promise<void>;
};

const KINDS: Readonly<Record<string, WireKind>> = {
  '/messages': 'messages',
  '/responses': 'responses',
  '/chat/completions': 'chat',
};
const HUGE_MS = 2_147_483_647;

export async function startModelServer(options: ModelServerOptions = {}): Promise<ModelServer> {
  const requests: SeenRequest[] = [];
  const queue: Behaviour[] = [];
  const sockets = new Map<Socket, number>();
  const arrivals = new EventTarget();
  const closing = new AbortController();
  let decide: ((request: SeenRequest) => Behaviour | undefined) | undefined;
  let connections = 0;
  let total = 0;

  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const path = (req.url ?? '').split('?')[0] ?? '';
      const kind = KINDS[path.replace(/^\/v1(?=\/)/, '')];
      if (kind === undefined || req.method !== 'POST') {
        const models = path.endsWith('/models')
          ? { object: 'list', data: [{ id: 'double', object: 'model', created: 1, owned_by: 'double' }] }
          : null;
        res.writeHead(models === null ? 404 : 200, { 'content-type': 'application/json' });
        res.end(
          JSON.stringify(
            models ?? { error: { message: `no route for ${path}`, type: 'invalid_request_error', code: null } },
          ),
        );
        return;
      }
      const raw = Buffer.concat(chunks).toString('utf8');
      answer(kind, path, req.headers, raw, sockets.get(req.socket) ?? 0, res).catch(() => res.destroy());
    });
  });
  server.on('connection', (socket: Socket) => {
    sockets.set(socket, ++connections);
    socket.setNoDelay(true);
    socket.on('close', () => sockets.delete(socket));
  });

  async function answer(
    kind: WireKind,
    path: string,
    headers: IncomingHttpHeaders,
    raw: string,
    connection: number,
    res: ServerResponse,
  ): Promise<void> {
    const body = parse(raw);
    const request: SeenRequest = {
      kind,
      path,
      headers,
      body,
      ...readConversation(kind, body),
      connection,
      receivedAtMs: performance.now(),
      firstByteAtMs: 0,
      endedAtMs: 0,
      cutOff: false,
    };
    const number = ++total;
    requests.push(request);
    if (requests.length > (options.keep ?? 10_000)) requests.shift();
    arrivals.dispatchEvent(new Event('arrival'));
    res.on('close', () => {
      if (!res.writableFinished) request.cutOff = true;
    });
    const key = headers['x-api-key'] ?? headers.authorization?.replace(/^Bearer /, '');
    const complaint = complaintAbout(kind, body, raw);
    const refused: HttpBehaviour | undefined =
      options.apiKey !== undefined && key !== options.apiKey
        ? { status: 401, message: `Incorrect API key provided: ${String(key)}` }
        : complaint !== null
          ? { status: 400, message: complaint }
          : undefined;
    const behaviour = refused ?? queue.shift() ?? decide?.(request) ?? directed(request, options);
    if (behaviour === 'hang') return;
    if (behaviour === 'destroy') return void res.destroy();
    if ('status' in behaviour) return sendHttp(kind, behaviour, res);
    await sendReply(request, behaviour, number, res);
  }

  async function sendReply(
    request: SeenRequest,
    behaviour: ReplyBehaviour,
    number: number,
    res: ServerResponse,
  ): Promise<void> {
    const pause = (ms: number) => sleep(ms, undefined, { signal: closing.signal });
    const ids: Ids = { reply: `reply_${number}`, call: (index) => `call_${number}_${index}` };
    const model = String(request.body['model']);
    if (behaviour.headersMs !== undefined) await pause(behaviour.headersMs);
    if (request.body['stream'] !== true) {
      request.firstByteAtMs = performance.now();
      res
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify(wholeOf(request.kind, behaviour, model, ids)));
      request.endedAtMs = performance.now();
      return;
    }
    const { head, body, tail } = streamOf(request.kind, behaviour, model, ids);
    res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
    const send = async (data: string): Promise<void> => {
      if (!res.write(data) && !res.destroyed) await roomIn(res);
    };
    await send(head.join(''));
    request.firstByteAtMs = performance.now();
    const delayMs = behaviour.delayMs ?? 0;
    if (delayMs === 0) for (let i = 0; i < body.length; i += 64) await send(body.slice(i, i + 64).join(''));
    for (const event of delayMs === 0 ? [] : body) {
      if (res.destroyed) return;
      await pause(delayMs);
      await send(event);
    }
    const { ending } = behaviour;
    if (ending === 'late' || ending === 'tail-hang' || ending === 'tail-destroy') await send(tail.join(''));
    if (ending === 'late') await pause(20);
    if (ending === 'destroy' || ending === 'tail-destroy') {
      // The client must have had the body before the connection breaks.
      res.write('', () => setImmediate(() => res.destroy()));
      return;
    }
    if (ending === 'hang' || ending === 'tail-hang') return void (await pause(HUGE_MS));
    if (ending === 'truncate' || ending === 'late') res.end();
    else if (ending === 'garbage') res.end('event: message_delta\ndata: {"type": not json\n\n');
    else if (ending !== undefined) res.end(errorEvent(request.kind, ending.error, ending.code));
    else res.end(tail.join(''));
    request.endedAtMs = performance.now();
  }

  server.keepAliveTimeout = options.idleMs ?? 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    script(...steps) {
      for (const step of steps) {
        if (typeof step === 'function') decide = step;
        else queue.push(step);
      }
    },
    async received(count) {
      while (total < count) await once(arrivals, 'arrival');
    },
    async close() {
      closing.abort();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Until the client has read, or has gone. */
async function roomIn(res: ServerResponse): Promise<void> {
  const done = new AbortController();
  const { signal } = done;
  await Promise.race([once(res, 'drain', { signal }), once(res, 'close', { signal })]).catch(() => {});
  done.abort();
}

function sendHttp(kind: WireKind, behaviour: HttpBehaviour, res: ServerResponse): void {
  const { status, message = 'scripted', code, headers = {}, body } = behaviour;
  res.writeHead(status, { 'content-type': 'application/json', ...headers });
  res.end(body ?? JSON.stringify(errorBody(kind, status, message, code)));
}

/** `[[tokens:N]]`, `[[delay:MS]]`, `[[tool:NAME {JSON}]]` (several make several rounds) in the last user message. */
function directed(request: SeenRequest, options: ModelServerOptions): ReplyBehaviour {
  const number = (name: string, otherwise: number): number =>
    Number(new RegExp(`\\[\\[${name}:(\\d+)\\]\\]`).exec(request.user)?.[1] ?? otherwise);
  const tools = [...request.user.matchAll(/\[\[tool:([\w.-]+)\s*(\{.*?\})?\]\]/gs)];
  const tool = tools[request.rounds];
  const delayMs = number('delay', options.delayMs ?? 0);
  if (tool !== undefined) return { toolCalls: [{ name: tool[1] ?? '', raw: tool[2] ?? '{}' }], delayMs };
  return { tokens: number('tokens', options.tokens ?? 32), delayMs };
}

function readConversation(
  kind: WireKind,
  body: Record<string, unknown>,
): Pick<SeenRequest, 'user' | 'rounds' | 'result' | 'tag'> {
  const items = (kind === 'responses' ? body['input'] : body['messages']) as
    | Record<string, unknown>[]
    | string
    | undefined;
  let [user, rounds, result] = ['', 0, null as string | null];
  const answered = (content: unknown): void => {
    rounds++;
    result = textOf(content);
  };
  for (const item of typeof items === 'string' ? [{ role: 'user', content: items }] : (items ?? [])) {
    if (item['type'] === 'function_call_output') answered(item['output']);
    else if (item['role'] === 'tool') answered(item['content']);
    else if (item['role'] === 'user') {
      const parts = Array.isArray(item['content']) ? (item['content'] as Record<string, unknown>[]) : [];
      const results = parts.filter((part) => part['type'] === 'tool_result');
      for (const part of results) answered(part['content']);
      const text = results.length > 0 ? '' : textOf(item['content']);
      // Gateways add messages of their own; once there is a directive, only another one starts over.
      if (text !== '' && (user === '' || !user.includes('[[') || text.includes('[[')))
        [user, rounds, result] = [text, 0, null];
    }
  }
  return { user, rounds, result, tag: /\[\[id:([^\]]+)\]\]/.exec(user)?.[1] ?? null };
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part: { text?: unknown }) => (typeof part?.text === 'string' ? part.text : '')).join('\n');
}

function parse(raw: string): Record<string, unknown> {
  try {
    return JSON.parse(raw) as Record<string, unknown>;
  } catch {
    return {};
  }
}
