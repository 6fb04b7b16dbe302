// Owns WhatsApp as a channel: it starts the side process, turns its lines into messages and ours into its lines. Keys and
// protocol live over there, under Node's permission model; nothing here can reach WhatsApp itself.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf } from '../../platform/errors.ts';
import { ensureFolder } from '../../platform/files.ts';
import { label } from '../../store/label.ts';
import {
  ChannelFailure,
  type ChannelPorts,
  type ChannelSetup,
  type ConnectedChannel,
  type InboundMessage,
  type Login,
  type Receipt,
} from '../channel.ts';
import { askHealth } from '../round-trip.ts';
import { codeFolderOf, isInstalled } from './install.ts';
import { type Answer, SIDE_MESSAGE, type Side, type SideEvent, startSide } from './side.ts';

export const LOGIN = 'openclaw channels login whatsapp';
const MAX_CHARS = 4_000;
const MAX_FILE_BYTES = 50_000_000;
/** Baileys pings every half minute; three of them without a word, and the connection is dead. */
const SILENCE_MS = 100_000;

export type WhatsappSetup = Pick<ChannelSetup, 'account' | 'stateFolder' | 'readFile' | 'now'>;
export type WhatsappChannel = ConnectedChannel & {
  login: Login;
  logout(signal: AbortSignal): Promise<void>;
};

/** The command of the side process; a test hands in another. It reads its code, writes its own folder, starts nothing. */
export const sideCommand = (codeFolder: string, folder: string): [string, ...string[]] => [
  process.execPath,
  '--permission',
  `--allow-fs-read=${codeFolder}`,
  `--allow-fs-read=${folder}`,
  `--allow-fs-write=${folder}`,
  '--max-old-space-size=256',
  join(codeFolder, 'sidecar.mjs'),
];

export async function openWhatsapp(setup: WhatsappSetup, command?: [string, ...string[]]): Promise<WhatsappChannel> {
  const { account, stateFolder: folder, now } = setup;
  const codeFolder = codeFolderOf(join(folder, '..', '..', '..'));
  let side: Side | null = null;
  let me: readonly string[] = [];
  let linking = false;

  const begin = (onEvent: (event: SideEvent) => void): Side => {
    if (!command && !isInstalled(codeFolder)) throw refused('the WhatsApp part is not installed', LOGIN);
    ensureFolder(folder);
    return startSide(command ?? sideCommand(codeFolder, folder), folder, onEvent);
  };

  /** Lives as long as one side process does. */
  const live = async (onEvent: (event: SideEvent, side: Side) => void, signal: AbortSignal): Promise<void> => {
    let why: ChannelFailure | null = null;
    const started = begin((event) => {
      if (event.type === 'open') me = event.me;
      if (event.type === 'closed') why = new ChannelFailure(event.family, event.reason, event.fix);
      try {
        onEvent(event, started);
      } catch (error) {
        if (error instanceof ChannelFailure) why = error;
        throw error;
      }
    });
    side = started;
    const stop = (): void => {
      started.tell({ type: 'stop' });
      started.stop();
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    const { how, complaint } = await started.ended;
    signal.removeEventListener('abort', stop);
    side = null;
    me = [];
    if (signal.aborted) return;
    const last =
      complaint
        .trim()
        .split('\n')
        .findLast((line) => /Error|error|not /.test(line)) ?? '';
    throw (
      why ??
      new ChannelFailure('bug', `the WhatsApp process ended: ${how} ${last.slice(0, 200)}`.trim(), 'openclaw logs')
    );
  };

  const ask = (line: Record<string, unknown>, signal: AbortSignal): Promise<Answer> =>
    side ? side.ask(line, signal) : Promise.reject(new Error('not connected'));

  const unlinked = (): void => {
    if (!existsSync(join(folder, 'link', 'creds.json'))) throw refused('no phone is linked', LOGIN);
  };

  return {
    id: 'whatsapp',
    account,
    // A second try has the same message id, but only the phones would notice, and not all of them do.
    idempotent: false,
    maxChars: MAX_CHARS,
    silenceMs: SILENCE_MS,
    async run(ports, signal, connected) {
      // Two of them on the same keys would each take the other's place.
      if (linking) throw refused('a phone is being linked', LOGIN);
      unlinked();
      await live((event, from) => hear(event, from, ports, connected), signal);
    },

    async send({ chat, text, replyTo, files, idempotencyKey }, signal): Promise<Receipt> {
      if (!side || me.length === 0) return { state: 'retry', reason: 'not connected', afterMs: 5_000 };
      const [file] = files;
      const bytes = file ? await setup.readFile(file.path, MAX_FILE_BYTES) : null;
      const quote = quoteOf(chat, replyTo);
      const out = { type: 'send', key: idempotencyKey, chat, text, ...(quote ? { quote } : {}) };
      const withFile =
        file && bytes
          ? { file: { name: file.name, mimeType: file.mimeType, data: Buffer.from(bytes).toString('base64') } }
          : {};
      try {
        return receiptOf(await ask({ ...out, ...withFile }, signal));
      } catch (error) {
        return { state: 'unknown', reason: reasonOf(error) };
      }
    },

    probe: (signal) =>
      askHealth({
        now,
        failureOf: (error) =>
          error instanceof ChannelFailure
            ? error
            : new ChannelFailure('network', reasonOf(error), 'openclaw logs   (it is tried again by itself)'),
        async who() {
          unlinked();
          const answer = await ask({ type: 'ping' }, signal);
          if (answer.type === 'failed') throw new Error(answer.reason);
          return me[0] ?? '';
        },
      }),

    async typing({ chat }) {
      side?.tell({ type: 'typing', chat });
    },

    async fetchAttachment(ref, maxBytes, signal) {
      const answer = await ask({ type: 'fetch', ref, maxBytes }, signal);
      if (answer.type === 'failed') throw new Error(answer.reason);
      const bytes = Buffer.from(answer.data ?? '', 'base64');
      if (bytes.length > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
      return bytes;
    },

    async login(onEvent, signal) {
      if (side) throw refused('it is linked and connected already', 'openclaw channels logout whatsapp');
      linking = true;
      const linked = new AbortController();
      await live(
        (event) => {
          if (event.type === 'qr') onEvent({ type: 'qr', text: event.text });
          if (event.type === 'open') {
            onEvent({ type: 'linked', me: event.me[0] ?? '' });
            linked.abort();
          }
        },
        AbortSignal.any([signal, linked.signal]),
      ).finally(() => {
        linking = false;
      });
    },

    async logout(signal) {
      const done = new AbortController();
      await live(
        (event, from) => {
          if (event.type !== 'open' && event.type !== 'qr') return;
          void from
            .ask({ type: 'logout' }, signal)
            .catch(() => {})
            .finally(() => done.abort());
        },
        AbortSignal.any([signal, done.signal]),
      );
    },
  };

  function hear(event: SideEvent, from: Side, ports: ChannelPorts, connected: () => void): void {
    ports.alive();
    if (event.type === 'open') connected();
    else if (event.type === 'qr') throw refused('the phone has unlinked this device', LOGIN);
    else if (event.type === 'log') ports.log[event.level](`whatsapp: ${event.text}`, { account });
    else if (event.type === 'group') {
      const { chat, title, change, by } = event;
      ports.groupChanged({ channel: 'whatsapp', account, chat, title, change, by, isPublic: false });
    } else if (event.type === 'message') {
      const read = SIDE_MESSAGE.safeParse(event.message);
      // A throw of emit ends the process with the message still in its spool, so it comes again.
      if (read.success) ports.emit(inboundOf(read.data));
      else ports.log.warn('a message of WhatsApp was not understood', { account });
      from.tell({ type: 'stored', id: event.id });
    }
  }

  function inboundOf(message: SideMessageOf): InboundMessage {
    const { sender, display, text, sentAtMs: _, quoted, attachments, ...rest } = message;
    return {
      channel: 'whatsapp',
      account,
      ...rest,
      sender: { id: sender, ...(display ? { display } : {}) },
      assurance: 'platform',
      text,
      ...(quoted ? { quoted } : {}),
      ...(attachments.length > 0 ? { attachments } : {}),
      receivedAtMs: now(),
      // Who may say what for whom is decided after admission; until then it is from outside.
      label: label('untrusted', 'owner', `whatsapp:${sender}`),
    };
  }
}

type SideMessageOf = ReturnType<typeof SIDE_MESSAGE.parse>;

function receiptOf(answer: Answer): Receipt {
  if (answer.type === 'done') return { state: 'sent', ...(answer.messageId ? { messageId: answer.messageId } : {}) };
  const { state, reason, afterMs = 5_000 } = answer;
  return state === 'retry' ? { state, reason, afterMs } : { state, reason };
}

/** In a group an id is `sender:id`; in a direct chat the sender is the chat. */
function quoteOf(chat: string, replyTo: string): { id: string; sender: string } | null {
  if (replyTo === '') return null;
  const [sender, id] = replyTo.includes(':') ? [replyTo.slice(0, replyTo.lastIndexOf(':')), replyTo.slice(replyTo.lastIndexOf(':') + 1)] : [chat, replyTo]; // biome-ignore format: one rule
  const jid = sender.startsWith('+')
    ? `${sender.slice(1)}@s.whatsapp.net`
    : sender.startsWith('lid:')
      ? `${sender.slice(4)}@lid`
      : sender;
  return { id, sender: jid };
}

const refused = (reason: string, fix: string): ChannelFailure => new ChannelFailure('refused', reason, fix);
