// Owns the configuration while the gateway runs: a good edit takes effect where it can, a broken one changes nothing, and
// both are said in `status`. Part of the composition.
import { type FSWatcher, watch } from 'node:fs';
import { changesBetween } from './config/edit/changes.ts';
import { readPending } from './config/edit/pending.ts';
import type { ChangePorts } from './config/edit/ports.ts';
import { armDeadline, provePending } from './config/edit/settle.ts';
import type { LoadedConfig } from './config/load.ts';
import type { Paths } from './config/paths.ts';
import type { Config } from './config/schema.ts';
import { watchConfig } from './config/watch.ts';
import type { Journal } from './journal/journal.ts';
import type { Log } from './log/log.ts';
import type { Models } from './models/provider.ts';
import { HardshellError, reasonOf } from './platform/errors.ts';
import type { Settings } from './settings.ts';

export type LiveConfig = {
  current(): LoadedConfig;
  /** always asks the models of the current configuration */
  readonly models: Models;
  /** what the owner should know, for `status` */
  repairs(): readonly { readonly what: string; readonly fix: string }[];
  /** the gateway is up: a change that only had to prove this is kept */
  proved(): void;
  /** looks at the file at once */
  check(): void;
  /** where edits that take effect are written down, once there is a journal */
  recordWith(journal: Journal['record']): void;
  close(): void;
};

/** Settings that are read at every turn or message, or applied to the channel they concern; all else waits for a restart. */
const HOT =
  /^(backup|models|mcp|browser|memory|skills|security\.installPolicy|approvals|actions\.(undoSeconds|email|message|destructive)|messages|channels|commands|pairing|budget|session\.(dmScope|groupScope|identityLinks)|agents\.(defaults\.(model|timeoutSeconds|maxOutputTokens|sandbox)|entries\.[^.]+\.(sandbox|tools))|tools\.(profile|allow|deny|policies|web|sandbox\.tools|elevated|fs|exec\.(mode|allow|safeBins|strictInlineEval|timeoutSeconds|grantExpiryDays))|trust\.tiers|security\.(audit|allowedPaths|deniedPaths|dangerouslyReadable))\b/;
export const waitsForRestart = (path: string): boolean => !HOT.test(path);

export type LivePorts = {
  readonly settings: Settings;
  readonly paths: Paths;
  readonly log: Log;
  openModels(config: Config): Models;
  /** an edit is in force */
  applied(config: Config): void;
};

export function createLiveConfig({ settings, paths, log, openModels, applied }: LivePorts): LiveConfig {
  let running = settings.loaded;
  let models = openModels(running.config);
  let record: Journal['record'] = () => {};
  let notice: { what: string; fix: string } | null = null;
  /** stays until the edit after the one that took the change back */
  let takenBack: { readonly what: string; readonly fix: string; isSeen: boolean } | null = null;

  const edits = watchConfig({
    running,
    read: settings.reread,
    secretFiles: settings.secretFiles,
    onEvent(event) {
      if (takenBack?.isSeen) takenBack = null;
      else if (takenBack) takenBack.isSeen = true;
      if (!event.ok) {
        notice = {
          what: `the configuration, or a secret of it, was changed and is broken, so the one from before stays in force: ${event.reason}`,
          fix: event.fix,
        };
        log.error('configuration refused', { reason: event.reason });
        return;
      }
      notice = null;
      // Also when no setting differs: a key that a provider finds by its name is no setting.
      try {
        models = openModels(event.loaded.config);
      } catch (error) {
        notice = {
          what: `the configuration was edited, and its models cannot be used: ${reasonOf(error)}`,
          fix: (error instanceof HardshellError && error.fix) || `edit ${paths.configPath}`,
        };
        return;
      }
      running = event.loaded;
      applied(running.config);
      if (event.changed.length === 0) return;
      // Against the start, and not against the edit before: what waits goes on waiting.
      const { changed: sinceStart } = changesBetween(settings.loaded.config, running.config);
      const waiting = sinceStart.filter(waitsForRestart);
      log.info('configuration changed', { changed: event.changed, waiting });
      record('config.changed', { changed: event.changed, waiting, hash: running.hash });
      if (waiting.length > 0)
        notice = {
          what: `edited, and in force after the next start: ${waiting.join(', ')}`,
          fix: 'openclaw gateway restart',
        };
    },
  });
  const endClock = keepDeadline({ settings, paths, log }, (what) => {
    takenBack = { what, fix: 'openclaw config history', isSeen: false };
    edits.check();
  });
  return {
    current: () => running,
    models: {
      stream: (request, signal) => models.stream(request, signal),
      list: () => models.list(),
      get primary() {
        return models.primary;
      },
    },
    repairs: () => [takenBack, notice].filter((one) => one !== null).map(({ what, fix }) => ({ what, fix })),
    proved() {
      provePending(portsOf(settings, paths), running.config).catch((error: unknown) =>
        log.error('a pending change was not settled', { error }),
      );
    },
    check: edits.check,
    recordWith(journal) {
      record = journal;
    },
    close() {
      endClock();
      edits.close();
    },
  };
}

/** A change that waits for a word is returned when its time is over, also one that is made while this runs. */
function keepDeadline(
  { settings, paths, log }: Pick<LivePorts, 'settings' | 'paths' | 'log'>,
  onReturned: (what: string) => void,
): () => void {
  let disarm = (): void => {};
  const arm = (): void => {
    disarm();
    const deadlineMs = readPending(paths.stateDir)?.deadlineMs ?? null;
    if (deadlineMs === null) return;
    disarm = armDeadline(portsOf(settings, paths), deadlineMs, (end) => {
      if (end !== 'returned') return;
      log.warn('configuration returned, since nobody confirmed the change');
      onReturned('the last change of the configuration was not confirmed in time and was taken back');
    });
  };
  let watcher: FSWatcher | undefined;
  try {
    watcher = watch(paths.stateDir, { persistent: false }, (_event, name) => {
      if (name === 'config-pending.json') arm();
    });
    watcher.on('error', () => watcher?.close());
  } catch {
    // Not every file system reports; the next start or the next change takes it back.
  }
  arm();
  return () => {
    disarm();
    watcher?.close();
  };
}

function portsOf(settings: Settings, paths: Paths): ChangePorts {
  const { given, load } = settings.reading();
  const resolve = load.resolveSecret ? { resolveSecret: load.resolveSecret } : {};
  return { paths, env: given, now: Date.now, by: 'gateway', ...resolve };
}
