// Owns the reading of WhatsApp's messages: what the gateway is told of one, as plain data. It decides nothing about who
// may talk; an id is only ever what the platform vouches for.

const SERVICE = /@(broadcast|newsletter)$|^status@|^0@/;

/** A phone number where the platform gives one, otherwise the id that stands in for it. @param {string | null | undefined} jid */
export function personOf(jid) {
  if (!jid) return null;
  const [user = '', server = ''] = jid.split('@');
  const number = user.split(/[:_]/, 1)[0] ?? '';
  if (!/^\d{5,20}$/.test(number)) return null;
  if (server === 's.whatsapp.net' || server === 'c.us') return `+${number}`;
  return server === 'lid' ? `lid:${number}` : null;
}

/**
 * @param {any} raw a message as Baileys hands it out
 * @param {{ me: readonly string[], isOurs: (id: string) => boolean, numberFor: (lid: string) => Promise<string | null>, content: (message: any) => any }} context
 * @returns {Promise<any | null>} null when it is nothing that a person said to us
 */
export async function readMessage(raw, { me, isOurs, numberFor, content }) {
  const { key, message } = raw;
  const chat = key?.remoteJid;
  if (!chat || !key.id || !message || SERVICE.test(chat) || isOurs(key.id)) return null;
  const isGroup = chat.endsWith('@g.us');
  const isSelf = !isGroup && (me.includes(personOf(chat) ?? '') || me.includes(personOf(key.remoteJidAlt) ?? ''));
  // What the owner says to others from the phone is not said to us; what they say to themselves is.
  if (key.fromMe && !isSelf) return null;
  const said = content(message);
  if (!said) return null;
  const senderJid = isGroup ? key.participant : chat;
  const senderAlt = isGroup ? key.participantAlt : key.remoteJidAlt;
  const sender = await numberOf(senderJid, senderAlt, numberFor);
  if (sender === null) return null;
  const context = contextOf(said);
  // Passed on by its sender, written by somebody who is not named: neither the sender's word nor a command.
  const isForwarded = context?.isForwarded === true || Number(context?.forwardingScore ?? 0) > 0;
  const words = textOf(said);
  const attachments = attachmentsOf(said);
  // Edits, reactions, deletions and votes come as messages too.
  if (words === '' && attachments.length === 0) return null;
  return {
    chat,
    chatType: isGroup ? 'group' : 'direct',
    messageId: `${isGroup ? `${sender}:` : ''}${key.id}`,
    sender,
    display: typeof raw.pushName === 'string' ? raw.pushName.slice(0, 100) : undefined,
    text: isForwarded && words !== '' ? '[forwarded, written by somebody else]' : words.slice(0, 1_000_000),
    sentAtMs: Number(raw.messageTimestamp ?? 0) * 1_000,
    addressed: {
      mention:
        !isForwarded &&
        (context?.mentionedJid ?? []).some((/** @type {string} */ jid) => me.includes(personOf(jid) ?? '')),
      replyToBot: me.includes(personOf(context?.participant) ?? '') && context?.quotedMessage != null,
    },
    ...(isForwarded && words !== '' ? { quoted: { senderId: sender, text: words.slice(0, 4_000) } } : {}),
    ...(context?.quotedMessage && !isForwarded
      ? {
          quoted: {
            senderId: await numberOf(context.participant, null, numberFor),
            text: textOf(content(context.quotedMessage) ?? {}).slice(0, 4_000),
          },
        }
      : {}),
    attachments,
  };
}

/** @param {string | null | undefined} jid @param {string | null | undefined} alt @param {(lid: string) => Promise<string | null>} numberFor */
async function numberOf(jid, alt, numberFor) {
  const [own, other] = [personOf(jid), personOf(alt)];
  if (own?.startsWith('+')) return own;
  if (other?.startsWith('+')) return other;
  const known = jid ? personOf(await numberFor(jid).catch(() => null)) : null;
  return known ?? own;
}

/** @param {any} said */
const contextOf = (said) =>
  Object.values(said).find((part) => part && typeof part === 'object' && part.contextInfo)?.contextInfo;

/** @param {any} said */
function textOf(said) {
  return (
    said.conversation ??
    said.extendedTextMessage?.text ??
    said.imageMessage?.caption ??
    said.videoMessage?.caption ??
    said.documentMessage?.caption ??
    said.buttonsResponseMessage?.selectedDisplayText ??
    said.listResponseMessage?.title ??
    ''
  );
}

/** The part of a message, what it is to us, and what it is to the media server. */
const MEDIA = /** @type {const} */ ([
  ['imageMessage', 'image', 'image'],
  ['videoMessage', 'video', 'video'],
  ['audioMessage', 'audio', 'audio'],
  ['documentMessage', 'file', 'document'],
  ['stickerMessage', 'sticker', 'sticker'],
]);

/** @param {any} said */
function attachmentsOf(said) {
  return MEDIA.flatMap(([field, kind, type]) => {
    const part = said[field];
    if (!part) return [];
    const size = Number(part.fileLength ?? Number.NaN);
    return [
      {
        ref: mediaRef(type, part),
        kind,
        name: String(part.fileName ?? kind).slice(0, 200),
        mimeType: String(part.mimetype ?? 'application/octet-stream').slice(0, 100),
        sizeBytes: Number.isSafeInteger(size) ? size : null,
      },
    ];
  });
}

/** What is needed to fetch it later. The address that a message names is left out: its sender wrote it. */
function mediaRef(/** @type {string} */ type, /** @type {any} */ part) {
  const text = (/** @type {Uint8Array | undefined} */ bytes) => Buffer.from(bytes ?? []).toString('base64');
  return JSON.stringify({ type, path: part.directPath ?? '', key: text(part.mediaKey), sha256: text(part.fileSha256) });
}

/** @param {string} ref */
export function readMediaRef(ref) {
  const { type, path, key, sha256 } = JSON.parse(ref);
  const isKnown = MEDIA.some(([, , known]) => known === type);
  // Anything but a path would name another server: https://host@elsewhere.
  if (!isKnown || typeof path !== 'string' || !/^\/[A-Za-z0-9]/.test(path)) return null;
  return { type, path, key: Buffer.from(key, 'base64'), sha256: Buffer.from(sha256, 'base64') };
}
