// Owns reading the facts of a message that the gate asks for, and what a message has to be at all. Pure.
import type { InboundMessage } from '../channels/channel.ts';
import type { Refusal } from '../channels/intake.ts';
import type { Facts } from './gate.ts';
import type { Rules } from './rules.ts';

export const MAX_MESSAGE_CHARS = 100_000;

export const NOBODY: Facts = {
  ...{ channel: '', account: '', chat: '', within: [], isDirect: true, sender: '', isBot: false, roles: [] },
  assurance: 'platform',
  isMentioned: () => false,
};

export function factsOf(message: InboundMessage, rules: Rules, takesPart: () => boolean): Facts {
  const { channel, account, chat, chatType, sender, assurance, within = [], addressed, text, thread = '' } = message;
  const { implicit } = rules;
  return {
    channel,
    account,
    chat,
    within,
    // Whatever is not clearly direct is held to the stricter rules.
    isDirect: chatType === 'direct',
    sender: typeof sender.id === 'string' ? sender.id : '',
    isBot: sender.isBot === true,
    roles: sender.roles ?? [],
    assurance,
    isMentioned: () =>
      addressed?.mention === true ||
      (addressed?.replyToBot === true && implicit.replyToBot) ||
      (addressed?.quotesBot === true && implicit.quotedBot) ||
      (thread !== '' && implicit.threadParticipation && takesPart()) ||
      rules.namesAssistant(text),
  };
}

/** A group and its threads are conversations of their own. */
export const threadOf = ({ channel, account, chat, thread = '' }: InboundMessage): string =>
  [channel, account, chat, thread].join('\0');

export function problemOf({
  text,
  attachments = [],
  unfit,
}: InboundMessage): { text: string; refusal: Refusal } | null {
  const no = (code: string, at: string, reason: string, fix: string) => ({
    allow: false as const,
    code,
    at,
    reason,
    fix,
  });
  if (unfit !== undefined) {
    const never = 'nothing: such a message is never taken';
    return { text: '', refusal: no('MESSAGE_UNFIT', 'a message is from one person, to us', unfit, never) };
  }
  if (text.length > MAX_MESSAGE_CHARS) {
    const most = `${MAX_MESSAGE_CHARS} characters`;
    return {
      text: `That message is too long for me: I read at most ${most}. Please send it in parts or as a file.`,
      refusal: no('MESSAGE_TOO_LARGE', most, `the message has more than ${most}`, 'send it in parts, or as a file'),
    };
  }
  if (text.trim() !== '' || attachments.length > 0) return null;
  return {
    text: '',
    refusal: no(
      'MESSAGE_EMPTY',
      'a message has words or files',
      'there is nothing in it',
      'nothing: there is nothing to answer',
    ),
  };
}
