// Commands outside the box and the trash, with a real gateway that is an ordinary user: what it takes to leave the box,
// that each time is asked, and that what is thrown away comes back.
import { chownSync, existsSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type ModelServer, startModelServer } from '../doubles/model-server.ts';
import { entry, newHome, runCommand, startTestGateway, type TestGateway, writeConfig } from '../support/gateway.ts';
import { configFor } from '../support/model-config.ts';
import { isRoot } from '../support/sandbox.ts';
import { enter, type Peer } from '../support/wire.ts';

const NOBODY = 65_534;
let model: ModelServer;

/** As an ordinary user, whoever runs the tests. */
async function openGateway(settings: object): Promise<{ gateway: TestGateway; peer: Peer }> {
  const home = newHome();
  const base = configFor(model, { api: 'anthropic-messages' }) as { agents: { defaults: object } };
  const { agents = {}, ...more } = settings as { agents?: object };
  writeConfig(home, { ...base, ...more, agents: { defaults: { ...base.agents.defaults, ...agents } } });
  const program = join(home, 'start.mjs');
  const [main] = entry();
  writeFileSync(
    program,
    `if (process.getuid() === 0) { process.setgroups([]); process.setgid(${NOBODY}); process.setuid(${NOBODY}); }
    process.execve(process.execPath, [process.execPath, ${JSON.stringify(main)}, 'gateway', 'run'], process.env);`,
  );
  if (isRoot)
    for (const path of ['', '.openclaw', '.openclaw/openclaw.json']) chownSync(join(home, path), NOBODY, NOBODY);
  const gateway = await startTestGateway({ home, program });
  return { gateway, peer: await enter(gateway.port, { auth: { token: gateway.token }, caps: ['tool-events'] }) };
}

/** One call of the model; what came of it, and whether the owner was asked. */
async function call(peer: Peer, key: string, args: object, answer?: 'allow-once' | 'deny') {
  const before = model.requests.length;
  model.script({ toolCalls: [{ name: 'exec', args }] }, { text: 'done' });
  const run = crypto.randomUUID();
  await peer.ask('chat.send', { sessionKey: key, message: 'go on', idempotencyKey: run });
  let asked: Record<string, unknown> | null = null;
  if (answer) {
    const { payload } = await peer.event('exec.approval.requested', ({ runId }) => runId === run);
    asked = payload ?? null;
    await peer.ask('exec.approval.resolve', { id: payload?.['id'], decision: answer });
  }
  await peer.event('chat', ({ runId, state }) => runId === run && state !== 'delta');
  await model.received(before + 2);
  return { result: model.requests[before + 1]?.result ?? '', asked };
}

beforeAll(async () => {
  model = await startModelServer();
});
afterAll(() => model?.close());

describe('with windows allowed', () => {
  let gateway: TestGateway;
  let peer: Peer;
  const home = newHome();
  /** As the person at the terminal, who is another account than the gateway's. */
  const cli = (...words: string[]) =>
    runCommand([...words, '--url', `ws://127.0.0.1:${gateway.port}`], {
      home,
      env: { OPENCLAW_GATEWAY_TOKEN: gateway.token },
    });
  beforeAll(async () => {
    ({ gateway, peer } = await openGateway({ tools: { elevated: { enabled: true, allowFrom: ['webchat:owner'] } } }));
  });
  afterAll(async () => {
    await peer?.end();
    await gateway?.dispose();
    rmSync(home, { recursive: true, force: true });
  });

  test('S002 S272 one command leaves the box with an open window and a yes, each time, and never without', async () => {
    const key = 'agent:main:main';
    const outside = { command: `ls ${gateway.stateDir}/openclaw.json; echo "home $HOME"`, elevated: true };
    expect((await call(peer, key, outside)).result).toMatch(/ELEVATED_CLOSED.*openclaw elevated on/);
    const opened = await cli('elevated', 'on', '5');
    expect(opened).toMatchObject({ code: 0, stdout: expect.stringContaining('Open for 5 min') });
    expect((await cli('status')).stdout).toMatch(/outside the box +webchat:owner in agent:main:main/);
    const first = await call(peer, key, outside, 'allow-once');
    expect(JSON.stringify(first.asked)).toContain('outside the box');
    expect(first.result).toContain(
      `${gateway.stateDir}/openclaw.json\nhome ${realpathSync(join(gateway.stateDir, 'workspace'))}`,
    );
    expect((await call(peer, key, outside, 'deny')).result).toContain('said no');
    expect((await call(peer, 'agent:main:other', outside)).result).toContain('ELEVATED_CLOSED');
    const boxed = await call(peer, key, { command: outside.command });
    expect(boxed.result).toContain('No such file or directory');
    const back = await call(peer, key, { ...outside, background: true }, 'allow-once');
    expect(back.result).toContain('HOST_NO_BACKGROUND');
    expect((await cli('elevated', 'off')).stdout).toContain('Closed');
    expect((await call(peer, key, outside)).result).toContain('ELEVATED_CLOSED');
    expect((await cli('elevated', 'status', '--json')).stdout).toContain('"windows":[]');
  });

  test('S216 what a command throws away is listed, comes back, or is emptied by its owner alone', async () => {
    const { result } = await call(peer, 'agent:main:main', {
      command: 'mkdir d; echo one >d/one.txt; echo two >two.txt; rm -r d two.txt; ls; rm -rf .trash; echo $?',
    });
    expect(result).toContain('emptied by its owner');
    expect(result).not.toContain('two.txt\n');
    const list = await cli('trash', 'list', '--json');
    const { items } = JSON.parse(list.stdout).data as { items: { id: string; path: string }[] };
    expect(items.map(({ path }) => path)).toEqual(['d', 'two.txt']);
    const restored = await cli('trash', 'restore', items[0]?.id ?? '');
    expect(restored).toMatchObject({ code: 0, stdout: 'back where it was: d\n' });
    expect(readFileSync(join(gateway.stateDir, 'workspace/d/one.txt'), 'utf8')).toBe('one\n');
    expect(await cli('trash', 'empty')).toMatchObject({ code: 64, stderr: expect.stringContaining('--yes') });
    expect((await cli('trash', 'empty', '--older-than', '1d', '--yes')).stdout).toContain('nothing to remove');
    expect((await cli('trash', 'empty', '--yes')).stdout).toContain('gone for good: 1');
    expect((await cli('trash', 'list')).code).toBe(0);
    expect((await cli('trash', 'restore', 'nothing')).code).not.toBe(0);
  });
});

test('a conversation without a box runs nothing on the machine until the owner says how', async () => {
  const { gateway, peer } = await openGateway({ agents: { sandbox: { mode: 'off' } } });
  onTestFinished(() => gateway.dispose());
  const command = `touch ${gateway.home}/ran`;
  expect((await call(peer, 'agent:main:main', { command })).result).toContain('HOST_EXEC_DENIED');
  expect((await call(peer, 'agent:main:main', { command, elevated: true })).result).toContain('ELEVATED_OFF');
  expect(existsSync(join(gateway.home, 'ran'))).toBe(false);
  await peer.end();
});

test('a conversation without a box runs on the machine when the owner has opened it, in the workspace, without secrets', async () => {
  const { gateway, peer } = await openGateway({
    agents: { sandbox: { mode: 'off' } },
    tools: { exec: { mode: 'full' } },
  });
  onTestFinished(() => gateway.dispose());
  const { result } = await call(peer, 'agent:main:main', { command: 'pwd; id -u; printenv' });
  expect(result).toContain(
    `${realpathSync(join(gateway.stateDir, 'workspace'))}\n${isRoot ? NOBODY : process.getuid?.()}\n`,
  );
  expect(result).not.toContain(gateway.token);
  expect(result).not.toMatch(/OPENCLAW|NODE_/);
  await peer.end();
});
