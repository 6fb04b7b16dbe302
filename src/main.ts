// Owns the composition: constructs every part and hands them to each other, in the order of the way of a message. The
// only file that does; it holds no logic that a test would want to reach.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import manifest from '../package.json' with { type: 'json' };
import { type AdmittedMessage, admit } from './access/admit.ts';
import { runTurn } from './agent/loop.ts';
import { buildPrompt, STARTER_FILES } from './agent/prompt.ts';
import { createBackend, waitingOf } from './backend.ts';
import { createDelivery } from './channels/delivery.ts';
import { createIntake } from './channels/intake.ts';
import { webchat } from './channels/webchat.ts';
import { type LoadedConfig, loadConfig, secretValues } from './config/load.ts';
import { type Env, type Paths, resolvePaths } from './config/paths.ts';
import { startGateway } from './gateway/server.ts';
import { openJournal } from './journal/journal.ts';
import { type Log, openLog } from './log/log.ts';
import { createRedactor, type Redactor } from './log/redact.ts';
import { openModels } from './models/open.ts';
import { HardshellError, reasonOf } from './platform/errors.ts';
import { ensureFolder, replaceFile } from './platform/files.ts';
import { acquireLock } from './platform/lock.ts';
import { openRoot, type Root } from './platform/root.ts';
import { createApprovals } from './policy/approvals.ts';
import { decide } from './policy/decide.ts';
import { createRuns } from './runs.ts';
import { openSandboxes } from './sandbox/choose.ts';
import { ensureGatewayToken } from './secrets/gateway-token.ts';
import { findProviderKey } from './secrets/provider-keys.ts';
import { createDirectory } from './sessions/directory.ts';
import { createLanes } from './sessions/lanes.ts';
import { createRunner } from './sessions/runner.ts';
import { createStatus } from './status.ts';
import { openInbox } from './store/inbox.ts';
import { markRunning } from './store/open.ts';
import { openOutbox } from './store/outbox.ts';
import { openSessions } from './store/sessions.ts';
import { openOrRestore, takeSnapshot } from './store/snapshots.ts';
import { openToolCalls } from './store/tool-calls.ts';
import { openTranscripts } from './store/transcripts.ts';
import { openUsage } from './store/usage.ts';
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
const KEEP_FINISHED_MS = 30 * 24 * 60 * 60_000;
const STOP_GRACE_MS = 1_500;

export async function runGateway({ port, env, announce }: RunOptions): Promise<RunningGateway> {
  process.umask(0o077);
  const startedAtMs = Date.now();
  const now = Date.now;
  const paths = resolvePaths(env);
  prepareState(paths);
  const lock = acquireLock(paths.lockPath, startedAtMs);
  try {
    return await compose();
  } catch (error) {
    lock.release();
    throw error;
  }

  async function compose(): Promise<RunningGateway> {
    const config = loadConfig(paths, env);
    const settings = config.config;
    const redactor = createRedactor();
    const log = openGatewayLog(config, paths, redactor, env);
    const token = ensureGatewayToken(paths, env, settings.gateway.auth.token);
    for (const secret of [token, ...secretValues(settings)]) redactor.add(secret);

    const opened = openOrRestore(paths.databasePath, paths.snapshotsDir, new Date(startedAtMs));
    const { store } = opened;
    const journal = openJournal(store, now);
    const [inbox, outbox, transcripts, sessions] = [
      openInbox(store),
      openOutbox(store),
      openTranscripts(store),
      openSessions(store),
    ];
    const [toolCalls, usage] = [openToolCalls(store), openUsage(store)];
    store.onFailure((error) => log.error('a late write failed', { error }));
    markRunning(store);
    reportRestore(opened, announce, log);

    const workspaceDir = settings.agents.defaults.workspace ?? paths.workspaceDir;
    const workspace = await openWorkspace(workspaceDir);
    const sandboxes = openSandboxes(workspaceDir);
    const keyFor = (id: string, configured?: string): string | undefined => {
      const key = findProviderKey(id, configured, paths.credentialsDir, env);
      if (key) redactor.add(key);
      return key;
    };
    const models = openModels({
      settings,
      keyFor,
      fetch: globalThis.fetch,
      onNotice: (text, fields) => log.warn(text, fields),
    });

    const runs = createRuns();
    const approvals = createApprovals({
      journal,
      now,
      requested: (approval) => runs.publish({ type: 'approval.requested', approval }),
      resolved: ({ id, sessionKey }, decision) => runs.publish({ type: 'approval.resolved', id, sessionKey, decision }),
    });
    const directory = createDirectory({
      store,
      sessions,
      transcripts,
      journal,
      now,
      isBusy: (key) => lanes.activeRunIds(key).length + lanes.waitingIn(key) > 0,
      knowsModel: (name) => models.list().some((m) => `${m.provider}/${m.id}` === name),
      changed: (sessionKey, reason) => runs.publish({ type: 'session.changed', sessionKey, reason }),
    });

    const callTool = createToolCaller({
      tools: TOOLS,
      decide,
      openEnv: async (signal) => ({ workspace, signal, limits: settings.tools.exec, ...(await sandboxes.current()) }),
      askOwner: (question, signal) =>
        approvals.ask(
          {
            runId: question.call.turnId,
            sessionKey: question.call.sessionKey,
            tool: question.call.name,
            reason: question.reason,
            args: question.call.args,
          },
          signal,
        ),
      decided: (call, decision) => {
        const why = decision.kind === 'allow' ? {} : { code: decision.code };
        journal.record('tool.decided', {
          run: call.turnId,
          call: call.callId,
          tool: call.name,
          decision: decision.kind,
          ...why,
        });
      },
      started: (call, effects) =>
        runner.persist(call.sessionKey, () =>
          toolCalls.start({
            runId: call.turnId,
            callId: call.callId,
            name: call.name,
            args: call.args,
            effects,
            atMs: now(),
            label: call.context,
          }),
        ),
      ended: (call) => store.defer(() => toolCalls.close(call.turnId, call.callId, 'done', now())),
    });

    const delivery = createDelivery({ store, outbox, channels: new Map([[webchat.id, webchat]]), log });
    const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const tools = toolSchemas(TOOLS);
    const runner = createRunner({
      store,
      sessions,
      transcripts,
      directory,
      inbox,
      outbox,
      toolCalls,
      usage,
      journal,
      log,
      now,
      think: (turn) =>
        runTurn(turn, {
          models,
          tools,
          maxOutputTokens: settings.agents.defaults.maxOutputTokens,
          prompt: (t) => buildPrompt(workspace, { sessionKey: t.sessionKey, nowMs: now(), timeZone }),
          callTool,
        }),
      deliver: delivery.enqueue,
      emit: runs.emit,
      onMessage: runs.message,
      ended: (record, reply) => {
        approvals.forget(record.runId);
        runs.ended(record, reply);
        runs.publish({ type: 'session.changed', sessionKey: record.sessionKey, reason: 'updated' });
        log.info('run ended', {
          runId: record.runId,
          session: record.sessionKey,
          status: record.end.status,
          ms: record.endedAtMs - record.startedAtMs,
        });
      },
    });
    const lanes = createLanes({ run: runner.run, discard: runner.discard });
    const intake = createIntake<AdmittedMessage>({
      store,
      inbox,
      journal,
      gate: admit,
      now,
      submit: (message, accepted) => {
        const { runId, sessionKey, timeoutMs } = accepted.delivery;
        runs.accepted(runId);
        lanes.submit({
          inboxId: accepted.inboxId,
          attempts: accepted.attempts,
          runId,
          sessionKey,
          timeoutMs,
          message,
          ...waitingOf(accepted),
        });
      },
    });

    let stopping = false;
    const status = createStatus({
      version: manifest.version,
      startedAtMs,
      now,
      paths,
      sessions: directory.count,
      activeRuns: lanes.activeCount,
      balance: inbox.balance,
      outbox: outbox.count,
      usage,
      models,
      fallbacks: settings.agents.defaults.model.fallbacks,
      sandbox: sandboxes.known,
      restored: opened,
    });
    const backend = createBackend({
      version: manifest.version,
      startedAtMs,
      workspaceDir,
      logFile: log.file,
      config,
      models,
      directory,
      transcripts,
      lanes,
      runner,
      inbox,
      intake,
      approvals,
      journal,
      now,
      stopping: () => stopping,
      status,
      runs,
    });
    const gateway = await startGateway({
      backend,
      hosts: ['127.0.0.1', '::1'],
      port: port ?? portFrom(env) ?? settings.gateway.port,
      token: () => token,
      allowedOrigins: settings.gateway.controlUi.allowedOrigins,
      uiFolder: settings.gateway.controlUi.enabled ? findPage() : null,
      log,
    }).catch((error: unknown) => {
      store.close();
      throw error;
    });
    lock.announce(gateway.port);
    if (process.getuid?.() === 0) {
      announce(
        'WARNING: running as root. Commands of the assistant still run as nobody, but use a user of its own for the gateway.',
      );
      log.warn('running as root');
    }
    announce(`ready: ${gateway.url}/#token=${token}`);
    log.info('gateway ready', { port: gateway.port, ms: Date.now() - startedAtMs, version: manifest.version });

    delivery.resume();
    const resumed = intake.resume();
    if (resumed > 0) log.info('resumed unfinished messages', { count: resumed });
    const tidy = (): void => {
      store.defer(() => {
        inbox.pruneBefore(now() - KEEP_FINISHED_MS);
        outbox.pruneBefore(now() - KEEP_FINISHED_MS);
      });
      takeSnapshot(store, paths.snapshotsDir, new Date(now())).catch((error: unknown) =>
        log.warn('no snapshot taken', { reason: reasonOf(error) }),
      );
    };
    const timers = [setTimeout(tidy, 30_000).unref(), setInterval(tidy, SNAPSHOT_EVERY_MS).unref()];
    const onHangup = (): void => log.reopen();
    process.on('SIGHUP', onHangup);

    const { promise: done, resolve: finished } = Promise.withResolvers<void>();
    return {
      url: gateway.url,
      port: gateway.port,
      done,
      async stop(reason) {
        if (stopping) return done;
        stopping = true;
        for (const timer of timers) clearTimeout(timer);
        process.off('SIGHUP', onHangup);
        log.info('gateway stopping', { reason });
        await lanes.stop(STOP_GRACE_MS);
        await delivery.settled();
        await gateway.close(reason);
        await sandboxes.close();
        await workspace.close();
        await takeSnapshot(store, paths.snapshotsDir, new Date()).catch((error: unknown) =>
          log.warn('no snapshot taken', { reason: reasonOf(error) }),
        );
        store.close();
        log.close();
        lock.release();
        finished();
      },
    };
  }
}

/** The state folder (0700) with a `.gitignore` that keeps all of it out of any repository (S070). */
function prepareState(paths: Paths): void {
  ensureFolder(paths.stateDir);
  const ignore = join(paths.stateDir, '.gitignore');
  if (!existsSync(ignore)) replaceFile(ignore, '*\n');
}

function openGatewayLog(config: LoadedConfig, paths: Paths, redactor: Redactor, env: Env): Log {
  const { level, maxFileBytes } = config.config.logging;
  const echo =
    env['OPENCLAW_LOG_ECHO'] === '1' ? { echo: (line: string) => void process.stderr.write(`${line}\n`) } : {};
  return openLog({ folder: paths.logsDir, level, maxFileBytes, redactor, ...echo });
}

function portFrom(env: Env): number | undefined {
  const text = env['OPENCLAW_GATEWAY_PORT'];
  if (!text) return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new HardshellError({
    code: 'BAD_PORT',
    message: `OPENCLAW_GATEWAY_PORT is "${text.slice(0, 20)}", not a port`,
    fix: 'use a number from 1 to 65535',
    exitCode: 78,
  });
}

async function openWorkspace(dir: string): Promise<Root> {
  const { prepareWorkspace, workspaceOwner } = await import('./sandbox/workspace.ts');
  ensureFolder(dir);
  prepareWorkspace(dir);
  const root = await openRoot(dir, workspaceOwner());
  for (const [name, text] of Object.entries(STARTER_FILES)) {
    if ((await root.tryRead(name, 1_000_000).catch(() => Buffer.alloc(0))) === null) await root.create(name, text);
  }
  return root;
}

function reportRestore(opened: ReturnType<typeof openOrRestore>, announce: (line: string) => void, log: Log): void {
  if (!opened.restoredFrom) return;
  const line = `the database was damaged: restored ${opened.restoredFrom}, kept the damaged one as ${opened.brokenKept}`;
  announce(`WARNING: ${line}`);
  log.error(line);
}

/** The built page beside the bundle, or in dist/ when run from source. */
function findPage(): string | null {
  for (const candidate of ['./ui/', '../dist/ui/']) {
    const folder = fileURLToPath(new URL(candidate, import.meta.url));
    if (existsSync(join(folder, 'index.html'))) return folder;
  }
  return null;
}
