// Owns the composition: what opening/ opened is wired to the core, the gateway is opened, and all of it is taken down in
// reverse. core.ts wires the way of a message, backend.ts the gateway's view; nothing here decides anything.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import manifest from '../package.json' with { type: 'json' };
import { openPairingKey } from './access/key.ts';
import { createPromptBuilder, guestIn } from './agent/prompt.ts';
import { createBackend } from './backend.ts';
import { portFromEnv, resolvePaths } from './config/paths.ts';
import { type Core, createCore } from './core.ts';
import { type Gateway, startGateway } from './gateway/server.ts';
import type { Log } from './log/log.ts';
import type { Web } from './net/web/web.ts';
import { openPowers, ownPortsOf, type Powers } from './opening/powers.ts';
import { openState, type RunOptions, type Start, type State } from './opening/state.ts';
import { panicLine } from './ops/panic/panic.ts';
import { createPanic, LIFT, type PanicDesk } from './panicking.ts';
import { acquireLock } from './platform/lock.ts';
import { foldersShown } from './policy/paths.ts';
import { createStatus } from './status.ts';
import { prepareState } from './store/folders.ts';
import { createTooling } from './tooling.ts';
import { type Audits, createAudits } from './upkeep/audits.ts';
import { keepUp, snapshot } from './upkeep/upkeep.ts';

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
    return await run({ ...options, startedAtMs, paths, lock, opened, fetch: globalThis.fetch });
  } catch (error) {
    // The first failure is the one worth reporting.
    await opened.disposeAsync().catch(() => {});
    throw error;
  }
}

async function run(start: Start): Promise<RunningGateway> {
  const { announce, startedAtMs, paths, lock, opened } = start;
  const state = await openState(start);
  const { log, store, settings } = state;
  const powers = await openPowers(start, state);
  const panic = createPanic(paths.stateDir, log, Date.now, state.hide.text);
  const core = wireCore(start, state, powers, panic);
  // What is owed stands first in its lane, and is counted, before anybody can hand in more; none of it runs yet.
  core.lanes.hold();
  core.delivery.hold();
  const resumed = core.intake.resume();
  let stopping = false;
  const audits = auditsOf(start, state, powers);
  const gateway = await openGateway(start, state, powers, core, panic, audits, () => stopping);
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
  // Somebody may have stopped everything while those came up.
  if (panic.state() !== null) return handle;
  core.delivery.resume();
  core.lanes.release();
  core.releaseHeld();
  if (resumed > 0) log.info('resumed unfinished messages', { count: resumed });
  endUpkeep = keepUp(core, store, paths, log, {
    ...{ env: start.env, config: () => powers.live.current().config.backup },
    ...{ audits, checkConfig: powers.live.check, pruneUndo: powers.undo.prune },
    async tidyTrash() {
      powers.outgoing.tidy(new Set(core.outbox.open().flatMap(({ files }) => files.map(({ path }) => path))));
      await (await powers.running.trash()).tidy();
    },
  });
  return handle;
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

const auditsOf = ({ env, paths }: Start, { log }: State, { live }: Powers): Audits =>
  createAudits({
    ...{ paths, env, log, version: manifest.version, now: Date.now },
    configHash: () => live.current().hash,
  });

async function openGateway(
  { port, startedAtMs, paths, opened, rehearsal }: Start,
  { settings, config, log, database }: State,
  { workspace, sandboxes, running, undo, mcp, live, perimeter, remembering }: Powers,
  core: Core,
  panic: PanicDesk,
  audits: Audits,
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
    audits: audits.repairs,
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
