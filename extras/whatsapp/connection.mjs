// Owns the connection to WhatsApp: one Baileys socket behind the few words that the side process knows. Only an armed
// Baileys may come here (guard.mjs), and the address is the library's own: nothing from outside can change it.
import { createHash } from 'node:crypto';
import { personOf, readMediaRef, readMessage } from './messages.mjs';

const ACK_WITHIN_MS = 20_000;
/** A server that takes the connection and says nothing would keep Baileys waiting for ever. */
const CONNECT_WITHIN_MS = 45_000;
const PING_WITHIN_MS = 15_000;
const MEDIA_HOST = 'mmg.whatsapp.net';
const OUR_PREFIX = '3EB0485348';
const RESTART = 515;
const TRY_AGAIN = 'nothing to do; it is tried again';
const RELINK = 'openclaw channels login whatsapp';

/** Why a connection ended, by the platform's code: the family, what to say, what to do. @type {Record<number, readonly [string, string, string]>} */
const ENDS = {
  401: ['refused', 'the phone has unlinked this device', RELINK],
  403: ['refused', 'WhatsApp has refused this account', 'look at WhatsApp on the phone: the account may be suspended'],
  411: ['refused', 'the phone does not know linked devices', `update WhatsApp on the phone, then ${RELINK}`],
  440: ['refused', 'another program uses the same link', 'stop the other one; one link, one program'],
};

/** The same message has the same id at every try, so that a phone shows it once. @param {string} key */
export const messageIdFor = (key) =>
  OUR_PREFIX + createHash('sha256').update(key).digest('hex').slice(0, 12).toUpperCase();

/**
 * @param {{ baileys: any, auth: any, emit: (event: any) => void, keep: (message: any) => void, overrides?: object, connectWithinMs?: number }} ports
 * `overrides` and `connectWithinMs` are for tests, which call this themselves; the side process passes none.
 */
export function connect({ baileys, auth, emit, keep, overrides = {}, connectWithinMs = CONNECT_WITHIN_MS }) {
  const silent = quietLogger(emit);
  /** @type {any} */
  let socket = null;
  let isOpen = false;
  let isEnding = false;
  /** @type {string[]} */
  let me = [];
  /** @type {Map<string, (error: string | null) => void>} */
  const awaited = new Map();

  const giveUp = (/** @type {string} */ family, /** @type {string} */ reason, /** @type {string} */ fix, code = 0) => {
    if (isEnding) return;
    isEnding = true;
    isOpen = false;
    clearTimeout(patience);
    emit({ type: 'closed', family, reason, fix, code });
  };
  const patience = setTimeout(() => giveUp('network', 'WhatsApp did not answer', TRY_AGAIN), connectWithinMs);

  const start = () => {
    socket = baileys.default({
      auth: auth.state,
      logger: silent,
      browser: ['Hardshell', 'Desktop', '1.0'],
      syncFullHistory: false,
      shouldSyncHistoryMessage: () => false,
      markOnlineOnConnect: false,
      generateHighQualityLinkPreview: false,
      shouldIgnoreJid: (/** @type {string} */ jid) => /@(broadcast|newsletter)$/.test(jid),
      ...overrides,
    });
    const { ev, ws } = socket;
    ev.on('creds.update', auth.save);
    ev.on('connection.update', onConnection);
    // In the order of arrival, though reading one may have to ask for a number.
    let reading = Promise.resolve();
    ev.on('messages.upsert', (/** @type {any} */ { messages }) => {
      for (const raw of messages) {
        reading = reading
          .then(() => take(raw))
          .catch((error) =>
            emit({ type: 'log', level: 'error', text: `a message could not be read: ${error.message}` }),
          );
      }
    });
    ev.on('groups.upsert', (/** @type {any[]} */ groups) => {
      for (const { id, subject, author } of groups)
        emit({ type: 'group', chat: id, title: String(subject ?? ''), change: 'joined', by: personOf(author) });
    });
    ev.on('group-participants.update', (/** @type {any} */ { id, participants, action, author }) => {
      const isMe = participants.some(
        (/** @type {any} */ who) =>
          me.includes(personOf(who.id ?? who) ?? '') || me.includes(personOf(who.phoneNumber) ?? ''),
      );
      const change = action === 'add' ? 'joined' : action === 'remove' ? 'left' : null;
      if (isMe && change) emit({ type: 'group', chat: id, title: '', change, by: personOf(author) });
    });
    ws.on('frame', () => emit({ type: 'alive' }));
    ws.on('CB:ack,class:message', (/** @type {any} */ { attrs }) => {
      awaited.get(attrs.id)?.(attrs.error ? `WhatsApp refused it (${attrs.error})` : null);
    });
  };

  const take = async (/** @type {any} */ raw) => {
    const message = await readMessage(raw, {
      me,
      isOurs: (id) => id.startsWith(OUR_PREFIX),
      numberFor: (lid) => socket.signalRepository.lidMapping.getPNForLID(lid),
      content: baileys.normalizeMessageContent,
    });
    if (message) keep(message);
  };

  const onConnection = (/** @type {any} */ { connection, qr, lastDisconnect }) => {
    if (qr || connection === 'open') clearTimeout(patience);
    if (qr) emit({ type: 'qr', text: qr });
    if (connection === 'open') {
      isOpen = true;
      me = [personOf(socket.user?.id), personOf(socket.user?.lid), personOf(socket.user?.phoneNumber)].filter(
        (id) => id !== null,
      );
      emit({ type: 'open', me });
    }
    if (connection !== 'close' || isEnding) return;
    const code = lastDisconnect?.error?.output?.statusCode ?? 0;
    // WhatsApp's way of saying that the link is made and wants a fresh connection.
    if (code === RESTART) return start();
    const reason = String(lastDisconnect?.error?.message ?? 'the connection was lost').slice(0, 200);
    // What a proxy or a dead server answers is no word of WhatsApp about the link.
    const said = reason.startsWith('WebSocket Error') ? undefined : ENDS[code];
    const [family, what, fix] = said ?? ['network', reason, TRY_AGAIN];
    giveUp(family, what, fix, code);
  };

  /** Resolves when WhatsApp's server has the message. @param {string} id */
  const acknowledged = (id) =>
    new Promise((resolve) => {
      const timer = setTimeout(() => resolve('no answer'), ACK_WITHIN_MS);
      awaited.set(id, (error) => {
        clearTimeout(timer);
        awaited.delete(id);
        resolve(error);
      });
    });

  start();
  return {
    isOpen: () => isOpen,
    /** @param {{ key: string, chat: string, text: string, quote?: { id: string, sender: string }, file?: { name: string, mimeType: string, data: string } }} out */
    async send({ key, chat, text, quote, file }) {
      if (!isOpen) return { state: 'retry', reason: 'not connected', afterMs: 5_000 };
      const messageId = messageIdFor(key);
      const jid = chat.startsWith('+') ? `${chat.slice(1)}@s.whatsapp.net` : chat;
      const quoted = quote
        ? {
            quoted: {
              key: { remoteJid: jid, id: quote.id, fromMe: false, participant: quote.sender },
              message: { conversation: '' },
            },
          }
        : {};
      const answer = acknowledged(messageId);
      try {
        await socket.sendMessage(jid, file ? media(file, text) : { text, linkPreview: null }, { messageId, ...quoted });
      } catch (error) {
        awaited.delete(messageId);
        const reason = error instanceof Error ? error.message.slice(0, 200) : 'unknown';
        // It may have left before it broke.
        return { state: 'unknown', reason };
      }
      const refused = await answer;
      awaited.delete(messageId);
      if (refused === 'no answer') return { state: 'unknown', reason: 'WhatsApp did not confirm it' };
      return refused ? { state: 'failed', reason: refused } : { state: 'sent', messageId };
    },
    /** @param {string} chat */
    typing: (chat) => (isOpen ? socket.sendPresenceUpdate('composing', chat) : Promise.resolve()),
    async ping() {
      if (!isOpen) throw new Error('not connected');
      const attrs = { to: 's.whatsapp.net', type: 'get', xmlns: 'w:p', id: socket.generateMessageTag() };
      await socket.query({ tag: 'iq', attrs, content: [{ tag: 'ping', attrs: {} }] }, PING_WITHIN_MS);
    },
    /** @param {string} ref @param {number} maxBytes */
    async fetch(ref, maxBytes) {
      const media = readMediaRef(ref);
      if (!media) throw new Error('this is no attachment of WhatsApp');
      const stream = await baileys.downloadContentFromMessage(
        { mediaKey: media.key, directPath: media.path },
        media.type,
        {
          host: MEDIA_HOST,
        },
      );
      const parts = [];
      let bytes = 0;
      for await (const part of stream) {
        bytes += part.length;
        if (bytes > maxBytes) {
          stream.destroy();
          throw new Error(`it is larger than ${maxBytes} bytes`);
        }
        parts.push(part);
      }
      const whole = Buffer.concat(parts);
      if (media.sha256.length > 0 && !createHash('sha256').update(whole).digest().equals(media.sha256))
        throw new Error('what was fetched is not what was sent');
      return whole;
    },
    logout: () => socket.logout(),
    end() {
      isEnding = true;
      clearTimeout(patience);
      socket.end(undefined);
    },
  };
}

/** @param {{ name: string, mimeType: string, data: string }} file @param {string} caption */
function media({ name, mimeType, data }, caption) {
  const bytes = Buffer.from(data, 'base64');
  if (mimeType.startsWith('image/')) return { image: bytes, mimetype: mimeType, caption };
  if (mimeType.startsWith('video/')) return { video: bytes, mimetype: mimeType, caption };
  return { document: bytes, mimetype: mimeType, fileName: name, caption };
}

/** Baileys logs whole messages and keys; only what it calls an error passes, and of that only the words. @param {(event: any) => void} emit */
function quietLogger(emit) {
  const drop = () => {};
  const error = (/** @type {any} */ what, /** @type {any} */ text) =>
    emit({ type: 'log', level: 'warn', text: String(typeof what === 'string' ? what : (text ?? '')).slice(0, 200) });
  /** @type {any} */
  const logger = { level: 'error', trace: drop, debug: drop, info: drop, warn: drop, error, fatal: error };
  logger.child = () => logger;
  return logger;
}
