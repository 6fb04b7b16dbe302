// Owns the places where secrets lie, opened for a command: the credentials folder and the vault, with its passphrase
// asked for without echo where there is somebody to ask.
import { type Paths, resolvePaths } from '../../../config/paths.ts';
import { type HardshellError, misconfigured } from '../../../platform/errors.ts';
import { MAX_SECRET_BYTES } from '../../../secrets/files.ts';
import { openVaultOf } from '../../../secrets/open-vault.ts';
import { type Vault, vaultKind, vaultPathOf } from '../../../secrets/vault.ts';
import type { Context } from '../../context.ts';
import { readHidden } from '../../input.ts';

export type SecretFlags = { readonly vault?: boolean; readonly yes?: boolean };

/** null when there is none. */
export async function findVault({ out, env }: Context, paths: Paths): Promise<Vault | null> {
  const asks = vaultKind(vaultPathOf(paths.stateDir)) === 'passphrase' && out.streams.stdin.isTTY === true;
  const phrase = asks ? await readHidden(out, 'the passphrase of the vault', MAX_SECRET_BYTES) : '';
  return openVaultOf({
    stateDir: paths.stateDir,
    env,
    now: Date.now,
    ...(asks ? { askPassphrase: () => phrase } : {}),
  });
}

export async function openStores(
  context: Context,
  flags: SecretFlags,
): Promise<{ readonly paths: Paths; readonly vault: Vault | null }> {
  const paths = resolvePaths(context.env);
  const vault = flags.vault ? await findVault(context, paths) : null;
  if (flags.vault && vault === null) throw noVault();
  return { paths, vault };
}

const noVault = (): HardshellError =>
  misconfigured('VAULT_MISSING', 'there is no vault yet', 'openclaw secrets vault init');
