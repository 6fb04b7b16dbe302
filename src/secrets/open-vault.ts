// Owns finding the key of the vault in a state folder: a key file, a systemd credential, or a passphrase from whoever can
// be asked. It never takes a passphrase from the environment, where every program of the user could read it.
import { type HardshellError, misconfigured } from '../platform/errors.ts';
import { tryReadSecretAt } from './files.ts';
import { openVault, type Vault, vaultKeyPathOf, vaultKind, vaultPathOf } from './vault.ts';
import type { VaultKey } from './vault-key.ts';

export type VaultDoor = {
  readonly stateDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => number;
  /** a hidden prompt; absent where nobody can be asked */
  readonly askPassphrase?: () => string;
};

/** Names under which systemd hands them over (`LoadCredentialEncrypted=vault-key:…`). */
const KEY_CREDENTIAL = 'vault-key';
const PASSPHRASE_CREDENTIAL = 'vault-passphrase';

/** null when there is no vault. `OPENCLAW_VAULT_KEY_FILE` names a key that is kept elsewhere. */
export function openVaultOf(door: VaultDoor): Vault | null {
  const path = vaultPathOf(door.stateDir);
  const kind = vaultKind(path);
  return kind === null ? null : openVault({ path, key: vaultKeyOf(kind, door), now: door.now });
}

export function vaultKeyOf(kind: VaultKey['kind'], { stateDir, env, askPassphrase }: VaultDoor): VaultKey {
  const folder = env['CREDENTIALS_DIRECTORY'];
  if (kind === 'file') return { kind, path: env['OPENCLAW_VAULT_KEY_FILE'] || vaultKeyPathOf(stateDir) };
  if (kind === 'systemd') {
    if (folder) return { kind, folder, name: KEY_CREDENTIAL };
    throw locked(
      'its key is a systemd credential, and systemd did not start this',
      'openclaw gateway start   (as the service)',
    );
  }
  const handed = folder ? tryReadSecretAt(`${folder}/${PASSPHRASE_CREDENTIAL}`, { groupMayReadRoots: true }) : null;
  const passphrase = handed ?? askPassphrase?.();
  if (passphrase) return { kind, passphrase };
  throw locked(
    'it needs its passphrase, and nobody can be asked here',
    'openclaw secrets vault rekey   (to a key file)',
  );
}

function locked(why: string, fix: string): HardshellError {
  const message = `the vault is locked: ${why}`;
  return misconfigured('VAULT_LOCKED', message, fix);
}
