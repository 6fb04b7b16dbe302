// Mail keeps the contract of channels: the real client libraries against dovecot and an SMTP server, with doors before
// them that can be shut. What is particular to mail stands in mail.test.ts.
import PostalMime from 'postal-mime';
import { afterAll, beforeAll } from 'vitest';
import { openMail } from '../../src/channels/mail/mail.ts';
import type { Log } from '../../src/log/log.ts';
import {
  channelConformance,
  type PlatformDouble,
  type Said,
  type SendFault,
  type Shown,
  type Started,
} from '../contracts/channels.ts';
import { type MailHouse, type PostMood, startDoor, startMailHouse, startPostOffice } from '../doubles/mail-servers.ts';

const PERSON = 'ann@friends.example';
const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, reopen() {}, close() {}, file: '' };

let house: MailHouse;
beforeAll(async () => {
  house = await startMailHouse();
});
afterAll(() => house?.end());

channelConformance({
  name: 'mail',
  start,
  can: {
    redelivers: true,
    catchesUp: true,
    filesIn: true,
    filesOut: true,
    // A mail cannot be changed, nobody sees anybody typing, and there are no groups: threads are asked of it in its own file.
    edits: false,
    typing: false,
    groups: false,
    threads: false,
    membership: false,
    // Who is logged in stays so when the password changes; the next login is refused, which its own file asks.
    revokes: false,
  },
  lostAnswer: 'unknown',
});

let count = 0;

async function start(): Promise<Started> {
  count += 1;
  const box = house.mailbox(`bot${count}@house.example`);
  const post = await startPostOffice(house, house.key);
  const imap = await startDoor(box.server.port);
  const smtp = await startDoor(post.server.port);
  let place: string | null = null;
  const channel = openMail(
    {
      account: 'default',
      address: 'bot@house.example',
      imap: { ...box.server, port: imap.port },
      smtp: { ...post.server, port: smtp.port },
    },
    {
      place: {
        load: () => place,
        save: (text) => {
          place = text;
        },
      },
      readFile: () => Promise.resolve(Buffer.from('from the workspace')),
      resolveTxt: () => Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })),
      log: silent,
      now: Date.now,
    },
    { ca: house.ca },
  );

  const mails = new Map<string, Buffer>();
  const shown: Shown[] = [];
  const faults: SendFault[] = [];
  let told = (): void => {};
  post.onTaken(async ({ to, raw }) => {
    const mail = await PostalMime.parse(Buffer.from(raw, 'latin1'));
    const files = mail.attachments.map(({ filename, content }) => ({
      name: filename ?? '',
      bytes: new Uint8Array(content as ArrayBuffer),
    }));
    shown.push({ chat: to[0] ?? '', thread: '', text: mail.text ?? '', files });
    told();
  });
  smtp.atArrival(() => {
    const fault = faults.shift();
    post.feel(moodOf(fault));
    return fault?.kind !== 'unreachable';
  });
  const double: PlatformDouble = {
    async say(said) {
      const id = `<${count}.${mails.size}@friends.example>`;
      const mail = mailOf(said, id);
      mails.set(id, mail);
      await box.deliver(mail);
      return id;
    },
    again: (id) => box.deliver(mails.get(id) ?? Buffer.alloc(0)),
    shown: () => shown,
    shownCount: (wanted) =>
      new Promise((resolve) => {
        told = () => {
          if (shown.length >= wanted) resolve();
        };
        told();
      }),
    faultySends: (...all) => void faults.push(...all),
    cutConnections: () => imap.cut(),
    revokeToken: () => {},
    openConnections: () => imap.count() + smtp.count(),
    directChat: PERSON,
    groupChat: '',
    person: PERSON,
    async close() {
      await imap.end();
      await smtp.end();
      await post.end();
    },
  };
  return { double, channel };
}

function moodOf(fault: SendFault | undefined): PostMood {
  if (fault?.kind === 'rate' || fault?.kind === 'status') return 'busy';
  return fault?.kind === 'answer-lost' ? 'drop-after-data' : 'take';
}

function mailOf({ text = '', from = PERSON, isBot, file, skewMs = 0 }: Said, id: string): Buffer {
  const head = [
    `From: ${from}`,
    'To: bot@house.example',
    `Date: ${new Date(Date.now() + skewMs).toUTCString()}`,
    `Message-ID: ${id}`,
    'MIME-Version: 1.0',
    ...(isBot ? ['Auto-Submitted: auto-generated'] : []),
  ];
  const words = ['Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: 8bit', '', text];
  if (!file) return Buffer.from([...head, ...words, ''].join('\r\n'));
  const content =
    Buffer.from(file.bytes)
      .toString('base64')
      .match(/.{1,76}/g) ?? [];
  const part = [
    `Content-Type: ${file.mimeType}`,
    `Content-Disposition: attachment; filename="${file.name}"`,
    'Content-Transfer-Encoding: base64',
  ];
  const body = ['--b', ...words, '--b', ...part, '', ...content, '--b--', ''];
  return Buffer.from([...head, 'Content-Type: multipart/mixed; boundary=b', '', ...body].join('\r\n'));
}
