// Owns sending one reply: formatted, or plain where Telegram cannot parse it, into its topic, with its files, and what
// became of it. Sending is not idempotent here, so what may have arrived is never called undelivered.
import type { InputFile } from 'grammy';
import type { Channel, Outbound, Receipt, Sent } from '../channel.ts';
import { type Bot, type Problem, problemOf } from './api.ts';
import { toHtml } from './format.ts';

export type SendPorts = {
  readonly bot: Bot;
  file(path: string, name: string): Promise<InputFile>;
  moved(from: string, to: string): void;
};

/** What can be done to a message of ours. */
export function changesOf({ raw }: Bot): Required<Pick<Channel, 'react' | 'edit' | 'remove'>> {
  const at = ({ chat, messageId }: Sent) => ({ chat_id: chat, message_id: Number(messageId) });
  const inWords = (error: unknown): never => {
    throw new Error(problemOf(error).reason);
  };
  return {
    async react(sent, emoji, signal) {
      const reaction = [{ type: 'emoji', emoji }] as never;
      await raw.setMessageReaction({ ...at(sent), reaction }, signal as never).catch(inWords);
    },
    async edit(sent, text, signal) {
      const plain = { ...at(sent), link_preview_options: { is_disabled: true } };
      const marked = { ...plain, text: toHtml(text), parse_mode: 'HTML' } as const;
      await raw
        .editMessageText(marked, signal as never)
        // A text that Telegram cannot parse changed nothing: it is shown as it is.
        .catch((error: unknown) =>
          /can't parse|too long/i.test(problemOf(error).reason)
            ? raw.editMessageText({ ...plain, text }, signal as never)
            : Promise.reject(error),
        )
        .catch(inWords);
    },
    async remove(sent, signal) {
      await raw.deleteMessage(at(sent), signal as never).catch(inWords);
    },
  };
}

const MAX_CAPTION = 1_000;
const REFUSED_WAIT_MS = 60_000;
const NETWORK_WAIT_MS = 2_000;
/** The topic that every forum has; it is meant when none is named. */
const GENERAL_TOPIC = '1';

export async function sendReply(
  { bot, file, moved }: SendPorts,
  reply: Outbound,
  signal: AbortSignal,
): Promise<Receipt> {
  const [first, ...rest] = reply.files;
  const asCaption = first !== undefined && reply.text.length <= MAX_CAPTION;
  let chat = reply.chat;
  let sentId: string | undefined;

  const call = async (
    work: (to: ReturnType<typeof placeOf>) => Promise<{ message_id: number }>,
  ): Promise<Problem | null> => {
    for (let moves = 0; ; moves++) {
      try {
        const { message_id: id } = await work(placeOf({ ...reply, chat }, sentId === undefined));
        sentId ??= String(id);
        return null;
      } catch (error) {
        const problem = problemOf(error);
        if (problem.movedTo === null || moves > 0) return problem;
        moved(chat, problem.movedTo);
        chat = problem.movedTo;
      }
    }
  };
  /** A text that Telegram cannot parse was not sent: it goes out as it is. */
  const formatted = async (
    work: (to: ReturnType<typeof placeOf>, html: string | null) => Promise<{ message_id: number }>,
  ): Promise<Problem | null> => {
    const problem = await call((to) => work(to, toHtml(reply.text)));
    return problem?.code === 400 && /can't parse|too long/i.test(problem.reason)
      ? call((to) => work(to, null))
      : problem;
  };

  if (!asCaption) {
    const problem = await formatted((to, html) =>
      bot.raw.sendMessage(
        {
          ...to,
          ...(html === null ? { text: reply.text } : { text: html, parse_mode: 'HTML' }),
          ...keyboardOf(reply),
          link_preview_options: { is_disabled: true },
        },
        signal as never,
      ),
    );
    if (problem) return receiptOf(problem);
  }
  for (const one of asCaption ? reply.files : [...(first ? [first] : []), ...rest]) {
    let document: InputFile;
    try {
      document = await file(one.path, one.name);
    } catch (error) {
      return { state: 'failed', reason: `${one.name} could not be read: ${problemOf(error).reason}` };
    }
    const caption = asCaption && one === first && reply.text !== '';
    const problem = await formatted((to, html) =>
      bot.raw.sendDocument(
        {
          ...to,
          document,
          ...(caption ? (html === null ? { caption: reply.text } : { caption: html, parse_mode: 'HTML' }) : {}),
        },
        signal as never,
      ),
    );
    if (!problem) continue;
    // The part that arrived must not arrive again.
    if (sentId === undefined) return receiptOf(problem);
    return { state: 'failed', reason: `the text arrived, ${one.name} did not: ${problem.reason}` };
  }
  return sentId === undefined ? { state: 'sent' } : { state: 'sent', messageId: sentId };
}

/** An answer names its question in groups, where others may have written meanwhile; only the first message of several does. */
function placeOf({ chat, thread, replyTo, idempotencyKey }: Outbound, isFirst: boolean) {
  const isGroup = chat.startsWith('-');
  const names = isGroup && isFirst && /^\d+$/.test(replyTo) && !/:[1-9]\d*$/.test(idempotencyKey);
  return {
    chat_id: chat,
    ...(thread === '' || thread === GENERAL_TOPIC ? {} : { message_thread_id: Number(thread) }),
    ...(names ? { reply_parameters: { message_id: Number(replyTo), allow_sending_without_reply: true } } : {}),
  };
}

function keyboardOf({ buttons = [] }: Outbound) {
  if (buttons.length === 0) return {};
  return {
    reply_markup: { inline_keyboard: [buttons.map(({ label, says }) => ({ text: label, callback_data: says }))] },
  };
}

function receiptOf({ code, reason, reached, retryAfterMs }: Problem): Receipt {
  if (code === 429) return { state: 'retry', reason, afterMs: retryAfterMs ?? NETWORK_WAIT_MS };
  // A new token may come before the reply is too old.
  if (code === 401 || code === 404) return { state: 'retry', reason, afterMs: REFUSED_WAIT_MS };
  if (code === 0) return reached ? { state: 'unknown', reason } : { state: 'retry', reason, afterMs: NETWORK_WAIT_MS };
  if (code >= 500) return { state: 'unknown', reason };
  return { state: 'failed', reason };
}
