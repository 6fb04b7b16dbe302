// Owns the composition: opens the state, builds every part, hands them to each other, and takes them down in reverse.
// It holds no logic that a test would want to reach; core.ts wires the way of a message, backend.ts the gateway's view.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import manifest from '../package.json' with { type: 'json' };
import { createPromptBuilder, STARTER_FILES } from './agent/prompt.ts';
import { createBackend } from './backend.ts';
import { webchat } from './channels/webchat.ts';
import { provePending, settlePendingAtStart } from './config/edit/settle.ts';
import { type Env, type Paths, portFromEnv, resolvePaths } from './config/paths.ts';
import { type Core, createCore } from './core.ts';
import { type Gateway, startGateway } from './gateway/server.ts';
import { createLiveConfig } from './live-config.ts';
import { type Log, openLog } from './log/log.ts';
import { createRedactor } from './log/redact.ts';
import { openModels } from './models/open.ts';
import { reasonOf } from './platform/errors.ts';
import { ensureFolder } from './platform/files.ts';
import { acquireLock, type Lock } from './platform/lock.ts';
import { openRoot, type Root } from './platform/root.ts';
import { decide, STEERING_FILES } from './policy/decide.ts';
import { judgeTool, type ToolVerdict } from './policy/tool-policy.ts';
import { openSandboxes, type Sandboxes } from './sandbox/choose.ts';
import { prepareWorkspace, workspaceOwner } from './sandbox/workspace.ts';
import { openSettings } from './settings.ts';
import { createStatus } from './status.ts';
import { prepareState, refuseWideWorkspace } from './store/folders.ts';
import { markRunning, type Store } from './store/open.ts';
import { openOrRestore } from './store/restore.ts';
import { takeSnapshot } from './store/snapshots.ts';
import { createToolCaller } from './tools/call.ts';
import { TOOLS, toolSchemas } from './tools/registry.ts';

export type RunOptions = { readonly port?: number; readonly env: Env; readonly announce: (line: string) => void };
export type RunningGateway = {
  readonly url: string;
  readonly port: number;
  stop(reason: string): Promise<void>;
  readonly done: Promise<void>;
};

const SNAPSHOT_EVERY_MS = 60 * 60_000;
const FIRST_SNAPSHOT_MS = 30_000;
const KEEP_FINISHED_MS = 30 * 24 * 60 * 60_000;
const STOP_GRACE_MS = 1_500;

export async function runGateway(options: RunOptions): Promise<RunningGateway> {
  process.umask(0o077);
  const startedAtMs = Date.now();
  const paths = resolvePaths(options.env);
  prepareState(paths);
  const lock = acquireLock(paths.lockPath, startedAtMs);
  const undo: (() => void)[] = [lock.release];
  try {
    return await compose(options, paths, startedAtMs, lock, undo);
  } catch (error) {
    for (const step of undo.reverse()) step();
    throw error;
  }
}

async function compose(
  { port, env, announce }: RunOptions,
  paths: Paths,
  startedAtMs: number,
  lock: Lock,
  undo: (() => void)[],
): Promise<RunningGateway> {
  const now = Date.now;
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
  for (const warning of settings.warnings) {
    announce(`WARNING: ${warning}`);
    log.warn(warning);
  }

  const opened = openOrRestore(paths.databasePath, paths.snapshotsDir, new Date(startedAtMs));
  const { store } = opened;
  undo.push(() => store.close());
  store.onFailure((error) => log.error('a late write failed', { error }));
  markRunning(store);
  if (opened.told !== null) {
    announce(`WARNING: ${opened.told}`);
    log.error(opened.told);
  }

  const workspaceDir = config.agents.defaults.workspace ?? paths.workspaceDir;
  refuseWideWorkspace(workspaceDir, paths);
  const workspace = await openWorkspace(workspaceDir);
  const sandboxes = openSandboxes(workspaceDir, config.tools.exec, {
    hidden: [paths.stateDir, paths.configPath],
    fixedFiles: STEERING_FILES,
  });
  const live = createLiveConfig({
    settings,
    paths,
    log,
    openModels: (next) =>
      openModels({
        settings: next,
        keyFor: settings.keyFor,
        fetch: globalThis.fetch,
        onNotice: (text, fields) => log.warn(text, fields),
      }),
  });
  undo.push(live.close);
  const { models } = live;
  const promptFor = createPromptBuilder(workspace);
  // Webchat is the owner's direct chat; other places come with other channels.
  const judge = (name: string): ToolVerdict => judgeTool(name, config.tools, 'dm');
  const core = createCore({
    store,
    log,
    now,
    models,
    // What is denied is not offered either; the decision below holds all the same.
    tools: toolSchemas(TOOLS.filter(({ name }) => judge(name).rule !== 'deny')),
    channels: [webchat],
    get maxOutputTokens() {
      return live.current().config.agents.defaults.maxOutputTokens;
    },
    prompt: (turn) => promptFor({ sessionKey: turn.sessionKey, nowMs: now() }),
    toolCaller: ({ approvals, ...hooks }) =>
      createToolCaller({
        ...hooks,
        failed: (call, error) => log.error('tool failed', { tool: call.name, error }),
        tools: TOOLS,
        decide: (call, effects) => decide(call, effects, judge(call.name)),
        openEnv: async (signal) => ({ workspace, signal, ...(await sandboxes.current()) }),
        askOwner: (call, reason, signal) =>
          approvals.ask(
            { runId: call.turnId, sessionKey: call.sessionKey, tool: call.name, reason, args: call.args },
            signal,
          ),
      }),
  });

  let stopping = false;
  const status = createStatus({
    version: manifest.version,
    startedAtMs,
    now,
    paths,
    core,
    models,
    live,
    sandbox: sandboxes.known,
    opened,
  });
  const backend = createBackend({
    ...core,
    version: manifest.version,
    startedAtMs,
    workspaceDir,
    logFile: log.file,
    config: live.current,
    models,
    now,
    status,
    stopping: () => stopping,
  });
  const gateway = await startGateway({
    backend,
    hosts: settings.hosts,
    port: port ?? portFromEnv(settings.env) ?? config.gateway.port,
    token: settings.token.current,
    isPreviousToken: settings.token.isPrevious,
    ready: () => !stopping,
    allowedOrigins: config.gateway.controlUi.allowedOrigins,
    uiFolder: config.gateway.controlUi.enabled ? findPage() : null,
    log,
  });
  lock.announce(gateway.port);
  warnRoot(announce, log);
  announce(`ready: ${gateway.url}/#token=${settings.token.current()}`);
  log.info('gateway ready', { port: gateway.port, ms: Date.now() - startedAtMs, version: manifest.version });
  // It came up and listens: that is the proof a crash had left open.
  if (pending.state === 'prove') await provePending({ paths, env: settings.given, now, by: 'gateway' }, config);

  if (pending.state === 'prove') live.proved();
  core.delivery.resume();
  const resumed = core.intake.resume();
  if (resumed > 0) log.info('resumed unfinished messages', { count: resumed });
  const endUpkeep = keepUp(core, store, paths, log, live.check);

  const { promise: done, resolve: finished } = Promise.withResolvers<void>();
  const stop = async (reason: string): Promise<void> => {
    if (stopping) return done;
    stopping = true;
    log.info('gateway stopping', { reason });
    endUpkeep();
    live.close();
    await takeDown({ core, store, gateway, sandboxes, workspace, paths, log }, reason);
    log.close();
    lock.release();
    finished();
  };
  return { url: gateway.url, port: gateway.port, done, stop };
}

type Parts = {
  core: Core;
  store: Store;
  gateway: Gateway;
  sandboxes: Sandboxes;
  workspace: Root;
  paths: Paths;
  log: Log;
};

/** Turns first, then what they use; the database last, with a snapshot of how it ended. */
async function takeDown(
  { core, store, gateway, sandboxes, workspace, paths, log }: Parts,
  reason: string,
): Promise<void> {
  await core.lanes.stop(STOP_GRACE_MS);
  await core.delivery.settled();
  await gateway.close(reason);
  await sandboxes.close();
  await workspace.close();
  await takeSnapshot(store, paths.snapshotsDir, new Date()).catch((error: unknown) =>
    log.warn('no snapshot taken', { reason: reasonOf(error) }),
  );
  store.close();
}

/** Snapshots, pruning and log rotation from outside. Returns the way to end it. */
function keepUp({ inbox, outbox }: Core, store: Store, paths: Paths, log: Log, checkConfig: () => void): () => void {
  const tidy = (): void => {
    store.defer(() => {
      inbox.pruneBefore(Date.now() - KEEP_FINISHED_MS);
      outbox.pruneBefore(Date.now() - KEEP_FINISHED_MS);
    });
    takeSnapshot(store, paths.snapshotsDir, new Date()).catch((error: unknown) =>
      log.warn('no snapshot taken', { reason: reasonOf(error) }),
    );
  };
  const first = setTimeout(tidy, FIRST_SNAPSHOT_MS).unref();
  const each = setInterval(tidy, SNAPSHOT_EVERY_MS).unref();
  const onHangup = (): void => {
    log.reopen();
    checkConfig();
  };
  process.on('SIGHUP', onHangup);
  return () => {
    clearTimeout(first);
    clearInterval(each);
    process.off('SIGHUP', onHangup);
  };
}

async function openWorkspace(dir: string): Promise<Root> {
  ensureFolder(dir);
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
