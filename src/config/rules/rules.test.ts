// What fits alone and must not stand together: each rule is shown what it refuses, the mend it names, and what it lets pass.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { inspectConfig } from '../inspect.ts';
import { isIP, isLoopback } from '../ip.ts';
import { listenHosts } from '../listen.ts';

const STRONG = 'c0ffee5a1b7d3f60c5e9a2b4d8f1037c6ae5b9d2f4817c3069ad5eb2f8c41739';
const OTHER = '7b1e9d40c8a25f36e0d7b9c4a1f86352dd0e47c9b18af263750c4e9ba8d1f264';

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'hardshell-rules-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** `error:code` and `warning:code` of everything that is said. */
function codes(text: string, env: Record<string, string> = {}): string[] {
  const stateDir = join(home, 'state');
  const where = { configPath: join(stateDir, 'openclaw.json'), stateDir, workspaceDir: join(stateDir, 'workspace') };
  const { findings } = inspectConfig(where, { HOME: home, ...env }, { rules: true, text });
  for (const { message, fix, key } of findings) {
    expect(`${message}${fix}`).not.toMatch(/\n|hunter2/);
    expect(fix).not.toBe('');
    expect(key).not.toBe('');
  }
  return findings.map(({ level, code }) => `${level}:${code}`);
}

describe('the door', () => {
  test.each([
    [`{ gateway: { bind: 'lan' } }`, ['error:exposed']],
    [`{ gateway: { bind: 'lan', dangerouslyExposeToNetwork: true } }`, []],
    [`{ gateway: { dangerouslyExposeToNetwork: true } }`, ['warning:needless-danger']],
    [`{ gateway: { bind: 'custom' } }`, ['error:bind-unusable']],
    [
      `{ gateway: { bind: 'custom', customBindHost: '0.0.0.0', dangerouslyExposeToNetwork: true } }`,
      ['error:bind-unusable'],
    ],
    [
      `{ gateway: { bind: 'custom', customBindHost: '203.0.113.7', dangerouslyExposeToNetwork: true } }`,
      ['error:bind-unusable'],
    ],
    [`{ gateway: { bind: 'custom', customBindHost: '127.0.0.1' } }`, []],
    [`{ gateway: { auth: { mode: 'none' } } }`, ['error:auth-off']],
    [`{ gateway: { auth: { mode: 'none', dangerouslyDisableAuth: true } } }`, ['warning:auth-none']],
    [
      `{ gateway: { auth: { mode: 'none', dangerouslyDisableAuth: true }, tailscale: { mode: 'serve' } } }`,
      ['error:forwarded-without-auth'],
    ],
    [
      `{ gateway: { auth: { mode: 'none', dangerouslyDisableAuth: true }, trustedProxies: ['10.0.0.2'] } }`,
      ['error:forwarded-without-auth'],
    ],
    [
      `{ gateway: { bind: 'lan', dangerouslyExposeToNetwork: true, auth: { mode: 'none', dangerouslyDisableAuth: true } } }`,
      ['error:exposed-without-auth', 'warning:auth-none'],
    ],
    [`{ gateway: { auth: { mode: 'password' } } }`, ['error:password-missing']],
    [`{ gateway: { auth: { mode: 'password', password: 'hunter2' } } }`, ['error:guessable']],
    [`{ gateway: { auth: { mode: 'password', password: 'Mq7-vTzR2wLp9-xKd4Nb' } } }`, []],
    [`{ gateway: { auth: { token: 'tooshort-9f2c4' } } }`, ['error:guessable']],
    [`{ gateway: { auth: { token: '${STRONG} ' } } }`, ['error:secret-shape']],
    [`{ gateway: { auth: { token: '${STRONG}' } } }`, []],
    [`{ gateway: { auth: { mode: 'password', password: 'Mq7-vTzR2wLp9-xKd4Nä' } } }`, ['error:secret-shape']],
    [`{ gateway: { auth: { password: 'Mq7-vTzR2wLp9-xKd4Nb' } } }`, ['warning:password-idle']],
    [`{ gateway: { auth: { mode: 'trusted-proxy' } } }`, ['error:proxy-auth']],
    [
      `{ gateway: { trustedProxies: ['10.0.0.2'], auth: { mode: 'trusted-proxy', trustedProxy: { userHeader: 'x-user', allowUsers: ['me'] } } } }`,
      ['error:proxy-auth'],
    ],
    [`{ models: { providers: { mine: { baseUrl: 'http://models.example:99999/v1' } } } }`, ['error:provider-url']],
    [`{ models: { providers: { mine: { baseUrl: 'models.example' } } } }`, ['error:bad-value']],
    [`{ gateway: { trustedProxies: ['0.0.0.0/0'] } }`, ['error:proxy-everybody']],
    [
      `{ gateway: { trustedProxies: ['::/0', 'proxy', '10.0.0.0/33'] } }`,
      ['error:proxy-everybody', 'error:proxy-address', 'error:proxy-address'],
    ],
    [`{ gateway: { controlUi: { allowedOrigins: ['*'] } } }`, ['error:origin-everybody']],
    [
      `{ gateway: { controlUi: { allowedOrigins: ['https://a.example/x', 'https://b.example'] } } }`,
      ['error:origin-shape'],
    ],
    [`{ gateway: { tailscale: { mode: 'funnel' } } }`, ['error:funnel-without-password']],
    [`{ gateway: { auth: { allowTailscale: true } } }`, ['error:tailscale-identity']],
  ])('%s', (text, expected) => {
    expect(codes(text)).toEqual(expected);
  });

  test('a token from outside is judged like one from the file', () => {
    expect(codes('{}', { OPENCLAW_GATEWAY_TOKEN: 'password123password123' })).toEqual(['error:guessable']);
    expect(codes('{}', { OPENCLAW_GATEWAY_TOKEN: STRONG })).toEqual([]);
  });

  test('a bind never comes out at every network unless that is what was written', () => {
    const hosts = (
      bind: 'loopback' | 'auto' | 'tailnet' | 'custom' | 'lan',
      addresses: string[] = [],
      customBindHost?: string,
    ) => listenHosts(customBindHost === undefined ? { bind } : { bind, customBindHost }, addresses);
    expect(hosts('auto')).toEqual({ hosts: ['127.0.0.1', '::1'], loopback: true });
    expect(hosts('lan')).toEqual({ hosts: ['0.0.0.0', '::'], loopback: false });
    expect(hosts('tailnet', ['192.168.1.2'])).toMatchObject({
      reason: expect.stringContaining('no Tailscale address'),
    });
    expect(hosts('tailnet', ['192.168.1.2', '100.101.102.103', 'fd7a:115c:a1e0::1'])).toEqual({
      hosts: ['100.101.102.103', 'fd7a:115c:a1e0::1'],
      loopback: false,
    });
    expect(hosts('tailnet', ['100.63.0.1', '100.128.0.1'])).toHaveProperty('reason');
    expect(hosts('custom', ['10.8.0.1'], '10.8.0.1')).toEqual({ hosts: ['10.8.0.1'], loopback: false });
    for (const host of ['0.0.0.0', '::', '0:0:0:0:0:0:0:0', '10.8.0.2', 'localhost.example', '']) {
      expect(hosts('custom', ['10.8.0.1'], host)).toHaveProperty('reason');
    }
  });

  test('addresses are told from names', () => {
    expect(['127.0.0.1', '255.255.255.255', '::', 'fe80::1', '::ffff:1.2.3.4'].map(isIP)).toEqual([4, 4, 6, 6, 6]);
    expect(['256.1.1.1', '1.2.3', '1.2.3.4.', 'a', '', ':::', '1.2.3.4:80', '[::1]', '01.2.3.4'].map(isIP)).toEqual([
      0, 0, 0, 0, 0, 0, 0, 0, 0,
    ]);
    expect(['localhost', '127.9.9.9', '::1'].every(isLoopback)).toBe(true);
    expect(['127.0.0.1.example.net', '128.0.0.1', '::'].some(isLoopback)).toBe(false);
  });
});

describe('channels', () => {
  const telegram = (body: string): string => `{ channels: { telegram: { botToken: '123:AAF-x7Q2', ${body} } } }`;
  test.each([
    [telegram(''), []],
    [telegram(`dmPolicy: 'open'`), ['error:open-without-star']],
    [telegram(`dmPolicy: 'open', allowFrom: ['*']`), ['error:open-to-anyone']],
    [telegram(`allowFrom: ['*']`), ['error:open-to-anyone']],
    [telegram(`allowFrom: ['*'], dangerouslyAllowAnyone: true`), ['warning:star-without-open']],
    [telegram(`dmPolicy: 'allowlist'`), ['error:allowlist-empty']],
    [telegram(`dmPolicy: 'allowlist', allowFrom: ['@me']`), ['warning:mutable-name', 'error:allowlist-empty']],
    [telegram(`dmPolicy: 'disabled', allowFrom: ['*']`), []],
    [telegram(`groupPolicy: 'open'`), ['error:groups-open']],
    [telegram(`groupAllowFrom: ['*']`), ['error:groups-anyone']],
    [telegram(`groups: { '-1': { requireMention: false } }`), ['warning:mention-off']],
    [telegram(`groups: { '*': { allowFrom: ['*'] } }`), ['error:groups-anyone']],
    [
      telegram(
        `groupPolicy: 'open', groupAllowFrom: ['*'], allowFrom: ['*'], dmPolicy: 'open', dangerouslyAllowAnyone: true`,
      ),
      [],
    ],
    [telegram(`webhookUrl: 'https://x.example/hook'`), ['error:webhook-secret']],
    [telegram(`webhookUrl: 'http://x.example/hook'`), ['error:bad-value']],
    [telegram(`accounts: { work: { dmPolicy: 'open' } }`), ['error:open-without-star']],
    [`{ channels: { telegram: {} } }`, ['warning:channel-without-token']],
    [`{ channels: { telegram: { enabled: false } } }`, []],
    [`{ channels: { telegram: { botToken: 'your-bot-token' } } }`, ['error:placeholder']],
    [`{ channels: { slack: { botToken: 'xoxb-1-a8Jq' } } }`, ['warning:channel-without-token']],
    [`{ channels: { slack: { botToken: 'xoxb-1-a8Jq', mode: 'http' } } }`, ['warning:channel-without-token']],
    [`{ channels: { slack: { botToken: 'xoxb-1-a8Jq', mode: 'http', signingSecret: '8f742231b10e' } } }`, []],
    [`{ channels: { slack: { botToken: 'xoxb-1-a8Jq', appToken: 'xapp-1-a8Jq' } } }`, []],
    [`{ channels: { mail: { allowFrom: ['Me <a@b.example>'] } } }`, ['warning:mutable-name']],
    [
      `{ session: { dmScope: 'main' }, channels: { whatsapp: { allowFrom: ['+15555550123', '+15555550124'] } } }`,
      ['warning:shared-conversation'],
    ],
  ])('%s', (text, expected) => {
    expect(codes(text)).toEqual(expected);
  });

  test('the variable of a channel stands in for its token', () => {
    expect(codes(`{ channels: { telegram: {} } }`, { TELEGRAM_BOT_TOKEN: '1:A' })).toEqual([]);
  });
});

describe('borders', () => {
  const workspace = (path: string): string => JSON.stringify({ agents: { defaults: { workspace: path } } });
  test('a workspace is neither the machine, nor home, nor where keys lie', () => {
    expect(codes(workspace('/'))).toEqual(['error:workspace-too-wide']);
    expect(codes(workspace('~'))).toEqual(['error:workspace-too-wide']);
    expect(codes(workspace('~/'))).toEqual(['error:workspace-too-wide']);
    expect(codes(workspace(join(home, 'state')))).toEqual(['error:workspace-is-state']);
    expect(codes(workspace(join(home, 'state', 'credentials')))).toEqual(['error:workspace-in-state']);
    for (const shared of ['/etc/openclaw', '/usr/share/openclaw', '/mnt', '/var/lib', '/srv'])
      expect(codes(workspace(shared))).toEqual(['error:workspace-is-system']);
    expect(codes(workspace('~/.ssh'))).toEqual(['error:workspace-is-keys']);
    expect(codes(workspace('notes'))).toEqual(['error:relative-path']);
    for (const good of [
      join(home, 'state', 'workspace'),
      join(home, 'state', 'workspace-work'),
      '~/projects/assistant',
      '/srv/assistant',
      '/workspace',
    ]) {
      expect([good, codes(workspace(good))]).toEqual([good, []]);
    }
    expect(codes(`{ security: { workspace: '/srv/a' }, agents: { defaults: { workspace: '/srv/b' } } }`)).toEqual([
      'error:spellings-disagree',
    ]);
  });

  test('allowed folders are not everything and not the keys', () => {
    const allow = (path: string): string[] => codes(JSON.stringify({ security: { allowedPaths: [path] } }));
    expect(allow('/')).toEqual(['error:allows-everything']);
    expect(allow(join(home, 'state', 'logs'))).toEqual(['error:allows-state']);
    expect(allow('~')).toEqual(['error:allows-state']);
    expect(allow('~/.aws/config')).toEqual(['warning:allows-keys']);
    expect(allow('~/documents')).toEqual(['warning:allowed-missing']);
    mkdirSync(join(home, 'documents'), { recursive: true });
    for (const good of ['~/documents', '~/documents/:ro', '~/documents:rw', '/usr/share:ro', 'reference:ro'])
      expect([good, allow(good)]).toEqual([good, good.startsWith('ref') ? ['warning:allowed-missing'] : []]);
    expect(allow('/usr/share')).toEqual(['warning:allows-system']);
    expect(allow('~/documents:w')).toEqual(['error:path-access']);
    expect(allow('~/documents/*.md')).toEqual(['error:path-pattern']);
    expect(allow('~root/documents')).toEqual(['error:path-home']);
    expect(allow('../other')).toEqual(['error:relative-path']);
  });

  test('S129 denied paths must not shut the workspace, and say when they shut an allowed folder', () => {
    const deny = (path: string, allowed: string[] = []): string[] =>
      codes(JSON.stringify({ security: { deniedPaths: [path], allowedPaths: allowed } }));
    expect(deny('private')).toEqual(['warning:denied-missing']);
    expect(deny('/srv/never')).toEqual([]);
    expect(deny('/srv/never:w')).toEqual([]);
    expect(deny('/srv/never:ro')).toEqual(['error:path-access']);
    expect(deny('/srv/never:rwx')).toEqual(['error:path-access']);
    expect(deny(home)).toEqual(['error:denies-workspace']);
    mkdirSync(join(home, 'documents'), { recursive: true });
    expect(deny('~/documents', ['~/documents:ro'])).toEqual(['warning:allowed-denied']);
  });

  test('S128 reading everywhere is named', () => {
    expect(codes(`{ tools: { fs: { workspaceOnly: false } } }`)).toEqual(['warning:reads-everything']);
    expect(codes(`{ tools: { fs: { workspaceOnly: true } } }`)).toEqual([]);
  });

  test('what holds keys is readable only by a dangerous setting, named at every validation, and some of it never', () => {
    const lift = (path: string): string[] => codes(JSON.stringify({ security: { dangerouslyReadable: [path] } }));
    expect(lift('~/.ssh/config')).toEqual(['warning:readable-secret']);
    expect(lift('.env')).toEqual(['warning:readable-secret']);
    expect(lift('~/documents')).toEqual(['warning:readable-needless']);
    for (const never of ['/proc/self/environ', join(home, 'state', 'credentials'), home, '/'])
      expect([never, lift(never)]).toEqual([never, ['error:readable-never']]);
  });

  test('nothing of the host gets into the box, whatever the way there', () => {
    mkdirSync(join(home, 'data'), { recursive: true });
    symlinkSync('/etc', join(home, 'link'));
    const bind = (text: string, more: object = {}): string[] =>
      codes(
        JSON.stringify({
          security: { allowedPaths: [join(home, 'data')] },
          agents: { defaults: { sandbox: { docker: { binds: [text], ...more } } } },
        }),
      );
    const external = { dangerouslyAllowExternalBindSources: true };
    for (const source of [
      '/',
      '/etc',
      '/etc/ssl',
      '/proc',
      '/var/run/docker.sock',
      '/run/podman/podman.sock',
      '/tmp/docker.sock',
      join(home, 'link'),
      join(home, 'state'),
      join(home, '.ssh'),
      home,
      '/root/../etc',
      '/var',
    ]) {
      expect([source, bind(`${source}:/data:ro`, external)]).toEqual([source, ['error:bind-forbidden']]);
    }
    expect(bind('data:/data')).toEqual(['error:bind-shape']);
    expect(bind('/a:/b:ro:x')).toEqual(['error:bind-shape']);
    expect(bind(`${home}/data:/etc/x`)).toEqual(['error:bind-target']);
    expect(bind(`${home}/other:/data`)).toEqual(['error:bind-outside']);
    expect(bind(`${home}/other:/data`, external)).toEqual([]);
    expect(bind(`${home}/data/x:/data:ro`)).toEqual([]);
  });

  test('a box never has the network of the machine; through the filter only hosts that are named', () => {
    const box = (more: object): string[] => codes(JSON.stringify({ agents: { defaults: { sandbox: more } } }));
    for (const network of ['bridge', 'host', 'container:x'])
      expect([network, box({ docker: { network } })]).toEqual([network, ['error:bad-value']]);
    expect(codes(`{ sandbox: { network: true } }`)).toEqual(['warning:box-hosts-missing']);
    expect(box({ docker: { network: 'allowlist' }, allowedHosts: ['example.net', '*.example.org:8443'] })).toEqual([]);
    for (const host of ['*', 'https://example.net', 'example.net/x', 'localhost', '*.*.net', 'a b.net'])
      expect([host, box({ allowedHosts: [host] })]).toEqual([host, ['error:box-host']]);
    expect(box({ docker: { memory: '16m' } })).toEqual(['error:box-memory']);
  });

  test('no agent has a looser box than the defaults', () => {
    const agent = (defaults: object, own: object): string[] =>
      codes(JSON.stringify({ agents: { defaults: { sandbox: defaults }, entries: { b: { sandbox: own } } } }));
    expect(agent({}, { mode: 'off' })).toEqual(['error:box-looser']);
    expect(agent({ workspaceAccess: 'ro' }, { workspaceAccess: 'rw' })).toEqual(['error:box-looser']);
    expect(agent({}, { scope: 'shared' })).toEqual(['error:box-looser']);
    expect(agent({}, { mode: 'all', scope: 'session', workspaceAccess: 'none' })).toEqual([]);
  });
});

describe('powers', () => {
  test.each([
    [`{ tools: { exec: { mode: 'full' } } }`, ['warning:exec-full']],
    [`{ tools: { exec: { allow: ['ls', 'cat', 'grep', 'head', 'tail'] } } }`, []],
    [`{ tools: { exec: { allow: ['/usr/bin/python3'] } } }`, ['warning:exec-interpreter']],
    [`{ tools: { exec: { allow: ['*'] } } }`, ['error:exec-pattern']],
    [`{ tools: { exec: { safeBins: ['awk'] } } }`, ['error:safe-bin-interpreter']],
    [`{ tools: { elevated: { enabled: true, allowFrom: ['*'] } } }`, ['error:elevated-anyone']],
    [`{ tools: { elevated: { enabled: true } } }`, ['warning:elevated-nobody']],
    [`{ browser: { enabled: true } }`, ['warning:browser-on']],
    [`{ pairing: { autoApprove: true } }`, ['error:auto-approve']],
    [`{ commands: { ownerAllowFrom: ['*'] } }`, ['error:owner-anyone']],
    [`{ hooks: { enabled: true } }`, ['error:hooks-token-missing']],
    [
      `{ hooks: { enabled: true, token: '${STRONG}' }, gateway: { auth: { token: '${STRONG}' } } }`,
      ['error:hooks-token-reused'],
    ],
    [`{ hooks: { enabled: true, token: 'k8Jx2pQ9vLm4Rt7Z' } }`, ['error:secret-short']],
    [`{ hooks: { enabled: true, token: '${OTHER}' }, gateway: { auth: { token: '${STRONG}' } } }`, []],
    [`{ mcp: { servers: { a: {} } } }`, ['error:mcp-shape']],
    [`{ mcp: { servers: { a: { command: 'x', url: 'https://x.example' } } } }`, ['error:mcp-shape']],
    [`{ mcp: { servers: { a: { url: 'http://x.example' } } } }`, ['error:mcp-plain-http']],
    [
      `{ mcp: { servers: { a: { url: 'http://[::1]:1/' }, b: { command: 'x', env: { DEBUG: 'true', API_KEY: 'your-key-here' } } } } }`,
      ['error:placeholder'],
    ],
    [
      `{ models: { providers: { a: { apiKey: 'sk-your-api-key', baseUrl: 'https://x.example' } } } }`,
      ['error:placeholder'],
    ],
    [
      `{ models: { providers: { a: { apiKey: 'sk-1234567890', baseUrl: 'http://x.example' } } } }`,
      ['warning:provider-plain-http'],
    ],
    [`{ models: { providers: { a: { apiKey: 'sk-1234567890', baseUrl: 'http://127.0.0.1:1/v1' } } } }`, []],
    [`{ agents: { defaults: { model: 'claude' } } }`, ['error:model-name']],
    [`{ messages: { groupChat: { mentionPatterns: ['@openclaw', 'hey openclaw', '\\\\bclaw(bot)?\\\\b'] } } }`, []],
    [`{ messages: { groupChat: { mentionPatterns: ['(a+)+$', '(x|x*)*y'] } } }`, []],
    [
      `{ messages: { groupChat: { mentionPatterns: ['(?=a)b', '(a)\\\\1', 'a{900}'] } } }`,
      Array(3).fill('error:pattern-risky'),
    ],
    [`{ messages: { groupChat: { mentionPatterns: ['('] } } }`, ['error:pattern-risky']],
    [
      `{ commands: { ownerAllowFrom: ['telegram:123', '123', 'telegram:@me'], allowFrom: ['discord:bob'] } }`,
      Array(3).fill('warning:nobody-listed'),
    ],
    [`{ env: { vars: { MY_API_KEY: 'hunter2' } } }`, ['warning:secret-in-vars']],
    [`{ tools: { web: { search: { apiKey: 'BRAVE_API_KEY' } } } }`, ['error:environment-name']],
    [`{ channels: { telegram: { accounts: { work: { botToken: '<token>' } } } } }`, ['error:placeholder']],
    [`{ channels: { mail: { imap: { password: '********' } } } }`, ['error:redacted']],
    [`{ secrets: { providers: { op: { source: 'exec', command: 'op' } } } }`, ['error:secrets-command']],
    [
      `{ secrets: { providers: { f: { source: 'file', path: 'x' }, n: {} } } }`,
      ['error:secrets-path', 'error:secrets-source'],
    ],
  ])('%s', (text, expected) => {
    expect(codes(text)).toEqual(expected);
  });

  test('the hook token is not the gateway token from outside either', () => {
    expect(codes(`{ hooks: { enabled: true, token: '${STRONG}' } }`, { GATEWAY_AUTH_TOKEN: STRONG })).toEqual([
      'error:hooks-token-reused',
    ]);
  });
});

test('a hardened configuration has nothing to say', () => {
  writeFileSync(join(home, 'x'), '');
  expect(
    codes(`{
      gateway: { bind: 'loopback', auth: { token: '${STRONG}' } },
      channels: { telegram: { botToken: '123:AAF-x7Q2', allowFrom: ['1303993020'], groups: { '*': { requireMention: true } } } },
      agents: { defaults: { sandbox: { mode: 'all' } } },
      tools: { exec: { mode: 'allowlist', allow: ['ls', 'cat'] }, policies: { '*': { exec: 'deny' }, dm: { exec: 'ask' } } },
      security: { deniedPaths: ['/srv/private'] },
    }`),
  ).toEqual([]);
});
