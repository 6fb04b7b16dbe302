// The configuration while the gateway runs: a good edit takes effect or says what waits, a broken one changes nothing, and
// secrets may lie in .env or behind a reference.
import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ModelServer, startModelServer } from '../doubles/model-server.ts';
import { cleanEnv, newHome, REPO, startTestGateway, type TestGateway, writeConfig } from '../support/gateway.ts';
import { configFor } from '../support/model-config.ts';

let model: ModelServer;
let gateway: TestGateway;
const home = newHome();
const config = (change: object = {}) => ({
  ...configFor(model, { models: ['one', 'two'], apiKey: '${DOUBLE_KEY}' }),
  ...change,
});
type Repairs = { repairs: { what: string; fix: string }[] };
const repairs = async (): Promise<string> => JSON.stringify(((await status()) as Repairs).repairs);
const status = async (): Promise<unknown> =>
  (await fetch(`${gateway.url}/api/status`, { headers: { authorization: `Bearer ${gateway.token}` } })).json();

beforeAll(async () => {
  model = await startModelServer();
  writeConfig(home, config());
  writeFileSync(join(home, '.openclaw', '.env'), 'DOUBLE_KEY=key-from-the-env-file\nNODE_OPTIONS=--inspect\n', {
    mode: 0o600,
  });
  gateway = await startTestGateway({ home });
});
afterAll(async () => {
  await gateway.dispose();
  await model.close();
});

test('S121 ${VAR} is found in .env of the state folder, and a name there that steers a process does not count (J09)', async () => {
  const client = await gateway.connect();
  expect((await client.chat('agent:main:env', 'hello')).state).toBe('final');
  expect(model.requests.at(-1)?.headers['authorization']).toBe('Bearer key-from-the-env-file');
  expect(gateway.output()).toMatch(/WARNING: .*NODE_OPTIONS/);
  await client.close();
});

test('an edit of the model takes effect at the next turn, without a restart or a dropped connection', async () => {
  const client = await gateway.connect();
  await client.chat('agent:main:hot', 'hello');
  expect(model.requests.at(-1)?.body['model']).toBe('one');
  writeConfig(home, config({ agents: { defaults: { model: { primary: 'double/two' } } } }));
  await expect.poll(async () => ((await status()) as { model: { primary: string } }).model.primary).toBe('double/two');
  await client.chat('agent:main:hot', 'again');
  expect(model.requests.at(-1)?.body['model']).toBe('two');
  await client.close();
});

test('config set says "in force now" when the gateway says so, and not when it does not answer', async () => {
  const set = (seconds: number) => gateway.cli('config', 'set', 'agents.defaults.timeoutSeconds', String(seconds));
  expect((await set(701)).stdout).toContain('in force now: agents.defaults.timeoutSeconds');
  process.kill(gateway.pid, 'SIGSTOP');
  let asleep: Awaited<ReturnType<typeof set>>;
  try {
    asleep = await set(702);
  } finally {
    process.kill(gateway.pid, 'SIGCONT');
  }
  expect([asleep.code, asleep.stdout]).toEqual([0, expect.not.stringContaining('in force now')]);
  expect(asleep.stderr).toContain('not in force yet');
}, 30_000);

test('an edit that needs a restart says so in status', async () => {
  writeConfig(home, config({ logging: { level: 'debug' } }));
  await expect.poll(repairs).toContain('logging.level');
});

test('a broken edit leaves what runs in force, and status says what is wrong and how to mend it', async () => {
  writeConfig(home, '{ gateway: { prt: 1 } }');
  await expect.poll(repairs).toContain('did you mean');
  const client = await gateway.connect();
  expect((await client.chat('agent:main:env', 'still there?')).state).toBe('final');
  await client.close();
  writeConfig(home, config());
  await expect.poll(repairs).not.toContain('did you mean');
});

const keyOf = async (session: string): Promise<unknown> => {
  const client = await gateway.connect();
  const said = await client.chat(`agent:main:${session}`, 'hello');
  await client.close();
  return said.state === 'final' ? model.requests.at(-1)?.headers['authorization'] : said.state;
};
const withKey = (apiKey: unknown) => ({ ...configFor(model, { models: ['one'] }), ...providerWith(apiKey) });
const providerWith = (apiKey: unknown) => {
  const { models } = configFor(model, { models: ['one'] }) as { models: { providers: { double: object } } };
  return { models: { providers: { double: { ...models.providers.double, apiKey } } } };
};
const stateFile = (name: string, text: string) => writeFileSync(join(home, '.openclaw', name), text, { mode: 0o600 });

test('a new reference is followed while the gateway runs, and a rotated secret takes effect at the next turn', async () => {
  stateFile('credentials/double', 'first-stored-key');
  writeConfig(home, withKey({ source: 'file', id: 'double' }));
  await expect.poll(() => keyOf('ref')).toBe('Bearer first-stored-key');
  stateFile('credentials/double', 'second-stored-key');
  await expect.poll(() => keyOf('ref')).toBe('Bearer second-stored-key');
});

test('a reference that leads nowhere leaves what runs in force and says so in status, until its secret is there', async () => {
  writeConfig(home, withKey({ source: 'file', id: 'not-there-yet' }));
  await expect.poll(repairs).toContain('not-there-yet');
  expect(await keyOf('nowhere')).toBe('Bearer second-stored-key');
  stateFile('credentials/not-there-yet', 'third-stored-key');
  await expect.poll(() => keyOf('nowhere')).toBe('Bearer third-stored-key');
  expect(await repairs()).not.toContain('not-there-yet');
});

test('the commands for secrets and settings reach a gateway that runs: a new vault entry, a rotation, a new reference', async () => {
  const quietly = async (stdin: string, ...words: string[]): Promise<string> => {
    const ran = spawnSync(join(REPO, 'bin', 'openclaw.cjs'), words, {
      env: cleanEnv(home, { ...gateway.env }),
      input: stdin,
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect(ran.status, ran.stdout + ran.stderr).toBe(0);
    return ran.stdout;
  };
  await quietly('', 'secrets', 'vault', 'init');
  await quietly('vaulted-key-number-one', 'secrets', 'set', 'double', '--vault');
  const ref = '{ source: "vault", id: "double" }';
  const said = await quietly('', 'config', 'set', 'models.providers.double.apiKey', ref);
  expect(said).toContain('in force now: models.providers.double.apiKey');
  expect(said).not.toContain('restart');
  await expect.poll(() => keyOf('vault')).toBe('Bearer vaulted-key-number-one');
  await quietly('vaulted-key-number-two', 'secrets', 'rotate', 'double', '--vault');
  await expect.poll(() => keyOf('vault')).toBe('Bearer vaulted-key-number-two');
  const program = { source: 'exec', command: '/usr/bin/printf', args: ['from-a-program-%s', '{id}'] };
  const asked = withKey({ source: 'exec', provider: 'tool', id: 'nine' });
  writeConfig(home, { ...asked, secrets: { providers: { tool: program } } });
  await expect.poll(() => keyOf('vault')).toBe('Bearer from-a-program-nine');
});

test('a variable that is changed in .env takes effect, and one that is taken out changes nothing that runs', async () => {
  writeConfig(home, withKey('${DOUBLE_KEY}'));
  await expect.poll(() => keyOf('env')).toBe('Bearer key-from-the-env-file');
  stateFile('.env', 'DOUBLE_KEY=key-changed-in-env\n');
  await expect.poll(() => keyOf('env')).toBe('Bearer key-changed-in-env');
  stateFile('.env', '\n');
  await expect.poll(repairs).toContain('DOUBLE_KEY');
  expect(await keyOf('env')).toBe('Bearer key-changed-in-env');
});

test('a tool that is denied is neither offered nor run at the next turn, without a restart', async () => {
  stateFile('.env', 'DOUBLE_KEY=key-changed-in-env\n');
  const offered = async (): Promise<string> => {
    await keyOf('tools');
    return JSON.stringify(model.requests.at(-1)?.body['tools'] ?? []);
  };
  expect(await offered()).toContain('"exec"');
  writeConfig(home, { ...withKey('${DOUBLE_KEY}'), tools: { deny: ['exec'] } });
  await expect.poll(offered).not.toContain('"exec"');
  expect(await repairs()).not.toContain('tools.deny');
  // The switch for all commands is no slower than the list.
  writeConfig(home, withKey('${DOUBLE_KEY}'));
  await expect.poll(offered).toContain('"exec"');
  writeConfig(home, { ...withKey('${DOUBLE_KEY}'), tools: { exec: { mode: 'deny' } } });
  await expect.poll(offered).not.toContain('"exec"');
  expect(await repairs()).not.toContain('tools.exec');
});

test('a secret that others may read stops the start with the chmod line, and nothing else', async () => {
  const other = newHome();
  writeConfig(other, config());
  const file = join(other, '.openclaw', '.env');
  writeFileSync(file, 'DOUBLE_KEY=key-from-the-env-file\n');
  chmodSync(file, 0o644);
  await expect(startTestGateway({ home: other })).rejects.toThrow(/chmod 600/);
});
