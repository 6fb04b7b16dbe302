// The commands of settings and secrets without a gateway: what they change, what they refuse, and that no secret passes
// through their words, their output or the open part of the state folder.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CommandResult, newHome, runCommand, writeConfig } from '../support/gateway.ts';

const MINE = `{
  // my own words
  gateway: { port: 18789 }, // the usual one
  agents: { defaults: { timeoutSeconds: 600 } },
}
`;
const TOKEN = '9f2c4e8a1b7d3f60c5e9a2b4d8f1037c6ae5b9d2f4817c3069ad5eb2f8c41739';
const KEY = 'kq7Zt0Xw-only-for-this-test-4fVb2Nc8';

let home = '';
beforeEach(() => {
  home = newHome();
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const state = (...more: string[]): string => join(home, '.openclaw', ...more);
const text = (): string => readFileSync(state('openclaw.json'), 'utf8');
const run = (...args: string[]): Promise<CommandResult> => runCommand(args, { home });
const feed = (input: string, ...args: string[]): Promise<CommandResult> => runCommand(args, { home, input });
async function good(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...args);
  expect(code, `openclaw ${args.join(' ')}: ${stdout}${stderr}`).toBe(0);
  return stdout;
}

/** Files below a folder that hold a text, vault and credentials aside. */
function holding(value: string, folder = state()): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name))
    .filter((path) => !path.startsWith(state('credentials')) && readFileSync(path, 'latin1').includes(value));
}

describe('config', () => {
  test('set then unset gives the same bytes back, comments included', async () => {
    writeConfig(home, MINE);
    expect(await good('config', 'set', 'logging.level', 'debug')).toMatch(/^changed: logging\.level\nno gateway runs/);
    expect(text()).toContain('my own words');
    expect(text()).toContain('debug');
    await good('config', 'unset', 'logging.level');
    expect(text()).toBe(MINE);
  });

  test('S034 set makes the file and the folder where there is none, for its owner alone', async () => {
    await good('config', 'set', 'gateway.port', '19000');
    expect(JSON.parse(text())).toEqual({ gateway: { port: 19000 } });
    expect([statSync(state()).mode & 0o777, statSync(state('openclaw.json')).mode & 0o777]).toEqual([0o700, 0o600]);
  });

  test.each([
    { args: ['set', 'gateway.port', 'abc'], says: 'gateway.port' },
    { args: ['set', 'gateway.prt', '1'], says: 'did you mean "port"' },
    { args: ['set', 'tools.policies', '{'], says: 'tools.policies' },
    { args: ['patch', '{ gateway: { bind: "everywhere" } }'], says: 'gateway.bind' },
  ])('$args is refused with exit 78 and leaves every byte', async ({ args, says }) => {
    writeConfig(home, MINE);
    const { code, stderr } = await run('config', ...args);
    expect(code).toBe(78);
    expect(stderr).toContain(says);
    expect(stderr).toMatch(/^fix: \S/m);
    expect(text()).toBe(MINE);
    expect(existsSync(state('config-history'))).toBe(false);
  });

  test('a change that is refused blames the change, not the file that is as good as it was', async () => {
    writeConfig(home, MINE);
    const { stderr } = await run('config', 'set', 'gateway.port', '99999');
    expect(stderr).toMatch(/^error: nothing was written: gateway\.port: 99999 is not usable: at most 65535\.$/m);
    writeConfig(home, '{ gateway: { port: 99999 } }');
    expect((await run('config', 'set', 'logging.level', 'debug')).stderr).toMatch(
      /^error: the configuration .* is not usable/m,
    );
    writeConfig(home, MINE);
    expect(await good('config', 'unset', 'gateway.nope')).toBe(
      'nothing was written: gateway.nope is not set in the file\n',
    );
    expect((await run('config', 'patch', ' ')).stderr).toContain('the patch cannot be used: it is empty');
    expect((await run('config', 'get', 'xyzzy')).stderr).toContain('fix: openclaw config get ');
  });

  test('a file that cannot be read is never written over', async () => {
    writeConfig(home, '{ gateway: { port: 18789 ');
    const { code, stderr } = await run('config', 'set', 'gateway.port', '19000');
    expect([code, text()]).toEqual([78, '{ gateway: { port: 18789 ']);
    expect(stderr).toMatch(/line 1/);
  });

  test('validate prints what each spelling is read as, and exits 78 for what would not start', async () => {
    writeConfig(home, `{ gateway: { host: '127.0.0.1', authToken: '${TOKEN}' } }`);
    const fine = await good('config', 'validate');
    expect(fine).toMatch(/^read: gateway\.authToken is read as gateway\.auth\.token/m);
    expect(fine).toMatch(/^good: /m);
    expect(fine).not.toContain(TOKEN);
    writeConfig(home, `{ gateway: { authToken: 'your-generated-token-here' }, nonsense: 1 }`);
    const bad = await run('config', 'validate');
    expect(bad.code).toBe(78);
    expect(bad.stdout).toMatch(/^error: .*gateway\.auth\.token.* \| /m);
    const { ok, error } = JSON.parse((await run('config', 'validate', '—json')).stdout);
    expect([ok, error.code, error.details.findings[0].level]).toEqual([false, 'CONFIG_INVALID', 'error']);
  });

  test('validate judges the token in credentials as the start does', async () => {
    mkdirSync(state(), { mode: 0o700 });
    await feed('password123password123', 'secrets', 'set', 'gateway-token');
    const { code, stdout } = await run('config', 'validate');
    expect(code).toBe(78);
    expect(stdout).toMatch(/can be guessed|from a guide/);
    expect(stdout).not.toContain('password123');
  });

  test('validate names what is set and does nothing yet, so that it does not look like a protection', async () => {
    writeConfig(home, `{ cron: { skipMissedJobs: true }, logging: { level: 'debug' } }`);
    const said = await good('config', 'validate');
    expect(said).toMatch(/^warning: cron\.skipMissedJobs is read and checked, but not in force in this version/m);
    expect(said).not.toContain('logging.level');
  });

  test('a model whose provider has no key is refused as the start refuses it, until the key is stored', async () => {
    writeConfig(home, MINE);
    const set = ['config', 'set', 'agents.defaults.model.primary', 'anthropic/claude-sonnet-4-5'];
    const refused = await run(...set);
    expect([refused.code, text()]).toEqual([78, MINE]);
    expect(refused.stderr).toMatch(/nothing was written: the model "anthropic\/claude-sonnet-4-5" .*no key/);
    expect(refused.stderr).toMatch(/^fix: .*openclaw secrets set anthropic-key$/m);
    writeConfig(home, `{ agents: { defaults: { model: { primary: 'anthropic/claude-sonnet-4-5' } } } }`);
    const judged = await run('config', 'validate');
    expect([judged.code, judged.stdout]).toEqual([78, expect.stringMatching(/^error: the model .*no key/)]);
    await feed(KEY, 'secrets', 'set', 'anthropic-key');
    expect(await good('config', 'validate')).toMatch(/^good/m);
    writeConfig(home, MINE);
    await good(...set);
  });

  test('history, diff and rollback lead back to an older text, byte by byte', async () => {
    writeConfig(home, MINE);
    await good('config', 'set', 'logging.level', 'debug');
    await good('config', 'set', 'gateway.port', '19000');
    const list = JSON.parse(await good('config', 'history', '--json')).data.versions;
    expect(list.map((one: { id: number; why: string; current: boolean }) => [one.id, one.why, one.current])).toEqual([
      [3, 'set gateway.port', true],
      [2, 'set logging.level', false],
      [1, '', false],
    ]);
    expect(await good('config', 'diff')).toMatch(/^- .*18789.*\n\+ .*19000/m);
    expect((await good('config', 'rollback', '1', '--dry-run')).trim()).toMatch(/nothing was written$/);
    expect(text()).toContain('19000');
    await good('config', 'rollback', '1');
    expect(text()).toBe(MINE);
    expect((await run('config', 'rollback', '99')).code).toBe(64);
  });

  test('a change on the ground of an older text is refused', async () => {
    writeConfig(home, MINE);
    const { hash } = JSON.parse(await good('config', 'file', '--json')).data;
    await good('config', 'set', 'logging.level', 'debug', '--base-hash', hash);
    const late = await run('config', 'set', 'logging.level', 'warn', '--base-hash', hash);
    expect([late.code, late.stderr]).toEqual([1, expect.stringContaining('was changed since it was read')]);
    expect(text()).toContain('debug');
  });

  test('two changes at once leave a whole file with both, or refuse one of them', async () => {
    writeConfig(home, MINE);
    const both = await Promise.all([
      run('config', 'set', 'logging.level', 'debug'),
      run('config', 'set', 'gateway.port', '19000'),
    ]);
    const codes = both.map(({ code }) => code).sort();
    expect([
      [0, 0],
      [0, 1],
    ]).toContainEqual(codes);
    expect([text().includes('debug'), text().includes('19000')].filter(Boolean)).toHaveLength(codes[1] === 0 ? 2 : 1);
    expect(await good('config', 'validate')).toMatch(/^good/m);
  });

  test('a change that nobody confirms is taken back, and cannot be confirmed too late', async () => {
    writeConfig(home, MINE);
    await good('config', 'set', 'gateway.port', '19000', '--confirm-within', '1s');
    expect(text()).toContain('19000');
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    const late = await run('config', 'confirm');
    expect([late.code, late.stderr]).toEqual([1, expect.stringContaining('was taken back')]);
    expect(text()).toBe(MINE);
    await good('config', 'set', 'gateway.port', '19000', '--confirm-within', '5m');
    expect((await run('config', 'set', 'gateway.port', '19001')).code).toBe(1);
    await good('config', 'confirm');
    expect(text()).toContain('19000');
  });

  test('schema explains a setting, and knows the nearest to one that there is not', async () => {
    expect(await good('config', 'schema', 'gateway.bind')).toMatch(/^default +"loopback"$/m);
    expect(JSON.parse(await good('config', 'schema')).properties.gateway).toBeDefined();
    expect((await run('config', 'schema', 'gateway.prot')).stderr).toContain(
      'did you mean openclaw config schema gateway.port?',
    );
  });
});

describe('secrets', () => {
  test.each([
    ['gateway.auth.token', 'openclaw token rotate'],
    ['models.providers.anthropic.apiKey', 'openclaw secrets set anthropic-key'],
    ['channels.telegram.botToken', 'openclaw secrets set telegram-bot-token'],
    ['env.vars.WHATEVER', ''],
  ])('%s is refused as a word of the command', async (path, fix) => {
    const value = fix ? KEY : 'sk-ant-api03-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH-IJKLMNOP';
    for (const args of [
      ['set', path, value],
      ['patch', `{ ${path.split('.').join(': { ')}: '${value}' ${'}'.repeat(path.split('.').length)}`],
    ]) {
      const { code, stdout, stderr } = await run('config', ...args);
      expect([code, stdout + stderr]).toEqual([64, expect.stringContaining(fix)]);
      expect(stdout + stderr).not.toContain(value);
    }
    expect(existsSync(state('openclaw.json'))).toBe(false);
    const more = await run('secrets', 'set', 'name', value);
    expect(more.code).toBe(64);
    expect(more.stdout + more.stderr).not.toContain(value);
    expect(more.stderr).toMatch(/a value in the words of a command can be read by others\.\nfix: .*replace it/);
  });

  test('S206 set, list, rotate and rm keep values out of sight, in credentials and in the vault', async () => {
    await good('secrets', 'vault', 'init');
    let said = '';
    for (const place of [[], ['--vault']]) {
      const stored = await feed(`${KEY}\n`, 'secrets', 'set', 'some-key', ...place);
      const rotated = await feed(`${KEY}2`, 'secrets', 'rotate', 'some-key', ...place);
      expect([stored.code, rotated.code]).toEqual([0, 0]);
      said += stored.stdout + stored.stderr + rotated.stdout + rotated.stderr;
    }
    expect(readFileSync(state('credentials', 'some-key'), 'utf8')).toBe(`${KEY}2\n`);
    expect(statSync(state('credentials', 'some-key')).mode & 0o777).toBe(0o600);
    const list = JSON.parse(await good('secrets', 'list', '--json')).data.secrets;
    expect(list.map((one: { name: string; where: string }) => `${one.name} ${one.where}`)).toEqual([
      'some-key credentials',
      'some-key vault',
    ]);
    said += JSON.stringify(list) + (await good('secrets', 'vault', 'rekey'));
    expect(said).not.toContain(KEY);
    expect(holding(KEY)).toEqual([]);
    expect((await run('secrets', 'rm', 'some-key')).code).toBe(64);
    const typo = await run('secrets', 'rm', 'some-kye');
    expect([typo.code, typo.stderr]).toEqual([
      64,
      expect.stringContaining('did you mean openclaw secrets rm some-key?'),
    ]);
    await good('secrets', 'rm', 'some-key', '--yes');
    expect(existsSync(state('credentials', 'some-key'))).toBe(false);
  });

  test('migrate moves what lies in the open, under the name a guide gave it, and forgets the versions that held it', async () => {
    const open = MINE.replace('port: 18789', `port: 18789, authToken: '${TOKEN}'`).replace(
      'agents:',
      `models: { providers: { anthropic: { apiKey: '${KEY}' } } },\n  agents:`,
    );
    writeConfig(home, open);
    await good('config', 'set', 'logging.level', 'debug');
    expect((await run('secrets', 'audit')).code).toBe(1);
    expect(await good('secrets', 'migrate', '--dry-run')).toMatch(/^would move gateway\.auth\.token to credentials/m);
    expect(holding(KEY)).not.toEqual([]);
    const said = await good('secrets', 'migrate');
    expect(said).toMatch(/^moved models\.providers\.anthropic\.apiKey to credentials: anthropic-key$/m);
    expect([...holding(KEY), ...holding(TOKEN)]).toEqual([]);
    expect(text()).toContain('my own words');
    expect(readFileSync(state('credentials', 'gateway-token'), 'utf8')).toBe(`${TOKEN}\n`);
    await good('config', 'validate');
    expect(await good('config', 'get')).not.toContain(KEY);
    await good('secrets', 'audit');
    const used = await run('secrets', 'rm', 'anthropic-key', '--yes');
    expect([used.code, used.stderr]).toEqual([64, expect.stringContaining('models.providers.anthropic.apiKey')]);
  });

  test('migrate finds what lies in included files, rewrites them there, and leaves them alone when it cannot', async () => {
    const main = `{\n  gateway: { port: 18789, $include: './gateway.json5' },\n  models: { providers: { anthropic: { $include: './model.json5' } } },\n}\n`;
    writeConfig(home, main);
    const door = `{ authToken: '${TOKEN}' } // the door\n`;
    writeFileSync(state('gateway.json5'), door, { mode: 0o600 });
    writeFileSync(state('model.json5'), `{ apiKey: '${KEY}' /* ${KEY} */ }\n`, { mode: 0o600 });
    const stuck = await run('secrets', 'migrate');
    expect([stuck.code, stuck.stderr]).toEqual([1, expect.stringContaining('model.json5, in a comment or twice')]);
    expect([readFileSync(state('gateway.json5'), 'utf8'), existsSync(state('credentials'))]).toEqual([door, false]);

    writeFileSync(state('model.json5'), `{ apiKey: '${KEY}' /* mine */ }\n`, { mode: 0o600 });
    expect((await run('secrets', 'audit')).stdout).toContain('models.providers.anthropic.apiKey holds its secret');
    const said = await good('secrets', 'migrate');
    expect(said).toMatch(/^moved gateway\.auth\.token to credentials: gateway-token$/m);
    expect(said).toMatch(/^moved models\.providers\.anthropic\.apiKey to credentials: anthropic-key$/m);
    expect([...holding(KEY), ...holding(TOKEN)]).toEqual([]);
    expect([text(), readFileSync(state('gateway.json5'), 'utf8')]).toEqual([
      main,
      expect.stringMatching(/\/\/ the door\n$/),
    ]);
    expect(readFileSync(state('model.json5'), 'utf8')).toContain('/* mine */');
    expect(statSync(state('model.json5')).mode & 0o777).toBe(0o600);
    expect(readFileSync(state('credentials', 'anthropic-key'), 'utf8')).toBe(`${KEY}\n`);
    await good('config', 'validate');
  });

  test('token generate prints 64 digits and changes nothing', async () => {
    expect(await good('token', 'generate')).toMatch(/^[0-9a-f]{64}\n$/);
    expect(existsSync(state())).toBe(false);
  });
});
