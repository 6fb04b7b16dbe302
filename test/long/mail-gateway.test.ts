// Mail from end to end: the whole program with the certificate of the test's servers as one of the system's, dovecot, an
// SMTP server, and a model. No test argument reaches it; its DNS knows no keys, so every mail is a claim.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { mailOf } from '../doubles/mail-domain.ts';
import { type MailHouse, PASSWORD, type Posted, startMailHouse, startPostOffice } from '../doubles/mail-servers.ts';
import { type ModelServer, startModelServer } from '../doubles/model-server.ts';
import { newHome, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { configFor } from '../support/model-config.ts';

type Json = Record<string, unknown>;
type Row = { id: string; state: string; problem: Json | null; balance: Json };

let house: MailHouse;
let post: Awaited<ReturnType<typeof startPostOffice>>;
let model: ModelServer;
let gateway: TestGateway | null = null;
let tell = (): void => {};

beforeAll(async () => {
  [house, model] = await Promise.all([startMailHouse(), startModelServer()]);
  post = await startPostOffice(house, house.key);
  post.onTaken(() => tell());
});
afterEach(async () => {
  await gateway?.dispose();
  gateway = null;
  post.taken.length = 0;
});
afterAll(async () => {
  await model?.close();
  await post?.end();
  await house?.end();
});

let count = 0;
async function start(channel: Json = {}, given: { box?: ReturnType<MailHouse['mailbox']>; home?: string } = {}) {
  count += 1;
  const box = given.box ?? house.mailbox(`gateway${count}@house.example`);
  const home = given.home ?? newHome();
  const ca = join(home, 'ca.pem');
  writeFileSync(ca, house.ca);
  const server = (port: number) => ({ host: '127.0.0.1', port, user: box.server.user, password: PASSWORD });
  const mail = { address: 'bot@house.example', imap: server(box.server.port), smtp: server(post.server.port) };
  const config = {
    ...configFor(model),
    channels: { mail: { ...mail, dmPolicy: 'allowlist', allowFrom: ['ann@friends.example'], ...channel } },
  };
  const started = await startTestGateway({ config, home, env: { NODE_EXTRA_CA_CERTS: ca } });
  gateway = started;
  const status = async (): Promise<Row> => {
    const { stdout } = await started.cli('channels', 'status', '--json');
    const { channels } = (JSON.parse(stdout) as { data: { channels: Row[] } }).data;
    const found = channels.find(({ id }) => id === 'mail');
    if (!found) throw new Error(`no mail in ${stdout}`);
    return found;
  };
  await expect.poll(async () => (await status()).state, { timeout: 60_000, interval: 100 }).toBe('connected');
  return { gateway: started, box, home, status };
}

async function posted(wanted: number): Promise<readonly Posted[]> {
  while (post.taken.length < wanted) await new Promise<void>((resolve) => (tell = resolve));
  return post.taken;
}

test('a claimed mail of somebody on the list starts no turn, and status says why', async () => {
  const { box, status } = await start();
  const before = model.requests.length;
  await box.deliver(mailOf({ more: ['Authentication-Results: house.example; dkim=pass; dmarc=pass'] }));
  await expect
    .poll(async () => (await status()).balance, { timeout: 60_000, interval: 100 })
    .toMatchObject({
      ...{ received: 1, declined: 1, answered: 0, queued: 0, failed: 0 },
    });
  expect(model.requests.length).toBe(before);
  expect(post.taken).toEqual([]);
});

test('where claims are taken, a mail is answered in its conversation, once, over a kill -9', async () => {
  const { gateway: first, box, home } = await start({ minEvidence: 'asserted' });
  model.script({ text: 'It is **Saturday**.' });
  await box.deliver(mailOf({ subject: 'which day?', id: '<day.1@friends.example>' }));
  const [answer] = await posted(1);
  expect(answer).toMatchObject({ from: 'bot@house.example', to: ['ann@friends.example'] });
  const offered = (model.requests.at(-1)?.body['tools'] ?? []) as { name?: string; function?: { name: string } }[];
  const names = offered.map((tool) => tool.name ?? tool.function?.name);
  expect(names, 'whoever is not the owner has no mailbox to look into').not.toContain('mail');
  expect(names).toContain('message');
  for (const part of ['Subject: Re: which day?', 'In-Reply-To: <day.1@friends.example>', 'Saturday'])
    expect(answer?.raw).toContain(part);
  await first.kill9();
  await box.deliver(mailOf({ subject: 'and tomorrow?' }));
  model.script({ text: 'Sunday.' });
  const again = await start({ minEvidence: 'asserted' }, { box, home });
  expect((await posted(2)).map(({ raw }) => /^Subject: .*$/m.exec(raw)?.[0])).toEqual([
    'Subject: Re: which day?',
    'Subject: Re: and tomorrow?',
  ]);
  await expect
    .poll(async () => (await again.status()).balance, { timeout: 60_000, interval: 100 })
    .toMatchObject({
      ...{ received: 2, answered: 2, declined: 0, queued: 0, failed: 0 },
    });
});

test('strangers, machines and forged senders get nothing at all', async () => {
  const { box, status } = await start({ minEvidence: 'asserted' });
  const before = model.requests.length;
  await box.deliver(mailOf({ from: 'eve@evil.example' }));
  await box.deliver(mailOf({ more: ['From: eve@evil.example'] }));
  await box.deliver(mailOf({ from: '"ann@friends.example" <eve@evil.example>' }));
  await box.deliver(mailOf({ more: ['Auto-Submitted: auto-replied'] }));
  model.script({ text: 'the end' });
  await box.deliver(mailOf({ subject: 'end' }));
  expect((await posted(1)).map(({ to }) => to)).toEqual([['ann@friends.example']]);
  expect(model.requests.length).toBe(before + 1);
  expect((await status()).balance).toMatchObject({ received: 5, declined: 4, answered: 1 });
});
