// Owns `openclaw secrets rotate`: a new value for a secret that is there.
import { type HardshellError, misused } from '../../../platform/errors.ts';
import { MAX_SECRET_BYTES, rotateSecret } from '../../../secrets/files.ts';
import type { Context } from '../../context.ts';
import { readHidden } from '../../input.ts';
import { openStores, type SecretFlags } from './stores.ts';

export async function run(context: Context, flags: SecretFlags, name: string): Promise<undefined> {
  const { out } = context;
  if (name === 'gateway-token') throw ownCommand();
  const { paths, vault } = await openStores(context, flags);
  const value = await readHidden(out, `the new value of ${name}`, MAX_SECRET_BYTES);
  if (vault) vault.rotate(name, value);
  else rotateSecret(paths.credentialsDir, name, value);
  out.data({ name, rotated: true });
  out.line(`rotated ${name}; a running gateway takes it up by itself for its models, and says in status what waits`);
}

const ownCommand = (): HardshellError =>
  misused('TOKEN_IS_MADE', 'the token of the gateway is made, not entered', 'openclaw token rotate --grace 1h');
