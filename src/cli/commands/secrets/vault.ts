// Owns `openclaw secrets vault init` and `vault rekey`. A passphrase is asked for twice, without echo, and never kept.
import { type Paths, resolvePaths } from '../../../config/paths.ts';
import { MAX_SECRET_BYTES } from '../../../secrets/files.ts';
import { vaultKeyOf } from '../../../secrets/open-vault.ts';
import { createVault, vaultPathOf } from '../../../secrets/vault.ts';
import type { VaultKey } from '../../../secrets/vault-key.ts';
import type { Context } from '../../context.ts';
import { readPassphrase } from '../../input.ts';
import { openStores } from './stores.ts';

type Flags = { readonly passphrase?: boolean };

export async function init(context: Context, flags: Flags): Promise<undefined> {
  const paths = resolvePaths(context.env);
  const path = vaultPathOf(paths.stateDir);
  const key = await newKey(context, flags, paths);
  createVault({ path, key, now: Date.now });
  say(context, `made ${path}`, key);
}

export async function rekey(context: Context, flags: Flags): Promise<undefined> {
  const { paths, vault } = await openStores(context, { vault: true });
  const key = await newKey(context, flags, paths);
  vault?.rekey(key);
  say(context, 'the vault has a new key', key);
}

async function newKey({ out, env }: Context, flags: Flags, { stateDir }: Paths): Promise<VaultKey> {
  if (!flags.passphrase) return vaultKeyOf('file', { stateDir, env, now: Date.now });
  return { kind: 'passphrase', passphrase: await readPassphrase(out, 'a passphrase for the vault', MAX_SECRET_BYTES) };
}

function say({ out }: Context, what: string, key: VaultKey): void {
  out.data({ done: what, kind: key.kind });
  out.line(`${what}; it opens with ${key.kind === 'file' ? `the key in ${key.path}` : 'your passphrase'}`);
  if (key.kind === 'file')
    out.note('a copy of the vault is worth nothing without that file: keep them apart in backups');
  else out.note('a gateway that starts by itself cannot ask for it: use settings in credentials/, or a key file');
}
