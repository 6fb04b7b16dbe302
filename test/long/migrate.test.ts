// `openclaw migrate` as people use it: an older folder in a home of its own, the built program, and what is here and there
// afterwards. The old folder is compared byte by byte; hostile ones must end in one line, or be left out and named.
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CommandResult, newHome, runCommand, startTestGateway } from '../support/gateway.ts';

const TOKEN = '4c1f0b7d92e85a36c1d0e7f4a8b3925d61f7c0e2';
const BOT = '110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw';
const KEY = 'sk-ant-api03-9fQ2mZx0vWw3LrTt9Yp2Kd7Hs5Nf4Gc6JbV1xQ';
const OTHER_KEY = 'kq7Zt0Xw-only-for-this-test-4fVb2Nc8';

/** As the wizard of an older version leaves it. */
const CLAWDBOT = `{
  // written by the wizard
  meta: { lastTouchedVersion: "2026.1.14" },
  wizard: { lastRunAt: "2026-01-14T10:00:00Z" },
  agent: { model: "anthropic/claude-sonnet-4-5", workspace: "~/.clawdbot/workspace", timeoutSeconds: 300 },
  agents: { defaults: { compaction: { mode: "safeguard" } } },
  gateway: { host: "127.0.0.1", auth: { mode: "token", token: "${TOKEN}" }, tailscale: { mode: "off", resetOnExit: false } },
  telegram: { enabled: true, botToken: "\${TG_TOKEN}", streamMode: "partial", groups: { "*": { requireMention: true } } },
  channels: { signal: { enabled: true } },
  env: { BRAVE_API_KEY: "${OTHER_KEY}" },
  tools: { exec: { host: "gateway" } },
}`;

let home = '';
beforeEach(() => {
  home = newHome();
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const old = (...more: string[]): string => join(home, '.clawdbot', ...more);
const here = (...more: string[]): string => join(home, '.openclaw', ...more);
const run = (...args: string[]): Promise<CommandResult> => runCommand(args, { home });
const read = (path: string): string => readFileSync(path, 'utf8');
const value = (path: string): string => read(path).trim();

function put(path: string, text: string | Buffer): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(path, text, { mode: 0o600 });
}

function makeOld(config = CLAWDBOT): void {
  put(old('clawdbot.json'), config);
  put(old('.env'), `TG_TOKEN=${BOT}\nexport ANTHROPIC_API_KEY="${KEY}"\nLD_PRELOAD=/tmp/x.so\nMY_NOTE='two words'\n`);
  put(old('credentials', 'telegram-allowFrom.json'), '{"version":1,"allowFrom":["1303993020","*","@mallory"]}');
  put(old('credentials', 'telegram-pairing.json'), '{"version":1,"requests":[{"id":"99","code":"ABCDEFGH"}]}');
  put(old('credentials', 'elevenlabs-key'), `${OTHER_KEY}-2\n`);
  put(old('credentials', 'whatsapp', 'default', 'creds.json'), '{}');
  put(old('workspace', 'AGENTS.md'), '# Agents of old\n');
  put(old('workspace', 'memory', '2026-01-10.md'), '- likes tea\n');
  put(old('workspace', 'run.sh'), 'true\n');
}

/** Names, modes, times and bytes of everything in a folder. */
function printOf(folder: string): string {
  const hash = createHash('sha256');
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    hash.update(`${path} ${entry.isFile() ? `${statSync(path).mode} ${statSync(path).mtimeMs} ${read(path)}` : ''}\n`);
  }
  return hash.digest('hex');
}

function expectOneLine({ code, stdout, stderr }: CommandResult, says: RegExp, exitCode = 78): void {
  expect(stderr).toMatch(/^error: [^\n]+\nfix: [^\n]+\n$/);
  expect(stderr).toMatch(says);
  expect([code, stdout]).toEqual([exitCode, '']);
  expect(existsSync(here())).toBe(false);
}

describe('S237 an older folder', () => {
  test('is first only told, without a value of a secret, and nothing is written', async () => {
    makeOld();
    const before = printOf(old());
    const { code, stdout, stderr } = await run('migrate', '--dry-run');
    expect(code, stderr).toBe(0);
    for (const line of [
      'would take gateway.host as gateway.bind',
      'would take agent.model as agents.defaults.model.primary',
      'would let in as before, by channels.telegram.allowFrom: 1303993020',
      'would move the secret gateway.auth.token to credentials/gateway-token',
      'would move the secret channels.telegram.botToken to credentials/telegram-bot-token',
      'would copy the secret anthropic-key to credentials/anthropic-key',
      'would copy the variable BRAVE_API_KEY to .env',
      'would copy the text memory/2026-01-10.md to the workspace',
    ]) {
      expect(stdout.split('\n')).toContain(line);
    }
    expect(stdout).toMatch(/^LEFT OUT: tools\.exec\.host asks for what is not offered/m);
    expect(stdout).toMatch(/^LEFT OUT: LD_PRELOAD: /m);
    expect(stdout).toMatch(/^LEFT OUT: channels\.signal: /m);
    expect(stdout).toMatch(/^left out: meta has no effect/m);
    expect(stdout).toMatch(/^left out: credentials\/telegram-pairing\.json/m);
    for (const secret of [TOKEN, BOT, KEY, OTHER_KEY]) expect(stdout + stderr).not.toContain(secret);
    expect(existsSync(here())).toBe(false);
    expect(printOf(old())).toBe(before);
  });

  test('is not taken over without a word when there is nobody to ask', async () => {
    makeOld();
    const { code, stderr } = await run('migrate');
    expect([code, existsSync(here())]).toEqual([64, false]);
    expect(stderr).toMatch(/there is nobody to ask.*\nfix: .*--yes/);
  });

  test('is taken over, stays as it was, starts a gateway that takes the old token, and a second time changes nothing', async () => {
    makeOld();
    const before = printOf(old());
    const { code, stdout, stderr } = await run('migrate', '--yes');
    expect(code, stdout + stderr).toBe(0);
    expect(printOf(old())).toBe(before);
    const config = read(here('openclaw.json'));
    expect(JSON.parse(config.replace(/^\/\/.*\n/, ''))).toEqual({
      gateway: {
        bind: 'loopback',
        auth: { mode: 'token', token: { source: 'file', id: 'gateway-token' } },
        tailscale: { mode: 'off' },
      },
      agents: { defaults: { model: { primary: 'anthropic/claude-sonnet-4-5' }, timeoutSeconds: 300 } },
      channels: {
        telegram: {
          enabled: true,
          botToken: { source: 'file', id: 'telegram-bot-token' },
          groups: { '*': { requireMention: true } },
          allowFrom: ['1303993020'],
        },
      },
    });
    expect(value(here('credentials', 'gateway-token'))).toBe(TOKEN);
    expect(value(here('credentials', 'telegram-bot-token'))).toBe(BOT);
    expect(value(here('credentials', 'anthropic-key'))).toBe(KEY);
    expect(value(here('credentials', 'elevenlabs-key'))).toBe(`${OTHER_KEY}-2`);
    expect(read(here('.env'))).toBe(`MY_NOTE=two words\nBRAVE_API_KEY=${OTHER_KEY}\n`);
    expect(statSync(here('.env')).mode & 0o777).toBe(0o600);
    expect(read(here('workspace', 'memory', '2026-01-10.md'))).toBe('- likes tea\n');
    expect(existsSync(here('workspace', 'run.sh'))).toBe(false);

    const gateway = await startTestGateway({ home });
    try {
      const answer = await fetch(`${gateway.url}/api/status`, { headers: { authorization: `Bearer ${TOKEN}` } });
      expect(answer.status).toBe(200);
    } finally {
      await gateway.stop();
    }

    const settled = printOf(join(home, '.openclaw', 'credentials')) + read(here('openclaw.json')) + read(here('.env'));
    const again = await run('migrate', '--yes');
    expect([again.code, again.stdout]).toEqual([
      0,
      expect.stringMatching(/all of it is here already; nothing was changed\n$/),
    ]);
    expect(printOf(here('credentials')) + read(here('openclaw.json')) + read(here('.env'))).toBe(settled);

    expect((await run('config', 'rollback', '1', '--yes')).code).toBe(0);
    expect(read(here('openclaw.json'))).toBe('{}\n');
  });

  test('never takes the place of a configuration, a token or a text that is here', async () => {
    makeOld();
    put(here('openclaw.json'), '{ gateway: { port: 19001 } }\n');
    const refused = await run('migrate', '--yes');
    expect([refused.code, read(here('openclaw.json'))]).toEqual([78, '{ gateway: { port: 19001 } }\n']);
    expect(refused.stderr).toMatch(
      /^error: there is a configuration here already[^\n]*\nfix: openclaw reset config[^\n]*\n$/,
    );
    rmSync(here('openclaw.json'));
    const mine = 'b81d3f60c5e9a2b4d8f1037c6ae5b9d24c3069ad5eb2f8c4';
    put(here('credentials', 'gateway-token'), mine);
    put(here('credentials', 'elevenlabs-key'), 'mine-91cbe0a7d5f2');
    put(here('workspace', 'AGENTS.md'), '# Mine\n');
    const { code, stdout } = await run('migrate', '--yes');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^LEFT OUT: gateway\.auth\.token: this gateway has a token of its own/m);
    expect(stdout).toMatch(/^stays: the secret elevenlabs-key is here already and differs/m);
    expect(stdout).toMatch(/^stays: the text AGENTS\.md is here already and differs/m);
    expect([value(here('credentials', 'gateway-token')), value(here('credentials', 'elevenlabs-key'))]).toEqual([
      mine,
      'mine-91cbe0a7d5f2',
    ]);
    expect(read(here('workspace', 'AGENTS.md'))).toBe('# Mine\n');
  });
});

describe('an upstream file', () => {
  const UPSTREAM = `{
    meta: { lastTouchedVersion: "2026.9.6" },
    agents: { defaults: { maxConcurrent: 4 } },
    gateway: { mode: "local", port: 18790, bind: "lan", auth: { mode: "token", token: "${TOKEN}" }, nodes: { pairing: {} } },
    hooks: { internal: { enabled: true } },
    plugins: { entries: { telegram: { enabled: true } } },
  }`;

  test('in the folder of this program is rewritten in place, once, and the old bytes stay in the history', async () => {
    put(here('openclaw.json'), UPSTREAM);
    expect((await run('config', 'validate')).code).toBe(78);
    const { code, stdout, stderr } = await run('migrate', '--yes');
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toMatch(/^LEFT OUT: .*hooks\.internal/m);
    // Without the acknowledgement that this program asks for, it does not listen there.
    expect(stdout).toMatch(/^LEFT OUT: gateway\.bind "lan" lets a network reach the gateway/m);
    expect(read(here('openclaw.json'))).not.toContain('lan');
    expect((await run('config', 'validate')).code).toBe(0);
    expect((await run('migrate', '--yes')).stdout).toMatch(/nothing was changed\n$/);
    const [first = ''] = readdirSync(here('config-history')).sort();
    expect(JSON.parse(read(here('config-history', first)))).toMatchObject({ id: 1, text: UPSTREAM });
    expect(value(here('credentials', 'gateway-token'))).toBe(TOKEN);
  });

  test('that holds here as it is keeps every byte', async () => {
    const mine = `{ /* mine */ gateway: { host: '127.0.0.1', authToken: '${TOKEN}' } }\n`;
    put(here('openclaw.json'), mine);
    const { code, stdout } = await run('migrate', '--yes');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/nothing was changed\n$/)]);
    expect([read(here('openclaw.json')), existsSync(here('credentials'))]).toEqual([mine, false]);
  });

  test('given with --from is read alone, as a file or as a folder', async () => {
    put(join(home, 'backup', 'openclaw.json'), UPSTREAM);
    const file = await run('migrate', '--from', join(home, 'backup', 'openclaw.json'), '--dry-run', '--json');
    const { data } = JSON.parse(file.stdout) as { data: Record<string, unknown> };
    expect(data).toMatchObject({ dryRun: true, done: false, secrets: { moves: [{ path: 'gateway.auth.token' }] } });
    expect(file.stdout).not.toContain(TOKEN);
    const folder = await run('migrate', '--from', join(home, 'backup'), '--yes');
    expect(folder.code, folder.stderr).toBe(0);
    expect(value(here('credentials', 'gateway-token'))).toBe(TOKEN);
  });
});

describe('what would become less strict is refused', () => {
  test.each([
    ['an unknown key that denies', `{ tools: { exec: { denyPatterns: ["rm *"] } } }`, /tools\.exec\.denyPatterns/],
    ['an unknown group with a limit in it', `{ browser: { guard: { maxPages: 3 } } }`, /browser\.guard/],
    [
      'a policy that cannot be read',
      `{ channels: { telegram: { dmPolicy: "friends" } } }`,
      /channels\.telegram\.dmPolicy/,
    ],
    [
      'a switch that cannot be read',
      `{ channels: { telegram: { groups: { "-1": { requireMention: "yes" } } } } }`,
      /requireMention/,
    ],
  ])('%s', async (_what, config, says) => {
    put(old('clawdbot.json'), config);
    expectOneLine(await run('migrate', '--yes'), says);
  });

  test('people who were let in are not let in where only a list counts', async () => {
    put(old('clawdbot.json'), `{ telegram: { botToken: "${BOT}", dmPolicy: "allowlist", allowFrom: ["42"] } }`);
    put(old('credentials', 'telegram-allowFrom.json'), '{"allowFrom":["1303993020"]}');
    const { code, stdout } = await run('migrate', '--yes');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^LEFT OUT: credentials\/telegram-allowFrom\.json: /m)]);
    expect(read(here('openclaw.json'))).not.toContain('1303993020');
  });
});

describe('a hostile folder', () => {
  test.each([
    ['broken JSON5', '{ gateway: { port: 18789 ', /is not JSON5: .*line 1/],
    ['a __proto__ key', '{ "__proto__": { gateway: { port: 1 } } }', /__proto__/],
    ['50 MB', Buffer.alloc(50 * 1024 * 1024, 0x20), /has 52428800 bytes/],
    ['a NUL byte', '{ a: 1 }\0', /NUL byte/],
    ['an $include that leaves the folder', '{ $include: "/etc/passwd" }', /lies outside/],
  ])('with %s ends in one line', async (_what, config, says) => {
    put(old('clawdbot.json'), config);
    expectOneLine(await run('migrate', '--yes'), says);
  });

  test('whose configuration is a link, or open to all, is refused', async () => {
    mkdirSync(old(), { mode: 0o700 });
    symlinkSync('/etc/passwd', old('clawdbot.json'));
    expectOneLine(await run('migrate', '--yes'), /is a symbolic link/);
    rmSync(old('clawdbot.json'));
    put(old('clawdbot.json'), '{}');
    chmodSync(old('clawdbot.json'), 0o666);
    expectOneLine(await run('migrate', '--yes'), /can be changed by every user.*\nfix: chmod 600 /);
  });

  test('with a .env that is none ends in one line that shows nothing of it', async () => {
    put(old('clawdbot.json'), '{}');
    put(old('.env'), `${KEY}\n`);
    const result = await run('migrate', '--yes');
    expectOneLine(result, /\.env:1: the line is not KEY=value/);
    expect(result.stderr).not.toContain(KEY);
  });

  test('with links and giants has them left out, and named', async () => {
    makeOld();
    put(join(home, 'outside'), 'OUTSIDE=secret-of-another-folder');
    for (const at of [
      ['credentials', 'stolen'],
      ['workspace', 'USER.md'],
      ['workspace', 'memory', 'x.md'],
    ]) {
      symlinkSync(join(home, 'outside'), old(...at));
    }
    rmSync(old('.env'));
    symlinkSync(join(home, 'outside'), old('.env'));
    put(old('clawdbot.json'), '{ telegram: { enabled: false } }');
    put(old('credentials', 'giant'), Buffer.alloc(50 * 1024 * 1024, 0x61));
    put(old('workspace', 'memory', 'giant.md'), Buffer.alloc(50 * 1024 * 1024, 0x61));
    const { code, stdout, stderr } = await run('migrate', '--yes');
    expect(code, stdout + stderr).toBe(0);
    for (const name of [
      'credentials/stolen',
      'USER.md',
      'memory/x.md',
      '.env',
      'credentials/giant',
      'memory/giant.md',
    ]) {
      expect(stdout).toMatch(new RegExp(`^LEFT OUT: .*${name.replace('.', '\\.')}`, 'm'));
    }
    for (const file of readdirSync(here(), { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      expect(read(join(file.parentPath, file.name))).not.toContain('secret-of-another-folder');
      expect(statSync(join(file.parentPath, file.name)).size).toBeLessThan(100_000);
    }
  });

  test('a folder of links itself is not left', async () => {
    makeOld();
    mkdirSync(join(home, 'elsewhere'));
    put(join(home, 'elsewhere', 'MEMORY.md'), 'not yours');
    rmSync(old('workspace'), { recursive: true });
    symlinkSync(join(home, 'elsewhere'), old('workspace'));
    expect((await run('migrate', '--yes')).code).toBe(0);
    expect(existsSync(here('workspace', 'MEMORY.md'))).toBe(false);
  });
});
