// Owns the connection to the mailbox: who is new, their heads and bytes, and being told at once. The mailbox is opened
// to be read only, so nothing here can set a flag, move or delete. The only file that knows the IMAP library.
import type { ImapFlow, MessageStructureObject } from 'imapflow';
import type { MailQuery } from '../../net/mail-words.ts';
import { ChannelFailure } from '../channel.ts';
import { failureOf, type MailServer, type MailTesting, within } from './settings.ts';

export type Part = MessageStructureObject;
export type Head = {
  readonly uid: number;
  readonly sizeBytes: number;
  readonly arrivedAtMs: number;
  readonly bytes: Buffer;
  /** null when it is beyond reading */
  readonly structure: Part | null;
};
export type Mailbox = Awaited<ReturnType<typeof openMailbox>>;

const COMMAND_MS = 60_000;
const FETCH_MS = 180_000;
const WHAT = 'the mail server';

export async function openMailbox(server: MailServer, testing: MailTesting, signal: AbortSignal) {
  const { ImapFlow } = await import('imapflow');
  signal.throwIfAborted();
  const plain = testing.dangerouslyPlain === true;
  const isStartTls = server.port === 143;
  const client = new ImapFlow({
    host: server.host,
    port: server.port,
    secure: !plain && !isStartTls,
    ...(plain ? { doSTARTTLS: false } : isStartTls ? { doSTARTTLS: true } : {}),
    auth: { user: server.user, pass: server.password },
    tls: { rejectUnauthorized: true, ...(testing.ca === undefined ? {} : { ca: testing.ca }) },
    clientInfo: { name: 'Hardshell', version: '', vendor: '', 'support-url': '' },
    logger: false,
    disableAutoIdle: true,
    disableCompression: true,
    // Parts come as they were sent, and are decoded here.
    disableBinary: true,
    connectionTimeout: 20_000,
    greetingTimeout: 15_000,
    // Silence is looked after by whoever waits.
    socketTimeout: 3_600_000,
  });
  let problem: unknown = null;
  let wake = (): void => {};
  let hasNews = false;
  client.on('error', (error: unknown) => {
    problem ??= error;
  });
  const lost = (): ChannelFailure =>
    problem === null
      ? new ChannelFailure('network', `${WHAT} ended the connection`, '')
      : failureOf(problem, WHAT, 'imap');
  const waiting = new Set<(why: ChannelFailure) => void>();
  let isClosed = false;
  client.on('close', () => {
    isClosed = true;
    for (const reject of waiting) reject(lost());
  });
  /** Ends with the connection at the latest. A race against one long promise would keep every answer in memory. */
  const whileOpen = <T>(work: Promise<T>): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      if (isClosed) reject(lost());
      waiting.add(reject);
      work.then(resolve, reject).finally(() => waiting.delete(reject));
    });
  client.on('exists', () => {
    hasNews = true;
    wake();
  });
  const close = (): void => client.close();
  signal.addEventListener('abort', close);

  /** Each command ends with its answer, with the connection, or with the patience. */
  const ask = async <T>(limitMs: number, command: (client: ImapFlow) => Promise<T>): Promise<T> => {
    try {
      return await whileOpen(within(limitMs, WHAT, command(client)));
    } catch (error) {
      throw (error as { code?: string }).code === 'NoConnection' ? lost() : failureOf(error, WHAT, 'imap');
    }
  };
  let box: Awaited<ReturnType<ImapFlow['mailboxOpen']>>;
  try {
    await ask(COMMAND_MS, () => client.connect());
    box = await ask(COMMAND_MS, () => client.mailboxOpen('INBOX', { readOnly: true }));
  } catch (error) {
    signal.removeEventListener('abort', close);
    client.close();
    throw error;
  }
  const find = async (query: Parameters<ImapFlow['search']>[0]): Promise<number[]> =>
    ((await ask(COMMAND_MS, () => client.search(query, { uid: true }))) || []).sort((a, b) => a - b);

  return {
    validity: String(box.uidValidity),
    nextUid: box.uidNext,
    /** Higher uids, in the order they were given out. The server names the last one even when it is lower. */
    after: async (uid: number): Promise<number[]> => (await find({ uid: `${uid + 1}:*` })).filter((one) => one > uid),
    /** The search knows days only, and days of the server's own clock. */
    arrivedSince: (sinceMs: number): Promise<number[]> => find({ since: new Date(sinceMs - 24 * 3_600_000) }),

    /** In the order in which they arrived. The server knows days only, and reads a whole mail for a word of its text. */
    search: ({ text, from, sinceMs }: Pick<MailQuery, 'text' | 'from' | 'sinceMs'>): Promise<number[]> =>
      find({
        ...(text === '' ? { all: true } : { text }),
        ...(from === '' ? {} : { from }),
        ...(sinceMs > 0 ? { since: new Date(sinceMs) } : {}),
      }),

    /** Null when somebody deleted it meanwhile. */
    async head(uid: number): Promise<Head | null> {
      const fetchHead = (bodyStructure: boolean) => {
        const query = { size: true, internalDate: true, headers: true, bodyStructure };
        return ask(COMMAND_MS, () => client.fetchOne(String(uid), query, { uid: true }));
      };
      // The library answers nothing at all when a structure is too deep for it.
      const found = (await fetchHead(true)) || (await fetchHead(false));
      if (!found || found.headers === undefined) return null;
      const arrived = new Date(found.internalDate ?? 0).getTime();
      return {
        uid,
        sizeBytes: found.size ?? 0,
        arrivedAtMs: Number.isNaN(arrived) ? 0 : arrived,
        bytes: found.headers,
        structure: found.bodyStructure ?? null,
      };
    },
    async whole(uid: number, maxBytes: number): Promise<Buffer | null> {
      const query = { source: { start: 0, maxLength: maxBytes } };
      const found = await ask(FETCH_MS, () => client.fetchOne(String(uid), query, { uid: true }));
      return found ? (found.source ?? null) : null;
    },
    /** The beginning of one part, as it was sent. */
    async part(uid: number, part: string, maxBytes: number): Promise<Buffer | null> {
      const query = { bodyParts: [{ key: part, start: 0, maxLength: maxBytes }] };
      const found = await ask(FETCH_MS, () => client.fetchOne(String(uid), query, { uid: true }));
      return found ? (found.bodyParts?.get(part.toLowerCase()) ?? null) : null;
    },
    /** The head of the newest mail with this Message-ID. */
    async headOf(messageId: string): Promise<Buffer | null> {
      const uid = (await find({ header: { 'message-id': messageId } })).at(-1);
      if (uid === undefined) return null;
      const found = await ask(COMMAND_MS, () => client.fetchOne(String(uid), { headers: ['subject'] }, { uid: true }));
      return found ? (found.headers ?? null) : null;
    },
    noop: (): Promise<void> => ask(20_000, () => client.noop()),
    /** Resolves when something may be new, or after the time; rejects when the connection is gone. */
    async news(limitMs: number): Promise<void> {
      if (!hasNews) {
        let timer: NodeJS.Timeout | undefined;
        const told = new Promise<void>((resolve) => {
          wake = resolve;
          timer = setTimeout(resolve, limitMs).unref();
        });
        // A server without IDLE, or one that refuses it, is looked at again and again by the library or by our time.
        const idle = client.idle().then(
          (ended) => (ended === false ? told : undefined),
          () => told,
        );
        await whileOpen(Promise.race([told, idle])).finally(() => clearTimeout(timer));
      }
      hasNews = false;
    },
    close(): void {
      signal.removeEventListener('abort', close);
      client.close();
    },
  };
}
