// Owns how a command reaches the registry of trust: by the gateway when it runs, else on the database itself, which is
// locked meanwhile so that no gateway starts on it. Both answer the same.
import { resolvePaths } from '../../../config/paths.ts';
import type { TrustAnswer, Wanted } from '../../../policy/trust/registry.ts';
import type { TrustedRow } from '../../../store/people/trusted.ts';
import type { Scope } from '../../client.ts';
import { ask, hasGateway } from '../../connect/with-client.ts';
import type { Context } from '../../context.ts';
import type { TargetFlags } from '../../target.ts';

export type TrustDesk = {
  list(): Promise<TrustAnswer>;
  add(entries: readonly Wanted[], from: string): Promise<{ added: readonly Wanted[]; known: number }>;
  remove(value: string): Promise<readonly TrustedRow[]>;
};

const BY = { command: 'openclaw', offline: true };

export async function withTrust<T>(
  context: Context,
  flags: TargetFlags,
  use: (desk: TrustDesk) => Promise<T>,
): Promise<T> {
  const paths = resolvePaths(context.env);
  if (hasGateway(flags, paths)) {
    const call = (scope: Scope, name: string, params: object): Promise<never> =>
      ask(context, flags, scope, `trust.${name}`, params) as Promise<never>;
    return use({
      list: () => call('operator.read', 'list', {}),
      add: (entries, from) => call('operator.admin', 'add', { entries, from }),
      remove: async (value) => (await call('operator.admin', 'remove', { value }))['removed'],
    });
  }
  const { offlineRegistry } = await import('./offline.ts');
  const { withOwnStore } = await import('../../connect/own-store.ts');
  return withOwnStore(context, paths, (store) => {
    const registry = offlineRegistry(store);
    return use({
      list: async () => registry.list(),
      add: async (entries, from) => registry.add(entries, BY, from),
      remove: async (value) => registry.remove(value, BY),
    });
  });
}
