// Owns noticing that somebody changed the configuration, or a secret that it refers to. What is good is handed on with what
// changed; what is broken is reported, and what runs stays in force.
import { type FSWatcher, statSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { HardshellError, reasonOf } from '../platform/errors.ts';
import { tryReadText } from '../platform/files.ts';
import { sha256 } from '../platform/ids.ts';
import { type Changes, changesBetween } from './edit/changes.ts';
import type { LoadedConfig } from './load.ts';

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
  readonly running: LoadedConfig;
  /** everything again, references followed; throws a HardshellError when it cannot be used */
  readonly read: () => Promise<LoadedConfig>;
  /** where the secrets lie that the last reading looked for, whether they exist or not */
  readonly secretFiles?: () => readonly string[];
  readonly onEvent: (event: ConfigEvent) => void;
  /** editors write in several steps */
  readonly settleMs?: number;
};

const SETTLE_MS = 150;

export function watchConfig({
  running,
  read,
  secretFiles = () => [],
  onEvent,
  settleMs = SETTLE_MS,
}: WatchOptions): ConfigWatch {
  let current = running;
  let secrets = secretFiles();
  let seen = fingerprint(running.files, secrets);
  let timer: NodeJS.Timeout | undefined;
  let watchers: FSWatcher[] = [];
  let reading = false;
  let closed = false;

  const look = async (): Promise<void> => {
    const now = fingerprint(current.files, secrets);
    if (now === seen) return;
    seen = now;
    const next = await read().catch(asBroken);
    if (closed) return;
    const before = current;
    if (!('broken' in next)) current = next;
    // Also where a reference leads nowhere yet: the secret that is missing may be put there next.
    const wanted = secretFiles();
    if ([...current.files, '', ...wanted].join('\0') !== [...before.files, '', ...secrets].join('\0')) {
      secrets = wanted;
      listen();
      seen = fingerprint(current.files, secrets);
    }
    if ('broken' in next) onEvent({ ok: false, ...next.broken });
    // A comment changes no setting, and an edit that was taken back is again what runs.
    else onEvent({ ok: true, loaded: next, ...changesBetween(before.config, next.config) });
  };

  /** One reading at a time: a program that a reference names may take its time, and what comes meanwhile is seen after. */
  const check = (): void => {
    clearTimeout(timer);
    if (reading) {
      later();
      return;
    }
    reading = true;
    void look().finally(() => {
      reading = false;
    });
  };
  const later = (): void => {
    clearTimeout(timer);
    if (closed) return;
    timer = setTimeout(check, settleMs);
    timer.unref();
  };

  const listen = (): void => {
    for (const watcher of watchers) watcher.close();
    const folders = Map.groupBy([...current.files, ...secrets], (file) => dirname(file));
    watchers = [...folders].flatMap(([folder, files]) => {
      const names = new Set(files.map((file) => basename(file)));
      try {
        const watcher = watch(folder, { persistent: false }, (_event, name) => {
          if (name === null || names.has(name)) later();
        });
        watcher.on('error', () => watcher.close());
        return [watcher];
      } catch {
        // Not every file system reports, and not every folder exists; check() still works.
        return [];
      }
    });
  };

  listen();
  return {
    check,
    close() {
      closed = true;
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
    },
  };
}

type Broken = { readonly broken: { readonly reason: string; readonly fix: string } };

const asBroken = (error: unknown): Broken => ({
  broken: { reason: reasonOf(error), fix: (error instanceof HardshellError && error.fix) || '' },
});

/** What all files say together, and who may write them; a file that cannot be read counts as its own kind of content. Secrets are not read here. */
function fingerprint(files: readonly string[], secrets: readonly string[]): string {
  const texts = files.map((file) =>
    attempt(() => {
      const { mode, uid } = statSync(file);
      return `${mode} ${uid} ${tryReadText(file)}`;
    }),
  );
  const stamps = secrets.map((file) =>
    attempt(() => {
      const { mtimeMs, ctimeMs, size, ino } = statSync(file);
      return [mtimeMs, ctimeMs, size, ino].join(' ');
    }),
  );
  return sha256([...texts, ...stamps].map(sha256).join());
}

function attempt(read: () => string): string {
  try {
    return read();
  } catch {
    return 'unreadable';
  }
}
