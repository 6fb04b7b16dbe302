// Commands in the background with a real gateway, a scripted provider and the real sandbox: they live over turns, belong
// to their conversation, and end with it, with the gateway, and with a gateway that is killed.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withoutFrames } from '../../src/platform/outside-text.ts';
import { type ModelServer, startModelServer } from '../doubles/model-server.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { configFor } from '../support/model-config.ts';
import { processesWith, until } from '../support/sandbox.ts';
import { enter, type Peer } from '../support/wire.ts';

let model: ModelServer;
let gateway: TestGateway;
let peer: Peer;

const open = async (home?: string): Promise<void> => {
  const config = configFor(model, { api: 'anthropic-messages' });
  gateway = await startTestGateway({ config, ...(home ? { home } : {}) });
  peer = await enter(gateway.port, { auth: { token: gateway.token }, caps: ['tool-events'] });
};
beforeAll(async () => {
  model = await startModelServer();
  await open();
});
afterAll(async () => {
  await peer?.end();
  await gateway?.dispose();
  await model?.close();
});

const newKey = (): string => `agent:main:${crypto.randomUUID()}`;
const marker = (): string => `marker-${crypto.randomUUID()}`;

/** One turn in which the model makes these calls, one after the other; what each of them gave. */
async function turn(sessionKey: string, ...calls: readonly [string, object][]): Promise<string[]> {
  const before = model.requests.length;
  model.script(...calls.map(([name, args]) => ({ toolCalls: [{ name, args }] })), { text: 'done' });
  const idempotencyKey = crypto.randomUUID();
  await peer.ask('chat.send', { sessionKey, message: 'go on', idempotencyKey });
  await peer.event('chat', ({ runId, state }) => runId === idempotencyKey && state !== 'delta');
  return model.requests.slice(before + 1).map(({ result }) => withoutFrames(result ?? ''));
}
const idIn = (text: string | undefined): string => /in the background as ([\w-]+)/.exec(text ?? '')?.[1] ?? 'none';

test('a command goes on over turns, is fed, polled, read again and killed, by its own conversation alone', async () => {
  const key = newKey();
  const mark = marker();
  const script = `exec -a ${mark} bash --norc -c 'while read -r line; do echo "heard $line"; done; echo over; sleep 300'`;
  const [started] = await turn(key, ['exec', { command: script, background: true }]);
  const id = idIn(started);
  expect(started).toContain('it goes on when this turn ends or is stopped, for at most 30 min');
  const [written, polled] = await turn(
    key,
    ['process', { action: 'write', id, input: 'one\n' }],
    ['process', { action: 'poll', id, waitSeconds: 0 }],
  );
  expect(written).toBe(`heard one\n[${id} runs]`);
  expect(polled).toBe(`[${id} runs]`);
  const [ended, log, list] = await turn(
    key,
    ['process', { action: 'write', id, input: 'two\n', eof: true }],
    ['process', { action: 'log', id, offset: 6 }],
    ['process', { action: 'list' }],
  );
  expect(ended).toContain('heard two');
  expect(log).toContain('one\nheard two');
  expect(list).toContain(`${id} runs`);
  const [foreign, none] = await turn(newKey(), ['process', { action: 'kill', id }], ['process', { action: 'list' }]);
  expect(foreign).toContain('PROCESS_UNKNOWN');
  expect(none).toBe('(none)');
  expect(processesWith(mark)).not.toHaveLength(0);
  const [killed] = await turn(key, ['process', { action: 'kill', id }]);
  expect(killed).toMatch(/ended after .* s: killed\]$/);
  await until(() => processesWith(mark).length === 0, 20_000);
});

test('yieldMs gives the result of what is done in time, and lets the rest go on; bad input is said so', async () => {
  const key = newKey();
  const [quick, failed, slow, env, unsafe, missing] = await turn(
    key,
    ['exec', { command: 'echo quick', yieldMs: 5_000 }],
    ['exec', { command: 'echo bad >&2; exit 4', background: true }],
    ['exec', { command: 'echo begun; sleep 300', yieldMs: 300 }],
    ['exec', { command: 'echo $APP_NAME; cat', env: { APP_NAME: 'me' } }],
    ['exec', { command: 'env', env: { LD_PRELOAD: '/tmp/x.so' } }],
    ['process', { action: 'poll' }],
  );
  expect(quick).toBe('quick');
  expect(failed).toBe('bad\n[exit code 4]');
  expect(slow).toMatch(/^begun\n\[in the background as /);
  expect(env).toBe('me');
  expect(unsafe).toContain('may not be set');
  expect(missing).toContain('poll needs the id');
});

test('a .bashrc in the workspace is not run before a command', async () => {
  writeFileSync(join(gateway.stateDir, 'workspace', '.bashrc'), 'echo planted\n', { mode: 0o644 });
  const [said] = await turn(newKey(), ['exec', { command: 'echo alone', yieldMs: 5_000 }]);
  expect(said).toBe('alone');
});

test('stopping a turn leaves the background alone; resetting or deleting the conversation does not', async () => {
  const [kept, gone] = [marker(), marker()];
  const key = newKey();
  await turn(key, ['exec', { command: `exec -a ${kept} sleep 300`, background: true }]);
  model.script('hang');
  await peer.ask('chat.send', { sessionKey: key, message: 'think', idempotencyKey: crypto.randomUUID() });
  await peer.ask('chat.abort', { sessionKey: key });
  expect(processesWith(kept)).not.toHaveLength(0);
  await peer.ask('sessions.reset', { key });
  await until(() => processesWith(kept).length === 0, 20_000);
  await turn(key, ['exec', { command: `exec -a ${gone} sleep 300`, background: true }]);
  await until(() => processesWith(gone).length > 0, 20_000);
  await peer.ask('sessions.delete', { key });
  await until(() => processesWith(gone).length === 0, 20_000);
});

test('nothing outlives the gateway, not even one that is killed, and a later poll says so', async () => {
  const [one, two] = [marker(), marker()];
  const key = newKey();
  const tree = (mark: string) => `(setsid sleep 301 &) ; exec -a ${mark} sleep 300`;
  const [started] = await turn(key, ['exec', { command: tree(one), background: true }]);
  await until(() => processesWith(one).length > 0, 20_000);
  await gateway.kill9();
  await until(() => processesWith(one).length === 0, 20_000);
  await peer.end();
  const { home } = gateway;
  await open(home);
  const [polled] = await turn(key, ['process', { action: 'poll', id: idIn(started) }]);
  expect(polled).toContain('ended when the gateway that started it ended');
  await turn(key, ['exec', { command: tree(two), background: true }]);
  await until(() => processesWith(two).length > 0, 20_000);
  await gateway.stop();
  expect(processesWith(two)).toEqual([]);
  expect(existsSync(join(home, '.openclaw'))).toBe(true);
  await open(home);
});

test('E33 no secret is in the environment of a command, in the background or not', async () => {
  const secret = readFileSync(join(gateway.stateDir, 'credentials', 'gateway-token'), 'utf8').trim();
  const [front, back] = await turn(
    newKey(),
    ['exec', { command: 'env; cat /proc/*/environ | tr "\\0" "\\n"' }],
    ['exec', { command: 'env; cat /proc/*/environ | tr "\\0" "\\n"', background: true, yieldMs: 5_000 }],
  );
  for (const said of [front, back]) {
    expect(said).toContain('HOME=/workspace');
    expect(said).not.toContain(secret);
    expect(said).not.toMatch(/OPENCLAW|double-key|NODE_|TOKEN|KEY=/);
  }
});

test('E02 the command line of the gateway has no authority inside: no state, no token, no way there', async () => {
  const before = readFileSync(join(gateway.stateDir, 'openclaw.json'), 'utf8');
  const program = join(import.meta.dirname, '..', '..', 'bin', 'openclaw.cjs');
  const [said] = await turn(newKey(), [
    'exec',
    {
      command: `openclaw config set tools.exec.mode full; node ${program} config set tools.exec.mode full
        ls -a ~ ~/.openclaw ${gateway.stateDir} 2>&1; exec 3<>/dev/tcp/127.0.0.1/${gateway.port} && echo connected`,
    },
  ]);
  expect(said).not.toContain('connected');
  expect(said).toMatch(/No such file or directory/);
  expect(readFileSync(join(gateway.stateDir, 'openclaw.json'), 'utf8')).toBe(before);
});
