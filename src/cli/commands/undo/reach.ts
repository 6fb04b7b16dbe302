// Owns how a command reaches the checkpoints: by the gateway when it runs, else on the state folder itself, which is locked
// meanwhile so that no gateway starts on it. Both answer the same.
import { realpathSync } from 'node:fs';
import { type Paths, resolvePaths } from '../../../config/paths.ts';
import type { Applied, Checkpoints, Preview, TurnRow, Wish } from '../../../ops/checkpoints/checkpoints.ts';
import { isThere } from '../../../platform/files.ts';
import { acquireLock } from '../../../platform/lock.ts';
import type { Scope } from '../../client.ts';
import { ask, hasGateway } from '../../connect/with-client.ts';
import type { Context } from '../../context.ts';
import type { TargetFlags } from '../../target.ts';

export type Reach = {
  list(): Promise<readonly TurnRow[]>;
  preview(wish: Wish): Promise<Preview>;
  apply(wish: Wish): Promise<Applied>;
};

export async function withCheckpoints<T>(
  context: Context,
  flags: TargetFlags,
  use: (reach: Reach) => Promise<T>,
): Promise<T> {
  const paths = resolvePaths(context.env);
  if (hasGateway(flags, paths)) {
    const call = (scope: Scope, name: string, params: object): Promise<never> =>
      ask(context, flags, scope, `workspace.undo.${name}`, params) as Promise<never>;
    return use({
      list: async () => (await call('operator.read', 'list', {}))['turns'],
      preview: (wish) => call('operator.read', 'preview', wish),
      apply: (wish) => call('operator.write', 'apply', wish),
    });
  }
  return offline(context, paths, use);
}

async function offline<T>(context: Context, paths: Paths, use: (reach: Reach) => Promise<T>): Promise<T> {
  const { checkpointsIn } = await import('../../../ops/checkpoints/undo.ts');
  const folder = checkpointsIn(paths.stateDir);
  if (!isThere(folder)) return use(NOTHING);
  const { openCheckpoints } = await import('../../../ops/checkpoints/checkpoints.ts');
  const { loadConfig } = await import('../../../config/load.ts');
  const { workspaceOwner } = await import('../../../sandbox/workspace.ts');
  const { workspace } = loadConfig(paths, context.env, { sections: ['agents'] }).config.agents.defaults;
  const lock = acquireLock(paths.lockPath, Date.now());
  try {
    const top = realpathSync(workspace ?? paths.workspaceDir);
    const points = openCheckpoints({ folder, top, ...workspaceOwner(), now: Date.now });
    return await use({ ...points, apply: (wish) => applied(paths, points, wish) });
  } finally {
    lock.release();
  }
}

async function applied(paths: Paths, points: Checkpoints, wish: Wish): Promise<Applied> {
  const done = await points.apply(wish);
  const { openOrRestore } = await import('../../../store/rescue/restore.ts');
  const { openJournal } = await import('../../../journal/journal.ts');
  const { recordApplied } = await import('../../../ops/checkpoints/undo.ts');
  const { store } = openOrRestore(paths.databasePath, paths.snapshotsDir, new Date());
  try {
    recordApplied(openJournal(store, Date.now), done, { command: 'openclaw', offline: true });
  } finally {
    store.close();
  }
  return done;
}

const nothing = async (): Promise<never> => {
  const { HardshellError } = await import('../../../platform/errors.ts');
  const message = 'no turn has changed anything that could be undone';
  throw new HardshellError({ code: 'NOTHING_TO_UNDO', message, fix: 'openclaw undo list' });
};
/** No turn ever changed anything here. */
const NOTHING: Reach = { list: async () => [], preview: nothing, apply: nothing };
