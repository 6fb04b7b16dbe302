// Owns `openclaw secrets rm`. One that a setting refers to stays, since nothing would start without it.
import { EXIT, misused } from '../../../platform/errors.ts';
import { listSecrets, removeSecret } from '../../../secrets/files.ts';
import { agreed } from '../../chat/ask-owner.ts';
import type { Context } from '../../context.ts';
import { nearestWord } from '../../suggest.ts';
import { settingsFor } from './settings.ts';
import { openStores, type SecretFlags } from './stores.ts';

export async function run(context: Context, flags: SecretFlags, name: string): Promise<number | undefined> {
  const { out } = context;
  const { paths, vault } = await openStores(context, flags);
  const source = vault ? 'vault' : 'file';
  const user = settingsFor(paths, context.env).settings.find(({ value }) => {
    const ref = value as { source?: unknown; id?: unknown } | null;
    return ref?.source === source && ref.id === name;
  });
  if (user) throw misused('SECRET_IN_USE', `${user.path} refers to ${name}`, `openclaw config unset ${user.path}`);
  // Before the question, so that nobody confirms the loss of what is not there.
  const known = (vault ? vault.list() : listSecrets(paths.credentialsDir)).map((one) => one.name);
  if (!known.includes(name)) {
    const near = nearestWord(name, known);
    const fix = near === undefined ? 'openclaw secrets list' : `did you mean openclaw secrets rm ${near}?`;
    throw misused('SECRET_MISSING', `there is no secret ${name}`, fix);
  }
  if (!(await agreed(out, flags.yes, `remove ${name} for good?`, 'add --yes'))) return EXIT.failure;
  if (vault) vault.remove(name);
  else removeSecret(paths.credentialsDir, name);
  out.data({ name, removed: true });
  out.line(`removed ${name}`);
  return undefined;
}
