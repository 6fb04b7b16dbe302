// Owns `openclaw secrets set`. The value comes from a hidden prompt or standard input, never from the command's words.
import { checkName, MAX_SECRET_BYTES, writeSecret } from '../../../secrets/files.ts';
import type { Context } from '../../context.ts';
import { readHidden } from '../../input.ts';
import { openStores, type SecretFlags } from './stores.ts';

export async function run(context: Context, flags: SecretFlags, name: string): Promise<undefined> {
  const { out } = context;
  checkName(name);
  const { paths, vault } = await openStores(context, flags);
  const value = await readHidden(out, `the value of ${name}`, MAX_SECRET_BYTES);
  if (vault) vault.set(name, value);
  else writeSecret(paths.credentialsDir, name, value);
  const place = vault ? 'vault' : 'credentials';
  out.data({ name, place });
  out.line(`stored ${name} in ${vault ? 'the vault' : paths.credentialsDir}`);
  out.note(`a setting refers to it as { source: "${vault ? 'vault' : 'file'}", id: "${name}" }`);
}
