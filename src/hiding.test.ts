// Each place through which a secret could go on, with the whole inner house around it.
import { rmSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { callFor, type Script, say, startCore } from '../test/support/core.ts';
import { createHide } from './hiding.ts';
import { verifyChain } from './journal/chain.ts';
import { createRedactor } from './log/redact.ts';
import type { ModelEvent, ModelRequest } from './models/provider.ts';
import { label } from './store/label.ts';

const KNOWN = 'velvet-kumquat-7731';
const SHAPED = `ghp_${'q7'.repeat(18)}`;
const secrets = [KNOWN, SHAPED];
const KEY = 'agent:main:main';

let core: ReturnType<typeof startCore> | undefined;
const open = (model: Script, more: Partial<Parameters<typeof startCore>[0]> = {}) => {
  const redactor = createRedactor();
  redactor.add(KNOWN);
  core = startCore({ model, redactor, ...more });
  return core;
};
afterEach(() => {
  core?.end();
  core = undefined;
});

/** Every row of every table, as text. */
function stored({ store }: ReturnType<typeof startCore>): string {
  const tables = store.db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
  return tables.map(({ name }) => JSON.stringify(store.db.prepare(`SELECT * FROM ${name}`).all())).join('\n');
}
const clean = (text: string): void => {
  for (const secret of secrets) expect(text).not.toContain(secret);
};
/** Without what is no data. */
const copyOf = ({ isBarred: _, ...request }: ModelRequest): ModelRequest => structuredClone(request);
const last = <T>(list: readonly T[]): T => list.at(-1) as T;

test('what the owner types: no row, no event and no model sees it; what is around it stays', async () => {
  const shown: ModelRequest[] = [];
  const house = open((request) => {
    shown.push(copyOf(request));
    return say('yes');
  });
  const { ended } = house.send(`is ${KNOWN} or ${SHAPED} good?`);
  clean(stored(house));
  await ended;
  clean(stored(house) + JSON.stringify(house.events) + JSON.stringify(shown));
  expect(last(shown).messages).toEqual([{ role: 'user', text: 'is [redacted] or [redacted] good?' }]);
  expect(house.sessions.get(KEY)?.title).toBe('is [redacted] or [redacted] good?');
});

test('what the model says: hidden in deltas of one character, in the reply, the transcript and the outbox', async () => {
  const text = `It is ${KNOWN}, and ${SHAPED}. That was all.`;
  const deltas = [...text].map((delta): ModelEvent => ({ type: 'text', delta }));
  const [start, , end] = say('');
  const house = open(() => [start as ModelEvent, ...deltas, end as ModelEvent]);
  const outcome = await house.send('tell me').ended;
  expect(outcome.text).toBe('It is [redacted], and [redacted]. That was all.');
  const told = house.events.flatMap((event) => (event.type === 'run.text' ? [event.delta] : []));
  expect(told.join('')).toBe(outcome.text);
  expect(told.length, 'prose goes on while it comes').toBeGreaterThan(4);
  clean(stored(house) + JSON.stringify(house.events));
});

test('what tools return: hidden for model, transcript and events, and the model is told that something is missing', async () => {
  const shown: ModelRequest[] = [];
  const house = open(
    (request) => {
      shown.push(copyOf(request));
      return shown.length === 1 ? callFor('read', { path: 'x' }) : say('read');
    },
    { tool: async () => `key: ${SHAPED}\nother: ${KNOWN}\npassword=hunter22` },
  );
  await house.send('read it').ended;
  clean(stored(house) + JSON.stringify(house.events) + JSON.stringify(shown));
  const seen = last(last(shown).messages);
  expect(seen.role === 'tool' ? seen.results[0]?.text : '').toMatch(
    /^key: \[redacted\]\nother: \[redacted\]\npassword=hunter22\n\[A secret in this was replaced/,
  );
});

test('a call with a secret in its arguments does not run, since what is left of it is something else', async () => {
  let calls = 0;
  const ran: unknown[] = [];
  const house = open(
    () => (++calls === 1 ? callFor('write', { path: 'x', text: [`a ${KNOWN}`, { [SHAPED]: 1 }] }) : say('no')),
    {
      tool: async (call) => {
        ran.push(call);
        return 'done';
      },
    },
  );
  await house.send('write it').ended;
  expect(ran).toEqual([]);
  clean(stored(house) + JSON.stringify(house.events));
  expect(JSON.stringify(house.history())).toContain('write did not run: a secret');
});

test('a failure that repeats a key: outcome, notice, preview and events', async () => {
  const [start] = say('');
  const failure = { kind: 'auth' as const, message: `Incorrect API key provided: ${KNOWN}` };
  const usage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  const house = open(() => [start as ModelEvent, { type: 'end', stop: 'error', usage, failure }]);
  const outcome = await house.send('hello').ended;
  expect(outcome.error?.message).toBe('Incorrect API key provided: [redacted]');
  clean(stored(house) + JSON.stringify(house.events));
});

test('an error that is thrown on the way to the model', async () => {
  const house = open(() => {
    throw new Error(`refused ${KNOWN} and ${SHAPED}`);
  });
  const outcome = await house.send('hello').ended;
  expect(outcome.error?.message).toBe('refused [redacted] and [redacted]');
  clean(stored(house) + JSON.stringify(house.events));
});

test('the system prompt, which is made of files of the workspace', async () => {
  const seen: ModelRequest[] = [];
  const redactor = createRedactor();
  redactor.add(KNOWN);
  const models = createHide(redactor.sure).models({
    primary: 'a/b',
    list: () => [],
    async *stream(request) {
      seen.push(request);
      yield* say('x');
    },
  });
  const request = { model: 'a/b', messages: [], tools: [], maxOutputTokens: 1, cacheKey: '' };
  const system = { stable: `USER.md: ${KNOWN}`, volatile: `today ${SHAPED}` };
  for await (const _ of models.stream({ ...request, system }, new AbortController().signal));
  expect(seen[0]?.system).toEqual({ stable: 'USER.md: [redacted]', volatile: 'today [redacted]' });
});

test('the journal, the label of a session and what is put into the outbox, whoever writes it', async () => {
  const house = open(() => say('x'));
  await house.send('hello').ended;
  house.journal.record('odd', { [SHAPED]: 1, deep: { list: [KNOWN] } });
  const record = house.directory.patch(KEY, { label: `of ${KNOWN}` }, {});
  expect(record.label).toBe('of [redacted]');
  const to = { channel: 'webchat', account: 'gateway', chat: KEY, thread: '', replyTo: '', files: [] };
  house.store.commit(() =>
    house.outbox.insert({
      ...{ ...to, text: SHAPED, idempotencyKey: 'k', inboxId: 1, atMs: 1 },
      label: label('owner', 'owner'),
    }),
  );
  clean(stored(house));
  expect((await verifyChain(house.store, null)).breaks).toMatchObject([{ what: 'no head' }]);
});

test.each(secrets)('a secret as the name of a session or of a message is refused: %s', (secret) => {
  const house = open(() => say('x'));
  for (const names of [{ session: `agent:main:${secret}` }, { id: `x${secret}` }]) {
    expect(() => house.send('hello', names)).toThrow(expect.objectContaining({ code: 'SECRET_IN_NAME' }));
  }
  clean(stored(house));
});

describe('after a restart with a secret more', () => {
  test('older transcripts, and messages that wait, are hidden on their way to the model', async () => {
    const first = startCore({ model: () => say(`you said ${KNOWN}`) });
    await first.send(`it is ${KNOWN}`).ended;
    // Accepted, and not begun when the process died.
    first.store.db
      .prepare(
        "INSERT INTO inbox SELECT NULL, channel, account, 'm2', chat, chat_type, sender, session_key, 'm2', queue_mode, timeout_ms, ?, 'queued', '', 0, received_at, NULL, integrity, readers, sources, facts FROM inbox LIMIT 1",
      )
      .run(`again ${KNOWN}`);
    first.crash();
    const shown: ModelRequest[] = [];
    const house = open(
      (request) => {
        shown.push(copyOf(request));
        return say('yes');
      },
      { folder: first.folder },
    );
    expect(house.intake.resume()).toBe(1);
    await house.waitFor('m2');
    expect(JSON.stringify(last(shown).messages)).toContain('again [redacted]');
    clean(JSON.stringify(shown) + JSON.stringify(house.history()) + JSON.stringify(house.events));
    rmSync(first.folder, { recursive: true, force: true });
  });
});

test('ordinary code, addresses and commands pass as they are', () => {
  const { text } = createHide(createRedactor().sure);
  for (const line of [
    'const password = readLine(); // api_key: see docs',
    'postgres://app:app@localhost/app',
    'curl -H "Authorization: Bearer $TOKEN" --token abcd1234 https://x.example',
    'DB_PASSWORD=changeme12 npm start',
  ])
    expect(text(line)).toBe(line);
});

test('a secret that was stored meanwhile is known before the next message is taken', () => {
  const redactor = createRedactor();
  const late = ['stored-a-minute-ago', KNOWN];
  const hide = createHide(redactor.sure, () => redactor.add(late.shift() ?? ''));
  const message = { channel: 'x', account: 'y', chat: 'z', messageId: '1', chatType: 'direct' as const };
  const from = { sender: { id: '1' }, assurance: 'platform' as const, label: label('owner', 'owner'), receivedAtMs: 1 };
  const said = 'it is stored-a-minute-ago.';
  const quoted = { senderId: null, text: said };
  const name = `${late[0]}.txt`;
  const attachments = [{ ref: '1', kind: 'file' as const, name, mimeType: 'text/plain', sizeBytes: null }];
  expect(hide.inbound({ ...message, ...from, text: said, quoted, attachments, chatTitle: said })).toMatchObject({
    text: 'it is [redacted].',
    quoted: { text: 'it is [redacted].' },
    attachments: [{ name: '[redacted].txt' }],
    chatTitle: 'it is [redacted].',
  });
  expect(hide.toolResult({ text: `a ${KNOWN}` }).text).toMatch(/^a \[redacted\]\n/);
});
