// What a platform's chat hears of its turns: the whole answer in parts, a short notice when there is none, in every chat
// that asked. And what the model hears of files.
import { afterEach, expect, test } from 'vitest';
import { type CoreOptions, callFor, say, startCore } from '../../test/support/core.ts';
import type { Channel, InboundMessage, Outbound } from '../channels/channel.ts';
import { loadConfig } from '../config/load.ts';
import type { ModelEvent } from '../models/provider.ts';
import { label } from '../store/label.ts';
import { noticeOf } from './notice.ts';

const cores: ReturnType<typeof startCore>[] = [];
afterEach(() => {
  for (const core of cores.splice(0)) core.end();
});
const OWNER = '1303993020';

function start(options: CoreOptions & { maxChars?: number }) {
  const sent: Outbound[] = [];
  const waiting: { count: number; go: () => void }[] = [];
  const channel: Channel = {
    ...{ id: 'telegram', account: 'default', idempotent: false, maxChars: options.maxChars ?? 4_000 },
    async send(outbound) {
      sent.push(outbound);
      for (const one of waiting) if (sent.length >= one.count) one.go();
      return { state: 'sent', messageId: `p${sent.length}` };
    },
  };
  const read = loadConfig({ configPath: '/nonexistent/openclaw.json' }, {}).config;
  const config = {
    ...read,
    commands: { ...read.commands, ownerAllowFrom: [`telegram:${OWNER}`] },
    channels: { ...read.channels, telegram: { enabled: true, dmPolicy: 'allowlist', allowFrom: [OWNER], groups: {} } },
  } as unknown as typeof read;
  const core = startCore({ ...options, channels: [channel], config: () => config });
  cores.push(core);
  let next = 1;
  const hear = (text: string, more: Partial<InboundMessage> = {}) =>
    core.receive({
      ...{ channel: 'telegram', account: 'default', chat: OWNER, messageId: String(next++), chatType: 'direct' },
      ...{ sender: { id: OWNER }, assurance: 'platform', text, receivedAtMs: Date.now() },
      label: label('untrusted', 'owner', 'telegram'),
      ...more,
    } as InboundMessage);
  const until = (count: number): Promise<void> =>
    sent.length >= count ? Promise.resolve() : new Promise((go) => waiting.push({ count, go }));
  return { core, sent, hear, until };
}
const fails = (kind: string, message: string): ModelEvent[] => [
  {
    type: 'end',
    stop: 'error',
    usage: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
    failure: { kind, message },
  } as ModelEvent,
];

test('a long answer is cut when it is queued: a row and a key of its own for each part, in their order', async () => {
  const { core, sent, hear, until } = start({
    model: () => say('one two three. four five six. seven eight'),
    maxChars: 20,
  });
  hear('go');
  await until(3);
  expect(sent.map(({ text }) => text)).toEqual(['one two three.', 'four five six.', 'seven eight']);
  expect(sent.map(({ idempotencyKey }) => idempotencyKey)).toEqual(['reply:1:0', 'reply:1:1', 'reply:1:2']);
  expect(sent.every(({ replyTo, chat }) => replyTo === '1' && chat === OWNER)).toBe(true);
  await new Promise((resolve) => setImmediate(resolve));
  const rows = core.store.prepare('SELECT state, platform_id FROM outbox ORDER BY id').all();
  expect(rows.at(-1)).toEqual({ state: 'sent', platform_id: 'p3' });
});

test('a turn that failed is told in the chat, with a reason and without internals', async () => {
  const { core, sent, hear, until } = start({ model: () => fails('auth', 'bad key sk-1 for https://10.0.0.7/v1') });
  hear('hello?');
  await until(1);
  expect(sent[0]?.text).toBe(noticeOf({ status: 'error', error: { kind: 'auth', message: '' } }));
  expect(core.inbox.balance()).toMatchObject({ received: 1, failed: 1, queued: 0 });
});

test('our own clients see a failure in their stream and get no second message of it', async () => {
  const { core } = start({ model: () => fails('auth', 'no') });
  await core.send('hello?').ended;
  expect(core.outbox.open()).toEqual([]);
  expect(core.outbox.count().sent).toBe(0);
});

test.each(['rate_limit', 'timeout', 'loop', 'gave_up', 'storage', 'something_new', ''])(
  'the notice for %s is one short line that names nothing',
  (kind) => {
    const text = noticeOf({ status: 'error', error: { kind, message: '/home/ada sk-secret 10.0.0.7' } });
    expect(text).toMatch(/^[A-Z][^\n]{10,110}\.$/);
    expect(text).not.toMatch(/ada|sk-|10\.0/);
  },
);

test('a message that steered a turn of another chat is answered in its own chat too', async () => {
  const { core, sent, hear, until } = start({
    model: (request) => (request.messages.some(({ role }) => role === 'tool') ? say('both') : callFor('ls', {})),
    tool: async () => {
      hear('and this');
      return 'done';
    },
  });
  const { ended } = core.send('from the page');
  expect(await ended).toMatchObject({ text: 'both' });
  await until(1);
  expect(sent.map(({ chat, text }) => [chat, text])).toEqual([[OWNER, 'both']]);
  expect(core.inbox.balance()).toMatchObject({ answered: 2, queued: 0 });
});

test('a message with a file is no steering: it waits, and so does what comes after it', async () => {
  const seen: string[] = [];
  const { sent, hear, until } = start({
    model: (request) => {
      seen.push(JSON.stringify(request.messages.at(-1)));
      return request.messages.some(({ role }) => role === 'tool') || seen.length > 1
        ? say(`answer ${seen.length}`)
        : callFor('ls', {});
    },
    tool: async () => {
      const attachments = [
        { ref: 'r', kind: 'sticker', name: 'sticker 👍', mimeType: 'image/webp', sizeBytes: 3 },
      ] as const;
      hear('', { attachments });
      hear('later');
      return 'done';
    },
  });
  hear('first');
  await until(2);
  expect(seen[1]).toMatch(/tool/);
  expect(sent[0]?.text).toBe('answer 2');
});
