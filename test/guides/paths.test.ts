// The rows of the guides about files, as a person and a model meet them: a real gateway, its file tools and its sandbox.
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withoutFrames } from '../../src/platform/outside-text.ts';
import { type ModelServer, startModelServer } from '../doubles/model-server.ts';
import { newHome, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { configFor } from '../support/model-config.ts';

let model: ModelServer;
let gateway: TestGateway;
/** outside the workspace, the state and /tmp, which a box has of its own */
let docs: string;
const put = (path: string, text: string): void => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
};
/** What the model is answered when it calls this tool. */
async function told(name: string, args: object): Promise<string> {
  model.script({ toolCalls: [{ name, args }] }, ({ result }) => ({ text: `${result}` }));
  return withoutFrames((await gateway.cli('agent', '-m', 'go on')).stdout).trim();
}
const set = (key: string, value: unknown) => gateway.cli('config', 'set', key, JSON.stringify(value));

beforeAll(async () => {
  model = await startModelServer();
  const home = newHome();
  docs = mkdtempSync('/var/tmp/docs-');
  chmodSync(docs, 0o755);
  put(join(docs, 'a.md'), 'about Graz');
  put(join(docs, 'team/.env'), 'TEAM-SECRET');
  put(join(docs, 'team/plan.md'), 'the plan');
  put(join(home, '.ssh/id_ed25519'), 'SSH-SECRET');
  put(join(home, '.openclaw/workspace/.env'), 'ENV-SECRET');
  put(join(home, '.openclaw/workspace/private/diary.md'), 'DIARY-SECRET');
  put(join(home, '.openclaw/workspace/app/.env.local'), 'LOCAL-SECRET');
  put(join(home, '.openclaw/workspace/app/.env.example'), 'KEY=');
  gateway = await startTestGateway({ config: { ...configFor(model), security: { deniedPaths: ['private'] } }, home });
}, 30_000);
afterAll(async () => {
  await gateway?.dispose();
  await model?.close();
  rmSync(docs, { recursive: true, force: true });
});

test('S128 F01 nothing outside the workspace; the refusal names one command, and that command opens it at once', async () => {
  const refused = await told('read', { path: join(docs, 'a.md') });
  expect(refused).toContain('Refused (PATH_OUTSIDE): reading');
  const [, command = ''] = /What helps: openclaw (.*)$/m.exec(refused) ?? [];
  expect(command).toBe(`config set security.allowedPaths '["${docs}/a.md:ro"]'`);
  const words = command.split(' ').map((word) => word.replace(/^'(.*)'$/, '$1'));
  expect(await gateway.cli(...words)).toMatchObject({ code: 0 });
  await expect.poll(() => told('read', { path: join(docs, 'a.md') })).toBe('about Graz');
  expect(await told('write', { path: join(docs, 'a.md'), content: 'x' })).toContain('Refused (PATH_READ_ONLY)');
});

test('S129 S183 S211 an allowed folder is read and written by tools and commands alike, with what it hides', async () => {
  expect(await set('security.allowedPaths', [docs])).toMatchObject({ code: 0 });
  await expect.poll(() => told('ls', { path: docs })).toContain('team/');
  expect(await told('write', { path: join(docs, 'new.md'), content: 'fresh' })).toContain('Wrote');
  expect(readFileSync(join(docs, 'new.md'), 'utf8')).toBe('fresh');
  expect(await told('ls', { path: join(docs, 'team') })).toBe('.env  (closed to you)\nplan.md  8 B');
  expect(await told('read', { path: join(docs, 'team/.env') })).toContain('Refused (PATH_DENIED)');
  const seen = await told('exec', { command: `cat ${docs}/team/plan.md ${docs}/team/.env` });
  expect(seen).toBe('the plan');
});

test('S129 deny wins: neither a tool nor a command gets at a denied folder, and no command can move it away', async () => {
  expect(await told('read', { path: 'private/diary.md' })).toContain('security.deniedPaths names');
  const seen = await told('exec', { command: 'cat private/*; mv private public; ls -A private; cat public/*' });
  expect(seen).not.toContain('DIARY-SECRET');
  expect(readFileSync(join(gateway.stateDir, 'workspace/private/diary.md'), 'utf8')).toBe('DIARY-SECRET');
});

test('S185 F10 a .env of the workspace is read by nobody, its example by everybody', async () => {
  for (const path of ['.env', './.ENV', 'app/.env.local'])
    expect(await told('read', { path })).toContain('Refused (PATH_DENIED)');
  expect(await told('read', { path: 'app/.env.example' })).toBe('KEY=');
  const seen = await told('exec', {
    command: 'cat .env app/.env.local; cp .env x; mv app/.env.local y; ln .env z; cat x y z; echo end',
  });
  expect(seen).toContain('end');
  expect(seen).not.toContain('SECRET');
});

test('S184 S187 keys and the state folder stay closed whatever is allowed, and the settings say so', async () => {
  const keys = join(gateway.home, '.ssh/id_ed25519');
  const made = await set('security.allowedPaths', [docs, join(gateway.home, '.ssh')]);
  expect(made).toMatchObject({ code: 0 });
  expect(made.stdout + made.stderr).toContain('holds keys and logins; those stay denied');
  for (const path of [
    keys,
    join(gateway.stateDir, 'openclaw.json'),
    join(gateway.stateDir, 'credentials/gateway-token'),
  ])
    expect(await told('read', { path })).toContain('Refused (PATH_DENIED)');
  expect(await set('security.allowedPaths', [gateway.stateDir])).toMatchObject({ code: 78 });
  expect(await set('security.dangerouslyReadable', [keys])).toMatchObject({ code: 0 });
  await expect.poll(() => told('read', { path: keys })).toBe('SSH-SECRET');
  expect((await gateway.cli('config', 'validate')).stdout).toContain(
    'DANGEROUS: the assistant, and whoever it listens to, can read',
  );
});

test('F02 F08 the other ways out are refused in one line', async () => {
  for (const path of [
    '../openclaw.json',
    '~/.ssh/id_ed25519',
    '/proc/self/environ',
    `/proc/self/root${gateway.home}/.ssh/x`,
    '/dev/zero',
    'a\u0000b',
  ])
    expect(await told('read', { path })).toMatch(/^(error: )?Refused \(PATH_[A-Z]+\): [^\n]+$/);
});
