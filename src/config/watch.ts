// Owns noticing that somebody edited the configuration by hand. A good edit is handed on with what changed; a broken one is
// reported, and what runs stays in force.
import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { HardshellError } from '../platform/errors.ts';
import { tryReadText } from '../platform/files.ts';
import { type Changes, changesBetween } from './edit/changes.ts';
import { hashOf } from './inspect.ts';
import { type LoadedConfig, type LoadOptions, loadForStart } from './load.ts';
import type { Env, Paths } from './paths.ts';

export type ConfigEvent =
  | ({ readonly ok: true; readonly loaded: LoadedConfig } & Changes)
  /** one line, and what to do about it; the running configuration stays */
  | { readonly ok: false; readonly reason: string; readonly fix: string };

export type ConfigWatch = {
  /** Looks at once, for SIGHUP and for file systems that report nothing. */
  check(): void;
  close(): void;
};

export type WatchOptions = {
  readonly paths: Pick<Paths, 'configPath'> & Partial<Paths>;
  readonly env: Env;
  readonly running: LoadedConfig;
  readonly load?: LoadOptions;
  readonly onEvent: (event: ConfigEvent) => void;
  /** editors write in several steps */
  readonly settleMs?: number;
};

const SETTLE_MS = 150;

export function watchConfig({ paths, env, running, load, onEvent, settleMs = SETTLE_MS }: WatchOptions): ConfigWatch {
  let current = running;
  let seen = fingerprint(running.files);
  let timer: NodeJS.Timeout | undefined;
  let watchers: FSWatcher[] = [];

  const check = (): void => {
    clearTimeout(timer);
    const now = fingerprint(current.files);
    if (now === seen) return;
    seen = now;
    let loaded: LoadedConfig;
    try {
      loaded = loadForStart(paths, env, load);
    } catch (error) {
      if (!(error instanceof HardshellError)) throw error;
      onEvent({ ok: false, reason: error.message, fix: error.fix ?? '' });
      return;
    }
    const changes = changesBetween(current.config, loaded.config);
    const sameFiles = loaded.files.join('\0') === current.files.join('\0');
    current = loaded;
    if (!sameFiles) {
      listen();
      seen = fingerprint(current.files);
    }
    // A comment changes no setting, and an edit that was taken back is again what runs.
    onEvent({ ok: true, loaded, ...changes });
  };

  const listen = (): void => {
    for (const watcher of watchers) watcher.close();
    const folders = Map.groupBy(current.files, (file) => dirname(file));
    watchers = [...folders].flatMap(([folder, files]) => {
      const names = new Set(files.map((file) => basename(file)));
      try {
        const watcher = watch(folder, { persistent: false }, (_event, name) => {
          if (name !== null && !names.has(name)) return;
          clearTimeout(timer);
          timer = setTimeout(check, settleMs);
          timer.unref();
        });
        watcher.on('error', () => watcher.close());
        return [watcher];
      } catch {
        // Not every file system reports; check() still works.
        return [];
      }
    });
  };

  listen();
  return {
    check,
    close() {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
    },
  };
}

/** What all files say together; a file that cannot be read counts as its own kind of content. */
function fingerprint(files: readonly string[]): string {
  const texts = files.map((file) => {
    try {
      return tryReadText(file) ?? 'absent';
    } catch {
      return 'unreadable';
    }
  });
  return hashOf(texts.map(hashOf).join());
}
