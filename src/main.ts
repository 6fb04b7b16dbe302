// Owns the composition: opens the state, then the powers, wires the core, opens the gateway, and takes all of it down in
// reverse. core.ts wires the way of a message, backend.ts the gateway's view; nothing here decides anything.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import manifest from '../package.json' with { type: 'json' };
import { openPairingKey } from './access/key.ts';
import { createPromptBuilder, guestIn, STARTER_FILES } from './agent/prompt.ts';
import { createBackend } from './backend.ts';
import { openBoxes } from './boxes/boxes.ts';
import { createBrowsing } from './browsing/browsing.ts';
import type { Platforms } from './channels/platforms.ts';
import { settlePendingAtStart } from './config/edit/settle.ts';
import { secretValues } from './config/load.ts';
import { type Env, type Paths, portFromEnv, resolvePaths } from './config/paths.ts';
import { followZones } from './config/zones.ts';
import { type Core, createCore } from './core.ts';
import { type Gateway, startGateway } from './gateway/server.ts';
import { createHide } from './hiding.ts';
import { createLiveConfig } from './live-config.ts';
import { type Log, openLog } from './log/log.ts';
import { createRedactor } from './log/redact.ts';
import { createMcp } from './mcp/mcp.ts';
import { openModels } from './models/open.ts';
import type { Dangerously } from './net/web/fetch-page.ts';
import type { Web } from './net/web/web.ts';
import { createUndo } from './ops/checkpoints/undo.ts';
import { panicLine, readPanic } from './ops/panic/panic.ts';
import { openOutgoing } from './outward/outgoing.ts';
import { createPanic, LIFT, type PanicDesk } from './panicking.ts';
import { createPerimeter } from './perimeter.ts';
import { acquireLock, type Lock } from './platform/lock.ts';
import { openRoot, type Root } from './platform/root.ts';
import { foldersShown } from './policy/paths.ts';
import { createRemembering } from './remembering.ts';
import { createRunning } from './running/running.ts';
import { MAIN } from './sandbox/pool/plan.ts';
import { prepareWorkspace, workspaceOwner } from './sandbox/workspace.ts';
import { openSettings } from './settings.ts';
import { createLiveSkills } from './skills/live.ts';
import { createStatus } from './status.ts';
import { openApprovedTools } from './store/approvals/server-tools.ts';
import { prepareState, refuseWideWorkspace } from './store/folders.ts';
import { markRunning } from './store/open.ts';
import { openOrRestore } from './store/rescue/restore.ts';
import { createTooling } from './tooling.ts';
import { keepUp, snapshot } from './upkeep/upkeep.ts';

export type RunOptions = {
  readonly port?: number;
  readonly env: Env;
  readonly announce: (line: string) => void;
  /** it only shows that it would come up: no channel, no server of tools, no turn, only this machine may ask */
  readonly rehearsal?: true;
  /** for tests alone: platforms at other addresses; no setting reaches it */
  readonly platforms?: Platforms;
  /** for tests alone: pages on this machine */
  readonly dangerousWeb?: Dangerously;
};
/** `again`: it has to be started anew, in the way that the state folder now says. */
export type Ended = 'stopped' | 'again';
export type RunningGateway = {
  readonly url: string;
  readonly port: number;
  stop(reason: string): Promise<void>;
  readonly done: Promise<Ended>;
};

const STOP_GRACE_MS = 1_500;
const SEND_GRACE_MS = 2_000;
/** What is left to finish when everything has to stop. */
const PANIC_GRACE_MS = 300;

export async function runGateway(options: RunOptions): Promise<RunningGateway> {
  process.umask(0o077);
  const startedAtMs = Date.now();
  const paths = resolvePaths(options.env);
  prepareState(paths);
  const lock = acquireLock(paths.lockPath, startedAtMs);
  const opened = new AsyncDisposableStack();
  opened.defer(lock.release);
  try {
    return await run({ ...options, startedAtMs, paths, lock, opened });
  } catch (error) {
    // The first failure is the one worth reporting.
    await opened.disposeAsync().catch(() => {});
    throw error;
  }
}

/** What every stage of the start is given; each puts what it opens on `opened`, which is closed in reverse. */
type Start = RunOptions & {
  readonly startedAtMs: number;
  readonly paths: Paths;
  readonly lock: Lock;
  readonly opened: AsyncDisposableStack;
};
type State = Awaited<ReturnType<typeof openState>>;
type Powers = Awaited<ReturnType<typeof openPowers>>;

async function run(start: Start): Promise<RunningGateway> {
  const { announce, startedAtMs, paths, lock, opened } = start;
  const state = await openState(start);
  const { log, store, settings } = state;
  const powers = await openPowers(start, state);
  const panic = createPanic(paths.stateDir, log, Date.now);
  const core = wireCore(start, state, powers, panic);
  // What is owed stands first in its lane, and is counted, before anybody can hand in more; none of it runs yet.
  core.lanes.hold();
  core.delivery.hold();
  const resumed = core.intake.resume();
  let stopping = false;
  const gateway = await openGateway(start, state, powers, core, panic, () => stopping);
  lock.announce(gateway.port, gateway.port !== settings.loaded.config.gateway.port);
  warnRoot(announce, log);
  // A password is the person's own and known to them: it is not put where somebody may read along.
  announce(`ready: ${gateway.url}/${settings.authMode === 'token' ? `#token=${settings.token.current()}` : ''}`);
  log.info('gateway ready', { port: gateway.port, ms: Date.now() - startedAtMs, version: manifest.version });
  // It came up and listens: that is the proof a crash had left open.
  if (state.pending.state === 'prove') powers.live.proved();

  const { promise: done, resolve: finished } = Promise.withResolvers<Ended>();
  /** Turns first, then what they use, with a snapshot of how it ended. */
  const stop = async (reason: string, how: Ended = 'stopped', graceMs?: number): Promise<void> => {
    if (stopping) return void (await done);
    stopping = true;
    log.info('gateway stopping', { reason });
    endUpkeep();
    await core.lanes.stop(graceMs ?? STOP_GRACE_MS);
    await core.delivery.stop(graceMs ?? SEND_GRACE_MS);
    await powers.perimeter.close();
    await gateway.close(reason);
    await snapshot(store, paths, log);
    await opened.disposeAsync();
    finished(how);
  };
  let endUpkeep = (): void => {};
  panic.attach({
    ...{ core, running: powers.running },
    restart: (reason) => void stop(reason, 'again', PANIC_GRACE_MS),
    end: (reason) => void stop(reason, 'stopped', PANIC_GRACE_MS),
  });
  const handle = { url: gateway.url, port: gateway.port, done, stop: (reason: string) => stop(reason) };
  // Everything was stopped by hand: nothing hears, thinks or sends until that is lifted.
  const stopped = panic.state();
  if (stopped !== null) {
    announce(`WARNING: ${panicLine(stopped)}; nothing is heard, thought or sent until: ${LIFT}`);
    return handle;
  }

  if (start.rehearsal) return handle;
  // Channels first: what is owed to one that does not run yet would have failed.
  const { receive: emit, groupChanged, chatMoved, recheck, channelLost } = core;
  await powers.perimeter.open({ emit, groupChanged, chatMoved, recheck, channelLost });
  await powers.mcp.open();
  core.delivery.resume();
  core.lanes.release();
  core.releaseHeld();
  if (resumed > 0) log.info('resumed unfinished messages', { count: resumed });
  endUpkeep = keepUp(core, store, paths, log, {
    ...{ env: start.env, config: () => powers.live.current().config.backup },
    ...{ checkConfig: powers.live.check, pruneUndo: powers.undo.prune },
    async tidyTrash() {
      powers.outgoing.tidy(new Set(core.outbox.open().flatMap(({ files }) => files.map(({ path }) => path))));
      await (await powers.running.trash()).tidy();
    },
  });

  return handle;
}

/** Settings, log, database: what must be sound before anything is built on it. */
async function openState({ env, announce, startedAtMs, paths, opened }: Start) {
  // A change of the configuration that a crash or a stop left open is finished or taken back before anything reads it.
  const pending = settlePendingAtStart(paths, startedAtMs);
  if (pending.state === 'returned')
    announce(`WARNING: the last change of the configuration was taken back: ${pending.reason}`);
  const redactor = createRedactor();
  const settings = await openSettings(paths, env, redactor, (error) =>
    error
      ? log.error('the token file is not usable, the running token stays', { error })
      : log.info('gateway token rotated'),
  );
  const { config } = settings.loaded;
  const echo =
    env['OPENCLAW_LOG_ECHO'] === '1' ? { echo: (line: string) => void process.stderr.write(`${line}\n`) } : {};
  const log: Log = openLog({ folder: paths.logsDir, ...config.logging, redactor, ...echo });
  opened.defer(log.close);
  for (const warning of settings.warnings) {
    announce(`WARNING: ${warning}`);
    log.warn(warning);
  }
  const database = openOrRestore(paths.databasePath, paths.snapshotsDir, new Date(startedAtMs));
  const { store } = database;
  opened.defer(() => store.close());
  store.onFailure((error) => log.error('a late write failed', { error }));
  markRunning(store);
  if (database.told !== null) {
    announce(`WARNING: ${database.told}`);
    log.error(database.told);
  }
  return { pending, redactor, settings, config, log, database, store, hide: createHide(redactor.sure, settings.look) };
}

/** What the assistant can use: its folder, the box for its commands, the models. */
async function openPowers(start: Start, { settings, config, log, redactor, store }: State) {
  const { paths, opened, platforms, dangerousWeb } = start;
  const workspaceDir = (!start.rehearsal && config.agents.defaults.workspace) || paths.workspaceDir;
  refuseWideWorkspace(workspaceDir, paths);
  const workspace = await openWorkspace(workspaceDir);
  opened.defer(workspace.close);
  const live = createLiveConfig({
    settings,
    paths,
    log,
    openModels(next) {
      for (const secret of secretValues(next)) redactor.add(secret);
      return openModels({
        settings: next,
        keyFor: settings.keyFor,
        fetch: globalThis.fetch,
        onNotice: (text, fields) => log.warn(text, fields),
      });
    },
    applied(next) {
      if (readPanic(paths.stateDir) !== null) return;
      void perimeter.apply(next);
      mcp.apply();
      browsing.apply();
    },
  });
  opened.defer(live.close);
  const zones = followZones(() => live.current().config, { ...paths, workspace: workspace.path });
  const sandboxes = openBoxes({
    ...{ paths, workspace, zones, env: settings.env },
    config: () => live.current().config,
  });
  opened.defer(sandboxes.close);
  const remembering = createRemembering({
    ...{ store, workspace, redactor, sandboxes, now: Date.now },
    config: () => live.current().config,
  });
  remembering.provenance.seed(STARTER_FILES);
  const outgoing = openOutgoing(join(paths.stateDir, 'outgoing'), Date.now);
  const perimeter = createPerimeter({
    ...{ store, log, paths, outgoing, env: settings.env, now: Date.now },
    config: () => live.current().config,
    hide: redactor.add,
    rootOf: sandboxes.rootOf,
    ...(platforms ? { platforms } : {}),
  });
  opened.defer(perimeter.close);
  const running = createRunning({
    ...{ now: Date.now, workspace, config: () => live.current().config },
    openBox: () => sandboxes.forCall({ ...MAIN, sessionKey: 'agent:main:trash' }, true),
  });
  opened.defer(running.close);
  const undo = createUndo({ stateDir: paths.stateDir, workspaceDir: workspace.path, ...workspaceOwner(), log });
  opened.defer(undo.close);
  const mcp = createMcp({
    ...{ version: manifest.version, now: Date.now, warn: log.warn },
    config: () => live.current().config.mcp,
    openTable: () => openApprovedTools(store),
    openBox: (name, { workspace: access, allowedHosts }) =>
      sandboxes.openApart(`mcp:${name}`, access, allowedHosts, `mcp.servers.${name}.allowedHosts`),
  });
  opened.defer(mcp.close);
  const ownPorts = ownPortsOf(start, config);
  const browsing = createBrowsing({
    ...{ stateDir: paths.stateDir, env: settings.env, ownPorts, dangerously: dangerousWeb, warn: log.warn },
    config: () => live.current().config,
  });
  opened.defer(browsing.close);
  const skills = createLiveSkills({
    ...{ stateDir: paths.stateDir, workspace: workspace.path, warn: log.warn },
    settings: () => live.current().config.skills,
  });
  return { workspace, sandboxes, running, undo, skills, mcp, browsing, live, perimeter, outgoing, remembering };
}

function wireCore(
  start: Start,
  { config, log, store, hide }: State,
  { workspace, sandboxes, running, undo, skills, mcp, browsing, live, perimeter, outgoing, remembering }: Powers,
  panic: PanicDesk,
): Core {
  const { paths, dangerousWeb } = start;
  const now = Date.now;
  const promptFor = createPromptBuilder(workspace, remembering.provenance);
  let web: Promise<Web> | undefined;
  const openWeb = async (): Promise<Web> =>
    (await import('./net/web/web.ts')).createWeb({
      settings: () => live.current().config.tools.web,
      ownPorts: ownPortsOf(start, config),
      ...(dangerousWeb ? { dangerously: dangerousWeb } : {}),
    });
  const { tools, toolCaller } = createTooling({
    ...{ log, remembering, sandboxes, running, undo, skills, mcp, browsing },
    live: () => live.current().config,
    web: () => (web ??= openWeb()),
    canSend: () => perimeter.hasChannels(),
    mailboxOf: perimeter.mailboxOf,
  });
  const core = createCore({
    store,
    log,
    hide,
    now,
    models: live.models,
    tools,
    toolCaller,
    undo: undo.inChat,
    rechecked: running.recheck,
    elevation: running.elevation,
    panic: (by) => void panic.raise(by, ''),
    config: () => live.current().config,
    pairingKey: openPairingKey(paths.credentialsDir),
    ...perimeter.forCore,
    outgoing,
    get maxOutputTokens() {
      return live.current().config.agents.defaults.maxOutputTokens;
    },
    prompt(turn) {
      const guest = guestIn(turn.speaker);
      const folders = guest === null ? foldersShown(sandboxes.zonesOf(turn)) : '';
      const listed = sandboxes.planOf(turn).access === 'none' ? null : skills.listed();
      return promptFor({ sessionKey: turn.sessionKey, nowMs: now(), guest, folders, skills: listed });
    },
  });
  undo.attach(core);
  running.recordWith(core.journal.record);
  remembering.recordWith(core.journal.record);
  mcp.recordWith(core.journal.record);
  skills.recordWith(core.journal.record);
  browsing.recordWith(core.journal.record);
  sandboxes.recordWith(core.journal.record);
  live.recordWith(core.journal.record);
  const { exists, hash } = live.current();
  core.journal.record('gateway.started', { version: manifest.version, config: exists ? hash : 'none' });
  core.runs.subscribe((event) => {
    if (event.type === 'session.changed') running.sessionChanged(event.sessionKey, event.reason);
  });
  return core;
}

async function openGateway(
  { port, startedAtMs, paths, opened, rehearsal }: Start,
  { settings, config, log, database }: State,
  { workspace, sandboxes, running, undo, mcp, live, perimeter, remembering }: Powers,
  core: Core,
  panic: PanicDesk,
  stopping: () => boolean,
): Promise<Gateway> {
  const { models } = live;
  const about = { version: manifest.version, startedAtMs, now: Date.now, models };
  const list = () => perimeter.reports(core);
  const status = createStatus({
    ...{ ...about, paths, core, live, sandbox: sandboxes.known, opened: database, channels: list },
    elevated: running.elevation.open,
    mcp: mcp.report,
    panic: panic.state,
    unvouched: remembering.unvouched,
  });
  const gateway = await startGateway({
    backend: createBackend({
      ...core,
      ...about,
      running,
      workspaceDir: workspace.path,
      logFile: log.file,
      config: live.current,
      status,
      undo,
      remembering,
      mcp,
      sandboxes,
      channels: { list, probe: panic.unlessStopped(perimeter.probe), linking: perimeter.linking },
      stopping,
      panic,
    }),
    hosts: rehearsal ? ['127.0.0.1'] : settings.hosts,
    port: port ?? portFromEnv(settings.env) ?? config.gateway.port,
    authMode: settings.authMode,
    token: settings.token.current,
    isPreviousToken: settings.token.isPrevious,
    ready: () => !stopping(),
    allowedOrigins: config.gateway.controlUi.allowedOrigins,
    uiFolder: config.gateway.controlUi.enabled ? findPage() : null,
    log,
    hide: core.hide.text,
  });
  opened.defer(() => gateway.close('the start failed'));
  return gateway;
}

/** What no page is ever read from. */
const ownPortsOf =
  ({ port, env }: Start, { gateway }: State['config']) =>
  (): readonly number[] => [port ?? portFromEnv(env) ?? gateway.port];

async function openWorkspace(dir: string): Promise<Root> {
  prepareWorkspace(dir);
  const root = await openRoot(dir, workspaceOwner());
  for (const [name, text] of Object.entries(STARTER_FILES)) {
    // Whatever stands there already, even something unreadable, is the owner's.
    const present = await root.tryRead(name, 1_000_000).catch(() => Buffer.alloc(0));
    if (present === null) await root.create(name, text);
  }
  return root;
}

function warnRoot(announce: (line: string) => void, log: Log): void {
  if (process.getuid?.() !== 0) return;
  announce(
    'WARNING: running as root. Commands of the assistant still run as nobody, but give the gateway a user of its own.',
  );
  log.warn('running as root');
}

/** The built page: dist/ui, seen from src/ or from a chunk of the bundle. The page's sources have no assets folder. */
function findPage(): string | null {
  for (const candidate of ['../dist/ui/', '../ui/']) {
    const folder = fileURLToPath(new URL(candidate, import.meta.url));
    if (existsSync(join(folder, 'assets')) && existsSync(join(folder, 'index.html'))) return folder;
  }
  return null;
}
