// Owns `openclaw secrets set`. The value comes from a hidden prompt or standard input, never from the command's words.
import { looksGenerated } from '../../../log/find-shapes.ts';
import { createRedactor } from '../../../log/redact.ts';
import { misused } from '../../../platform/errors.ts';
import { checkName, MAX_SECRET_BYTES, writeSecret } from '../../../secrets/files.ts';
import type { Context } from '../../context.ts';
import { readHidden } from '../../input.ts';
import { openStores, type SecretFlags } from './stores.ts';

export async function run(context: Context, flags: SecretFlags, name: string): Promise<undefined> {
  const { out } = context;
  checkName(name);
  refuseValue(name);
  const { paths, vault } = await openStores(context, flags);
  const value = await readHidden(out, `the value of ${name}`, MAX_SECRET_BYTES);
  if (vault) vault.set(name, value);
  else writeSecret(paths.credentialsDir, name, value);
  const place = vault ? 'vault' : 'credentials';
  out.data({ name, place });
  out.line(`stored ${name} in ${vault ? 'the vault' : paths.credentialsDir}`);
  out.note(`a setting refers to it as { source: "${vault ? 'vault' : 'file'}", id: "${name}" }`);
}

/** A name is listed, and referred to from settings: a token that was pasted in its place would be shown for ever. */
function refuseValue(name: string): void {
  const isValue =
    createRedactor().sure.find(name).length > 0 || (/^[A-Za-z0-9]{24,}$/.test(name) && looksGenerated(name));
  if (!isValue) return;
  throw misused(
    'SECRET_AS_NAME',
    'that looks like the secret itself, and a name is wanted; nothing was stored',
    'openclaw secrets set NAME   (it asks for the value), and replace this one: commands are remembered by the shell',
  );
}
