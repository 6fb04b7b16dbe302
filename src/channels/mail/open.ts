// Owns making the mail channel from its settings: checked values in, its place in the mailbox in a file of its own folder.
import { join } from 'node:path';
import { ensureFolder, replaceFile, tryReadText } from '../../platform/files.ts';
import type { ChannelSetup, ConnectedChannel } from '../channel.ts';
import { openMail } from './mail.ts';
import { mailSettings } from './settings.ts';

export function openMailFrom({
  account,
  settings,
  secrets,
  stateFolder,
  readFile,
  log,
  now,
}: ChannelSetup): ConnectedChannel {
  const file = join(stateFolder, 'place.json');
  const place = {
    load: () => tryReadText(file),
    save(text: string): void {
      ensureFolder(stateFolder);
      replaceFile(file, text);
    },
  };
  return openMail(mailSettings(account, settings, secrets), { place, readFile, log, now });
}
