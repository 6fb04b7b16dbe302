// The guides' rows on backups (S232-S235): the plain tar of a live folder, the way back after a bad day, and that what
// everybody could open has no key in it.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { newHome, runCommand, startTestGateway, type TestGateway } from '../support/gateway.ts';

const gateways: TestGateway[] = [];
const homes: string[] = [];
afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.dispose();
  for (const home of homes.splice(0)) rmSync(home, { recursive: true, force: true });
});
const started = async (options: Parameters<typeof startTestGateway>[0]): Promise<TestGateway> => {
  const gateway = await startTestGateway(options);
  gateways.push(gateway);
  return gateway;
};
type Row = { readonly key: string };
const sessionsOf = async (gateway: TestGateway): Promise<string[]> => {
  const { sessions } = (await gateway.rpc('sessions.list', {})) as { sessions: Row[] };
  return sessions.map(({ key }) => key).sort();
};
async function say(gateway: TestGateway, session: string): Promise<string> {
  const client = await gateway.connect();
  try {
    return (await client.chat(session, 'hello')).state;
  } finally {
    await client.close();
  }
}

test("S232 the guide's tar, while messages come in: started on the copy it has the same sessions and memory", async () => {
  const home = newHome();
  homes.push(home);
  const gateway = await started({ home, config: { agents: { defaults: { workspace: join(home, 'workspace') } } } });
  for (const name of ['one', 'two', 'three']) expect(await say(gateway, `agent:main:${name}`)).toBe('final');
  mkdirSync(join(home, 'workspace', 'memory'), { recursive: true });
  mkdirSync(join(home, 'backups'));
  const before = await sessionsOf(gateway);
  const load = [1, 2, 3, 4].map((n) => say(gateway, `agent:main:load-${n}`));
  const script =
    'tar -czf ~/backups/openclaw-$(date +%Y%m%d).tar.gz ~/.openclaw/ ~/workspace/MEMORY.md ~/workspace/memory/';
  const env = { HOME: home, PATH: process.env['PATH'] };
  const [status] = await once(spawn('bash', ['-c', script], { env, stdio: 'ignore' }), 'close');
  // 1: a file changed while it was read, which is what this is about.
  expect([0, 1]).toContain(status);
  await Promise.all(load);
  await gateway.stop();

  const copy = newHome();
  homes.push(copy);
  const [archive = ''] = readdirSync(join(home, 'backups'));
  spawnSync('tar', [
    'xzf',
    join(home, 'backups', archive),
    '-C',
    copy,
    `--strip-components=${home.split('/').length - 1}`,
  ]);
  expect(existsSync(join(copy, 'workspace', 'MEMORY.md'))).toBe(true);
  const again = await started({ home: copy });
  expect(await sessionsOf(again)).toEqual(expect.arrayContaining(before));
  const { code, stdout } = await again.cli('audit', 'verify', '--json');
  expect(stdout, stdout).toContain('"ok":true');
  expect(code).toBe(0);
});

test('S233 S276 restore from a backup: by one command, keys only in an encrypted one, and back again by one move', async () => {
  const home = newHome();
  homes.push(home);
  const gateway = await started({ home });
  await say(gateway, 'agent:main:before');
  const run = (...args: string[]) => runCommand(['backup', ...args, '--json'], { home });
  const made = JSON.parse((await run('create')).stdout).data as { file: string; leftOut: { path: string }[] };
  expect(made.leftOut.map(({ path }) => path)).toContain('state/credentials');
  await say(gateway, 'agent:main:after');
  const running = await run('restore', made.file, '--in-place');
  expect(JSON.parse(running.stdout)).toMatchObject({
    error: { code: 'GATEWAY_RUNS', hint: 'openclaw gateway stop, then try again' },
  });
  await gateway.stop();
  const restored = JSON.parse((await run('restore', made.file, '--in-place')).stdout).data as { aside: string };
  expect(existsSync(join(restored.aside, 'state.sqlite'))).toBe(true);
  const again = await started({ home });
  expect(await sessionsOf(again)).toContain('agent:main:before');
  expect(await sessionsOf(again)).not.toContain('agent:main:after');
  expect(again.token).toBe(gateway.token);
});
