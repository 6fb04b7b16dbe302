// Owns `openclaw config rollback`: ends the change that waits, or makes the text of an older version the newest one.
import { versionText } from '../../../config/edit/history.ts';
import { readPending } from '../../../config/edit/pending.ts';
import { returnPending } from '../../../config/edit/settle.ts';
import type { Context } from '../../context.ts';
import { type ChangeFlags, change, portsOf } from './change.ts';
import { present, versionBefore, versionId } from './history.ts';
import { openConfig } from './open.ts';

export async function run(context: Context, flags: ChangeFlags, version?: string): Promise<number | undefined> {
  const { out } = context;
  const { paths, path, hash } = present(context.env);
  if (version === undefined && !flags.dryRun && readPending(paths.stateDir)) {
    const ports = await portsOf(context, await openConfig(context.env), 'rollback', null);
    const state = readPending(paths.stateDir) ? await returnPending(ports) : 'returned';
    out.data({ state });
    out.line(
      state === 'returned'
        ? `${path} has its previous bytes again`
        : `${path} was changed by hand meanwhile, and stays so`,
    );
    return undefined;
  }
  const id = version === undefined ? versionBefore(paths.stateDir, hash).id : versionId(version);
  const text = versionText(paths.stateDir, id);
  return change(context, flags, `rollback to version ${id}`, () => text);
}
