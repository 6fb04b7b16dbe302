// Files from outside: what they are by their bytes, where they go, and what the model is told of them.
import { expect, test } from 'vitest';
import type { Log } from '../log/log.ts';
import { label } from '../store/label.ts';
import { createAttachments } from './attachments.ts';
import type { Attachment, ConnectedChannel, InboundMessage } from './channel.ts';
import { sniff } from './media-type.ts';

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, reopen() {}, close() {}, file: '' };
const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.padEnd(40, '0'), 'hex'));
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

test.each([
  ['a picture', bytes('89504e470d0a1a0a'), 'x.exe', 'image/png', 'png'],
  ['a program that calls itself a picture', bytes('7f454c46'), 'cat.jpg', 'application/x-executable', 'bin'],
  ['a script that calls itself a picture', text('#!/bin/sh\nrm -rf ~'), 'cat.jpg', 'text/x-script', 'txt'],
  ['a page', text('<html><script>'), 'a.html', 'text/plain', 'txt'],
  ['notes', text('# Notes\nü'), 'notes.md', 'text/plain', 'md'],
  [
    'a document',
    bytes('504b0304'),
    'letter.docx',
    'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    'docx',
  ],
  ['an archive', bytes('504b0304'), 'letter.jar', 'application/zip', 'zip'],
  ['nothing known', bytes('0011'), 'x.sh', 'application/octet-stream', 'bin'],
  ['nothing at all', new Uint8Array(), '', 'text/plain', 'txt'],
])('%s is what its bytes are', (_what, content, name, mimeType, extension) => {
  expect(sniff(content, name)).toEqual({ mimeType, extension });
});

function house(fetched: (ref: string) => Uint8Array | Error, maxBytes = 1_000_000) {
  const stored = new Map<string, Uint8Array>();
  const asked: string[] = [];
  const channel = {
    async fetchAttachment(ref: string) {
      asked.push(ref);
      const found = fetched(ref);
      if (found instanceof Error) throw found;
      return found;
    },
  } as unknown as ConnectedChannel;
  const attachments = createAttachments({
    connected: (id) => (id === 'test' ? channel : undefined),
    maxBytes: () => maxBytes,
    log: silent,
    now: () => Date.UTC(2026, 10, 21),
  });
  const take = (files: readonly Partial<Attachment>[], more: Partial<InboundMessage> = {}) =>
    attachments.take(
      {
        ...{ channel: 'test', account: 'default', chat: '1', messageId: '1', chatType: 'direct', sender: { id: '1' } },
        ...{ assurance: 'platform', text: '', receivedAtMs: 0, label: label('untrusted', 'owner') },
        attachments: files.map((one, n) => ({
          ...{ ref: `r${n}`, kind: 'file', name: 'a.txt', mimeType: 'text/plain', sizeBytes: null },
          ...one,
        })),
        ...more,
      } as InboundMessage,
      async (path, content) => void stored.set(path, Buffer.from(content)),
      new AbortController().signal,
    );
  return { take, stored, asked };
}

test('a name leads nowhere, disguises nothing, and the ending says what it is', async () => {
  const { take, stored } = house(() => text('hi'));
  const names = [
    '../../etc/passwd',
    '/root/.ssh/id_rsa',
    'C:\\x\\y.bat',
    '.bashrc',
    '',
    'ü\u202egpj.exe',
    `${'a'.repeat(500)}.md`,
    'con\u0000\n].txt',
  ];
  const told = await take(names.map((name) => ({ name })));
  expect(stored.size).toBe(names.length);
  for (const path of stored.keys()) expect(path).toMatch(/^inbox\/2026-11-21-[a-z0-9-]{1,60}-[0-9a-f]{8}\.(txt|md)$/);
  const lines = told.split('\n');
  expect(lines[0]).toMatch(/untrusted content/);
  expect(lines).toHaveLength(names.length + 1);
  expect(told).not.toMatch(/[\u202e\u0000]/);
});

test('what is too large is not fetched, or not kept, and that is said', async () => {
  const { take, stored, asked } = house(() => new Uint8Array(2_000), 1_000);
  const told = await take([{ sizeBytes: 5_000 }, { sizeBytes: 10 }]);
  expect(asked).toEqual(['r1']);
  expect(stored.size).toBe(0);
  expect(told).toMatch(/not fetched, it has 0.0 MB.*\n.*not kept, it is larger/);
});

test('one that fails does not keep the others, and why is not told to the model', async () => {
  const { take, stored } = house((ref) => (ref === 'r0' ? new Error('https://api/bot123:secret failed') : text('ok')));
  const told = await take([{}, {}]);
  expect(told).toMatch(/could not be fetched and stored/);
  expect(told).not.toMatch(/secret/);
  expect(stored.size).toBe(1);
});

test('a flood of files is cut off, and a channel that is gone is said', async () => {
  const { take, stored } = house(() => text('ok'));
  expect(await take(Array.from({ length: 25 }, () => ({})))).toMatch(/- 15 more: not fetched, 10 are taken/);
  expect(stored.size).toBe(10);
  expect(await take([{}], { channel: 'gone' })).toMatch(/not fetched, the channel cannot/);
  expect(await take([])).toBe('');
});
