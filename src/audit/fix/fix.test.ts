// `--fix` by examples: what is mended and what is left to the owner, twice is once, and undo brings back each byte and mode.
// test/long has the same over every bad configuration of the matrix.
import { chmodSync, existsSync, lstatSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Home, makeHome } from '../../../test/support/audit-rows/audited.ts';
import { fixingIn } from '../../../test/support/audit-rows/fixing.ts';
import { changesBetween } from '../../config/edit/changes.ts';
import type { Config } from '../../config/schema.ts';
import { undoFix } from './apply.ts';
import { isEmptyPlan } from './plan.ts';

let home: Home;
beforeEach(() => {
  home = makeHome();
});
afterEach(() => home.remove());

const { facts, audited, planned, ports, applied } = fixingIn(() => home);

const BOT = 'botToken: "123456789:AAF-x7Q2_kLm3nOpQrStUvWxYz012345678"';
const BAD = `// mine
{
  gateway: { bind: "lan" }, // the whole house
  channels: {
    telegram: {
      ${BOT},
      dmPolicy: "open", // for the party
      allowFrom: ["*", "1303993020"],
      groupPolicy: "open",
      groups: { "-1001": { requireMention: false } },
    },
  },
  tools: { exec: { mode: "full" }, elevated: { enabled: true, allowFrom: { telegram: ["*"] } } },
}
`;
const mode = (name: string): number => lstatSync(join(home.stateDir, name)).mode & 0o777;
const text = (): string => readFileSync(home.configPath, 'utf8');

test('S258 open chats become pairing, open groups a list, groups wait for a mention; comments and the rest stay', async () => {
  home.write(BAD);
  await applied(await planned());
  expect(text()).toBe(
    BAD.replace('dmPolicy: "open"', 'dmPolicy: "pairing"')
      .replace('["*", "1303993020"]', '["1303993020"]')
      .replace('groupPolicy: "open"', 'groupPolicy: "allowlist"')
      .replace('requireMention: false', 'requireMention: true'),
  );
});

test("S259 keys, tools, the box and the address stay the owner's, and are still found with their command", async () => {
  home.write(BAD);
  await applied(await planned());
  const left = (await audited()).map((one) => one.split(':')[0]);
  for (const id of [
    'gateway.bind_network_accessible',
    'tools.elevated.allowFrom.large',
    'tools.exec.security_full_configured',
  ])
    expect(left).toContain(id);
  expect(text()).toContain('bind: "lan"');
  expect(text()).toContain('mode: "full"');
});

test('it is done once: a second time finds nothing to do, and writes nothing', async () => {
  home.write(BAD);
  await applied(await planned());
  const first = text();
  const again = await planned();
  expect(isEmptyPlan(again)).toBe(true);
  expect(again.mended).toEqual([]);
  expect(text()).toBe(first);
});

test('planning writes nothing', async () => {
  home.write(BAD);
  chmodSync(home.configPath, 0o640);
  await planned();
  expect([text(), mode('openclaw.json'), existsSync(join(home.stateDir, 'audit-fixes.json'))]).toEqual([
    BAD,
    0o640,
    false,
  ]);
});

test('an example in a list goes, the people stay; what counted before counts after', async () => {
  home.write(`{ channels: { telegram: { ${BOT}, allowFrom: ["your-telegram-user-id", "1303993020"] } } }`);
  await applied(await planned());
  expect(text()).toContain('allowFrom: ["1303993020"]');
  home.write(
    `{ channels: { telegram: { ${BOT}, allowFrom: ["1303993020"], groupAllowFrom: ["your-telegram-user-id"] } } }`,
  );
  const counted = (await facts()).settings;
  await applied(await planned());
  expect(changesBetween(counted as Config, (await facts()).settings as Config).changed).toEqual([]);
});

test('S260 every mode, and the .gitignore, with what links lead to left alone', async () => {
  home.write('{}');
  const outside = join(home.env['HOME'] ?? '', 'outside');
  writeFileSync(outside, 'x', { mode: 0o644 });
  writeFileSync(join(home.stateDir, '.env'), 'A=b\n');
  chmodSync(join(home.stateDir, '.env'), 0o666);
  chmodSync(home.configPath, 0o644);
  chmodSync(home.stateDir, 0o755);
  symlinkSync(outside, join(home.stateDir, 'link'));
  await applied(await planned());
  expect([mode('.'), mode('openclaw.json'), mode('.env')]).toEqual([0o700, 0o600, 0o600]);
  expect(readFileSync(join(home.stateDir, '.gitignore'), 'utf8')).toBe('*\n');
  expect(lstatSync(outside).mode & 0o777).toBe(0o644);
  await undoFix(ports());
  expect([mode('.'), mode('openclaw.json'), mode('.env')]).toEqual([0o755, 0o644, 0o666]);
  expect(existsSync(join(home.stateDir, '.gitignore'))).toBe(false);
});

test('a mistake elsewhere in the file does not keep an open door open', async () => {
  home.write(BAD.replace('gateway: {', 'nonsense: 1,\n  gateway: {'));
  expect(await applied(await planned())).toMatchObject({ failed: [] });
  expect(text()).toContain('dmPolicy: "pairing"');
  expect(text()).toContain('nonsense: 1');
});

describe('undo', () => {
  test('brings back every byte, one --fix after the other, and says when there is none', async () => {
    await expect(undoFix(ports())).rejects.toMatchObject({ code: 'NOTHING_TO_UNDO' });
    home.write(BAD);
    await applied(await planned());
    const between = text().replace('requireMention: true', 'requireMention: false');
    home.write(between);
    const second = await planned();
    await applied(second);
    await undoFix(ports());
    expect(text()).toBe(between);
    await expect(undoFix(ports())).resolves.toMatchObject({ failed: [expect.stringContaining('changed since')] });
    expect(text()).toBe(between);
  });

  test('takes nothing back that was changed since', async () => {
    home.write(BAD);
    chmodSync(home.configPath, 0o644);
    await applied(await planned());
    home.write(text().replace('1303993020', '42'));
    chmodSync(home.configPath, 0o400);
    const { failed } = await undoFix(ports());
    expect(failed).toHaveLength(2);
    expect([text().includes('"42"'), mode('openclaw.json')]).toEqual([true, 0o400]);
  });
});
