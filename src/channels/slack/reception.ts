// Owns what happens to an event on its way in: one after another in each chat, handed on, remembered as settled. It resolves
// only when the message is durable, so whoever waits for it may acknowledge then and never before.
import type { ChannelFailure, ChannelPorts } from '../channel.ts';
import { uninstalled } from './failures.ts';
import { eventOf, type Meaning, meaningOf, pressOf, type Self } from './inbound.ts';
import type { Marks } from './marks.ts';

export type ReceptionPorts = Pick<ChannelPorts, 'emit' | 'groupChanged' | 'chatMoved' | 'log' | 'now'> & {
  readonly account: string;
  readonly self: Self;
  readonly marks: Marks;
  readonly titleOf: (chat: string) => Promise<{ readonly title: string; readonly isPublic: boolean }>;
  readonly giveUp: (failure: ChannelFailure) => void;
  readonly signal: AbortSignal;
};
export type Reception = ReturnType<typeof createReception>;

/** Changes of groups have no inbox that would know them again; Slack repeats an event within minutes. */
const MAX_SEEN_CHANGES = 200;

export function createReception(ports: ReceptionPorts, seenChanges: Set<string>) {
  const { account, self, marks, log, signal } = ports;
  const tails = new Map<string, Promise<void>>();
  let askFirst: ((chat: string) => void) | null = null;

  /** After everything that waits in this chat. */
  const inOrder = (chat: string, task: () => void | Promise<void>): Promise<void> => {
    const mine = (tails.get(chat) ?? Promise.resolve()).then(() => {
      if (signal.aborted) throw new Error('the channel is being stopped');
      return task();
    });
    const tail = mine
      .catch(() => {})
      .then(() => {
        if (tails.get(chat) === tail) tails.delete(chat);
      });
    tails.set(chat, tail);
    return mine;
  };

  const settle = ({ message, place, ts }: Meaning & { kind: 'message' }): void => {
    try {
      ports.emit(message);
    } catch (error) {
      marks.stuck(place, ts);
      throw error;
    }
    marks.settled(place, ts);
  };

  const change = async (id: string, { chat, change, by }: Meaning & { kind: 'group' }): Promise<void> => {
    const key = id || `${chat} ${change}`;
    if (id !== '' && seenChanges.has(key)) return;
    const about = await ports.titleOf(chat);
    ports.groupChanged({ channel: 'slack', account, chat, within: [self.teamId], change, by, ...about });
    seenChanges.add(key);
    if (seenChanges.size > MAX_SEEN_CHANGES) for (const oldest of seenChanges) return void seenChanges.delete(oldest);
  };

  return {
    inOrder,
    settle,
    /** While somebody catches up, a chat is asked for what is older before anything new counts in it. */
    askFirst(ask: (chat: string) => void): () => void {
      askFirst = ask;
      return () => {
        if (askFirst === ask) askFirst = null;
      };
    },
    meaningOf: (event: { readonly type: string }): Meaning => meaningOf(event, { account, self, nowMs: ports.now() }),

    /** An event as Slack delivers it. Rejects when it could not be stored: then it must come again. */
    async take(payload: unknown): Promise<void> {
      const press = pressOf(payload, { account, self, nowMs: ports.now() });
      if (press) return inOrder(press.chat, () => void ports.emit(press));
      const found = eventOf(payload, self);
      if ('why' in found) return log.debug('slack event not used', { why: found.why });
      const meaning = this.meaningOf(found.event);
      switch (meaning.kind) {
        case 'message':
          askFirst?.(meaning.message.chat);
          return inOrder(meaning.message.chat, () => settle(meaning));
        case 'group':
          return inOrder(meaning.chat, () => change(found.id, meaning));
        case 'moved':
          return inOrder(meaning.from, () => ports.chatMoved(meaning.from, meaning.to));
        case 'uninstalled':
          return ports.giveUp(uninstalled());
        case 'nothing':
          return log.debug('slack event not used', { why: meaning.why });
      }
    },

    idle: async (): Promise<void> => void (await Promise.all(tails.values())),
  };
}
