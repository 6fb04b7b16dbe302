// A bad day, step by step: what is known is said beside each step, with and without a gateway, and the evidence holds no secret.
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { startModelServer } from '../doubles/model-server.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { configFor, DOUBLE_KEY } from '../support/model-config.ts';

const gateways: TestGateway[] = [];
afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.dispose();
});

type Step = { title: string; state: string; says: string[]; commands: string[] };
const stepsOf = async (gateway: TestGateway, ...flags: string[]): Promise<Step[]> => {
  const { stdout, code } = await gateway.cli('incident', '--json', ...flags);
  expect(code, stdout).toBe(0);
  return JSON.parse(stdout).data.steps;
};
const step = (steps: Step[], title: string): Step => {
  const found = steps.find((one) => one.title.startsWith(title));
  if (!found) throw new Error(`no step ${title}`);
  return found;
};

test('S071 S072 S073 S278 S279 each step says what is known here, and turns green when it is done', async () => {
  const model = await startModelServer();
  const gateway = await startTestGateway({ config: configFor(model) });
  gateways.push(gateway);
  model.script({ toolCalls: [{ name: 'write', args: { path: 'notes.md', content: 'x' } }] }, { text: 'done' });
  await gateway.cli('agent', '-m', 'note x');
  const key = join(gateway.stateDir, 'credentials', 'anthropic-key');
  writeFileSync(key, 'sk-ant-api03-notARealKeyButLongEnough000000000000', { mode: 0o600 });
  utimesSync(key, 1_700_000_000, 1_700_000_000);
  writeFileSync(join(gateway.stateDir, 'credentials', 'telegram-token'), '123456:abcdefghijklmnopqrstuvwxyz012345678', {
    mode: 0o600,
  });

  const first = await stepsOf(gateway);
  expect(step(first, 'Stop it')).toMatchObject({ state: 'open', commands: ['openclaw panic'] });
  const rotate = step(first, 'Rotate every key');
  expect(rotate.state).toBe('open');
  expect(rotate.says.join()).toContain('console.anthropic.com');
  expect(rotate.says.join()).not.toContain('telegram');
  expect(rotate.commands).toEqual(['openclaw secrets set anthropic-key']);
  expect(step(first, 'See what ran').says[0]).toContain('1 files written');
  expect(step(first, 'Look for sessions').says[0]).toContain('agent:main:main');
  expect(step(first, 'Verify the record').state).toBe('done');
  expect(step(first, 'Look at this machine').commands).toEqual(expect.arrayContaining(['last', 'crontab -l']));

  const live = await gateway.cli('incident', 'export', '--to', 'live');
  expect(live.code, live.stderr).toBe(0);
  expect(readFileSync(join(gateway.home, 'live', 'record.json'), 'utf8')).toContain('gateway.started');

  expect((await gateway.cli('panic')).code).toBe(0);
  await gateway.stop();
  writeFileSync(key, 'sk-ant-api03-anotherKeyThatIsNotReal00000000000', { mode: 0o600 });
  const then = await stepsOf(gateway);
  expect(step(then, 'Stop it').state).toBe('done');
  expect(step(then, 'Rotate every key').state).toBe('done');
  expect(step(then, 'Let it work again').commands).toEqual(['openclaw panic --lift']);
  expect((await gateway.cli('incident')).stdout).toContain('✗ 4. Take back rights'.slice(4));

  const kept = await gateway.cli('incident', 'export', '--to', 'evidence', '--json');
  expect(kept.code, kept.stdout).toBe(0);
  const folder = join(gateway.home, 'evidence');
  const { manifestSha256 } = JSON.parse(kept.stdout).data;
  expect(manifestSha256).toMatch(/^[0-9a-f]{64}$/);
  const names = readdirSync(folder);
  expect(names).toEqual(
    expect.arrayContaining([
      'facts.json',
      'manifest.json',
      'messages.jsonl',
      'record.json',
      'report.json',
      'settings.json5',
      'verify.json',
    ]),
  );
  expect(names.filter((name) => name.endsWith('.missing'))).toEqual([]);
  const all = names.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
  expect(all).toContain('note x');
  for (const secret of [gateway.token, DOUBLE_KEY, 'anotherKeyThatIsNotReal', '123456:abcdefgh'])
    expect(all.includes(secret), secret.slice(0, 6)).toBe(false);
  expect((await gateway.cli('incident', 'export', '--to', 'evidence')).stderr).toContain('is there already');
  await model.close();
});

test('nothing is needed for it: no gateway, no state, a broken configuration, a broken database', async () => {
  const gateway = await startTestGateway({ config: {} });
  gateways.push(gateway);
  await gateway.stop();
  writeFileSync(join(gateway.stateDir, 'openclaw.json'), '{ broken');
  writeFileSync(join(gateway.stateDir, 'state.sqlite'), 'not a database');
  const steps = await stepsOf(gateway);
  expect(step(steps, 'Verify the record').state).toBe('yours');
  expect(step(steps, 'Take back rights').says[0]).toContain('could not be read');
  const kept = await gateway.cli('incident', 'export', '--to', 'evidence');
  expect(kept.code, kept.stderr).toBe(0);
  expect(existsSync(join(gateway.home, 'evidence', 'manifest.json'))).toBe(true);
  const { stderr, code } = await gateway.cli('incident', '--since', 'tomorrow');
  expect(code).toBe(64);
  expect(stderr).toContain('--since is a day');
});
