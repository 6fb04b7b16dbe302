// Owns what a run has heard, as policy weighs it: the owner's own messages of this run, and what tools gave back. It only
// sorts by label; what of it vouches for anything is policy's to say.
import { withoutFrames } from '../platform/outside-text.ts';
import type { Conversation } from '../sessions/turn.ts';

export type Heard = {
  /** what the owner wrote since the run began, steering included; nobody else's words. A form feed between two messages */
  readonly words: string;
  /** what they wrote before; it vouches for words alone, and for nothing that is done */
  readonly earlier?: string;
  readonly results: readonly { readonly tool: string; readonly args: unknown; readonly text: string }[];
};

export function heardIn(conversation: Pick<Conversation, 'messages'>, runId: string): Heard {
  const all = conversation.messages();
  const from = all.findIndex((message) => message.runId === runId);
  const run = from === -1 ? [] : all.slice(from);
  const calls = new Map(
    run.flatMap(({ blocks }) => blocks.flatMap((one) => (one.type === 'toolCall' ? [[one.id, one] as const] : []))),
  );
  return {
    words: wordsOf(run),
    earlier: lastOf(wordsOf(all.slice(0, from === -1 ? 0 : from))),
    results: run.flatMap(({ blocks }) =>
      blocks.flatMap((one) =>
        one.type === 'toolResult'
          ? [{ tool: one.name, args: calls.get(one.toolCallId)?.arguments ?? {}, text: withoutFrames(one.text) }]
          : [],
      ),
    ),
  };
}

const MAX_EARLIER = 20_000;
/** Whole messages: half of one could begin in what was pasted into it. */
const lastOf = (words: string): string =>
  words.length <= MAX_EARLIER ? words : words.slice(-MAX_EARLIER).replace(/^[^\f]*\f?/, '');
const wordsOf = (messages: ReturnType<Conversation['messages']>): string =>
  messages
    .filter(({ role, label }) => role === 'user' && label.integrity === 'owner')
    .flatMap(({ blocks }) => blocks.flatMap((one) => (one.type === 'text' ? [one.text.replaceAll('\f', ' ')] : [])))
    .join('\n\f\n');
