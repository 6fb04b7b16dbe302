// Owns the configuration while the gateway runs: a good edit takes effect where it can, a broken one changes nothing, and
// both are said in `status`. Part of the composition.
import type { LoadedConfig } from './config/load.ts';
import type { Paths } from './config/paths.ts';
import type { Config } from './config/schema.ts';
import { watchConfig } from './config/watch.ts';
import type { Log } from './log/log.ts';
import type { Models } from './models/provider.ts';
import { reasonOf } from './platform/errors.ts';
import type { Settings } from './settings.ts';

export type LiveConfig = {
  current(): LoadedConfig;
  /** always asks the models of the current configuration */
  readonly models: Models;
  /** what the owner should know, for `status` */
  repairs(): readonly { readonly what: string; readonly fix: string }[];
  /** looks at the file at once */
  check(): void;
  close(): void;
};

/** Settings that are read at every turn; everything else waits for a restart. */
const HOT = /^(models|messages\.queue|agents\.defaults\.(model|timeoutSeconds|maxOutputTokens))\b/;

export type LivePorts = {
  readonly settings: Settings;
  readonly paths: Paths;
  readonly log: Log;
  openModels(config: Config): Models;
};

export function createLiveConfig({ settings, paths, log, openModels }: LivePorts): LiveConfig {
  let running = settings.loaded;
  let models = openModels(running.config);
  let notice: { what: string; fix: string } | null = null;

  const watch = watchConfig({
    paths,
    env: settings.given,
    running,
    load: settings.load,
    onEvent(event) {
      if (!event.ok) {
        notice = {
          what: `the configuration was edited and is broken, so the one from before stays in force: ${event.reason}`,
          fix: event.fix,
        };
        log.error('configuration refused', { reason: event.reason });
        return;
      }
      notice = null;
      if (event.changed.length === 0) return;
      try {
        models = openModels(event.loaded.config);
      } catch (error) {
        notice = {
          what: `the configuration was edited, and its models cannot be used: ${reasonOf(error)}`,
          fix: `edit ${paths.configPath}`,
        };
        return;
      }
      running = event.loaded;
      const waiting = event.changed.filter((path) => !HOT.test(path));
      log.info('configuration changed', { changed: event.changed, waiting });
      if (waiting.length > 0)
        notice = {
          what: `edited, and in force after the next start: ${waiting.join(', ')}`,
          fix: 'stop the gateway and start it again',
        };
    },
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
    repairs: () => (notice ? [notice] : []),
    check: watch.check,
    close: watch.close,
  };
}
