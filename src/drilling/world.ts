// Owns the world of one scenario of the drill: the real core, policy, tools, memory and boxes over a throw-away home, with
// played ends in place of networks and people, and a look at what really happened in it. Part of the composition; it decides
// nothing, and it must never open the owner's state for writing.
import { createPromptBuilder, guestIn, STARTER_FILES } from '../agent/prompt.ts';
import type { Declined, Played, Said, Step } from '../audit/drill/play.ts';
import { openBoxes } from '../boxes/boxes.ts';
import type { InboundMessage } from '../channels/channel.ts';
import { WEBCHAT, webchat } from '../channels/webchat.ts';
import type { Paths } from '../config/paths.ts';
import { followZones } from '../config/zones.ts';
import { createCore } from '../core.ts';
import type { RunOutcome } from '../gateway/backend.ts';
import { createHide } from '../hiding.ts';
import type { Log } from '../log/log.ts';
import { createRedactor } from '../log/redact.ts';
import { createMcp, type Mcp } from '../mcp/mcp.ts';
import { isOutside } from '../memory/provenance.ts';
import { openRefusingRecorder } from '../net/refusing-recorder.ts';
import { createUndo } from '../ops/checkpoints/undo.ts';
import { openOutgoing } from '../outward/outgoing.ts';
import { HardshellError } from '../platform/errors.ts';
import { tryReadText } from '../platform/files.ts';
import { newId } from '../platform/ids.ts';
import { foldersShown } from '../policy/paths.ts';
import { createRemembering } from '../remembering.ts';
import { createRunning } from '../running/running.ts';
import { MAIN } from '../sandbox/pool/plan.ts';
import { workspaceOwner } from '../sandbox/workspace.ts';
import { createLiveSkills } from '../skills/live.ts';
import { openApprovedTools } from '../store/approvals/server-tools.ts';
import { copyTables } from '../store/copy-tables.ts';
import { label } from '../store/label.ts';
import { openStore, type Store } from '../store/open.ts';
import { DRAFT } from '../store/outbox.ts';
import { openPairingTables } from '../store/people/pairing.ts';
import { createTooling } from '../tooling.ts';
import { playedChannel, playedMailbox, playedWeb, type Sending } from './ends.ts';
import { CONFIG_TEXT, channelOf, configThere, type Given, makePlace, SECRET } from './place.ts';
import { serverBox } from './server.ts';

/** What the owner has allowed and approved for good, which the drill plays with. */
export const STANDING = ['access_grants', 'grants', 'trusted'] as const;

export type WorldOptions = Played & {
  readonly given: Given;
  /** the owner's database, or null: as if they had allowed nothing */
  readonly database: string | null;
  /** see emptyDatabase */
  readonly empty: Uint8Array;
};
export type World = Awaited<ReturnType<typeof openWorld>>;

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, reopen() {}, close() {}, file: '' };
const SERVER = 'drill';
const RUN_MS = 20_000;
/** Who wrote, and where; ids that no platform gives to anybody. */
const PEOPLE: Readonly<Record<string, { readonly sender: string; readonly group?: string; readonly role?: string }>> = {
  'owner-chat': { sender: '990000001', role: 'owner' },
  paired: { sender: '990000002', role: 'paired' },
  member: { sender: '990000003', group: '-990000100' },
  stranger: { sender: '990000004' },
};

export async function openWorld(options: WorldOptions) {
  const { given, models, tools: served } = options;
  const opened = new AsyncDisposableStack();
  try {
    const recorder = await openRefusingRecorder();
    opened.defer(recorder.close);
    const wordsIn = (home: string, paths: Paths) => ({
      ...{ home, workspace: paths.workspaceDir, state: paths.stateDir, config: paths.configPath },
      ...{ port: String(recorder.port), secret: SECRET },
    });
    const place = await makePlace(options.empty, (at, there) => {
      const known = wordsIn(at, there);
      const files = Object.entries(options.files);
      const filled = files.map(([name, text]) => [options.fill(name, known), options.fill(text, known)]);
      return { ...STARTER_FILES, ...Object.fromEntries(filled) };
    });
    opened.defer(place.remove);
    const { paths, home, workspace } = place;
    const config = configThere(given, paths, home, served.length === 0 ? {} : { [SERVER]: serverSettings(served) });
    const channel = channelOf(config.channels) ?? 'telegram';
    const words = { ...wordsIn(home, paths), channel };
    const store = openStore(paths.databasePath);
    opened.defer(() => store.close());
    // Nothing of it has to outlive a crash.
    store.db.exec('PRAGMA synchronous = OFF');
    const problem = options.database === null ? null : copyTables(store, options.database, STANDING);
    letIn(store, channel);

    const now = Date.now;
    const zones = followZones(() => config, { ...paths, workspace: workspace.path });
    const sandboxes = openBoxes({ paths, workspace, zones, env: given.env, config: () => config, isLazy: true });
    opened.defer(sandboxes.close);
    const redactor = createRedactor();
    const remembering = createRemembering({ store, workspace, redactor, sandboxes, now, config: () => config });
    remembering.provenance.seed(STARTER_FILES);
    const running = createRunning({
      ...{ now, workspace, config: () => config },
      openBox: () => sandboxes.forCall({ ...MAIN, sessionKey: 'agent:main:trash' }, true),
    });
    opened.defer(running.close);

    const undo = createUndo({
      stateDir: paths.stateDir,
      workspaceDir: workspace.path,
      ...workspaceOwner(),
      log: silent,
    });
    opened.defer(undo.close);
    // Its way back is on the disk before anything runs, which takes its time.
    const kept = options.hasUndo ? undo : { before: async () => {}, telling: undo.telling };
    const skills = createLiveSkills({
      ...{ stateDir: paths.stateDir, workspace: workspace.path, now, warn: () => {} },
      settings: () => config.skills,
    });
    const left: string[] = recorder.heard;
    const sent: Sending[] = [];
    const called: string[] = [];
    const steps: Step[] = [];
    const mcp = await serverThere(options, words, store, (tool) => called.push(tool), config.mcp);
    opened.defer(mcp.close);
    const pages = Object.fromEntries(
      Object.entries(options.pages).map(([url, text]) => [url, options.fill(text, words)]),
    );
    const mailbox = playedMailbox(
      options.mails.map(({ from, subject, text }) => ({
        from,
        subject: options.fill(subject, words),
        text: options.fill(text, words),
      })),
    );
    const web = playedWeb(
      pages,
      () => config.tools.web,
      (what) => left.push(what),
    );
    const { tools, toolCaller } = createTooling({
      ...{ log: silent, remembering, sandboxes, running, undo: kept, skills, mcp },
      live: () => config,
      web: async () => web,
      canSend: () => true,
      mailboxOf: () => ({ account: 'default', reader: mailbox }),
    });
    const promptFor = createPromptBuilder(workspace, remembering.provenance);
    const channels = [channel, 'mail', 'telegram'].map((id) => playedChannel(id, (one) => sent.push(one)));
    const core = createCore({
      ...{ store, now, models, tools, log: silent, hide: createHide(redactor.sure) },
      outgoing: openOutgoing(`${paths.stateDir}/outgoing`, now),
      elevation: running.elevation,
      rechecked: running.recheck,
      config: () => config,
      pairingKey: () => Buffer.alloc(32, 1),
      maxOutputTokens: 1_000,
      channelOf: (id) => (id === WEBCHAT ? webchat : channels.find((one) => one.id === id)),
      typing: () => () => {},
      takeFiles: async () => '',
      prompt(turn) {
        const guest = guestIn(turn.speaker);
        const folders = guest === null ? foldersShown(sandboxes.zonesOf(turn)) : '';
        const listed = sandboxes.planOf(turn).access === 'none' ? null : skills.listed();
        return promptFor({ sessionKey: turn.sessionKey, nowMs: now(), guest, folders, skills: listed });
      },
      toolCaller: (hooks) => {
        const decisions = new Map<string, Omit<Step, 'text' | 'isError'>>();
        const caller = toolCaller({
          ...hooks,
          decided: (call, decision, effects) => {
            const { callId, name: tool } = call;
            const why = decision.kind === 'allow' ? { code: '', key: '', reason: '' } : decision;
            const { code, key, reason } = why;
            decisions.set(callId, { callId, tool, decision: decision.kind, code, key, reason });
            hooks.decided(call, decision, effects);
          },
        });
        return async (call, signal) => {
          const result = await caller(call, signal);
          const { callId, name: tool } = call;
          const decided = decisions.get(callId) ?? { callId, tool, decision: 'none', code: '', key: '', reason: '' };
          steps.push({ ...decided, text: result.text, isError: result.isError });
          return result;
        };
      },
    });
    undo.attach(core);
    opened.defer(async () => {
      await core.lanes.stop(100);
      await core.delivery.stop(100);
    });
    // Nobody answers a card; waiting for that would take as long as the owner allows.
    core.runs.subscribe((event) => {
      if (event.type !== 'approval.requested') return;
      setImmediate(() => {
        for (const { id } of core.approvals.list()) core.approvals.resolve(id, 'deny', { name: 'nobody', facts: {} });
      });
    });
    const before = rightsIn(store);

    return {
      words,
      steps,
      called,
      problem,
      /** where commands run, and why not */
      sandbox: sandboxes.known,
      /** Plays one message to its end; what came of it when it was not let in. */
      async hear(said: Said): Promise<Declined | null> {
        const { from, session, text } = said;
        const id = newId();
        if (from === 'owner') {
          const delivery = { sessionKey: session, runId: id, queueMode: 'followup', timeoutMs: RUN_MS };
          core.intake.accept({ ...onPage(session, text, id), receivedAtMs: now() }, delivery);
          return endOf(await core.runs.wait(id, RUN_MS));
        }
        const message = onChannel(channel, said, id, now());
        core.receive(message);
        const row = core.inbox.findIn(channel, message.account, id, message.chat);
        if (row === null || row.state === 'declined') return ruleOf(row?.facts);
        return row.state === 'answered' ? null : endOf(await core.runs.wait(row.runId, RUN_MS));
      },
      /** of files, also outside the workspace; null: there is none */
      fileAt: textAt,
      left,
      /** what is on its way to people, or gone: answers and what tools sent, without drafts and questions to the owner */
      sendings: (): readonly Sending[] => [
        ...sent,
        ...core.outbox
          .open()
          .filter(({ leavesAtMs = 0 }) => leavesAtMs !== DRAFT)
          .map(({ channel: on, account, chat, text, subject = '', idempotencyKey: key }) => {
            return { to: `${on}:${account}:${chat}`, text: `${subject}\n${text}`, key };
          }),
      ],
      /** lines of the workspace's memory that count as the owner's own or the assistant's */
      believed(): readonly string[] {
        return ['MEMORY.md', 'USER.md'].flatMap((name) => {
          const text = textAt(`${workspace.path}/${name}`) ?? '';
          const known = remembering.provenance.linesOf(name, text);
          return text.split('\n').filter((line) => line.trim() !== '' && !isOutside(known(line).label));
        });
      },
      takeBack: (): Promise<boolean> =>
        undo.apply({}, { name: 'drill' }).then(
          () => true,
          () => false,
        ),
      isConfigChanged: (): boolean => textAt(paths.configPath) !== CONFIG_TEXT,
      rightsMore: (): boolean => rightsIn(store) > before,
      close: () => opened.disposeAsync(),
    };
  } catch (error) {
    await opened.disposeAsync().catch(() => {});
    throw error;
  }
}

const textAt = (path: string): string | null => {
  try {
    return tryReadText(path);
  } catch {
    return null;
  }
};

function serverSettings(served: WorldOptions['tools']): Record<string, unknown> {
  const declared = served.flatMap(({ name, effect }) =>
    effect === undefined ? [] : [[name, { effects: { effect, args: {}, result: 'untrusted' } }] as const],
  );
  return { command: '/bin/true', tools: Object.fromEntries(declared) };
}

/** The owner has approved what the server said of its tools then; now it may say something else. */
async function serverThere(
  { tools, fill }: WorldOptions,
  words: Readonly<Record<string, string>>,
  store: Store,
  called: (tool: string) => void,
  settings: Parameters<typeof createMcp>[0]['config'] extends () => infer C ? C : never,
): Promise<Mcp> {
  const open = (isLater: boolean): Mcp => {
    const said = tools.map(({ name, description, later, answer }) => ({
      ...{ name, answer: fill(answer, words) },
      description: fill(isLater ? (later ?? description) : description, words),
    }));
    return createMcp({
      ...{ version: '0', now: Date.now, warn: () => {} },
      config: () => settings,
      openTable: () => openApprovedTools(store),
      openBox: async () => serverBox(said, called),
    });
  };
  const mcp = open(false);
  if (tools.length === 0) return mcp;
  await mcp.open();
  const { tools: told } = await mcp.probe(SERVER);
  await mcp.approve(SERVER, told, 'drill');
  if (!tools.some(({ later }) => later !== undefined)) return mcp;
  await mcp.close();
  const after = open(true);
  await after.open();
  await after.probe(SERVER);
  return after;
}

/** As the owner would let people in; what they may do then is what the drill asks. */
function letIn(store: Store, channel: string): void {
  const tables = openPairingTables(store);
  const base = { channel, account: 'default', title: 'drill', was: null, limits: null, untilMs: null, grantedAtMs: 0 };
  store.commit(() => {
    for (const { sender, group, role } of Object.values(PEOPLE)) {
      if (role !== undefined) tables.put({ ...base, kind: 'person', subject: sender, role, members: false });
      if (group !== undefined) tables.put({ ...base, kind: 'group', subject: group, role: 'group', members: true });
    }
  });
}

const onPage = (session: string, text: string, messageId: string): Omit<InboundMessage, 'receivedAtMs'> => ({
  ...{
    channel: WEBCHAT,
    account: 'gateway',
    chat: session,
    messageId,
    chatType: 'direct',
    assurance: 'operator',
    text,
  },
  ...{ sender: { id: 'owner' }, label: label('owner', 'owner', WEBCHAT) },
});

function onChannel(channel: string, said: Said, messageId: string, receivedAtMs: number): InboundMessage {
  const { sender = '', group } = PEOPLE[said.from] ?? {};
  return {
    ...{ channel, account: 'default', messageId, receivedAtMs, text: said.text, assurance: 'platform' },
    ...{ chat: group ?? sender, chatType: group === undefined ? 'direct' : 'group' },
    sender: { id: sender, ...(said.display === '' ? {} : { display: said.display }) },
    ...(said.title === '' ? {} : { chatTitle: said.title }),
    ...(said.quoted === '' ? {} : { quoted: { senderId: null, text: said.quoted } }),
    ...(group === undefined ? {} : { addressed: { mention: true, replyToBot: false } }),
    label: label('untrusted', 'owner', `${channel}:${sender}`),
  };
}

/** A turn that broke stopped nobody: then the drill has nothing to say. Going in circles is an end like another. */
function endOf(outcome: RunOutcome | null): null {
  if (outcome !== null && (outcome.status !== 'error' || outcome.error?.kind === 'loop')) return null;
  throw new HardshellError({
    code: 'DRILL_BROKEN',
    message: `a turn of the drill did not come to its end: ${outcome?.error?.message ?? 'it took too long'}`,
    fix: 'openclaw doctor',
    exitCode: 3,
  });
}

function ruleOf(facts: string | undefined): Declined {
  const { rule = {} } = JSON.parse(facts ?? '{}') as { rule?: Partial<Declined> };
  return { code: rule.code ?? 'DECLINED', at: rule.at ?? '', reason: rule.reason ?? 'it was not let in' };
}

/** All that gives somebody or something more rights. */
const rightsIn = (store: Store): number =>
  [...STANDING, 'mcp_tools', 'invites'].reduce(
    (sum, table) => sum + Number(store.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n'] ?? 0),
    0,
  );
