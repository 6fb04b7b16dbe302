// Owns the life of a connection within one command: find the gateway, connect, do one thing, close whatever happens.
import type { Paths } from '../../config/paths.ts';
import { readLiveLock } from '../../platform/lock.ts';
import type { Client, Scope } from '../client.ts';
import type { Context } from '../context.ts';
import { withProgress } from '../print/progress.ts';
import { resolveTarget, type Target, type TargetFlags } from '../target.ts';

export type Asking = {
  readonly scopes: readonly Scope[];
  readonly caps?: readonly string[];
  /** no spinner: somebody else owns the screen */
  readonly quiet?: boolean;
};

export async function openClient(
  context: Context,
  flags: TargetFlags,
  asking: Asking,
): Promise<{ client: Client; target: Target }> {
  const target = await resolveTarget(flags, context.env);
  const { connect } = await import('../client.ts');
  const { quiet, ...wishes } = asking;
  const connecting = connect({ target, version: context.version, ...wishes });
  if (quiet) return { client: await connecting, target };
  return { client: await withProgress(context.out, `connecting to ${target.address}`, connecting), target };
}

export async function withClient<T>(
  context: Context,
  flags: TargetFlags,
  asking: Asking,
  use: (client: Client, target: Target) => Promise<T>,
): Promise<T> {
  const { client, target } = await openClient(context, flags, asking);
  try {
    return await use(client, target);
  } finally {
    client.close();
  }
}

/** One that runs on this state folder, or one that was named. */
export const hasGateway = (flags: TargetFlags, { lockPath }: Pick<Paths, 'lockPath'>): boolean =>
  flags.url !== undefined || readLiveLock(lockPath) !== null;

/** One request on a connection of its own. */
export async function ask(
  context: Context,
  flags: TargetFlags,
  scope: Scope,
  method: string,
  params?: unknown,
): Promise<unknown> {
  return withClient(context, flags, { scopes: [scope] }, (client) =>
    withProgress(context.out, `waiting for ${method}`, client.request(method, params)),
  );
}
