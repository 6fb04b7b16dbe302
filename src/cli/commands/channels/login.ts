// Owns `channels login` and `logout`: WhatsApp is linked to a phone, with a QR code in the terminal; everything else has a
// token, and is told so.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { resolvePaths } from '../../../config/paths.ts';
import { HardshellError, misused } from '../../../platform/errors.ts';
import { ensureFolder } from '../../../platform/files.ts';
import { ask } from '../../connect/with-client.ts';
import type { Context } from '../../context.ts';
import { accountNamed, channelNamed } from './add.ts';

type Flags = { readonly account?: string };
const WITHIN_MS = 3 * 60_000;

export async function login(context: Context, flags: Flags, given: string): Promise<undefined> {
  const { out } = context;
  const channel = await whatsapp(context, flags, given, true);
  const { renderUnicodeCompact } = await import('uqr');
  out.note('on your phone: WhatsApp > Settings > Linked devices > Link a device');
  let me = '';
  await channel.login((event) => {
    if (event.type === 'linked') me = event.me;
    else out.text(`${renderUnicodeCompact(event.text)}\n`);
  }, AbortSignal.timeout(WITHIN_MS));
  // A gateway that runs would look again in ten minutes only.
  await ask(context, {}, 'operator.read', 'channels.status', { probe: true, channel: 'whatsapp' }).catch(() => {});
  out.data({ linked: true, as: me });
  out.line(`linked${me === '' ? '' : ` as ${me}`}`);
  return undefined;
}

export async function logout(context: Context, flags: Flags, given: string): Promise<undefined> {
  const { out } = context;
  await (await whatsapp(context, flags, given, false)).logout(AbortSignal.timeout(WITHIN_MS));
  out.data({ linked: false });
  out.line('unlinked; it is gone from Linked devices on the phone too');
  return undefined;
}

async function whatsapp(context: Context, flags: Flags, given: string, install: boolean) {
  const id = channelNamed(given);
  if (id !== 'whatsapp') {
    const message = `${id} needs no login: it is connected by its ${id === 'mail' ? 'password' : 'token'}`;
    throw misused('NO_LOGIN', message, `openclaw channels add ${id}`);
  }
  const { stateDir, credentialsDir } = resolvePaths(context.env);
  const stateFolder = join(credentialsDir, id, accountNamed(flags.account));
  const { codeFolderOf, installSide, isInstalled } = await import('../../../channels/whatsapp/install.ts');
  const codeFolder = codeFolderOf(stateDir);
  if (install && !isInstalled(codeFolder)) {
    context.out.note('fetching the WhatsApp part; this takes about a minute, once');
    await installSide(codeFolder, context.env);
  }
  if (!install && !existsSync(join(stateFolder, 'link', 'creds.json'))) {
    const fix = `openclaw channels login whatsapp   (links one); openclaw channels status shows how it is`;
    throw new HardshellError({ code: 'NOT_LINKED', message: 'no phone is linked, so there is nothing to unlink', fix });
  }
  ensureFolder(stateFolder);
  const { openWhatsapp } = await import('../../../channels/whatsapp/whatsapp.ts');
  const readFile = (): Promise<Uint8Array> => Promise.reject(new Error('nothing is sent here'));
  return openWhatsapp({ account: accountNamed(flags.account), stateFolder, readFile, now: Date.now });
}
