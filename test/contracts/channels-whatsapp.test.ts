// WhatsApp keeps the contract of channels: the real side process with its protocol, spool and reading of messages; what lies
// behind Baileys is a server of the test. Baileys itself is asked in test/long/whatsapp-server.test.ts.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { readMediaRef } from '../../extras/whatsapp/messages.mjs';
import { openWhatsapp } from '../../src/channels/whatsapp/whatsapp.ts';
import { startLiveWhatsapp, WHATSAPP_ME } from '../doubles/whatsapp/live-server.ts';
import { channelConformance, type PlatformDouble, type Said, type Started } from './channels.ts';

const PERSON = '+4912345678';
const DIRECT = '4912345678@s.whatsapp.net';
const GROUP = '1200300400@g.us';

const folders: string[] = [];
// A channel without its keys is not linked, which is another thing than not connected.
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

channelConformance({
  name: 'whatsapp',
  start,
  can: {
    redelivers: true,
    catchesUp: true,
    edits: true,
    typing: true,
    filesIn: true,
    filesOut: true,
    groups: true,
    // WhatsApp has none.
    threads: false,
    // No group of it is public, which is what is asked there; whatsapp.test.ts asks the rest.
    membership: false,
    revokes: true,
  },
  lostAnswer: 'unknown',
});

async function start(): Promise<Started> {
  const server = await startLiveWhatsapp();
  const folder = mkdtempSync(join(tmpdir(), 'hardshell-wa-'));
  folders.push(folder);
  mkdirSync(join(folder, 'link'));
  writeFileSync(join(folder, 'link', 'creds.json'), '{"me":{}}');
  const channel = await openWhatsapp(
    { account: 'default', stateFolder: folder, readFile: async () => Buffer.from('from the workspace'), now: Date.now },
    server.command,
  );
  const said = new Map<string, Record<string, unknown>>();

  const rawOf = (what: Said, id: string): Record<string, unknown> => {
    const isGroup = what.in === 'group';
    const participant = isGroup ? { participant: `${(what.from ?? PERSON).slice(1)}@s.whatsapp.net` } : {};
    const jid = `${WHATSAPP_ME.slice(1)}@s.whatsapp.net`;
    const contextInfo = {
      ...(what.mention ? { mentionedJid: [jid] } : {}),
      ...(what.replyToBot ? { participant: jid, quotedMessage: { conversation: 'what it said' } } : {}),
    };
    const { file } = what;
    if (file) server.files.set(refOf(id), file.bytes);
    const message = file
      ? { documentMessage: { fileName: file.name, mimetype: file.mimeType, fileLength: file.bytes.length, directPath: `/v/${id}`, caption: what.text } } // biome-ignore format: one value
      : { extendedTextMessage: { text: what.text ?? '', contextInfo } };
    return {
      key: { remoteJid: isGroup ? GROUP : DIRECT, id, fromMe: false, ...participant },
      messageTimestamp: Math.floor((Date.now() + (what.skewMs ?? 0)) / 1_000),
      message,
    };
  };
  const say = (what: Said): string => {
    const id = `WAM${said.size + 1}`;
    // A bot on WhatsApp is an account like any other, which no one can tell: such a one says nothing here.
    if (what.isBot) return id;
    const raw = rawOf(what, id);
    said.set(id, raw);
    server.sayRaw(raw);
    return id;
  };
  const double: PlatformDouble = {
    say,
    again: (id) => server.sayRaw(said.get(id) ?? {}),
    sayOutOfOrder(all) {
      const raws = all.map((what) => rawOf(what, `WAO${what.text}`));
      for (const raw of raws.reverse()) server.sayRaw(raw);
    },
    edit(id, text) {
      const editedMessage = { conversation: text };
      const raw = { ...said.get(id), message: { protocolMessage: { type: 14, editedMessage } } };
      server.sayRaw({ ...raw, key: { ...(said.get(id)?.['key'] as object), id: `${id}E` } });
    },
    shown: () =>
      server.shown.map(({ chat, text, file }) => ({
        ...{ chat, text, thread: '' },
        files: file ? [{ name: file.name, bytes: Buffer.from(file.data, 'base64') }] : [],
      })),
    shownCount: (count) => server.until(() => server.shown.length >= count),
    async typing() {
      await server.until(() => server.typed.length > 0);
      return { chat: server.typed[0] ?? '' };
    },
    faultySends(...faults) {
      for (const { kind } of faults) server.fault(kind === 'answer-lost' || kind === 'status' ? 'lost' : 'late');
    },
    cutConnections: server.cut,
    revokeToken() {
      const fix = 'openclaw channels login whatsapp';
      server.emit({ type: 'closed', family: 'refused', reason: 'the phone has unlinked this device', fix, code: 401 });
    },
    openConnections: server.connections,
    directChat: DIRECT,
    groupChat: GROUP,
    person: PERSON,
    close: server.close,
  };
  return { double, channel };
}

/** What the side process makes of an attachment of ours. */
function refOf(id: string): string {
  const ref = JSON.stringify({ type: 'document', path: `/v/${id}`, key: '', sha256: '' });
  if (readMediaRef(ref) === null) throw new Error('the side process would not fetch this');
  return ref;
}
