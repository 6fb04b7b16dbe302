// Owns a turn from its first moment to its one final state: open the conversation, put the message in, let the agent
// think, and store reply, outcome and outgoing reply in a single transaction.
import type { Journal } from '../journal/journal.ts';
import type { Log } from '../log/log.ts';
import { HardshellError, reasonOf } from '../platform/errors.ts';
import type { Inbox } from '../store/inbox.ts';
import { type Label, label } from '../store/label.ts';
import type { Outbox, OutboxRow } from '../store/outbox.ts';
import type { ToolCalls } from '../store/tool-calls.ts';
import type { StoredMessage } from '../store/transcripts.ts';
import { NO_TOKENS, type TokenCount } from '../store/usage.ts';
import { type ConversationPorts, type OpenConversation, openConversation } from './conversation.ts';
import type { Directory } from './directory.ts';
import { ABORT, type Abort, type Control } from './lanes.ts';
import { noticeOf } from './notice.ts';
import type { RunEvent, Turn, TurnEnd, Waiting } from './turn.ts';

export type RunRecord = {
  readonly runId: string;
  readonly sessionKey: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly end: TurnEnd;
};

export type RunnerPorts = ConversationPorts & {
  readonly directory: Directory;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly toolCalls: ToolCalls;
  readonly journal: Journal;
  readonly log: Log;
  think(turn: Turn): Promise<TurnEnd>;
  /** a reply as the messages that the channel can send */
  cut(to: { readonly channel: string; readonly account: string }, text: string, label: Label): readonly string[];
  /** shows that an answer is being worked on, until the returned function is called */
  typing(message: Waiting['message']): () => void;
  /** stores the files of a message, and says in lines for the model what became of each; '' when it has none */
  takeFiles(item: Pick<Waiting, 'message' | 'sessionKey' | 'agentId'>, signal: AbortSignal): Promise<string>;
  /** why a message whose turn has come may not be worked on any more, or null */
  lapsed(message: Waiting['message']): string | null;
  deliver(reply: OutboxRow): void;
  emit(runId: string, sessionKey: string, event: RunEvent): void;
  ended(record: RunRecord, reply: StoredMessage | null): void;
};

/** A message that ended with the gateway this often, after it was taken up again, has something in it that kills the process; it fails visibly. */
const MAX_ATTEMPTS = 3;
/** Why a message is declined whose sender lost the right to talk after it was accepted. */
const REVOKED = 'REVOKED';

export function createRunner(ports: RunnerPorts) {
  const { now, log } = ports;
  const open = new Map<string, OpenConversation>();

  const typing = new Map<string, { readonly message: Waiting['message']; end: () => void }>();
  const rest = (sessionKey: string): void => {
    const shown = typing.get(sessionKey);
    shown?.end();
    if (shown) shown.end = () => {};
  };

  /** Never rejects: whatever happens becomes the run's outcome. */
  const run = async (item: Waiting, control: Control): Promise<void> => {
    const startedAtMs = now();
    const steered: Waiting[] = [];
    let end: TurnEnd;
    let conversation: OpenConversation | null = null;
    try {
      const lapsed = ports.lapsed(item.message);
      if (lapsed !== null) return decline(item, lapsed);
      typing.set(item.sessionKey, { message: item.message, end: ports.typing(item.message) });
      ports.emit(item.runId, item.sessionKey, { type: 'run.started', startedAtMs });
      conversation = openConversation(
        ports,
        ports.directory.recordFor(item.sessionKey, item.agentId, item.message.channel, titleOf(item)),
        item.runId,
      );
      open.set(item.sessionKey, conversation);
      // Durable before it runs, so that what kills the gateway is counted however early it does.
      if (item.resumed) ports.store.commit(() => ports.inbox.countAttempt(item.inboxId));
      const outstanding = await begin(conversation, item, control, steered);
      end =
        item.attempts >= MAX_ATTEMPTS
          ? failure('gave_up', `the gateway stopped ${item.attempts} times while working on this message`)
          : await ports.think(turnOf(item, conversation, control, steered, outstanding));
    } catch (error) {
      if (!(error instanceof HardshellError)) log.error('turn failed', { runId: item.runId, error });
      end = failure(
        error instanceof HardshellError ? error.code.toLowerCase() : 'internal',
        reasonOf(error),
        (error as HardshellError).fix,
      );
    } finally {
      rest(item.sessionKey);
      typing.delete(item.sessionKey);
    }
    // Cut off by a stop: no outcome is stored, so the next start goes on where this one was.
    if (control.signal.reason === ABORT.shutdown) {
      open.delete(item.sessionKey);
      return;
    }
    finish(item, steered, conversation, {
      runId: item.runId,
      sessionKey: item.sessionKey,
      startedAtMs,
      endedAtMs: now(),
      end,
    });
    open.delete(item.sessionKey);
  };

  /** The message enters the conversation, or, after a restart, is found there together with what it had led to. */
  const begin = async (
    conversation: OpenConversation,
    item: Waiting,
    control: Control,
    steered: Waiting[],
  ): Promise<Turn['outstanding']> => {
    let outstanding: Turn['outstanding'] = [];
    const mine = conversation.messages().filter((m) => m.runId === item.runId);
    if (mine.length === 0) {
      const { text, label: given, attachments = [] } = item.message;
      const files = attachments.length === 0 ? '' : await ports.takeFiles(item, control.signal);
      for (const one of item.message.before) {
        conversation.append({ role: 'user', blocks: [{ type: 'text', text: one.text }], label: one.label });
      }
      if (text !== '' || files === '')
        conversation.append({ role: 'user', blocks: [{ type: 'text', text }], label: given });
      // Whoever sent it, what is in a file and how it is called came from somewhere.
      if (files !== '') {
        const source = `${item.message.channel}:attachment`;
        conversation.append({
          role: 'user',
          blocks: [{ type: 'text', text: files }],
          label: label('untrusted', given.readers, source),
        });
      }
    } else {
      const present = new Set(conversation.messages().map((m) => m.runId));
      steered.push(...control.takeSteering((w) => present.has(w.runId)));
      outstanding = settleInterrupted(conversation, item.runId);
    }
    if (conversation.record.title === '') conversation.update({ title: titleOf(item) });
    return outstanding;
  };

  /**
   * Calls without a result after a restart: those that had begun have an unknown outcome and are not run again; those that
   * had not are handed back, to be made now.
   */
  const settleInterrupted = (conversation: OpenConversation, runId: string): Turn['outstanding'] => {
    const said = conversation.messages().filter((m) => m.runId === runId);
    const last = said.findLast(({ role }) => role === 'assistant');
    const answered = new Set(
      said.flatMap((m) => m.blocks.flatMap((b) => (b.type === 'toolResult' ? [b.toolCallId] : []))),
    );
    const calls = (last?.blocks ?? []).flatMap((b) => (b.type === 'toolCall' && !answered.has(b.id) ? [b] : []));
    if (calls.length === 0) return [];
    const begun = new Set(ports.toolCalls.begun(runId));
    const unknown = calls.filter(({ id }) => begun.has(id));
    if (unknown.length === 0) return calls;
    const open = ports.toolCalls.open(runId);
    conversation.append({
      role: 'tool',
      blocks: unknown.map((call) => ({
        type: 'toolResult',
        toolCallId: call.id,
        name: call.name,
        isError: true,
        text: `The gateway was restarted ${open.includes(call.id) ? 'while' : 'after'} this ran. Its outcome is unknown; it was not run again. Check before repeating it.`,
      })),
      label: label('tool-local', 'owner'),
    });
    const atMs = now();
    conversation.persist(() => {
      for (const callId of open) ports.toolCalls.close(runId, callId, 'unknown', atMs);
    });
    return calls.filter(({ id }) => !begun.has(id));
  };

  const turnOf = (
    item: Waiting,
    conversation: OpenConversation,
    control: Control,
    steered: Waiting[],
    outstanding: Turn['outstanding'],
  ): Turn => {
    const turn: Omit<Turn, symbol> = {
      outstanding,
      runId: item.runId,
      speaker: speakerOf(item.message),
      sessionKey: item.sessionKey,
      sessionId: ports.transcripts.uuid(conversation.record.transcript),
      agentId: item.agentId,
      modelOverride: conversation.record.modelOverride,
      conversation,
      signal: control.signal,
      takeSteering() {
        // Files are fetched before a turn, not in the middle of one: such a message waits, and so do those behind it.
        let waits = false;
        const taken = control.takeSteering((w) => {
          waits ||= (w.message.attachments?.length ?? 0) > 0;
          return w.mode === 'steer' && !waits;
        });
        for (const late of taken) {
          steered.push(late);
          for (const { text, label: given } of [...late.message.before, late.message]) {
            conversation.as(late.runId).append({ role: 'user', blocks: [{ type: 'text', text }], label: given });
          }
          ports.emit(late.runId, late.sessionKey, { type: 'run.steered', intoRunId: item.runId });
        }
        return taken.length;
      },
      emit: (event) => ports.emit(item.runId, item.sessionKey, event),
    };
    return turn as Turn;
  };

  /** It never began. `declined`: why its sender may not be answered; then nothing is said. */
  const takeBack = (item: Waiting, declined: string | null): void => {
    const end: TurnEnd = {
      ...failure('aborted', 'taken back before it started'),
      status: 'aborted',
      stopReason: 'aborted',
    };
    const replies = ports.store.commit(() => {
      const first = ports.inbox.finish(item.inboxId, declined ? 'declined' : 'failed', declined ?? 'aborted', now());
      return first && !declined ? queueReplies([item], end, now()) : [];
    });
    for (const out of replies) ports.deliver(out);
    ports.ended({ runId: item.runId, sessionKey: item.sessionKey, startedAtMs: now(), endedAtMs: now(), end }, null);
  };
  const decline = (item: Waiting, code: string): void => {
    try {
      takeBack(item, code);
    } catch (error) {
      // It stays accepted, and is judged again at the next start.
      log.error('outcome not stored', { runId: item.runId, error });
    }
  };

  const finish = (
    item: Waiting,
    steered: readonly Waiting[],
    conversation: OpenConversation | null,
    record: RunRecord,
  ): void => {
    const { end } = record;
    let replies: OutboxRow[] = [];
    let reply: StoredMessage | null = null;
    try {
      if (!conversation) throw new Error('the conversation could not be opened');
      reply = conversation.append(closing(end));
      conversation.update({
        contextTokens: end.contextTokens || conversation.record.contextTokens,
        model: end.model || conversation.record.model,
        preview: firstLine(end.text || end.error?.message || '', 120),
      });
      conversation.persist(() => {
        const isRevoked = end.stopReason === ABORT.revoked;
        const state = isRevoked ? 'declined' : end.status === 'ok' ? 'answered' : 'failed';
        const why = isRevoked ? REVOKED : (end.error?.kind ?? end.stopReason);
        const first = ports.inbox.finish(item.inboxId, state, why, record.endedAtMs);
        for (const w of steered) ports.inbox.finish(w.inboxId, state, `steered into ${item.runId}`, record.endedAtMs);
        // A row that was final already has had its reply: nothing may go out twice.
        if (first && !isRevoked) replies = queueReplies([item, ...steered], end, record.endedAtMs);
        ports.journal.record('run.ended', {
          run: item.runId,
          session: item.sessionKey,
          status: end.status,
          stop: end.stopReason,
          model: end.model,
          ms: record.endedAtMs - record.startedAtMs,
        });
      });
    } catch (error) {
      // The outcome could not be stored: the message stays accepted and is taken up again at the next start.
      log.error('outcome not stored', { runId: item.runId, error });
      const told = { ...record, end: failure('storage', reasonOf(error), (error as HardshellError).fix) };
      for (const w of [item, ...steered]) ports.ended({ ...told, runId: w.runId }, null);
      return;
    }
    for (const out of replies) ports.deliver(out);
    ports.ended(record, reply);
    for (const w of steered) ports.ended({ ...record, runId: w.runId }, null);
  };

  /** To each chat that has asked, once. A platform's chat is told too when there is no answer; our own clients see that. */
  const queueReplies = (asked: readonly Waiting[], end: TurnEnd, atMs: number): OutboxRow[] => {
    const chats = new Map<string, Waiting>();
    for (const w of asked) {
      const { channel, account, chat, thread = '', assurance } = w.message;
      const key = [channel, account, chat, thread].join('\0');
      if (!chats.has(key) && (w === asked[0] || assurance !== 'operator')) chats.set(key, w);
    }
    return [...chats.values()].flatMap((w) => {
      const isOwnClient = w.message.assurance === 'operator';
      const notice =
        end.status === 'ok' || isOwnClient || (end.status === 'aborted' && end.text !== '') ? '' : noticeOf(end);
      const text = [end.text, notice].filter((part) => part !== '').join('\n\n');
      return text === '' ? [] : queueReply(w, text, end.label, atMs);
    });
  };

  const queueReply = ({ inboxId, message }: Waiting, whole: string, replyLabel: Label, atMs: number): OutboxRow[] => {
    const { channel, account, chat, thread = '', messageId } = message;
    return ports.cut({ channel, account }, whole, replyLabel).map((text, n) => {
      const to = { channel, account, chat, thread, replyTo: messageId };
      const row = { ...to, text, files: [], idempotencyKey: `reply:${inboxId}:${n}` };
      const id = ports.outbox.insert({ ...row, inboxId, atMs, label: replyLabel });
      return { ...row, id, state: 'queued', atMs };
    });
  };

  return {
    run,
    /** A queued message that was taken back, or whose sender may no longer talk; they hear nothing more. */
    discard: (item: Waiting, why: Abort): void => takeBack(item, why === ABORT.revoked ? REVOKED : null),
    /** The turn that runs there waits for a person: nothing is being typed until the returned function is called. */
    sleeps(sessionKey: string): () => void {
      rest(sessionKey);
      return () => {
        const shown = typing.get(sessionKey);
        if (shown) shown.end = ports.typing(shown.message);
      };
    },
    /** The turn that runs there has used this: its record says so with whatever of it is stored next. */
    spent(sessionKey: string, used: TokenCount, microusd: number): void {
      const conversation = open.get(sessionKey);
      if (conversation) conversation.update(plus(conversation.record, used, microusd));
    },
    /** Messages of the running turn that are not stored yet, for history. */
    unstored: (sessionKey: string): readonly StoredMessage[] => open.get(sessionKey)?.unstored() ?? [],
    persist: (sessionKey: string, also: () => void): void => {
      const conversation = open.get(sessionKey);
      if (!conversation) throw new Error(`no turn runs in ${sessionKey}`);
      conversation.persist(also);
    },
  };
}

const speakerOf = ({ principal, place, channel, account, chat, sender }: Waiting['message']): Turn['speaker'] => ({
  ...{ principal, place, channel, account, chat },
  sender: sender.id,
});

function closing(end: TurnEnd): Parameters<OpenConversation['append']>[0] {
  const meta = { model: end.model, stopReason: end.stopReason, usage: end.usage };
  // The house's own words, though with arguments in them: no model is shown them as its own.
  if (end.stopReason === 'paused')
    return { role: 'notice', blocks: [{ type: 'text', text: end.text }], meta, label: end.label };
  if (end.status === 'ok' || (end.status === 'aborted' && end.text !== '')) {
    return { role: 'assistant', blocks: [{ type: 'text', text: end.text }], meta, label: end.label };
  }
  const text =
    end.status === 'aborted'
      ? 'Stopped.'
      : `${end.error?.message ?? 'The turn failed.'}${end.error?.fix ? `\n${end.error.fix}` : ''}`;
  return { role: 'notice', blocks: [{ type: 'text', text }], meta, label: label('tool-local', 'owner') };
}

const plus = (record: TokenCount & { readonly microusd: number }, used: TokenCount, microusd: number) => ({
  input: record.input + used.input,
  output: record.output + used.output,
  cacheRead: record.cacheRead + used.cacheRead,
  cacheWrite: record.cacheWrite + used.cacheWrite,
  microusd: record.microusd + microusd,
});

function failure(kind: string, message: string, fix?: string): TurnEnd {
  return {
    status: 'error',
    text: '',
    stopReason: 'error',
    model: '',
    usage: NO_TOKENS,
    contextTokens: 0,
    label: label('tool-local', 'owner'),
    error: { kind, message, ...(fix ? { fix } : {}) },
  };
}

const titleOf = ({ message }: Waiting): string =>
  firstLine(
    (message.chatType === 'group' && message.chatTitle) || message.text || (message.attachments?.[0]?.name ?? ''),
    60,
  );

function firstLine(text: string, maxChars: number): string {
  const line = text.trim().split('\n', 1)[0] ?? '';
  return line.length > maxChars ? `${line.slice(0, maxChars - 1)}…` : line;
}
