// Owns `channels remove`: the settings of a channel or of one account go, and the tokens that `channels add` kept for it.

import { PLATFORMS } from '../../../channels/platforms.ts';
import { DEFAULT_ACCOUNT, secretName } from '../../../channels/secrets.ts';
import { readAt, unsetAt } from '../../../config/edit/edit.ts';
import { resolvePaths } from '../../../config/paths.ts';
import { EXIT, HardshellError } from '../../../platform/errors.ts';
import { removeSecret } from '../../../secrets/files.ts';
import { agreed } from '../../chat/ask-owner.ts';
import type { Context } from '../../context.ts';
import { change } from '../config/change.ts';
import { openConfig } from '../config/open.ts';
import { accountNamed, channelNamed } from './add.ts';

export async function run(
  context: Context,
  flags: { readonly account?: string; readonly yes?: boolean },
  given: string,
): Promise<number> {
  const { out } = context;
  const id = channelNamed(given);
  const account = accountNamed(flags.account);
  const at = ['channels', id, ...(account === DEFAULT_ACCOUNT ? [] : ['accounts', account])];
  const { now } = await openConfig(context.env);
  if (!now.exists || readAt(now.text, at) === undefined) {
    const message = `${at.join('.')} is not configured`;
    throw new HardshellError({ code: 'NO_CHANNEL', message, fix: 'openclaw channels list', exitCode: EXIT.failure });
  }
  const question = `remove ${at.join('.')} and its tokens?`;
  if (!(await agreed(out, flags.yes, question, 'add --yes'))) return EXIT.failure;
  const code = await change(context, { yes: true }, `remove the channel ${id}`, (text) => unsetAt(text, at));
  const { credentialsDir } = resolvePaths(context.env);
  for (const { key } of PLATFORMS[id]?.secrets ?? []) removeSecret(credentialsDir, secretName(id, account, key));
  out.note('who was paired there stays known: openclaw pairing approved');
  return code;
}
