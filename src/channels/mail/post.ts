// Owns the way out: one plain text mail to the addresses that its row names and to nobody else, by SMTP with TLS. It must say
// truthfully what became of it, since a mail cannot be taken back. The only file that knows the SMTP library.
import { Readable } from 'node:stream';
import type SMTPConnection from 'nodemailer/lib/smtp-connection';
import { addressOf, domainOf } from '../../net/mail-words.ts';
import { sha256 } from '../../platform/ids.ts';
import { ChannelFailure, type Outbound, type Receipt } from '../channel.ts';
import { failureOf, type MailSettings, type MailTesting } from './settings.ts';
import { oneLine } from './text.ts';

const WHAT = 'the server for outgoing mail';
const RETRY_MS = 60_000;
/** Most servers take no more than 25 MB, and files grow by a third on the way. */
export const MAX_FILES_BYTES = 18 * 1024 * 1024;

export type PostFile = { readonly name: string; readonly mimeType: string; readonly bytes: Uint8Array };
export type Letter = {
  readonly outbound: Outbound;
  /** of the conversation, or of a mail that answers nothing */
  readonly subject: string;
  readonly inReplyTo: string | null;
  readonly files: readonly PostFile[];
};

/** The same reply has the same Message-ID, so that a second copy can be told from an answer. */
export function outgoingId(idempotencyKey: string, address: string): string {
  return `<hs.${sha256(idempotencyKey).slice(0, 32)}@${domainOf(address)}>`;
}

export async function post(
  letter: Letter,
  settings: MailSettings,
  testing: MailTesting,
  signal: AbortSignal,
): Promise<Receipt> {
  const { outbound } = letter;
  const to = outbound.chat.split(',').flatMap((one) => addressOf(one) ?? []);
  if (to.length === 0 || to.join(',') !== outbound.chat.toLowerCase())
    return { state: 'failed', reason: 'the conversation is no mail address' };
  const messageId = outgoingId(outbound.idempotencyKey, settings.address);
  const bytes = await compose(letter, to, messageId, settings.address);
  let connection: SMTPConnection;
  try {
    connection = await connect(settings, testing, signal);
  } catch (error) {
    if (signal.aborted) return { state: 'retry', reason: 'the gateway is stopping', afterMs: RETRY_MS };
    const failure = failureOf(error, WHAT, 'smtp');
    const reason = failure.fix === '' ? failure.message : `${failure.message}; ${failure.fix}`;
    if (failure.family === 'refused') return { state: 'failed', reason };
    return { state: 'retry', reason, afterMs: RETRY_MS };
  }
  // Nothing reads this before the server has asked for the text, so its end is the moment from which nobody can know.
  let isHandedOver = false;
  const text = Readable.from(
    (function* () {
      yield bytes;
      isHandedOver = true;
    })(),
  );
  const stop = (): void => connection.close();
  signal.addEventListener('abort', stop);
  try {
    const rejected = await new Promise<readonly string[]>((resolve, reject) => {
      connection.on('error', reject);
      connection.once('end', () => reject(new Error('the connection ended')));
      connection.send({ from: settings.address, to: [...to] }, text, (error, info) =>
        error ? reject(error) : resolve(info.rejected),
      );
    });
    connection.quit();
    // It has left for the others, so it must not be sent again; that somebody did not get it is said.
    if (rejected.length > 0)
      return {
        state: 'failed',
        reason: `${WHAT} did not take it for ${rejected.join(', ').slice(0, 300)}; the others have it`,
      };
    return { state: 'sent', messageId };
  } catch (error) {
    connection.close();
    const { responseCode } = error as { responseCode?: number };
    const reason = failureOf(error, WHAT, 'smtp').message;
    if (responseCode !== undefined && responseCode >= 500) return { state: 'failed', reason };
    if (isHandedOver && responseCode === undefined) return { state: 'unknown', reason };
    return { state: 'retry', reason, afterMs: RETRY_MS };
  } finally {
    signal.removeEventListener('abort', stop);
    text.destroy();
  }
}

/** Logs in and leaves again. */
export async function checkPost(settings: MailSettings, testing: MailTesting, signal: AbortSignal): Promise<void> {
  try {
    (await connect(settings, testing, signal)).quit();
  } catch (error) {
    throw failureOf(error, WHAT, 'smtp');
  }
}

async function connect({ smtp }: MailSettings, testing: MailTesting, signal: AbortSignal): Promise<SMTPConnection> {
  const { default: Connection } = await import('nodemailer/lib/smtp-connection');
  signal.throwIfAborted();
  const plain = testing.dangerouslyPlain === true;
  const isTlsAtOnce = !plain && smtp.port !== 587 && smtp.port !== 25;
  const connection = new Connection({
    host: smtp.host,
    port: smtp.port,
    secure: isTlsAtOnce,
    requireTLS: !plain,
    ignoreTLS: plain,
    name: 'localhost',
    tls: { rejectUnauthorized: true, ...(testing.ca === undefined ? {} : { ca: testing.ca }) },
    connectionTimeout: 20_000,
    greetingTimeout: 15_000,
    // Some servers look at a mail for minutes before they say that they have it.
    socketTimeout: 180_000,
    maxResponseSize: 64 * 1024,
  });
  const stop = (): void => connection.close();
  signal.addEventListener('abort', stop);
  try {
    await new Promise<void>((resolve, reject) => {
      connection.on('error', reject);
      connection.once('end', () => reject(new ChannelFailure('network', `${WHAT} ended the connection`, '')));
      connection.connect((error) => (error ? reject(error) : resolve()));
    });
    await new Promise<void>((resolve, reject) => {
      connection.once('end', () => reject(new ChannelFailure('network', `${WHAT} ended the connection`, '')));
      connection.login({ user: smtp.user, pass: smtp.password }, (error) => (error ? reject(error) : resolve()));
    });
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

async function compose(
  { outbound, subject, inReplyTo, files }: Letter,
  to: readonly string[],
  messageId: string,
  from: string,
): Promise<Buffer> {
  const { default: MailComposer } = await import('nodemailer/lib/mail-composer');
  // What the assistant writes by itself has a subject of its own; an answer has that of its conversation.
  const isAnswer = (outbound.subject ?? '') === '';
  const about = oneLine(subject, 200).replace(isAnswer ? /^(?:(?:re|aw|sv|antw)\s*:\s*)+/i : /^$/, '');
  const references = [...new Set([outbound.thread, inReplyTo ?? ''])].filter((id) => /^<[!-;=?-~]{3,250}>$/.test(id));
  return await new MailComposer({
    from: { name: '', address: from },
    to: to.map((address) => ({ name: '', address })),
    subject: isAnswer ? `Re: ${about === '' ? 'your mail' : about}` : about,
    messageId,
    ...(inReplyTo === null ? {} : { inReplyTo }),
    ...(references.length === 0 ? {} : { references }),
    ...(isAnswer ? { headers: { 'Auto-Submitted': 'auto-replied' } } : {}),
    text: outbound.text,
    attachments: files.map(({ name, mimeType, bytes }) => ({
      filename: oneLine(name, 120).replace(/[/\\]/g, '_') || 'attachment',
      contentType: /^[a-z0-9.+-]+\/[a-z0-9.+-]+$/i.test(mimeType) ? mimeType : 'application/octet-stream',
      content: Buffer.from(bytes),
    })),
    disableFileAccess: true,
    disableUrlAccess: true,
  })
    .compile()
    .build();
}
