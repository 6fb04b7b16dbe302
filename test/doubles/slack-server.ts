// Owns a Slack for tests: Web API, socket mode and a sender of signed events, on one loopback port. It is strict where Slack
// is (tokens by kind, tickets once, sockets counted) and misbehaves when it is told to.
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type WebSocket, WebSocketServer } from 'ws';
import type { SlackEndpoints } from '../../src/channels/slack/endpoints.ts';

export const BOT = { token: 'xoxb-1000-double', userId: 'UBOT00001', botId: 'BBOT00001', name: 'hardshell' } as const;
export const APP_TOKEN = 'xapp-1000-double';
export const SIGNING_SECRET = '0123456789abcdef0123456789abcdef';
export const TEAM = 'TDOUBLE01';

export type SlackFault =
  | { readonly status: number; readonly retryAfter?: string }
  /** the request is read and nothing is done; `lost`: it is done, and the answer never comes */
  | 'drop'
  | 'lost'
  | 'garbage'
  | { readonly slowMs: number }
  | { readonly error: string };

export type SlackMessage = {
  readonly channel: string;
  readonly ts: string;
  readonly user?: string;
  readonly text?: string;
  readonly thread_ts?: string;
  readonly [more: string]: unknown;
};
export type Call = { readonly method: string; readonly token: string; readonly args: Readonly<Record<string, string>> };
type Room = { name: string; isPrivate: boolean; isArchived: boolean; isMember: boolean };
type Sent = { readonly payload: Record<string, unknown>; tries: number; timer?: NodeJS.Timeout; by: WebSocket | null };

export type SlackServerOptions = {
  /** how long an envelope may stay without acknowledgement before it is sent again */
  readonly ackWithinMs?: number;
  readonly maxSockets?: number;
  readonly maxTries?: number;
};
export type SlackServer = Awaited<ReturnType<typeof startSlackServer>>;

export async function startSlackServer({
  ackWithinMs = 3_000,
  maxSockets = 10,
  maxTries = 4,
}: SlackServerOptions = {}) {
  const calls: Call[] = [];
  const posted: (SlackMessage & { readonly args: Readonly<Record<string, string>> })[] = [];
  const history: SlackMessage[] = [];
  const rooms = new Map<string, Room>();
  const files = new Map<string, { name: string; bytes: Buffer; mimetype: string; url?: string }>();
  const faults = new Map<string, SlackFault[]>();
  const dead = new Map<string, string>();
  const tickets = new Set<string>();
  const sockets: WebSocket[] = [];
  const unsettled = new Map<string, Sent>();
  const acks: { readonly envelopeId: string; readonly atMs: number }[] = [];
  const waiting = new Set<() => void>();
  let clock = Math.floor(Date.now() / 1_000);
  let count = 0;
  let isMute = false;
  let turn = 0;
  let opened = 0;

  const changed = (): void => {
    for (const look of [...waiting]) look();
  };
  /** Resolves when the condition holds, looked at whenever something happened here. */
  const until = (condition: () => boolean, what = 'condition', withinMs = 10_000): Promise<void> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => done(() => reject(new Error(`Slack double: no ${what} in ${withinMs} ms`))),
        withinMs,
      );
      const done = (say: () => void): void => {
        clearTimeout(timer);
        waiting.delete(look);
        say();
      };
      const look = (): void => {
        if (condition()) done(resolve);
      };
      waiting.add(look);
      look();
    });
  const nextTs = (): string => `${clock++}.${String(++count).padStart(6, '0')}`;

  // ---- Web API

  type Answer = Record<string, unknown>;
  const fail = (error: string, more: Answer = {}): Answer => ({ ok: false, error, ...more });
  const roomOf = (id: string): Room => {
    const known = rooms.get(id) ?? { name: id.toLowerCase(), isPrivate: false, isArchived: false, isMember: true };
    rooms.set(id, known);
    return known;
  };
  const page = (messages: readonly SlackMessage[], args: Call['args']): Answer => {
    const size = Math.min(Number(args['limit'] ?? 100), 999);
    const from = Number(args['cursor'] ?? 0);
    const after = messages.filter(({ ts }) => ts > (args['oldest'] ?? '0')).reverse();
    const isMore = from + size < after.length;
    const metadata = { response_metadata: { next_cursor: isMore ? String(from + size) : '' } };
    return { ok: true, messages: after.slice(from, from + size), has_more: isMore, ...metadata };
  };

  const methods: Readonly<Record<string, (args: Call['args']) => Answer>> = {
    'auth.test': () => ({
      ...{ ok: true, url: 'https://double.slack.com/', team: 'Double', user: BOT.name, team_id: TEAM },
      ...{ user_id: BOT.userId, bot_id: BOT.botId },
    }),
    'apps.connections.open': () => {
      const ticket = randomBytes(8).toString('hex');
      tickets.add(ticket);
      return { ok: true, url: `ws://${host()}/link/?ticket=${ticket}&app_id=ADOUBLE` };
    },
    'chat.postMessage': (args) => {
      const { channel = '', text = '', thread_ts } = args;
      const room = roomOf(channel);
      if (channel === '' || channel === 'CNONE') return fail('channel_not_found');
      if (room.isArchived) return fail('is_archived');
      if (!room.isMember) return fail('not_in_channel');
      if (text === '') return fail('no_text');
      if (text.length > 40_000) return fail('msg_too_long');
      const ts = nextTs();
      const message = { channel, ts, text, user: BOT.userId, bot_id: BOT.botId, ...(thread_ts ? { thread_ts } : {}) };
      posted.push({ ...message, args });
      history.push(message);
      return { ok: true, channel, ts, message };
    },
    'chat.update': ({ channel = '', ts = '', text = '' }) => {
      const at = posted.findIndex((one) => one.channel === channel && one.ts === ts);
      const before = posted[at];
      if (!before) return fail('message_not_found');
      posted[at] = { ...before, text };
      return { ok: true, channel, ts, text };
    },
    'chat.delete': ({ channel = '', ts = '' }) => {
      const at = posted.findIndex((one) => one.channel === channel && one.ts === ts);
      if (at === -1) return fail('message_not_found');
      posted.splice(at, 1);
      return { ok: true, channel, ts };
    },
    'reactions.add': ({ channel = '', timestamp = '', name = '' }) => {
      const at = posted.findIndex((one) => one.channel === channel && one.ts === timestamp);
      const before = posted[at];
      if (!before) return fail('message_not_found');
      if (!/^[a-z0-9_+'-]+$/.test(name)) return fail('invalid_name');
      posted[at] = { ...before, reaction: name };
      return { ok: true };
    },
    'conversations.info': ({ channel = '' }) => {
      const { name, isPrivate } = roomOf(channel);
      return { ok: true, channel: { id: channel, name, is_private: isPrivate } };
    },
    'conversations.history': (args) => {
      if (!roomOf(args['channel'] ?? '').isMember) return fail('not_in_channel');
      const top = history.filter(
        ({ channel, ts, thread_ts }) => channel === args['channel'] && (thread_ts ?? ts) === ts,
      );
      const withReplies = top.map((one) => {
        const replies = history.filter((other) => other.thread_ts === one.ts && other.ts !== one.ts);
        return replies.length > 0 ? { ...one, reply_count: replies.length, latest_reply: replies.at(-1)?.ts } : one;
      });
      return page(withReplies, args);
    },
    'conversations.replies': (args) =>
      page(
        history.filter(({ channel, ts, thread_ts }) => channel === args['channel'] && (thread_ts ?? ts) === args['ts']),
        args,
      ),
    'users.conversations': () => ({
      ok: true,
      channels: [...rooms].filter(([, room]) => room.isMember).map(([id, room]) => ({ id, name: room.name })),
    }),
    'users.info': ({ user = '' }) => ({ ok: true, user: { id: user, name: user.toLowerCase() } }),
    'files.info': ({ file = '' }) => {
      const known = files.get(file);
      if (!known) return fail('file_not_found');
      const url = known.url ?? `http://${host()}/files-pri/${file}`;
      return { ok: true, file: { id: file, name: known.name, url_private: url, url_private_download: url } };
    },
    'files.getUploadURLExternal': ({ filename = '', length = '0' }) => {
      if (filename === '' || !(Number(length) > 0)) return fail('invalid_arguments');
      const id = `F${String(++count).padStart(8, '0')}`;
      files.set(id, { name: filename, bytes: Buffer.alloc(0), mimetype: 'application/octet-stream' });
      return { ok: true, upload_url: `http://${host()}/upload/v1/${id}`, file_id: id };
    },
    'files.completeUploadExternal': (args) => {
      const wanted = JSON.parse(args['files'] ?? '[]') as { id: string; title?: string }[];
      if (wanted.some(({ id }) => !files.get(id)?.bytes.length)) return fail('file_not_found');
      const { channel_id: channel = '', initial_comment: text = '', thread_ts } = args;
      if (!roomOf(channel).isMember) return fail('not_in_channel');
      const message = {
        channel,
        ts: nextTs(),
        text,
        user: BOT.userId,
        files: wanted,
        ...(thread_ts ? { thread_ts } : {}),
      };
      posted.push({ ...message, args });
      history.push(message);
      return { ok: true, files: wanted };
    },
  };

  const answerOf = (method: string, token: string, args: Call['args']): Answer => {
    const revoked = dead.get(token);
    if (revoked !== undefined) return fail(revoked);
    if (token === '') return fail('not_authed');
    if (token !== BOT.token && token !== APP_TOKEN) return fail('invalid_auth');
    if ((method === 'apps.connections.open') !== (token === APP_TOKEN)) return fail('not_allowed_token_type');
    return methods[method]?.(args) ?? fail('unknown_method');
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const path = (request.url ?? '').split('?')[0] ?? '';
    const token = (request.headers.authorization ?? '').replace(/^Bearer /, '');
    if (path.startsWith('/upload/v1/')) {
      const file = files.get(path.slice(11));
      if (!file) return void response.writeHead(404).end('file_not_found');
      calls.push({ method: 'upload', token, args: {} });
      const fault = faults.get('upload')?.shift();
      if (typeof fault === 'object' && 'status' in fault) return void response.writeHead(fault.status).end();
      file.bytes = body;
      return void response.end('OK');
    }
    if (path.startsWith('/files-pri/')) {
      const file = files.get(path.slice(11));
      // As Slack does: who may not see it is led to the login page.
      if (token !== BOT.token || !file)
        return void response.writeHead(302, { location: 'https://double.slack.com/' }).end();
      calls.push({ method: 'download', token, args: {} });
      return void response.writeHead(200, { 'content-type': file.mimetype }).end(file.bytes);
    }
    if (!path.startsWith('/api/')) return void response.writeHead(404).end();
    const method = path.slice(5);
    const args = Object.fromEntries(new URLSearchParams(body.toString()));
    calls.push({ method, token, args });
    const fault = faults.get(method)?.shift();
    changed();
    if (fault === 'drop') return void request.socket.destroy();
    if (fault === 'garbage') return void response.end('<html>maintenance</html>');
    if (typeof fault === 'object' && 'slowMs' in fault) await sleep(fault.slowMs);
    if (typeof fault === 'object' && 'status' in fault) {
      const headers = fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter };
      return void response
        .writeHead(fault.status, headers)
        .end(fault.status === 429 ? '{"ok":false,"error":"ratelimited"}' : 'oops');
    }
    const answer = typeof fault === 'object' && 'error' in fault ? fail(fault.error) : answerOf(method, token, args);
    changed();
    if (fault === 'lost') return void request.socket.destroy();
    response.writeHead(200, {
      'content-type': 'application/json',
      'x-oauth-scopes': 'chat:write,app_mentions:read,im:history',
    });
    response.end(JSON.stringify(answer));
  };

  const server = createServer((request, response) => void serve(request, response).catch(() => response.destroy()));
  const host = (): string => `127.0.0.1:${(server.address() as AddressInfo).port}`;

  // ---- socket mode

  const wss = new WebSocketServer({ noServer: true, autoPong: false });
  server.on('upgrade', (request, socket, head) => {
    const ticket = new URL(request.url ?? '/', 'ws://double').searchParams.get('ticket') ?? '';
    if (!tickets.delete(ticket)) return void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    wss.handleUpgrade(request, socket, head, (ws) => {
      opened += 1;
      ws.on('ping', (data) => {
        if (!isMute) ws.pong(data);
      });
      ws.on('message', (data) => settle(String(data)));
      ws.on('error', () => {});
      ws.on('close', () => {
        sockets.splice(sockets.indexOf(ws) >>> 0, sockets.includes(ws) ? 1 : 0);
        changed();
      });
      if (sockets.length >= maxSockets) return ws.send(frame({ type: 'disconnect', reason: 'too_many_websockets' }));
      sockets.push(ws);
      ws.send(frame({ type: 'hello', num_connections: sockets.length, connection_info: { app_id: 'ADOUBLE' } }));
      for (const [id, sent] of unsettled) {
        const isOnTheWay = sent.by !== null && sent.by.readyState === sent.by.OPEN;
        // Slack gives up after a few tries.
        if (!isOnTheWay && sent.tries < maxTries) push(id, sent);
      }
      changed();
    });
  });
  const frame = (value: unknown): string => JSON.stringify(value);

  const settle = (text: string): void => {
    const { envelope_id: envelopeId } = JSON.parse(text) as { envelope_id: string };
    clearTimeout(unsettled.get(envelopeId)?.timer);
    unsettled.delete(envelopeId);
    acks.push({ envelopeId, atMs: performance.now() });
    changed();
  };
  const push = (envelopeId: string, sent: Sent): void => {
    clearTimeout(sent.timer);
    const ws = sockets[turn++ % Math.max(1, sockets.length)] ?? null;
    sent.by = ws;
    if (!ws) return;
    const retry = sent.tries === 0 ? {} : { retry_attempt: sent.tries, retry_reason: 'timeout' };
    sent.tries += 1;
    ws.send(
      frame({
        type: sent.payload['type'] === 'block_actions' ? 'interactive' : 'events_api',
        envelope_id: envelopeId,
        payload: sent.payload,
        accepts_response_payload: false,
        ...retry,
      }),
    );
    if (sent.tries >= maxTries) return;
    sent.timer = setTimeout(() => push(envelopeId, sent), ackWithinMs).unref();
  };

  const callbackOf = (event: Readonly<Record<string, unknown>>): Record<string, unknown> => ({
    ...{ type: 'event_callback', token: 'legacy', team_id: TEAM, api_app_id: 'ADOUBLE', event_time: clock },
    ...{ event_id: `Ev${randomBytes(5).toString('hex').toUpperCase()}`, event },
    authorizations: [{ enterprise_id: null, team_id: TEAM, user_id: BOT.userId, is_bot: true }],
  });
  const messageOf = (message: Partial<SlackMessage>): SlackMessage & { type: string } => {
    const channel = message.channel ?? 'D00000001';
    const type = channel.startsWith('D') ? 'im' : 'channel';
    return {
      type: 'message',
      channel,
      user: 'UALICE001',
      text: 'hello',
      ts: nextTs(),
      team: TEAM,
      channel_type: type,
      ...message,
    };
  };
  const deliver = (payload: Record<string, unknown>): string => {
    const envelopeId = randomBytes(8).toString('hex');
    const sent: Sent = { payload, tries: 0, by: null };
    unsettled.set(envelopeId, sent);
    push(envelopeId, sent);
    return envelopeId;
  };

  await once(server.listen(0, '127.0.0.1'), 'listening');

  return {
    url: `http://${host()}/api/`,
    endpoints: (deafAfterMs = 15_000): SlackEndpoints => ({
      ...{ api: `http://${host()}/api/`, socketHost: host(), fileHost: host(), deafAfterMs },
    }),
    calls,
    posted,
    history,
    rooms,
    files,
    acks,
    until,
    sockets: (): number => sockets.length,
    /** sockets ever opened */
    opened: (): number => opened,
    unsettled: (): number => unsettled.size,
    nextTs,
    roomOf,
    setTime(seconds: number): void {
      clock = seconds;
    },
    /** The next calls of a method go wrong, in this order; `upload` stands for the transfer of a file. */
    fault(method: string, ...list: readonly SlackFault[]): void {
      faults.set(method, [...(faults.get(method) ?? []), ...list]);
    },
    revoke(token: string, error = 'token_revoked'): void {
      dead.set(token, error);
    },
    restore(token: string): void {
      dead.delete(token);
    },
    /** Somebody writes, and the event is delivered until it is acknowledged. */
    say(message: Partial<SlackMessage> = {}): SlackMessage {
      const whole = messageOf(message);
      if (!whole['subtype']) history.push(whole);
      deliver(callbackOf(whole));
      return whole;
    },
    /** Somebody writes while nobody is delivered to. */
    sayUnheard(message: Partial<SlackMessage> = {}): SlackMessage {
      const whole = messageOf(message);
      history.push(whole);
      roomOf(whole.channel);
      return whole;
    },
    messageOf,
    callbackOf,
    /** An envelope as it is, such as one that was delivered before. */
    deliver,
    sendFrame(text: string): void {
      for (const ws of sockets) ws.send(text);
    },
    /** A disconnect frame on all sockets, and the close that follows it. */
    disconnect(reason: string, closeAfterMs: number | null = null): void {
      for (const ws of [...sockets]) {
        ws.send(frame({ type: 'disconnect', reason, debug_info: {} }));
        if (closeAfterMs !== null) setTimeout(() => ws.close(1000), closeAfterMs).unref();
        // No more events for it.
        sockets.splice(sockets.indexOf(ws), 1);
      }
    },
    dropSockets(): void {
      for (const ws of wss.clients) ws.terminate();
    },
    clients: (): number => wss.clients.size,
    /** Pings stay without an answer. */
    mute(on: boolean): void {
      isMute = on;
    },
    /** Nobody listens any more; sockets that are open stay so. */
    async hide(): Promise<() => Promise<void>> {
      const { port } = server.address() as AddressInfo;
      server.closeIdleConnections();
      server.close();
      // The client must have seen the end of the connections that it kept.
      await sleep(20);
      return async () => void (await once(server.listen(port, '127.0.0.1'), 'listening'));
    },
    /** The Events API: a signed POST; what it was answered. */
    async postEvent(
      to: string,
      payload: unknown,
      how: { secret?: string; stampOffsetS?: number; signature?: string; nowMs?: number } = {},
    ): Promise<{ status: number; text: string }> {
      const body = typeof payload === 'string' ? payload : JSON.stringify(payload);
      const stamp = String(Math.floor((how.nowMs ?? Date.now()) / 1_000) + (how.stampOffsetS ?? 0));
      const mac = createHmac('sha256', how.secret ?? SIGNING_SECRET)
        .update(`v0:${stamp}:${body}`)
        .digest('hex');
      const headers = {
        ...{ 'content-type': 'application/json', 'x-slack-request-timestamp': stamp },
        'x-slack-signature': how.signature ?? `v0=${mac}`,
      };
      const response = await fetch(to, { method: 'POST', body, headers });
      return { status: response.status, text: await response.text() };
    },
    async close(): Promise<void> {
      for (const { timer } of unsettled.values()) clearTimeout(timer);
      for (const ws of wss.clients) ws.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
