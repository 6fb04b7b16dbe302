// Owns how a command reaches the desk of access: by the gateway when it runs, else on the database itself, which is locked
// meanwhile so that no gateway starts on it. Both answer the same.
import type { Desk } from '../../../access/desk.ts';
import { resolvePaths } from '../../../config/paths.ts';
import { isThere } from '../../../platform/files.ts';
import type { Scope } from '../../client.ts';
import { ask, hasGateway } from '../../connect/with-client.ts';
import type { Context } from '../../context.ts';
import type { TargetFlags } from '../../target.ts';

export type Request<T> = {
  readonly scope: Scope;
  readonly method: string;
  readonly params: object;
  /** the same without a gateway */
  offline(desk: Desk, by: object): T;
  /** what a state folder in which nothing has happened yet answers to a question */
  readonly nothing?: T;
};

const BY = { command: 'openclaw', offline: true };

export async function atDesk<T>(context: Context, flags: TargetFlags, request: Request<T>): Promise<T> {
  const paths = resolvePaths(context.env);
  if (hasGateway(flags, paths)) {
    return (await ask(context, flags, request.scope, request.method, request.params)) as T;
  }
  if (request.nothing !== undefined && !isThere(paths.databasePath)) return request.nothing;
  const { offlineDesk } = await import('./offline.ts');
  const { withOwnStore } = await import('../../connect/own-store.ts');
  return withOwnStore(context, paths, (store) => request.offline(offlineDesk(store, paths), BY));
}
