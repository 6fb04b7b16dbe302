// A running command waits until the file that covers it is taken away from outside: by an approved change of the assistant's
// own instructions, or by the owner's editor, which puts a new file in the place of the old one.
import { chownSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withoutFrames } from '../../src/platform/outside-text.ts';
import { type ModelServer, startModelServer } from '../doubles/model-server.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { configFor } from '../support/model-config.ts';
import { enter, type Peer } from '../support/wire.ts';

let model: ModelServer;
let gateway: TestGateway;
let peer: Peer;
const at = (name: string): string => join(gateway.stateDir, 'workspace', name);
const sessionKey = 'agent:main:main';

beforeAll(async () => {
  model = await startModelServer();
  gateway = await startTestGateway({ config: configFor(model, { api: 'anthropic-messages' }) });
  peer = await enter(gateway.port, { auth: { token: gateway.token }, caps: ['tool-events'] });
});
afterAll(async () => {
  await peer?.end();
  await gateway?.dispose();
  await model?.close();
});

/** One turn in which the model makes this call; what it gave. */
async function turn(name: string, args: object): Promise<string> {
  const before = model.requests.length;
  model.script({ toolCalls: [{ name, args }] }, { text: 'done' });
  const idempotencyKey = crypto.randomUUID();
  await peer.ask('chat.send', { sessionKey, message: 'go on', idempotencyKey });
  await peer.event('chat', ({ runId, state }) => runId === idempotencyKey && state !== 'delta');
  return withoutFrames(model.requests[before + 1]?.result ?? '');
}
const background = async (command: string): Promise<string> =>
  /in the background as ([\w-]+)/.exec(await turn('exec', { command, background: true }))?.[1] ?? 'none';
/** As editors save: a new file, of the same owner, in the place of the old one. */
function save(name: string, text: string): void {
  writeFileSync(at('saved.tmp'), text, { mode: 0o644 });
  if (process.geteuid?.() === 0) chownSync(at('saved.tmp'), 65_534, 65_534);
  renameSync(at('saved.tmp'), at(name));
}

test('E05 a command in the background changes nothing of SOUL.md when the owner approves a change of it', async () => {
  const id = await background('(while :; do echo evil >> SOUL.md; sleep 0.005; done) 2>/dev/null');
  const writing = turn('write', { path: 'SOUL.md', content: 'be kind\n' });
  await peer.event('exec.approval.requested', () => true);
  const [asked] = (await peer.ask('exec.approval.list', {})) as unknown as readonly { id: string }[];
  await peer.ask('exec.approval.resolve', { id: asked?.id, decision: 'allow-once' });
  expect(await writing).toContain('Wrote SOUL.md');
  expect(await turn('process', { action: 'poll', id, waitSeconds: 1 })).toContain('ended');
  expect(readFileSync(at('SOUL.md'), 'utf8')).toBe('be kind\n');
  expect(await turn('exec', { command: 'cat SOUL.md' })).toBe('be kind');
});

test.each(['AGENTS.md', '.env'])('a command ends when %s, which it may not touch, is saved anew', async (name) => {
  save(name, 'old');
  const id = await background('sleep 60');
  save(name, 'new');
  expect(await turn('process', { action: 'poll', id, waitSeconds: 3 })).toContain('was replaced meanwhile');
});

test('what a command makes and replaces by itself does not end it', async () => {
  const made = 'echo a > .env; echo b > t; mv t .env; echo c > n; mv n notes.md; sleep 0.1; cat .env notes.md';
  expect(await turn('exec', { command: `mkdir -p project && cd project && ${made}` })).toBe('b\nc');
});
