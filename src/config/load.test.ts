// openclaw.json as people write it: comments, variables, includes, references, mistakes, and files that are none.
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HardshellError } from '../platform/errors.ts';
import { type LoadOptions, loadConfig, loadForStart, REDACTED, redact, secretRefs, secretValues } from './load.ts';
import { resolvePaths } from './paths.ts';

const STRONG = 'c0ffee5a1b7d3f60c5e9a2b4d8f1037c6ae5b9d2f4817c3069ad5eb2f8c41739';

let folder = '';
let configPath = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hardshell-config-'));
  configPath = join(folder, 'openclaw.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (text: string | Uint8Array, name = 'openclaw.json'): void =>
  writeFileSync(join(folder, name), text, { mode: 0o600 });
const load = (text: string, env: Record<string, string> = {}, options: LoadOptions = {}) => {
  write(text);
  return loadConfig({ configPath }, env, options);
};
const failure = (run: () => unknown): HardshellError => {
  try {
    run();
  } catch (error) {
    if (error instanceof HardshellError) return error;
    throw error;
  }
  throw new Error('it was accepted');
};

test('no file means the defaults: loopback, port 18789, token', () => {
  const { config, exists } = loadConfig({ configPath }, {});
  expect(exists).toBe(false);
  expect(config.gateway).toMatchObject({ port: 18_789, bind: 'loopback', auth: { mode: 'token' } });
});

test('JSON5 with comments and trailing commas, and ${VAR} from the environment (S123)', () => {
  const { config } = load(
    `{ // the key\n models: { providers: { a: { apiKey: '\${KEY_A}', baseUrl: 'http://127.0.0.1:1/v1', }, }, }, }`,
    { KEY_A: 'k-1' },
  );
  expect(config.models.providers['a']?.apiKey).toBe('k-1');
});

test('$${VAR} stays as it is written, and env.vars counts below what is set outside', () => {
  const text = `{ env: { vars: { NAME: 'inside', OTHER: '\${NAME}-x' } }, models: { providers: { a: { apiKey: '$\${NAME}' }, b: { apiKey: '\${NAME}' }, c: { apiKey: '\${OTHER}' } } } }`;
  const keys = (env: Record<string, string>) =>
    Object.values(load(text, env).config.models.providers).map((p) => p.apiKey);
  expect(keys({ NAME: 'outside' })).toEqual(['${NAME}', 'outside', 'outside-x']);
  expect(load('{ env: { vars: { A_B: "1" } } }').env['A_B']).toBe('1');
});

test.each([
  ['{ gateway: { prot: 1 } }', /unknown key "gateway.prot", did you mean "port"\?/],
  ['{ gatewy: {} }', /unknown key "gatewy", did you mean "gateway"\?/],
  ['{ gateway: { port: 99999 } }', /gateway\.port: 99999 is not usable: at most 65535/],
  ['{ gateway: { port: "18789" } }', /gateway\.port: "18789" is not usable: it takes a (whole )?number/],
  [
    '{ gateway: { tailscale: { mode: "on" } } }',
    /gateway\.tailscale\.mode: "on" is not usable: allowed are "off", "serve", "funnel"/,
  ],
  ['{ gateway: { tailscale: 1 } }', /gateway\.tailscale: 1 is not usable: it takes an object/],
  ['{ tools: { deny: "exec" } }', /tools\.deny: "exec" is not usable: it takes a list/],
  [
    '{ agents: { defaults: { sandbox: { docker: { network: "host" } } } } }',
    /docker\.network: "host" is not usable: allowed are "none", "allowlist"/,
  ],
  ['{ channels: { telegram: { allowFrom: [12345678901234567890] } } }', /loses digits; put it in quotes/],
  ['{ channels: { telegramm: {} } }', /there is no channel "telegramm", did you mean "telegram"\?/],
  ['{ channels: { telegram: { dmPolicy: "opne" } } }', /allowed are "pairing", "allowlist", "disabled", "open"/],
  [
    '{ channels: { telegram: { accounts: { work: { dmPolicy: "opne" } } } } }',
    /channels\.telegram\.accounts\.work\.dmPolicy: "opne"/,
  ],
  ['{ gateway: ', /not JSON5: the file ends in the middle of a value, line 1, column 12: { gateway:/],
  ['{\n  gateway: { port: 18789\n    bind: "loopback" } }', /line 3, column 5: bind: "loopback" } }/],
  ['{ gateway: {}, gateway: {} }', /the key "gateway" is there twice/],
  ['{ "__proto__": { "gateway": {} } }', /the key __proto__ is not allowed/],
  [
    '{ gateway: { auth: { token: "${NOT_SET}" } } }',
    /gateway\.auth\.token uses \$\{NOT_SET\}, and that variable is not set/,
  ],
  ['{ models: { providers: { a: { apikey: "x" } } } }', /"models.providers.a.apikey", did you mean "apiKey"/],
  ['[]', /the top level/],
  ['', /it is empty/],
  [
    '{ models: { providers: { a: { apiKey: { source: "env", id: "GONE" } } } } }',
    /usable: models\.providers\.a\.apiKey: the [a-z ]*variable GONE is not set$/,
  ],
])('%s is refused in one line that names the key', (text, expected) => {
  const error = failure(() => load(text));
  expect(error.message).toMatch(expected);
  expect(error.message).not.toContain('\n');
  expect(error.fix).not.toBe('');
  expect(error).toMatchObject({ code: 'CONFIG_INVALID', exitCode: 78 });
});

describe('a key without meaning', () => {
  test('is refused where it could be a lost piece of security, and a warning elsewhere unless asked to be strict', () => {
    expect(failure(() => load('{ tools: { fs: { workspaceonly: true } } }')).message).toContain(
      'did you mean "workspaceOnly"',
    );
    const { warnings, config } = load('{ logging: { level: "debug", colour: true } }');
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringMatching(/unknown key "logging\.colour".*it has no effect/),
    ]);
    expect(config.logging.level).toBe('debug');
    expect(() => load('{ logging: { colour: true } }', {}, { strict: true })).toThrow(/logging\.colour/);
  });

  test.each([
    [
      '{ gateway: { terminal: { enabled: true } } }',
      /gateway\.terminal\.enabled asks for what is not offered: the gateway has no terminal/,
    ],
    ['{ gateway: { tls: { enabled: true, certPath: "/x" } } }', /gateway\.tls\.enabled asks for what is not offered/],
    ['{ commands: { bash: true } }', /commands\.bash asks for what is not offered/],
    ['{ channels: { discord: { dangerouslyAllowNameMatching: true } } }', /names can be changed/],
    ['{ agents: { defaults: { sandbox: { docker: { user: "0:0" } } } } }', /commands run as a user without rights/],
    ['{ agents: { defaults: { sandbox: { docker: { capDrop: [] } } } } }', /no capabilities at all/],
    [
      '{ agents: { defaults: { sandbox: { docker: { seccompProfile: "unconfined" } } } } }',
      /unknown key .*seccompProfile/,
    ],
    ['{ tools: { exec: { host: "gateway" } } }', /commands run only in the box/],
    ['{ proxy: { enabled: true } }', /unknown key "proxy"/],
  ])('of another version: %s', (text, expected) => {
    expect(failure(() => load(text)).message).toMatch(expected);
  });

  test('of another version that asks for what is so anyway is no mistake', () => {
    const { warnings } = load(`{
      meta: { lastTouchedVersion: '2026.9.6' }, wizard: {},
      gateway: { terminal: { enabled: false }, nodes: { pairing: { autoApproveLocal: true } } },
      plugins: { allow: [] }, discovery: { mdns: { mode: 'off' } }, commands: { bash: false, restart: false },
      agents: { defaults: { sandbox: { docker: { readOnlyRoot: true, capDrop: ['ALL'], user: '1000:1000' } } } },
      tools: { agentToAgent: { enabled: false }, exec: { host: 'auto' } },
    }`);
    expect(warnings.map(({ key }) => key).sort()).toEqual(['discovery', 'gateway.nodes', 'plugins']);
  });
});

describe('secrets', () => {
  test('a secret never appears in an error', () => {
    expect(() => load('{ gateway: { auth: { token: 12345678901234567890 } } }')).toThrow(
      /gateway\.auth\.token: the value/,
    );
    for (const text of [
      `{ gateway: { auth: { token: { a: 'hunter2-hunter2' } } } }`,
      `{ gateway: { auth: { token: 'hunter2-hunter2' 1 } } }`,
      `{ gateway: { auth: { tokn: 'hunter2-hunter2' } } }`,
      `{ mcp: { servers: { a: { env: 'hunter2-hunter2' } } } }`,
      `{ models: { providers: { a: { headers: { Authorization: [ 'hunter2-hunter2' ] } } } } }`,
      `{ gateway: { auth: { token: 'a' }, authToken: 'hunter2-hunter2' } }`,
    ]) {
      const error = failure(() => load(text));
      expect(`${error.message} ${error.fix}`).not.toContain('hunter2');
    }
  });

  const TEXT = `{
    gateway: { auth: { token: '${STRONG}' } },
    models: { providers: { a: { apiKey: 'sk-secret-value', headers: { 'X-Key': 'header-secret' }, baseUrl: 'https://x.example' } } },
    mcp: { servers: { files: { command: 'x', env: { ANY: 'env-secret' } } } },
    channels: { telegram: { botToken: 'bot-secret', accounts: { work: { botToken: 'work-secret' } } } },
  }`;

  test('redacted: no secret value in what is shown, whatever its place', () => {
    const { config } = load(TEXT);
    const shown = redact(config) as typeof config;
    expect(shown.gateway.auth.token).toBe(REDACTED);
    expect(JSON.stringify(shown)).not.toMatch(/secret-value|-secret"|c0ffee/);
    expect(
      JSON.stringify(redact({ providers: { a: { apiKey: 'raw-secret' } }, gateway: { authToken: 'raw-secret' } })),
    ).not.toContain('raw-secret');
    expect(config.gateway.auth.token).toBe(STRONG);
  });

  test('every value is known to the redaction of the log', () => {
    const expected = ['bot-secret', STRONG, 'env-secret', 'header-secret', 'sk-secret-value', 'work-secret'];
    expect(new Set(secretValues(load(TEXT).config))).toEqual(new Set(expected));
  });

  test('references: env by itself, others by who is handed in, and never an empty value', () => {
    const text = `{ gateway: { auth: { token: { source: 'env', id: 'MY_TOKEN' } } }, channels: { telegram: { botToken: { source: 'file', id: 'telegram' } } } }`;
    const { config } = load(
      text,
      { MY_TOKEN: STRONG },
      { resolveSecret: (ref, path) => `${ref.source}:${ref.id}:${path}` },
    );
    expect(config.gateway.auth.token).toBe('env:MY_TOKEN:gateway.auth.token');
    expect(config.channels.telegram?.botToken).toBe('file:telegram:channels.telegram.botToken');
    expect(load(text, { MY_TOKEN: STRONG }, { sections: ['gateway'] }).config.gateway.auth.token).toBe(STRONG);
    expect(failure(() => load(text, { MY_TOKEN: STRONG })).message).toContain(
      'channels.telegram.botToken: the file reference "telegram" gave no value',
    );
    expect(failure(() => load(text, {}, { sections: ['gateway'] })).message).toContain(
      'gateway.auth.token: the variable MY_TOKEN is not set',
    );
    expect(secretRefs({ configPath }, {}).refs.map(({ path }) => path)).toEqual([
      'gateway.auth.token',
      'channels.telegram.botToken',
    ]);
  });
});

describe('$include', () => {
  test('merges files of the folder; what stands beside it wins, lists are replaced', () => {
    write(`{ gateway: { port: 19000, bind: 'loopback' }, tools: { deny: ['exec'] } }`, 'base.json5');
    write(`{ deny: ['browser'] }`, 'tools.json5');
    const { config, files } = load(
      `{ $include: './base.json5', gateway: { port: 19001 }, tools: { $include: ['tools.json5'] } }`,
    );
    expect(config.gateway.port).toBe(19_001);
    expect(config.tools.deny).toEqual(['browser']);
    expect(files).toHaveLength(3);
  });

  test('every file may use the spellings of the guides', () => {
    write(`{ host: '127.0.0.1', authToken: '${STRONG}' }`, 'gateway.json');
    const { config } = load(`{ sandbox: { mode: 'all' }, gateway: { bind: 'lan' } }`);
    expect([config.agents.defaults.sandbox.mode, config.gateway.bind]).toEqual(['all', 'lan']);
    write('{ "gateway": { "authToken": "${T}" } }', 'token.json');
    expect(load(`{ $include: 'token.json' }`, { T: STRONG }).config.gateway.auth.token).toBe(STRONG);
  });

  test.each([
    [
      '{ $include: "./a.json" }',
      { 'a.json': '{ $include: "./b.json" }', 'b.json': '{ $include: "./a.json" }' },
      /goes in a circle: a\.json -> b\.json -> a\.json/,
    ],
    ['{ $include: "./openclaw.json" }', {}, /goes in a circle/],
    ['{ $include: "/etc/passwd" }', {}, /lies outside the config folder/],
    ['{ $include: "../x.json" }', {}, /lies outside the config folder/],
    ['{ $include: "./none.json" }', {}, /none\.json does not exist/],
    ['{ $include: 7 }', {}, /takes the name of a file/],
    ['{ $include: "./bad.json" }', { 'bad.json': '{ a: ' }, /bad\.json is not JSON5/],
  ])('%s is refused', (text, others, expected) => {
    for (const [name, content] of Object.entries(others)) write(content, name);
    expect(failure(() => load(text)).message).toMatch(expected);
  });

  test('a link that leads out of the folder is outside of it', () => {
    const other = mkdtempSync(join(tmpdir(), 'hardshell-other-'));
    writeFileSync(join(other, 'x.json'), '{}', { mode: 0o600 });
    symlinkSync(join(other, 'x.json'), join(folder, 'x.json'));
    expect(failure(() => load('{ $include: "./x.json" }')).message).toContain('lies outside the config folder');
    rmSync(other, { recursive: true });
  });

  test('more than ten deep is refused', () => {
    for (let i = 0; i < 12; i++) write(`{ $include: "./${i + 1}.json" }`, `${i}.json`);
    write('{}', '12.json');
    expect(failure(() => load('{ $include: "./0.json" }')).message).toContain('more than 10 files deep');
  });
});

describe('a file that is none', () => {
  test.each([
    ['a NUL byte', Buffer.from('{ "a": "\0" }'), /a NUL byte at line 1, column 9/],
    ['a byte order mark', Buffer.from('\ufeff{}'), /begins with a byte order mark/],
    ['Latin-1', Buffer.from([0x7b, 0x27, 0xe4, 0x27, 0x3a, 0x31, 0x7d]), /not UTF-8/],
    ['UTF-16', Buffer.from('\ufeff{}', 'utf16le'), /NUL byte|not UTF-8/],
  ])('%s', (_what, content, expected) => {
    write(content);
    expect(failure(() => loadConfig({ configPath }, {}))).toMatchObject({
      exitCode: 78,
      message: expect.stringMatching(expected),
    });
  });

  test('50 megabytes are not read', () => {
    write('{}');
    truncateSync(configPath, 50 * 1024 * 1024);
    const started = performance.now();
    expect(failure(() => loadConfig({ configPath }, {})).message).toMatch(
      /has 52428800 bytes, at most 1048576 are read/,
    );
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  test('a link, a folder, a file of another user, a file that everybody may change', () => {
    write('{}', 'real.json');
    symlinkSync(join(folder, 'real.json'), configPath);
    expect(failure(() => loadConfig({ configPath }, {})).message).toContain('is a symbolic link');
    rmSync(configPath);
    mkdirSync(configPath);
    expect(failure(() => loadConfig({ configPath }, {})).message).toContain('is not a regular file');
    rmSync(configPath, { recursive: true });
    write('{}');
    chmodSync(folder, 0o755);
    chmodSync(configPath, 0o666);
    expect(failure(() => loadConfig({ configPath }, {}))).toMatchObject({
      message: expect.stringContaining('can be changed by every user'),
      fix: `chmod 600 ${configPath}`,
    });
    chmodSync(configPath, 0o600);
    if (process.getuid?.() !== 0) return;
    chownSync(configPath, 12_345, 12_345);
    expect(failure(() => loadConfig({ configPath }, {})).message).toMatch(
      /belongs to another user \(uid 12345, this is uid 0\)/,
    );
  });
});

// What somebody relied on must not get looser because a byte was lost.
const HARDENED = `{
  "gateway": { "bind": "loopback", "port": 18789, "auth": { "mode": "token", "token": "${STRONG}" } },
  "channels": { "telegram": { "dmPolicy": "allowlist", "allowFrom": ["1303993020"], "groups": { "*": { "requireMention": true } } } },
  "agents": { "defaults": { "sandbox": { "mode": "all", "workspaceAccess": "none", "docker": { "network": "none" } } } },
  "tools": { "fs": { "workspaceOnly": true }, "exec": { "mode": "allowlist", "allow": ["ls"] }, "deny": ["browser"] },
  "security": { "deniedPaths": ["/srv/private"] }
}
`;

/** null when it is refused, else what must not have become looser. */
function strictness(text: string): object | null {
  write(text);
  try {
    const { gateway, channels, agents, tools, security } = loadForStart({ configPath, stateDir: folder }, {}).config;
    return {
      bind: gateway.bind,
      auth: gateway.auth.mode,
      dm: channels.telegram?.dmPolicy,
      mention: Object.values(channels.telegram?.groups ?? {}).every((group) => group.requireMention),
      sandbox: agents.defaults.sandbox.mode,
      access: agents.defaults.sandbox.workspaceAccess,
      network: agents.defaults.sandbox.docker.network,
      workspaceOnly: tools.fs.workspaceOnly,
      exec: tools.exec.mode,
      deny: tools.deny.length,
      paths: security.deniedPaths.length,
    };
  } catch (error) {
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', exitCode: 78 });
    expect((error as Error).message).not.toContain('\n');
    return null;
  }
}

test('a file that is cut off anywhere does not start', () => {
  const whole = strictness(HARDENED);
  expect(whole).not.toBeNull();
  for (let length = 0; length < HARDENED.trimEnd().length; length++) {
    expect([length, strictness(HARDENED.slice(0, length))]).toEqual([length, null]);
  }
});

test('a file with a byte lost, doubled or changed does not start, or is as strict as before', () => {
  const whole = strictness(HARDENED);
  const byte = fc.integer({ min: 0, max: HARDENED.length - 1 });
  fc.assert(
    fc.property(
      byte,
      fc.constantFrom('lost', 'doubled', 'changed'),
      fc.constantFrom(...'{}[]:,"\' 09azAZ-_*$.\n'),
      (at, what, char) => {
        const middle = what === 'lost' ? '' : what === 'doubled' ? (HARDENED[at] ?? '').repeat(2) : char;
        const result = strictness(HARDENED.slice(0, at) + middle + HARDENED.slice(at + 1));
        if (result !== null) expect(result).toEqual(whole);
      },
    ),
    { numRuns: 3_000 },
  );
});

test('OPENCLAW_HOME, OPENCLAW_STATE_DIR and OPENCLAW_CONFIG_PATH are honoured', () => {
  expect(resolvePaths({ HOME: '/h' }).configPath).toBe('/h/.openclaw/openclaw.json');
  expect(resolvePaths({ HOME: '/h', OPENCLAW_HOME: '/o' }).stateDir).toBe('/o/.openclaw');
  expect(resolvePaths({ HOME: '/h', OPENCLAW_STATE_DIR: '~/s' })).toMatchObject({
    stateDir: '/h/s',
    databasePath: '/h/s/state.sqlite',
  });
  expect(resolvePaths({ HOME: '/h', OPENCLAW_CONFIG_PATH: '/c.json' })).toMatchObject({
    stateDir: '/h/.openclaw',
    configPath: '/c.json',
  });
  expect(resolvePaths({ HOME: '/h', CLAWDBOT_STATE_DIR: '/old' }).stateDir).toBe('/old');
});
