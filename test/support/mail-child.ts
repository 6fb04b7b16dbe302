// Owns a mail channel in a process of its own that is killed at the worst moment: its message is in the inbox (a file),
// its place in the mailbox is not yet saved.
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openMail } from '../../src/channels/mail/mail.ts';

const { ca, folder, ...server } = JSON.parse(process.argv[2] ?? '{}');
const nothing = (): void => {};
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing } as never;
const noDns = async (): Promise<string[][]> => [];
const channel = openMail(
  { account: 'default', address: 'bot@house.example', imap: server, smtp: server },
  {
    place: { load: () => readFileSync(join(folder, 'place'), 'utf8'), save: nothing },
    readFile: async () => new Uint8Array(),
    resolveTxt: noDns,
    log,
    now: Date.now,
  },
  { ca },
);
const emit = (message: { messageId: string }): never => {
  appendFileSync(join(folder, 'inbox'), `${message.messageId}\n`);
  process.kill(process.pid, 'SIGKILL');
  throw new Error('unreachable');
};
const ports = { emit, groupChanged: nothing, chatMoved: nothing, alive: nothing, gap: nothing, log, now: Date.now };
await channel.run(ports, new AbortController().signal, nothing);
