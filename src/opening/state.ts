// Owns the first stage of a start: settings, log and database, sound before anything is built on them. It opens no way in
// or out.
import type { Platforms } from '../channels/platforms.ts';
import { settlePendingAtStart } from '../config/edit/settle.ts';
import type { Env, Paths } from '../config/paths.ts';
import { createHide } from '../hiding.ts';
import { type Log, openLog } from '../log/log.ts';
import { createRedactor } from '../log/redact.ts';
import type { Dangerously } from '../net/web/fetch-page.ts';
import type { Lock } from '../platform/lock.ts';
import { openSettings } from '../settings.ts';
import { markRunning } from '../store/open.ts';
import { openOrRestore } from '../store/rescue/restore.ts';

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

/** What every stage of the start is given; each puts what it opens on `opened`, which is closed in reverse. */
export type Start = RunOptions & {
  readonly startedAtMs: number;
  readonly paths: Paths;
  readonly lock: Lock;
  readonly opened: AsyncDisposableStack;
  readonly fetch: typeof fetch;
};
export type State = Awaited<ReturnType<typeof openState>>;

/** Settings, log, database: what must be sound before anything is built on it. */
export async function openState({ env, announce, startedAtMs, paths, opened }: Start) {
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
