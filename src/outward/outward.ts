// Owns what tools send to people: into the outbox with a moment to take it back, and the owner's hand on it meanwhile. Part
// of the composition; whether it may be sent at all was decided before, and delivery does the sending.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Channel } from '../channels/channel.ts';
import type { createDelivery } from '../channels/delivery.ts';
import { sniff } from '../channels/media-type.ts';
import type { HeldMessage } from '../gateway/backend.ts';
import type { Journal } from '../journal/journal.ts';
import { HardshellError, reasonOf } from '../platform/errors.ts';
import { demandPermit, type PermittedCall, type ToolCall } from '../policy/decide.ts';
import type { Label } from '../store/label.ts';
import type { Store } from '../store/open.ts';
import { DRAFT, type NewReply, type Outbox, type OutboxRow } from '../store/outbox.ts';
import type { Change, Letter, Queued, Words } from '../tools/tool.ts';
import type { Outgoing } from './outgoing.ts';

type Place = { readonly channel: string; readonly account: string; readonly chat: string };
type Given = Pick<NewReply, 'text' | 'files'> & { readonly subject?: string; readonly replyTo?: string };
export type OutwardPorts = {
  readonly store: Store;
  readonly outbox: Outbox;
  readonly journal: Journal;
  readonly delivery: ReturnType<typeof createDelivery>;
  readonly outgoing: Outgoing;
  readonly now: () => number;
  readonly undoMs: () => number;
  cut(to: { readonly channel: string; readonly account: string }, text: string, label: Label): readonly string[];
  /** a platform's; what is answered elsewhere is shown by itself */
  channelOf(channel: string, account: string): Channel | undefined;
  /** what the message is called there that this run answers */
  askedIn(runId: string): { readonly messageId: string; readonly thread: string } | null;
  changed(): void;
};
export type Outward = ReturnType<typeof createOutward>;

const MAX_DRAFTS = 50;
const ARRIVES_MS = 10_000;
const LOOK_MS = 50;
/** What is no message of a tool or an answer, such as a question to the owner, is not the model's to change. */
const OURS = /^(?:tool|reply):/;

export function createOutward(ports: OutwardPorts) {
  const { store, outbox, journal, delivery, now } = ports;
  const settled = (id: number, kind: 'outbox.taken-back' | 'outbox.released', by: object): void => {
    journal.record(kind, { id, by });
    ports.changed();
  };
  const isOwn = ({ channel, account, chat }: ToolCall['speaker'], to: string): boolean =>
    to === '' || to === `${channel}:${account}:${chat}`;
  const placeOf = ({ speaker }: ToolCall, to: string): Place => {
    const [channel = '', account = '', ...rest] = to.split(':');
    return isOwn(speaker, to) ? speaker : { channel, account, chat: rest.join(':') };
  };
  const channelAt = ({ channel, account }: Place): Channel => {
    const found = ports.channelOf(channel, account);
    if (!found) throw noChannel(channel, account);
    return found;
  };
  /** Durable when it returns. */
  const queue = (
    call: PermittedCall,
    place: Place,
    parts: readonly Given[],
    given: Label,
    leavesAtMs: number,
  ): Queued => {
    const atMs = now();
    const { channel, account, chat } = place;
    const rows = store.commit(() =>
      parts.map((part, n): OutboxRow => {
        const idempotencyKey = `tool:${call.turnId}:${call.callId}:${n}`;
        const row = { channel, account, chat, thread: '', replyTo: '', ...part, idempotencyKey, leavesAtMs };
        const id = outbox.insert({ ...row, inboxId: 0, atMs, label: given });
        return { ...row, id, state: 'queued', atMs };
      }),
    );
    const ids = rows.map(({ id }) => id);
    const to = `${channel}:${account}:${chat}`;
    journal.record('outbox.queued', { run: call.turnId, call: call.callId, ids, to, leavesAtMs });
    for (const row of rows) delivery.enqueue(row);
    if (leavesAtMs > atMs) ports.changed();
    return { ids, leavesAtMs: leavesAtMs > atMs ? leavesAtMs : 0 };
  };

  return {
    /** `to` is channel:account:chat, or '' for the chat of the call, which nothing holds back. */
    send(call: PermittedCall, { to, text, files, label }: Words): Queued {
      demandPermit(call);
      const place = placeOf(call, to);
      const { maxFileBytes = 0 } = channelAt(place);
      for (const { name, bytes } of files)
        if (bytes.length > maxFileBytes)
          throw refused(
            'FILE_TOO_LARGE',
            maxFileBytes === 0
              ? `${place.channel} takes no files`
              : `${name} has ${bytes.length} bytes, and ${place.channel} takes ${maxFileBytes}`,
            'send a smaller one, or words alone',
          );
      const kept = files.map(({ name, bytes }) => ({
        ...{ path: ports.outgoing.keep(bytes), name, mimeType: sniff(bytes, name).mimeType },
      }));
      const parts = text.trim() === '' ? [''] : ports.cut(place, text, label);
      // The last of several messages has the files.
      const given = parts.map((part, n) => ({ text: part, files: n === parts.length - 1 ? kept : [] }));
      return queue(call, place, given, label, isOwn(call.speaker, to) ? 0 : now() + ports.undoMs());
    },
    /** A draft leaves only when the owner says so; what is sent word for word takes its draft along. */
    mail(call: PermittedCall, account: string, { to, subject, text, replyTo }: Letter, isDraft: boolean): Queued {
      demandPermit(call);
      const place = { channel: 'mail', account, chat: to.join(',') };
      channelAt(place);
      const drafts = delivery.held.list().filter((row) => row.leavesAtMs === DRAFT);
      if (isDraft && drafts.length >= MAX_DRAFTS)
        throw refused(
          'TOO_MANY_DRAFTS',
          `${MAX_DRAFTS} drafts wait already`,
          'the owner looks at: openclaw outbox list',
        );
      const letter = { text, files: [], subject, replyTo };
      const done = queue(call, place, [letter], call.context, isDraft ? DRAFT : now() + ports.undoMs());
      const isSame = (row: OutboxRow): boolean =>
        row.chat === place.chat && row.subject === subject && row.text === text && row.account === account;
      if (!isDraft) for (const { id } of drafts.filter(isSame)) delivery.withdraw(id, 'sent by the assistant');
      return done;
    },
    /** Changes what was sent, or reacts; at once, since there is nothing to hold back. */
    async change(call: PermittedCall, { action, to, id, text }: Change, signal: AbortSignal): Promise<void> {
      demandPermit(call);
      const place = placeOf(call, to);
      const channel = channelAt(place);
      const sent = id === null ? ports.askedIn(call.turnId) : await messageIn(place, id, signal);
      if (!sent) throw refused('NO_SUCH_MESSAGE', 'there is no message to react to here', 'name the id of one');
      const target = { chat: place.chat, ...sent };
      const acts = {
        react: channel.react && (() => channel.react?.(target, text, signal)),
        edit: channel.edit && (() => channel.edit?.(target, ports.cut(place, text, call.context).join(''), signal)),
        delete: channel.remove && (() => channel.remove?.(target, signal)),
      };
      const act = acts[action];
      if (!act) throw refused('NOT_THERE', `${place.channel} cannot ${action} messages`, 'send a new message');
      if (text.length > channel.maxChars)
        throw refused('TOO_LONG', `a message there has at most ${channel.maxChars} characters`, 'make it shorter');
      journal.record('outbox.changed', { run: call.turnId, call: call.callId, action, id, to: to || 'own chat' });
      try {
        await act();
      } catch (error) {
        const fix = 'it may have happened all the same; do not repeat it blindly';
        throw refused('PLATFORM_REFUSED', `${action} failed: ${reasonOf(error).slice(0, 200)}`, fix);
      }
    },
    held: (): HeldMessage[] =>
      delivery.held.list().map(({ id, channel, account, chat, text, files, subject = '', atMs, leavesAtMs = 0 }) => ({
        ...{ id, to: `${channel}:${account}:${chat}`, subject, text, files: files.map(({ name }) => name), atMs },
        leavesAtMs: leavesAtMs === DRAFT ? 0 : leavesAtMs,
      })),
    /** False when it has left already, or there is no such message. */
    takeBack(id: number, by: object): boolean {
      const done = delivery.withdraw(id, 'taken back by the owner');
      if (done) settled(id, 'outbox.taken-back', by);
      return done;
    },
    release(id: number, by: object): boolean {
      const done = delivery.held.release(id);
      if (done) settled(id, 'outbox.released', by);
      return done;
    },
  };

  /** A message of the assistant in this very chat; one that left a moment ago is waited for. */
  async function messageIn({ channel, account, chat }: Place, id: number, signal: AbortSignal) {
    const isUnderWay = (): boolean =>
      ['queued', 'sending'].includes(outbox.find(id)?.state ?? '') &&
      !delivery.held.list().some((row) => row.id === id);
    for (let ms = 0; ms < ARRIVES_MS && isUnderWay() && !signal.aborted; ms += LOOK_MS) await sleep(LOOK_MS);
    const row = outbox.find(id);
    const isThere = row?.channel === channel && row.account === account && row.chat === chat;
    if (!row || !isThere || !OURS.test(row.idempotencyKey))
      throw refused('NO_SUCH_MESSAGE', `message ${id} is none of yours in that chat`, 'name its chat in `to`');
    if (row.state !== 'sent' || row.platformId === '')
      throw refused('NOT_SENT', `message ${id} has not arrived, or the platform did not name it`, 'wait, or leave it');
    return { messageId: row.platformId, thread: row.thread };
  }
}

const refused = (code: string, message: string, fix: string): HardshellError =>
  new HardshellError({ code, message, fix });

const noChannel = (channel: string, account: string): HardshellError =>
  refused(
    'NO_SUCH_CHANNEL',
    `no channel ${channel}${account === 'default' ? '' : `, account ${account},`} can send anything`,
    'openclaw channels list',
  );
