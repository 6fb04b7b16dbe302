// Owns a Discord for tests: REST v10, gateway and media on one loopback port, with sessions that can be resumed. It is as
// strict as the real one about tokens, intents, sizes and nonces, and misbehaves only when it is told to.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';
import type { DiscordEndpoints } from '../../src/channels/discord/endpoints.ts';

type Json = Record<string, unknown>;
export type DiscordUser = {
  readonly id: string;
  readonly username: string;
  readonly bot?: boolean;
  readonly [key: string]: unknown;
};
export type SentMessage = {
  readonly id: string;
  readonly channel: string;
  readonly payload: Json;
  readonly files: readonly { readonly name: string; readonly type: string; readonly bytes: Buffer }[];
};
/** What happens to a call instead of, or (`after`) beside its proper answer. */
export type DiscordFault =
  | { readonly status: number; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> }
  | { readonly delayMs: number }
  | 'drop'
  /** does it, and breaks the line before the answer */
  | 'after';
export type DiscordServerOptions = {
  readonly token?: string;
  readonly heartbeatMs?: number;
  /** the switch of the portal; false closes with 4014 */
  readonly messageContent?: boolean;
  /** messages of a channel in a window of time, as the real one tells in headers */
  readonly rate?: { readonly limit: number; readonly windowMs: number };
};
export type WrittenMessage = {
  readonly channel: string;
  readonly author?: DiscordUser;
  readonly content?: string;
  /** anything else of the message object */
  readonly more?: Json;
  /** it happens, and nobody is told: the gateway loses it */
  readonly untold?: boolean;
};
export type DiscordServer = Awaited<ReturnType<typeof startDiscordServer>>;

export const TOKEN = 'MTAwMDAwMDAwMDAwMDAwMDAwMQ.GdBl0k.in-the-double-nothing-is-secret-0123456789';
export const BOT: DiscordUser = { id: '1000000000000000001', username: 'shell', bot: true };
export const OWNER: DiscordUser = { id: '2000000000000000001', username: 'nadia', global_name: 'Nadia' };
export const GUILD = '3000000000000000001';
export const ROOM = '4000000000000000001';
export const THREAD = '4000000000000000002';
export const DM = '5000000000000000001';
export const BOT_ROLE = '6000000000000000001';

const EPOCH_MS = 1_420_070_400_000n;
const MESSAGE_CONTENT = 1 << 15;
const GUILD_MESSAGES = 1 << 9;
const DIRECT_MESSAGES = 1 << 12;
const ALL_INTENTS = 0x3_ff_ff_ff;

type Session = {
  readonly id: string;
  readonly intents: number;
  seq: number;
  readonly log: Json[];
  socket: WebSocket | null;
};

export async function startDiscordServer(options: DiscordServerOptions = {}) {
  const token = options.token ?? TOKEN;
  const channels = new Map<string, Json>();
  const history = new Map<string, Json[]>();
  const guilds = new Map<string, Json>();
  const members = new Map<string, Json>();
  const media = new Map<string, { bytes: Buffer; type: string }>();
  const sessions = new Map<string, Session>();
  const faults: { readonly route: RegExp; readonly fault: DiscordFault }[] = [];
  const nonces = new Map<string, Json>();
  const windows = new Map<string, { count: number; endsAtMs: number }>();
  const changes = new EventTarget();
  const calls: string[] = [];
  const headers: Readonly<Record<string, unknown>>[] = [];
  const sent: SentMessage[] = [];
  const typed: string[] = [];
  const identified: Json[] = [];
  const resumed: Json[] = [];
  const faultsOfGateway = { refusesResume: false, mutesHeartbeats: false, startsLeft: 1_000, revoked: false };
  let counter = 0n;

  const snowflake = (): string => String(((BigInt(Date.now()) - EPOCH_MS) << 22n) | (++counter & 0x3f_ff_ffn));
  const changed = (): void => void changes.dispatchEvent(new Event('change'));
  const isToken = (given: unknown): boolean => !faultsOfGateway.revoked && given === token;

  // ---- state -------------------------------------------------------------------------------------------------------
  const addChannel = (channel: Json): void => void channels.set(String(channel['id']), channel);
  const addGuild = (id: string, name: string, more: Json = {}): Json => {
    const guild = {
      id,
      name,
      features: [],
      member_count: 2,
      roles: [
        { id, name: '@everyone', tags: {} },
        { id: BOT_ROLE, name: BOT.username, tags: { bot_id: BOT.id } },
      ],
      ...more,
    };
    guilds.set(id, guild);
    return guild;
  };
  const guildPayload = (id: string): Json => {
    const inside = [...channels.values()].filter((one) => one['guild_id'] === id);
    const isThread = (one: Json): boolean => [10, 11, 12].includes(Number(one['type']));
    return {
      ...guilds.get(id),
      channels: inside.filter((one) => !isThread(one)).map(({ guild_id: _, ...one }) => one),
      threads: inside.filter(isThread),
      members: [],
      unavailable: false,
    };
  };
  addGuild(GUILD, 'Garden');
  addChannel({ id: ROOM, type: 0, guild_id: GUILD, name: 'general', parent_id: null });
  addChannel({ id: THREAD, type: 11, guild_id: GUILD, name: 'a thread', parent_id: ROOM });
  addChannel({ id: DM, type: 1, recipients: [OWNER], last_message_id: null });

  // ---- gateway -----------------------------------------------------------------------------------------------------
  const emitTo = (session: Session, type: string, data: unknown): void => {
    const frame = { op: 0, s: ++session.seq, t: type, d: data };
    session.log.push(frame);
    if (session.socket?.readyState === WebSocket.OPEN) session.socket.send(JSON.stringify(frame));
  };
  const wants = ({ intents }: Session, type: string, data: Json): boolean => {
    if (!type.startsWith('MESSAGE_')) return true;
    return (intents & (data['guild_id'] === undefined ? DIRECT_MESSAGES : GUILD_MESSAGES)) !== 0;
  };
  const dispatch = (type: string, data: Json): void => {
    for (const session of sessions.values()) {
      if (!wants(session, type, data)) continue;
      const isBlind = type === 'MESSAGE_CREATE' && (session.intents & MESSAGE_CONTENT) === 0;
      emitTo(session, type, isBlind ? { ...data, content: '', attachments: [] } : data);
    }
  };

  const begin = (socket: WebSocket, d: Json): Session | null => {
    identified.push(d);
    changed();
    const intents = Number(d['intents']);
    if (!isToken(d['token'])) return close(socket, 4004, 'Authentication failed.');
    if (!Number.isInteger(intents) || (intents & ~ALL_INTENTS) !== 0) return close(socket, 4013, 'Invalid intent(s).');
    if ((intents & MESSAGE_CONTENT) !== 0 && options.messageContent === false)
      return close(socket, 4014, 'Disallowed intent(s).');
    const session: Session = { id: `session-${snowflake()}`, intents, seq: 0, log: [], socket };
    sessions.set(session.id, session);
    emitTo(session, 'READY', {
      v: 10,
      user: { ...BOT, discriminator: '0000', avatar: null },
      session_id: session.id,
      resume_gateway_url: `ws://127.0.0.1:${port}`,
      guilds: [...guilds.keys()].map((id) => ({ id, unavailable: true })),
      shard: [0, 1],
      application: { id: BOT.id, flags: 0 },
    });
    for (const id of guilds.keys()) emitTo(session, 'GUILD_CREATE', guildPayload(id));
    return session;
  };
  const resume = (socket: WebSocket, d: Json): Session | null => {
    resumed.push(d);
    changed();
    if (!isToken(d['token'])) return close(socket, 4004, 'Authentication failed.');
    const session = sessions.get(String(d['session_id']));
    if (!session || faultsOfGateway.refusesResume) {
      sessions.delete(String(d['session_id']));
      socket.send(JSON.stringify({ op: 9, d: false, s: null, t: null }));
      return null;
    }
    if (Number(d['seq']) > session.seq) return close(socket, 4007, 'Invalid seq.');
    session.socket = socket;
    for (const frame of session.log) if (Number(frame['s']) > Number(d['seq'])) socket.send(JSON.stringify(frame));
    emitTo(session, 'RESUMED', { _trace: [] });
    return session;
  };
  const close = (socket: WebSocket, code: number, reason: string): null => {
    socket.close(code, reason);
    return null;
  };

  const gateway = new WebSocketServer({ noServer: true });
  gateway.on('connection', (socket) => {
    let session: Session | null = null;
    socket.send(JSON.stringify({ op: 10, d: { heartbeat_interval: options.heartbeatMs ?? 41_250 }, s: null, t: null }));
    socket.on('message', (raw) => {
      const { op, d } = JSON.parse(String(raw)) as { op: number; d: Json };
      if (op === 1 && !faultsOfGateway.mutesHeartbeats) return socket.send(JSON.stringify({ op: 11 }));
      if (op === 1) return;
      if (op === 2 && session) return void close(socket, 4005, 'Already authenticated.');
      if (op === 2) session = begin(socket, d);
      else if (op === 6) session = resume(socket, d);
      else close(socket, session ? 4001 : 4003, 'Not expected.');
    });
    socket.on('close', (code) => {
      if (session?.socket === socket) session.socket = null;
      // A client that says goodbye like this has done with its session.
      if ((code === 1000 || code === 1001) && session) sessions.delete(session.id);
      changed();
    });
  });

  // ---- REST --------------------------------------------------------------------------------------------------------
  const answer = (res: ServerResponse, status: number, body: unknown, extra: Record<string, string> = {}): void => {
    res.writeHead(status, { 'content-type': 'application/json', ...extra });
    res.end(body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body));
  };
  const refuse = (res: ServerResponse, status: number, code: number, message: string): void =>
    answer(res, status, { message, code });

  const write = (written: WrittenMessage): Json => {
    const { channel, author = OWNER, content = '', more = {}, untold } = written;
    const place = channels.get(channel) ?? {};
    const guild = place['guild_id'];
    const member = guild === undefined ? undefined : members.get(`${String(guild)}/${author.id}`);
    const message: Json = {
      id: snowflake(),
      channel_id: channel,
      author,
      content,
      timestamp: new Date().toISOString(),
      edited_timestamp: null,
      tts: false,
      mention_everyone: false,
      mentions: [...content.matchAll(/<@!?(\d+)>/g)].map((found) => (found[1] === BOT.id ? BOT : { id: found[1] })),
      mention_roles: [...content.matchAll(/<@&(\d+)>/g)].map((found) => found[1]),
      attachments: [],
      embeds: [],
      pinned: false,
      type: 0,
      ...more,
    };
    history.set(channel, [...(history.get(channel) ?? []), message]);
    // Only the gateway says where a message is and which roles its author has.
    const told = guild === undefined ? message : { ...message, guild_id: guild, member: member ?? { roles: [] } };
    if (!untold) dispatch('MESSAGE_CREATE', told);
    return told;
  };

  const take = (
    res: ServerResponse,
    channel: string,
    payload: Json,
    files: SentMessage['files'],
    isDropped: boolean,
  ) => {
    const content = String(payload['content'] ?? '');
    if ([...content].length > 2_000)
      return refuse(res, 400, 50_035, 'Invalid Form Body: content must be 2000 or fewer in length');
    if (content === '' && files.length === 0) return refuse(res, 400, 50_006, 'Cannot send an empty message');
    const { nonce } = payload;
    if (nonce !== undefined && String(nonce).length > 25) return refuse(res, 400, 50_035, 'Invalid Form Body: nonce');
    const reference = payload['message_reference'] as Json | undefined;
    const answered = (history.get(channel) ?? []).find((one) => one['id'] === reference?.['message_id']);
    if (reference && !answered && reference['fail_if_not_exists'] !== false)
      return refuse(res, 400, 50_035, 'Unknown message');
    const key = `${channel}/${String(nonce)}`;
    const known = payload['enforce_nonce'] === true && nonce !== undefined ? nonces.get(key) : undefined;
    const message = known ?? write({ channel, author: BOT, content, more: { type: answered ? 19 : 0, nonce } });
    nonces.set(key, message);
    if (!known) sent.push({ id: String(message['id']), channel, payload, files });
    changed();
    if (isDropped) res.destroy();
    else answer(res, 200, message, limitHeaders(channel));
  };
  const limitHeaders = (channel: string): Record<string, string> => {
    const { rate } = options;
    const window = windows.get(channel);
    if (!rate || !window) return {};
    return {
      'x-ratelimit-limit': String(rate.limit),
      'x-ratelimit-remaining': String(Math.max(0, rate.limit - window.count)),
      'x-ratelimit-reset-after': String(Math.max(0, window.endsAtMs - Date.now()) / 1_000),
      'x-ratelimit-bucket': 'messages',
    };
  };
  /** True when the call is one too many; then it is answered. */
  const isLimited = (res: ServerResponse, channel: string): boolean => {
    const { rate } = options;
    if (!rate) return false;
    const open = windows.get(channel);
    const window = open && open.endsAtMs > Date.now() ? open : { count: 0, endsAtMs: Date.now() + rate.windowMs };
    windows.set(channel, window);
    window.count += 1;
    if (window.count <= rate.limit) return false;
    const seconds = (window.endsAtMs - Date.now()) / 1_000;
    const said = { message: 'You are being rate limited.', retry_after: seconds, global: false };
    answer(res, 429, said, {
      ...limitHeaders(channel),
      'retry-after': String(Math.ceil(seconds)),
      'x-ratelimit-scope': 'user',
    });
    return true;
  };

  const route = (
    req: IncomingMessage,
    res: ServerResponse,
    path: string,
    query: URLSearchParams,
    raw: Buffer,
    isDropped: boolean,
  ) => {
    const at = `${req.method} ${path}`;
    if (at === 'GET /gateway/bot') {
      const session_start_limit = {
        total: 1_000,
        remaining: faultsOfGateway.startsLeft,
        reset_after: 60_000,
        max_concurrency: 1,
      };
      return answer(res, 200, { url: `ws://127.0.0.1:${port}`, shards: 1, session_start_limit });
    }
    if (at === 'GET /users/@me') return answer(res, 200, BOT);
    if (at === 'POST /attachments/refresh-urls') {
      const { attachment_urls: urls } = JSON.parse(String(raw)) as { attachment_urls: string[] };
      return answer(res, 200, {
        refreshed_urls: urls.map((original) => ({ original, refreshed: original.replace('?ex=old', '?ex=new') })),
      });
    }
    const [, kind = '', id = '', what = '', more = '', then = '', emoji = ''] = path.split('/');
    if (kind === 'guilds' && what === 'members') {
      const member = members.get(`${id}/${more}`);
      return member ? answer(res, 200, member) : refuse(res, 404, 10_007, 'Unknown Member');
    }
    const channel = kind === 'channels' ? channels.get(id) : undefined;
    if (!channel) return refuse(res, 404, 10_003, 'Unknown Channel');
    if (req.method === 'GET' && what === '') return answer(res, 200, channel);
    if (req.method === 'POST' && what === 'typing') {
      typed.push(id);
      changed();
      return res.writeHead(204).end();
    }
    if (req.method === 'POST' && what === 'messages') {
      if (isLimited(res, id)) return;
      const { payload, files } = bodyOf(req.headers['content-type'] ?? '', raw);
      return take(res, id, payload, files, isDropped);
    }
    if (req.method === 'GET' && what === 'messages') {
      const after = BigInt(query.get('after') ?? 0);
      const found = (history.get(id) ?? []).filter((one) => BigInt(String(one['id'])) > after);
      return answer(res, 200, found.slice(0, Number(query.get('limit') ?? 50)).reverse());
    }
    const messages = history.get(id) ?? [];
    const found = messages.find((one) => one['id'] === more);
    if (what === 'messages' && more !== '' && !found) return refuse(res, 404, 10_008, 'Unknown Message');
    if (found && req.method === 'PUT' && then === 'reactions') {
      found['reactions'] = [decodeURIComponent(emoji)];
      return res.writeHead(204).end();
    }
    if (found && req.method === 'PATCH') return answer(res, 200, Object.assign(found, JSON.parse(String(raw))));
    if (found && req.method === 'DELETE') {
      messages.splice(messages.indexOf(found), 1);
      return res.writeHead(204).end();
    }
    refuse(res, 404, 0, '404: Not Found');
  };

  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => void serve(req, res, Buffer.concat(chunks)).catch(() => res.destroy()));
  });
  const serve = async (req: IncomingMessage, res: ServerResponse, raw: Buffer): Promise<void> => {
    const url = new URL(req.url ?? '/', 'http://double');
    const path = url.pathname.replace(/^\/api\/v10/, '');
    const at = `${req.method} ${path}`;
    calls.push(at);
    headers.push(req.headers);
    changed();
    const index = faults.findIndex(({ route: fits }) => fits.test(at));
    const fault = index === -1 ? undefined : faults.splice(index, 1)[0]?.fault;
    if (fault === 'drop') return void res.destroy();
    if (typeof fault === 'object' && 'status' in fault) return answer(res, fault.status, fault.body, fault.headers);
    if (typeof fault === 'object') await sleep(fault.delayMs);
    const file = media.get(url.pathname);
    if (url.pathname.startsWith('/attachments/') && !path.endsWith('refresh-urls')) {
      if (!file || url.searchParams.get('ex') === 'old')
        return answer(res, 404, 'This content is no longer available.');
      res.writeHead(200, { 'content-type': file.type, 'content-length': file.bytes.length });
      return void res.end(file.bytes);
    }
    if (!isToken(req.headers.authorization?.replace(/^Bot /, ''))) return refuse(res, 401, 0, '401: Unauthorized');
    route(req, res, path, url.searchParams, raw, fault === 'after');
  };
  server.on('upgrade', (req, socket, head) =>
    gateway.handleUpgrade(req, socket, head, (opened) => gateway.emit('connection', opened, req)),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const host = `127.0.0.1:${port}`;
  const endpoints: DiscordEndpoints = {
    api: `http://${host}/api`,
    gatewayHosts: [host],
    mediaHosts: [host],
    identifyWaitMs: 5,
    askAgainMs: [1, 2, 4],
  };
  const sockets = (): WebSocket[] => [...gateway.clients].filter((one) => one.readyState === WebSocket.OPEN);

  return {
    endpoints,
    token,
    calls,
    headers,
    sent,
    typed,
    identified,
    resumed,
    faults: faultsOfGateway,
    addChannel,
    write,
    dispatch,
    sockets,
    snowflake,
    history: (channel: string): Json[] => history.get(channel) ?? [],
    /** The next calls that fit get these, one each. */
    script(fits: RegExp, ...next: DiscordFault[]): void {
      faults.push(...next.map((fault) => ({ route: fits, fault })));
    },
    /** how many of them have not happened yet */
    pendingFaults: (): number => faults.length,
    setMember(guild: string, user: string, roles: readonly string[], more: Json = {}): void {
      members.set(`${guild}/${user}`, { roles, ...more });
    },
    /** A file on the media host; its address. */
    addMedia(name: string, type: string, bytes: Buffer, query = ''): string {
      const path = `/attachments/${ROOM}/${snowflake()}/${name.replace(/[^\w.]+/g, '_')}`;
      media.set(path, { bytes, type });
      return `http://${host}${path}${query}`;
    },
    joinGuild(id: string, name: string, more: Json = {}): void {
      addGuild(id, name, more);
      dispatch('GUILD_CREATE', guildPayload(id));
    },
    leaveGuild(id: string, unavailable = false): void {
      if (!unavailable) guilds.delete(id);
      dispatch('GUILD_DELETE', { id, ...(unavailable ? { unavailable } : {}) });
    },
    send: (frame: unknown): void => {
      for (const socket of sockets()) socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
    },
    askReconnect(): void {
      this.send({ op: 7, d: null, s: null, t: null });
    },
    invalidate(canResume: boolean): void {
      if (!canResume) sessions.clear();
      this.send({ op: 9, d: canResume, s: null, t: null });
    },
    forgetSessions: (): void => sessions.clear(),
    /** Without a goodbye, or with one. */
    cut(code?: number): void {
      for (const socket of sockets())
        if (code === undefined) socket.terminate();
        else socket.close(code);
    },
    /** Resolves when it holds; looked at after everything that arrives. */
    async until(holds: () => boolean): Promise<void> {
      while (!holds()) await once(changes, 'change');
    },
    /** Nobody listens any more, or somebody does again; lines that are open stay. */
    async listens(again: boolean): Promise<void> {
      if (again) await once(server.listen(port, '127.0.0.1'), 'listening');
      else {
        // It is not waited for: a gateway line that stays open would keep it from closing.
        server.close();
        server.closeAllConnections();
        // Until the other side has seen it.
        await sleep(20);
      }
    },
    /** The events with these messages, the last one first. */
    writeBackwards(all: readonly WrittenMessage[]): void {
      const live = [...sessions.values()].map((session) => ({ session, socket: session.socket }));
      for (const { session } of live) session.socket = null;
      const from = new Map(live.map(({ session }) => [session, session.log.length]));
      for (const one of all) write(one);
      for (const { session, socket } of live) {
        session.socket = socket;
        for (const frame of session.log.slice(from.get(session)).reverse()) socket?.send(JSON.stringify(frame));
      }
    },
    /** The event with this message once more, as it was. */
    repeat(id: string): void {
      for (const { log, socket } of sessions.values())
        for (const frame of log) if ((frame['d'] as Json)['id'] === id) socket?.send(JSON.stringify(frame));
    },
    channel: (id: string): Json | undefined => channels.get(id),
    async close(): Promise<void> {
      for (const socket of gateway.clients) socket.terminate();
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** JSON, or a form with the JSON in `payload_json` and files beside it. */
function bodyOf(contentType: string, raw: Buffer): { payload: Json; files: SentMessage['files'] } {
  const boundary = /boundary=(.+)$/.exec(contentType)?.[1];
  if (boundary === undefined) return { payload: JSON.parse(String(raw)) as Json, files: [] };
  let payload: Json = {};
  const files: { name: string; type: string; bytes: Buffer }[] = [];
  for (const part of raw.toString('latin1').split(`--${boundary}`).slice(1, -1)) {
    const end = part.indexOf('\r\n\r\n');
    const head = part.slice(0, end);
    const bytes = Buffer.from(part.slice(end + 4, -2), 'latin1');
    if (/name="payload_json"/.test(head)) payload = JSON.parse(String(bytes)) as Json;
    else {
      const type = /Content-Type: (.+)/i.exec(head)?.[1] ?? '';
      files.push({ name: /filename="([^"]*)"/.exec(head)?.[1] ?? '', type, bytes });
    }
  }
  return { payload, files };
}
