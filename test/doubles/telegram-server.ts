// Owns a Bot API server for tests: envelopes, long polling with acknowledgement, 409, 429, 401, webhooks with their secret,
// files, albums, topics, membership and moved groups. It must stay strict: what Telegram refuses is refused here too.
import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { parseForm } from './multipart.ts';
import { shownText } from './telegram-html.ts';

type Json = Record<string, unknown>;
export type TelegramFault =
  | {
      readonly kind: 'error';
      readonly code: number;
      readonly description?: string;
      readonly retryAfterS?: number;
      readonly migrateTo?: number;
    }
  /** a gateway in front of it answers, with a page */
  | { readonly kind: 'html'; readonly status: number }
  /** the call counts, its answer never comes */
  | { readonly kind: 'answer-lost' }
  /** the socket is closed before anything is read */
  | { readonly kind: 'drop' }
  | { readonly kind: 'slow'; readonly ms: number };

export type SentMessage = {
  readonly id: number;
  readonly chat: string;
  readonly thread: string;
  readonly text: string;
  readonly replyTo: number | null;
  readonly parseMode: string | null;
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  readonly buttons: readonly { readonly text: string; readonly callback_data: string }[];
};
export type SeenCall = { readonly method: string; readonly params: Json };

export type TelegramServer = Awaited<ReturnType<typeof startTelegramServer>>;
export type TelegramServerOptions = {
  readonly token?: string;
  readonly port?: number;
  readonly readsAll?: boolean;
  /** where webhook calls go in place of the public address; none are made without it */
  readonly webhookTarget?: string;
};

export const TELEGRAM_TOKEN = '123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw';
export const BOT = { id: 123456789, is_bot: true, first_name: 'Shell', username: 'shell_test_bot' };
export const PERSON = { id: 1303993020, is_bot: false, first_name: 'Ada', last_name: 'L.' };
export const DIRECT = { id: PERSON.id, type: 'private', first_name: 'Ada' };
export const GROUP = { id: -1001234567890, type: 'supergroup', title: 'Friends', is_forum: true };

export async function startTelegramServer(options: TelegramServerOptions = {}) {
  const token = options.token ?? TELEGRAM_TOKEN;
  let isRevoked = false;
  let updates: { update_id: number; body: Json; type: string }[] = [];
  let nextUpdate = 700_000_001;
  let nextMessage = 100;
  let allowed: readonly string[] | null = null;
  let poller: { answer(status: number, body: Json): void; timer: NodeJS.Timeout; limit: number } | null = null;
  let webhook: { url: string; secret: string } | null = null;
  let hookError: { date: number; message: string } | null = null;
  let delivering = false;
  let underWay = 0;
  let commands: unknown = null;
  const faults = new Map<string, TelegramFault[]>();
  const files = new Map<string, { name: string; bytes: Uint8Array; path: string }>();
  const messages = new Map<string, Json>();
  const chats = new Map<string, Json>([
    [String(DIRECT.id), DIRECT],
    [String(GROUP.id), GROUP],
  ]);
  const sent: SentMessage[] = [];
  const calls: SeenCall[] = [];
  const actions: { chat: string; action: string }[] = [];
  const reactions: { id: number; emoji: string }[] = [];
  const sockets = new Set<Socket>();
  const waiting = new Set<() => void>();
  const tell = (): void => {
    for (const look of [...waiting]) look();
  };

  const pending = () => updates.filter(({ type }) => allowed === null || allowed.includes(type));
  const push = (type: string, body: Json): number => {
    const update = { update_id: nextUpdate++, body: { [type]: body }, type };
    updates.push(update);
    serve();
    return update.update_id;
  };
  const serve = (): void => {
    if (poller && pending().length > 0) {
      const { answer, limit } = endPoll() ?? poller;
      answer(200, { ok: true, result: pending().slice(0, limit).map(wire) });
    }
    void deliverHooks();
  };
  const wire = ({ update_id, body }: { update_id: number; body: Json }): Json => ({ update_id, ...body });
  const endPoll = () => {
    const ended = poller;
    poller = null;
    if (ended) clearTimeout(ended.timer);
    return ended;
  };

  const deliverHooks = async (): Promise<void> => {
    if (delivering || !webhook || !options.webhookTarget) return;
    delivering = true;
    for (let tries = 0; webhook && tries < 50; ) {
      const update = pending()[0];
      if (!update) break;
      const status = await post(options.webhookTarget, wire(update), {
        'x-telegram-bot-api-secret-token': webhook.secret,
      });
      if (status === 200) updates = updates.filter((one) => one !== update);
      else {
        hookError = { date: Math.floor(Date.now() / 1_000), message: `Wrong response from the webhook: ${status}` };
        tries += 1;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      tell();
    }
    delivering = false;
  };

  const refuse = (code: number, description: string, parameters?: Json): { status: number; body: Json } => ({
    status: code,
    body: { ok: false, error_code: code, description, ...(parameters ? { parameters } : {}) },
  });
  const ok = (result: unknown) => ({ status: 200, body: { ok: true, result } });
  const bad = (what: string) => refuse(400, `Bad Request: ${what}`);

  const place = (params: Json): Json | { status: number; body: Json } => {
    const chat = chats.get(String(params['chat_id']));
    if (!chat) return bad('chat not found');
    const moved = chat['movedTo'];
    if (moved !== undefined)
      return refuse(400, 'Bad Request: group chat was upgraded to a supergroup chat', { migrate_to_chat_id: moved });
    if (chat['left'] === true) return refuse(403, 'Forbidden: bot was kicked from the supergroup chat');
    return chat;
  };

  const store = (params: Json, raw: string, sentFiles: SentMessage['files']) => {
    const chat = place(params);
    if ('body' in chat && 'status' in chat) return chat as { status: number; body: Json };
    const mode = params['parse_mode'];
    const text = mode === 'HTML' ? shownText(raw) : raw;
    if (text === null) return bad("can't parse entities: unexpected end tag or unsupported start tag");
    if (sentFiles.length === 0 && text.trim() === '') return bad('message text is empty');
    if (text.length > (sentFiles.length > 0 ? 1_024 : 4_096))
      return bad(sentFiles.length > 0 ? 'message caption is too long' : 'message is too long');
    const thread = params['message_thread_id'];
    const id = nextMessage++;
    const reply = params['reply_parameters'];
    const parameters = (typeof reply === 'string' ? JSON.parse(reply) : reply) as Json | undefined;
    sent.push({
      ...{ id, chat: String(params['chat_id']), thread: thread === undefined ? '' : String(thread), text },
      replyTo: parameters ? Number(parameters['message_id']) : null,
      parseMode: typeof mode === 'string' ? mode : null,
      files: sentFiles,
      buttons: keyboardIn(params['reply_markup']),
    });
    tell();
    return ok({ message_id: id, date: Math.floor(Date.now() / 1_000), chat, from: BOT, text });
  };

  type Answer = { status: number; body: Json };
  const methods: Record<string, (params: Json, attached: SentMessage['files']) => Answer> = {
    getMe: () => ok({ ...BOT, can_join_groups: true, can_read_all_group_messages: options.readsAll === true }),
    setMyCommands(params) {
      commands = params['commands'];
      return ok(true);
    },
    deleteWebhook() {
      webhook = null;
      return ok(true);
    },
    setWebhook(params) {
      const url = String(params['url'] ?? '');
      const secret = String(params['secret_token'] ?? '');
      if (!url.startsWith('https://')) return bad('bad webhook: An HTTPS URL must be provided for webhook');
      if (!/^[A-Za-z0-9_-]{0,256}$/.test(secret)) return bad('secret token contains illegal characters');
      allowed = (params['allowed_updates'] as string[] | undefined) ?? allowed;
      webhook = { url, secret };
      endPoll()?.answer(...conflict('terminated by setWebhook request'));
      void deliverHooks();
      return ok(true);
    },
    getWebhookInfo: () =>
      ok({
        ...{ url: webhook?.url ?? '', has_custom_certificate: false, pending_update_count: pending().length },
        ...(hookError ? { last_error_date: hookError.date, last_error_message: hookError.message } : {}),
      }),
    sendMessage: (params) => store(params, String(params['text'] ?? ''), []),
    sendDocument: (params, attached) =>
      attached.length === 0
        ? bad('there is no document in the request')
        : store(params, String(params['caption'] ?? ''), attached),
    sendChatAction(params) {
      const chat = place(params);
      if ('status' in chat) return chat as Answer;
      actions.push({ chat: String(params['chat_id']), action: String(params['action']) });
      tell();
      return ok(true);
    },
    editMessageText(params) {
      const found = sent.findIndex(({ id }) => id === Number(params['message_id']));
      const before = sent[found];
      if (!before) return bad('message to edit not found');
      if (before.text === params['text']) return bad('message is not modified');
      sent[found] = { ...before, text: String(params['text']) };
      tell();
      return ok({ message_id: before.id, text: params['text'] });
    },
    setMessageReaction(params) {
      const [reaction] = (params['reaction'] ?? []) as { emoji?: string }[];
      reactions.push({ id: Number(params['message_id']), emoji: String(reaction?.emoji) });
      tell();
      return ok(true);
    },
    deleteMessage(params) {
      const found = sent.findIndex(({ id }) => id === Number(params['message_id']));
      if (found === -1) return bad('message to delete not found');
      sent.splice(found, 1);
      tell();
      return ok(true);
    },
    answerCallbackQuery: () => ok(true),
    editMessageReplyMarkup(params) {
      const found = sent.findIndex(({ id }) => id === Number(params['message_id']));
      const before = sent[found];
      if (!before) return bad('message to edit not found');
      sent[found] = { ...before, buttons: keyboardIn(params['reply_markup']) };
      tell();
      return ok({ message_id: before.id });
    },
    getFile(params) {
      const file = files.get(String(params['file_id']));
      if (!file) return bad('invalid file_id');
      if (file.bytes.byteLength > 20_000_000) return bad('file is too big');
      return ok({
        file_id: params['file_id'],
        file_unique_id: 'u',
        file_size: file.bytes.byteLength,
        file_path: file.path,
      });
    },
  };
  const conflict = (why: string): [number, Json] => [409, refuse(409, `Conflict: ${why}`).body];

  const getUpdates = (params: Json, answer: (status: number, body: Json) => void): void => {
    if (webhook) {
      answer(
        ...conflict(
          "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
        ),
      );
      return;
    }
    endPoll()?.answer(
      ...conflict('terminated by other getUpdates request; make sure that only one bot instance is running'),
    );
    const offset = Number(params['offset'] ?? 0);
    const limit = Math.min(100, Number(params['limit'] ?? 100));
    if (Array.isArray(params['allowed_updates'])) allowed = params['allowed_updates'] as string[];
    if (offset > 0) updates = updates.filter(({ update_id }) => update_id >= offset);
    tell();
    const seconds = Number(params['timeout'] ?? 0);
    if (pending().length > 0 || seconds === 0) {
      answer(200, { ok: true, result: pending().slice(0, limit).map(wire) });
      return;
    }
    const timer = setTimeout(() => endPoll()?.answer(200, { ok: true, result: [] }), seconds * 1_000);
    poller = { answer, timer, limit };
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [, kind, name = ''] = /^\/(file\/)?bot[^/]+\/(.+)$/.exec(request.url ?? '') ?? [];
    const given = /\/bot([^/]+)\//.exec(request.url ?? '')?.[1];
    const method = name.split('?')[0] ?? '';
    const fault = faults.get(method)?.shift();
    if (fault?.kind === 'drop') return void request.socket.destroy();
    const body = await bodyOf(request);
    const answer = (status: number, value: Json | Uint8Array): void => {
      if (response.destroyed) return;
      const isBytes = value instanceof Uint8Array;
      response.writeHead(status, { 'content-type': isBytes ? 'application/octet-stream' : 'application/json' });
      response.end(isBytes ? value : JSON.stringify(value));
    };
    if (given !== token || isRevoked) return answer(401, refuse(401, 'Unauthorized').body);
    if (kind) {
      const file = [...files.values()].find(({ path }) => path === decodeURIComponent(method));
      return file ? answer(200, file.bytes) : answer(404, refuse(404, 'Not Found').body);
    }
    const { params, attached } = paramsOf(request, body);
    calls.push({ method, params });
    if (fault?.kind === 'slow') await new Promise((resolve) => setTimeout(resolve, fault.ms));
    if (fault?.kind === 'html') {
      response.writeHead(fault.status, { 'content-type': 'text/html' });
      return void response.end('<html><body>Bad Gateway</body></html>');
    }
    if (fault?.kind === 'error') {
      const { code, description = code === 429 ? 'Too Many Requests: retry later' : 'Internal Server Error' } = fault;
      const parameters = {
        ...(fault.retryAfterS === undefined ? {} : { retry_after: fault.retryAfterS }),
        ...(fault.migrateTo === undefined ? {} : { migrate_to_chat_id: fault.migrateTo }),
      };
      return answer(code, refuse(code, description, parameters).body);
    }
    if (method === 'getUpdates') {
      request.socket.once('close', () => {
        if (poller?.answer === answer) endPoll();
      });
      return getUpdates(params, answer);
    }
    const run = methods[method];
    if (!run) return answer(404, refuse(404, 'Not Found: method not found').body);
    const result = run(params, attached);
    if (fault?.kind === 'answer-lost') return void request.socket.destroy();
    answer(result.status, result.body);
  };

  const server = createServer((request, response) => {
    underWay += 1;
    response.once('close', () => {
      underWay -= 1;
    });
    handle(request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 50;
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  const message = (body: Json): Json => {
    const made: Json = {
      message_id: nextMessage++,
      date: Math.floor(Date.now() / 1_000),
      chat: DIRECT,
      from: PERSON,
      ...body,
    };
    messages.set(String(made['message_id']), made);
    return made;
  };

  return {
    url: `http://127.0.0.1:${port}`,
    port,
    token,
    sent,
    calls,
    actions,
    reactions,
    chats,
    commands: () => commands,
    webhook: () => webhook,
    pendingCount: () => pending().length,
    underWay: () => underWay,
    /** a message as an update; returns its id in the chat */
    say(body: Json): number {
      const made = message(body);
      push('message', made);
      return Number(made['message_id']);
    },
    /** several at once: nobody sees one without the others */
    sayTogether(bodies: readonly Json[], order: (all: Json[]) => Json[] = (all) => all): number[] {
      const made = bodies.map(message);
      for (const one of order([...made]))
        updates.push({ update_id: nextUpdate++, body: { message: one }, type: 'message' });
      serve();
      return made.map((one) => Number(one['message_id']));
    },
    /** a button below a message is pressed; anybody who sees it can */
    press(on: SentMessage, says: string, from: Json = PERSON): number {
      const chat = chats.get(on.chat) ?? { id: Number(on.chat), type: 'private' };
      return push('callback_query', {
        ...{ id: String(4_382_000_000 + nextMessage++), from, chat_instance: '77', data: says },
        message: { message_id: on.id, date: Math.floor(Date.now() / 1_000), chat, from: BOT, text: on.text },
      });
    },
    /** the same message in another update */
    again: (id: string | number): number => push('message', messages.get(String(id)) ?? {}),
    edit(id: string | number, text: string): void {
      push('edited_message', { ...messages.get(String(id)), text, edit_date: Math.floor(Date.now() / 1_000) });
    },
    push,
    /** a file that a message can carry; returns its id */
    file(name: string, bytes: Uint8Array): string {
      const id = `AgACAgI${files.size}`;
      files.set(id, { name, bytes, path: `documents/file_${files.size}.dat` });
      return id;
    },
    fault(method: string, ...list: readonly TelegramFault[]): void {
      faults.set(method, [...(faults.get(method) ?? []), ...list]);
    },
    revoke(): void {
      isRevoked = true;
      endPoll()?.answer(401, refuse(401, 'Unauthorized').body);
    },
    allowAgain(): void {
      isRevoked = false;
    },
    cut(): void {
      endPoll();
      for (const socket of sockets) socket.destroy();
    },
    until: (what: () => boolean): Promise<void> =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!what()) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    /** nothing listens any more; what is under way goes on */
    down(): void {
      server.close();
      server.closeIdleConnections();
    },
    async up(): Promise<void> {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
    async close(): Promise<void> {
      webhook = null;
      endPoll();
      if (!server.listening) return;
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function paramsOf(request: IncomingMessage, body: Buffer): { params: Json; attached: SentMessage['files'] } {
  const type = request.headers['content-type'] ?? '';
  if (type.startsWith('multipart/form-data')) {
    const { fields, files } = parseForm(body, type);
    return { params: fields, attached: files };
  }
  return { params: body.length > 0 ? (JSON.parse(body.toString('utf8')) as Json) : {}, attached: [] };
}

function post(url: string, body: Json, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve) => {
    const request = httpRequest(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers } });
    request.once('response', (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0));
    });
    request.once('error', () => resolve(0));
    request.end(JSON.stringify(body));
  });
}

/** Telegram refuses more than 64 bytes on a button, and so does this. */
function keyboardIn(markup: unknown): SentMessage['buttons'] {
  const { inline_keyboard: rows = [] } = ((typeof markup === 'string' ? JSON.parse(markup) : markup) ?? {}) as {
    inline_keyboard?: { text: string; callback_data: string }[][];
  };
  const buttons = rows.flat();
  if (buttons.some(({ callback_data: data }) => Buffer.byteLength(data) > 64)) throw new Error('BUTTON_DATA_INVALID');
  return buttons;
}
