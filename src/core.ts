// Owns the wiring of the inner house: store, intake, lanes, runner, agent and delivery, each handed the function of the
// next. Part of the composition; it knows no gateway, no sandbox and no network, so that a test can run all of it.
import { type AgentPorts, runTurn } from './agent/loop.ts';
import type { ToolCall } from './agent/tool-call.ts';
import { createAsking } from './asking/chats.ts';
import type { Channel } from './channels/channel.ts';
import { cutReply } from './channels/cut.ts';
import { createDelivery } from './channels/delivery.ts';
import { WEBCHAT } from './channels/webchat.ts';
import { createDoor, type DoorPorts } from './door.ts';
import type { Hide } from './hiding.ts';
import type { RecordDesk } from './journal/desk.ts';
import { type Journal, openJournal } from './journal/journal.ts';
import type { Log } from './log/log.ts';
import type { Outgoing } from './outward/outgoing.ts';
import { createOutward, type Outward } from './outward/outward.ts';
import { withoutRemoteImages } from './outward/remote-images.ts';
import { type Approvals, createApprovals } from './policy/approvals/approvals.ts';
import { createGrants, type Grants } from './policy/approvals/grants.ts';
import type { Decision } from './policy/decide.ts';
import type { Effect } from './policy/effects.ts';
import { ownWords } from './policy/flow/own-words.ts';
import { recordOf } from './policy/recorded.ts';
import { createRegistry, type Registry } from './policy/trust/registry.ts';
import { createRuns } from './runs.ts';
import { createDirectory } from './sessions/directory.ts';
import { createLanes } from './sessions/lanes.ts';
import { createRunner, type RunnerPorts } from './sessions/runner.ts';
import { NOTHING } from './spending/caps.ts';
import { createLedger } from './spending/ledger.ts';
import { openGrantTable } from './store/approvals/grants.ts';
import { openApprovalTable } from './store/approvals/questions.ts';
import { openInbox } from './store/inbox.ts';
import { openNotes } from './store/notes.ts';
import type { Store } from './store/open.ts';
import { openOutbox } from './store/outbox.ts';
import { openTrusted, pairedChats } from './store/people/trusted.ts';
import { openSessions } from './store/sessions.ts';
import { openToolCalls } from './store/tool-calls.ts';
import { openTranscripts } from './store/transcripts.ts';
import { openUsage, type TokenCount } from './store/usage.ts';

/** What a tool call must tell before and after it runs; `started` returns once that is durable. */
export type CallHooks = {
  readonly approvals: Approvals;
  readonly grants: Grants;
  readonly trusted: Pick<Registry, 'flow'>;
  decided(call: ToolCall, decision: Decision, effects: readonly Effect[]): void;
  started(call: ToolCall, effects: readonly Effect[]): void;
  ended(call: ToolCall): void;
  readonly outward: Pick<Outward, 'send' | 'change' | 'mail'>;
};

export type CorePorts = Pick<AgentPorts, 'models' | 'tools' | 'maxOutputTokens' | 'prompt'> & {
  readonly store: Store;
  readonly log: Log;
  readonly hide: Hide;
  readonly now: () => number;
  readonly config: DoorPorts['config'];
  readonly pairingKey: DoorPorts['pairingKey'];
  /** what leads to the channels that run; undefined: there is no such channel */
  channelOf(id: string, account: string): Channel | undefined;
  readonly typing: RunnerPorts['typing'];
  readonly takeFiles: RunnerPorts['takeFiles'];
  toolCaller(hooks: CallHooks): AgentPorts['callTool'];
  readonly rechecked?: NonNullable<DoorPorts['rechecked']>;
  readonly undo?: NonNullable<DoorPorts['undo']>;
  readonly elevation: DoorPorts['elevation'];
  readonly panic?: DoorPorts['panic'];
  readonly outgoing: Outgoing;
};

export type Core = ReturnType<typeof createCore>;

export function createCore(ports: CorePorts) {
  const { store, log, now, hide } = ports;
  const models = hide.models(ports.models);
  const journal = hidingJournal(openJournal(store, now), hide);
  const { inbox, outbox, toolCalls, sessions, transcripts, usage } = openTables(store, hide);
  const runs = createRuns();
  const ledger = createLedger({
    ...{ usage, journal, now, notes: openNotes(store), config: ports.config },
    model: () => models.primary,
    sessionSpent(key) {
      const record = sessions.get(key);
      return record === null ? NOTHING : { tokens: totalOf(record), microusd: record.microusd };
    },
    tell: (text, key) => door.tellOwner(text, key),
  });

  const asking = createAsking({
    ...{ store, outbox, journal, now, notes: openNotes(store), publish: runs.publish },
    approvals: () => approvals,
    ownerChats: () => door.access.ownerChats(),
    hasChannel: (channel, account) => ports.channelOf(channel, account) !== undefined,
    deliver: (row) => delivery.enqueue(row),
  });
  const grants = createGrants({
    ...{ store, journal, now, table: openGrantTable(store) },
    days: () => ports.config().tools.exec.grantExpiryDays,
  });
  const trusted = createRegistry({
    ...{ store, journal, now, table: openTrusted(store) },
    paired: () => pairedChats(door.access.pairing.approved(), door.access.people.all()),
  });
  const approvalTable = openApprovalTable(store);
  const approvals = createApprovals({
    ...{ store, table: approvalTable, grants, journal, now, hide: hide.value },
    ...{ nobody: asking.nobody, asked: asking.asked, closed: asking.closed },
    lifeMs: () => ports.config().approvals.timeoutSeconds * 1_000,
    persist: (sessionKey, work) => runner.persist(sessionKey, work),
    sleeps({ sessionKey }) {
      const wakers = [lanes.sleeps(sessionKey), runner.sleeps(sessionKey)];
      return () => {
        for (const wake of wakers) wake();
      };
    },
  });
  const rooms = createDirectory({
    store,
    sessions,
    transcripts,
    journal,
    now,
    isBusy: (key) => lanes.activeRunIds(key).length + lanes.waitingIn(key) > 0,
    knowsModel: (name) => models.list().some((model) => `${model.provider}/${model.id}` === name),
    changed: (sessionKey, reason) => runs.publish({ type: 'session.changed', sessionKey, reason }),
    ownWords,
  });
  const directory: typeof rooms = {
    ...rooms,
    patch: (key, patch, actor) =>
      rooms.patch(key, patch.label ? { ...patch, label: hide.text(patch.label) } : patch, actor),
  };
  const runTool = ports.toolCaller({
    approvals,
    grants,
    trusted,
    decided: (call, decision, effects) => {
      if (decision.kind !== 'ask') approvals.moot(call.turnId, call.callId);
      journal.record('tool.decided', recordOf(call, decision, effects));
    },
    started: ({ turnId: runId, callId, sessionKey, name, args, context }, effects) =>
      runner.persist(sessionKey, () => {
        toolCalls.start({ runId, callId, name, args, effects, atMs: now(), label: context });
        approvals.started(runId, callId);
      }),
    ended: ({ turnId, callId }) => {
      approvals.ended(turnId, callId);
      store.defer(() => toolCalls.close(turnId, callId, 'done', now()));
    },
    outward: {
      send: (...words) => outward.send(...words),
      change: (...change) => outward.change(...change),
      mail: (...letter) => outward.mail(...letter),
    },
  });
  const callTool: typeof runTool = async (call, signal) => hide.toolResult(await runTool(call, signal));
  const delivery = createDelivery({
    store,
    outbox,
    log,
    now,
    channelOf: ports.channelOf,
  });
  /** A chat would fetch a picture from elsewhere by itself, and its address could carry what the model has read. */
  const cut: RunnerPorts['cut'] = ({ channel, account }, text, { integrity }) =>
    cutReply(
      integrity === 'owner' ? text : withoutRemoteImages(text),
      ports.channelOf(channel, account)?.maxChars ?? LEAST_CHARS,
    );
  const outward = createOutward({
    ...{ store, outbox, journal, delivery, now, cut, outgoing: ports.outgoing },
    undoMs: () => ports.config().actions.undoSeconds * 1_000,
    // What is answered there is shown by itself.
    channelOf: (channel, account) => (channel === WEBCHAT ? undefined : ports.channelOf(channel, account)),
    askedIn: inbox.askedIn,
    changed: () => runs.publish({ type: 'outbox.changed' }),
  });
  /** Stored with whatever is stored next, a moment later at the latest: a kill forgets no call that is over. */
  const spent: AgentPorts['spent'] = (turn, model, used) => {
    const { microusd, store: count } = ledger.count(turn, model, used);
    if (totalOf(used) === 0) return;
    runner.spent(turn.sessionKey, used, microusd);
    store.defer(() => {
      count();
      sessions.spend(turn.sessionKey, used, microusd);
      door.access.spent(turn.speaker.principal, totalOf(used), microusd);
    });
  };
  const runner = createRunner({
    store,
    sessions,
    transcripts,
    directory,
    inbox,
    outbox,
    toolCalls,
    journal,
    log,
    now,
    hide: hide.blocks,
    think: (turn) => runTurn(turn, { ...ports, models, callTool, whyNot: ledger.whyNot, spent }),
    cut,
    typing: ports.typing,
    takeFiles: ports.takeFiles,
    lapsed: (message) => door.access.lapsed(message),
    deliver: delivery.enqueue,
    emit: runs.emit,
    onMessage: runs.message,
    ended: (ended, reply) => {
      const record = { ...ended, end: hide.end(ended.end) };
      approvals.runEnded(record.runId);
      ledger.ended(record, record.end.model);
      runs.ended(record, reply);
      const { status, error } = record.end;
      const facts = { runId: record.runId, session: record.sessionKey, status };
      const ms = record.endedAtMs - record.startedAtMs;
      if (status === 'error') log.warn('run ended', { ...facts, ms, kind: error?.kind, reason: error?.message });
      else log.info('run ended', { ...facts, ms });
    },
  });
  const lanes = createLanes({
    run: runner.run,
    discard: runner.discard,
    left: ({ sessionKey }) => runs.publish({ type: 'session.changed', sessionKey, reason: 'updated' }),
  });
  const door = createDoor({
    ...{ store, inbox, outbox, journal, log, hide, lanes, directory, now },
    config: ports.config,
    pairingKey: ports.pairingKey,
    deliver: delivery.enqueue,
    accepted: runs.accepted,
    ...(ports.undo ? { undo: ports.undo } : {}),
    ...(ports.rechecked ? { rechecked: ports.rechecked } : {}),
    elevation: ports.elevation,
    allow: (usd, by) => ledger.allow(usd, by),
    ...(ports.panic ? { panic: ports.panic } : {}),
    asking,
  });
  const audit = async () =>
    (await import('./journal/desk.ts')).openRecord({
      ...{ rows: store, headPath: journal.headPath, isLive: true, now, hide: hide.value },
    });
  return {
    journal,
    audit: {
      log: async (query) => (await audit()).log(query),
      report: async (span) => (await audit()).report(span),
      verify: async (noted) => (await audit()).verify(noted),
    } satisfies RecordDesk,
    inbox,
    outbox,
    toolCalls,
    sessions,
    transcripts,
    usage,
    ledger,
    runs,
    approvals,
    approvalTable,
    grants,
    trusted,
    asking,
    hide,
    directory,
    delivery,
    outward,
    runner,
    lanes,
    ...door,
    intake: {
      ...door.intake,
      resume(): number {
        const resumed = door.intake.resume();
        // What is left belongs to a turn that is not taken up again.
        approvals.sweep();
        return resumed;
      },
    },
  };
}

/** What is written into the tables is hidden on its way in, whoever writes it; what an older gateway wrote, on its way out. */
function openTables(store: Store, hide: Hide) {
  const [outbox, sessions, transcripts] = [openOutbox(store), openSessions(store), openTranscripts(store)];
  return {
    inbox: openInbox(store),
    toolCalls: openToolCalls(store),
    usage: openUsage(store),
    outbox: {
      ...outbox,
      insert: (reply) => outbox.insert({ ...reply, text: hide.text(reply.text) }),
      open: () => outbox.open().map((reply) => ({ ...reply, text: hide.text(reply.text) })),
    } satisfies typeof outbox,
    sessions: { ...sessions, put: (record) => sessions.put(hide.record(record)) } satisfies typeof sessions,
    transcripts: {
      ...transcripts,
      page: (...where) => transcripts.page(...where).map(hide.message),
    } satisfies typeof transcripts,
  };
}

function hidingJournal(journal: Journal, hide: Hide): Journal {
  return { ...journal, record: (kind, body) => journal.record(kind, hide.value(body)) };
}

/** For a channel that does not run any more: what every platform takes. */
const LEAST_CHARS = 2_000;

const totalOf = ({ input, output, cacheRead, cacheWrite }: TokenCount): number =>
  input + output + cacheRead + cacheWrite;
