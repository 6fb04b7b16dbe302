// Every config block that the five guides print, as it is printed: what it is read as, what it does, what is refused.
// The fixtures are copies; their names say which guide (a to e) and at which line.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findingLine, mappingLine } from '../../src/config/findings.ts';
import { type Inspection, inspectConfig } from '../../src/config/inspect.ts';
import { listenHosts } from '../../src/config/listen.ts';
import { loadForStart } from '../../src/config/load.ts';
import { resolvePaths } from '../../src/config/paths.ts';
import type { Config } from '../../src/config/schema.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures');
const STRONG = '9f2c4e8a1b7d3f60c5e9a2b4d8f1037c6ae5b9d2f4817c3069ad5eb2f8c41739';

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'hardshell-guide-'));
  mkdirSync(join(home, '.openclaw'), { mode: 0o700 });
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const used = new Set<string>();
function fixture(name: string): string {
  const file = readdirSync(FIXTURES).find((one) => one.startsWith(`${name}-`)) ?? name;
  used.add(file);
  return readFileSync(join(FIXTURES, file), 'utf8');
}

const environment = (more: Record<string, string> = {}) => ({ HOME: home, ...more });

/** Judges a block as the only thing in openclaw.json. */
function judge(text: string, env: Record<string, string> = {}, name = 'openclaw.json'): Inspection {
  writeFileSync(join(home, '.openclaw', name), text, { mode: 0o600 });
  return inspectConfig(resolvePaths(environment(env)), environment(env), { rules: true });
}

/** Loads a block for a start, and fails when it would not start. */
function start(text: string, env: Record<string, string> = {}, name?: string): Inspection & { config: Config } {
  const inspection = judge(text, env, name);
  const { config } = loadForStart(resolvePaths(environment(env)), environment(env));
  return { ...inspection, config };
}

const mappings = ({ mappings: list }: Inspection): string[] => list.map(mappingLine);
const lines = ({ findings }: Inspection, level = 'error'): string[] =>
  findings.filter((finding) => finding.level === level).map(findingLine);

describe('guide A', () => {
  test('S026 dmPolicy pairing with an id', () => {
    const {
      config,
      mappings: read,
      findings,
    } = start(fixture('a-079'), { TELEGRAM_BOT_TOKEN: '123456789:AAExampleButNotAWord-x7Q2pLm' });
    expect(config.channels.telegram).toMatchObject({ enabled: true, dmPolicy: 'pairing', allowFrom: ['1303993020'] });
    expect([read, findings]).toEqual([[], []]);
  });

  test('S031 S032 S033 S252 allowlists: a number stays, a name is dropped and said', () => {
    const block = start(fixture('a-108'));
    expect(block.config.channels.telegram?.allowFrom).toEqual(['1234567890']);
    expect(block.config.channels.whatsapp?.allowFrom).toEqual(['+15555550123']);
    expect(block.config.channels.discord?.allowFrom).toEqual(['123456789012345678']);
    expect(lines(block, 'warning')).toContain(
      'warning: channels.telegram.allowFrom: "@your_username" is a name, which can be changed or taken over; it lets nobody in | use the numeric id (openclaw status --deep shows ids that have written)',
    );
  });

  test('S035 S036 groups answer only when mentioned', () => {
    const { config } = start(fixture('a-128'));
    expect(config.channels.telegram?.groups['*']).toEqual({ requireMention: true });
    expect(config.messages.groupChat.mentionPatterns).toEqual(['@openclaw', 'hey openclaw']);
  });

  test('S038 S039 tools.sandbox.mode is the mode of the box, and its tools stay', () => {
    const block = start(fixture('a-151'));
    expect(block.config.agents.defaults.sandbox.mode).toBe('non-main');
    expect(block.config.tools.sandbox.tools).toEqual({
      allow: ['read', 'write', 'edit', 'web_search', 'web_fetch'],
      deny: ['browser', 'exec', 'nodes', 'cron'],
    });
    expect(mappings(block)).toEqual(['tools.sandbox.mode is read as agents.defaults.sandbox.mode']);
  });

  test.each(['a-171', 'a-188'])('S042 S005 %s: bind "127.0.0.1" listens on loopback at 18789', (name) => {
    const block = start(fixture(name));
    expect(block.config.gateway).toMatchObject({ bind: 'loopback', port: 18_789 });
    expect(listenHosts(block.config.gateway, [])).toEqual({ hosts: ['127.0.0.1', '::1'], loopback: true });
    expect(mappings(block)).toEqual(['gateway.bind: "127.0.0.1" means "loopback"']);
  });

  test('S048 S050 Tailscale serve stays on loopback', () => {
    const { config } = start(fixture('a-202'));
    expect(config.gateway).toMatchObject({ bind: 'loopback', tailscale: { mode: 'serve' } });
    const lan = judge('{ gateway: { tailscale: { mode: "serve" }, bind: "lan", dangerouslyExposeToNetwork: true } }');
    expect(lines(lan)).toEqual([
      'error: gateway.tailscale.mode "serve" needs gateway.bind "loopback" | set gateway.bind to "loopback"; Tailscale reaches it there',
    ]);
  });

  test('S049 funnel without a password is refused before the start', () => {
    const funnel = judge(`{ gateway: { tailscale: { mode: 'funnel' }, auth: { token: '${STRONG}' } } }`);
    expect(lines(funnel)).toEqual([expect.stringContaining('needs gateway.auth.mode "password"')]);
    start(`{ gateway: { tailscale: { mode: 'funnel' }, auth: { mode: 'password' } } }`, {
      OPENCLAW_GATEWAY_PASSWORD: 'Mq7-vTzR2wLp9-xKd4Nb',
    });
  });

  test('S060 S012 the browser is on when asked for, with the word about two-factor login', () => {
    const block = start(fixture('a-277'));
    expect(block.config.browser.enabled).toBe(true);
    expect(lines(block, 'warning')).toEqual([expect.stringContaining('two-factor')]);
    expect(start('{}').config.browser.enabled).toBe(false);
  });

  test('S064 the name of a variable where its value belongs is refused with the way to write it', () => {
    expect(lines(judge(fixture('a-302')))).toEqual([
      'error: channels.telegram.botToken is the name of an environment variable; write ${TELEGRAM_BOT_TOKEN} to use it | remove it and set TELEGRAM_BOT_TOKEN, or write the real value',
    ]);
    const mended = fixture('a-302').replace('"TELEGRAM_BOT_TOKEN"', '"${TELEGRAM_BOT_TOKEN}"');
    const { config } = start(mended, { TELEGRAM_BOT_TOKEN: '123456789:AAF-x7Q2pLmZw81' });
    expect(config.channels.telegram?.botToken).toBe('123456789:AAF-x7Q2pLmZw81');
  });

  test('S082 sandbox.mode at the root, as its checklist spells it', () => {
    const block = start('{ "sandbox": { "mode": "non-main" } }');
    expect(block.config.agents.defaults.sandbox.mode).toBe('non-main');
    expect(mappings(block)).toEqual(['sandbox.mode is read as agents.defaults.sandbox.mode']);
  });

  test('S027 S180 dmPolicy open needs "*" and an acknowledgement', () => {
    const open = (more: string) => judge(`{ channels: { telegram: { dmPolicy: 'open', ${more} } } }`);
    expect(lines(open(''))).toEqual([expect.stringContaining('allowFrom has no "*"')]);
    expect(lines(open(`allowFrom: ['*']`))).toEqual([expect.stringContaining('any stranger can talk')]);
    expect(lines(open(`allowFrom: ['*'], dangerouslyAllowAnyone: true`))).toEqual([]);
  });
});

describe('guide B', () => {
  test('S098 S099 S087 authToken beside the port, in config.json; its example is no token', () => {
    expect(lines(judge(fixture('b-113'), {}, 'config.json'))).toEqual([
      'error: gateway.auth.token is an example from a guide, not a secret | put the output of `openssl rand -hex 32` there, or remove it and one is made',
    ]);
    const block = start(fixture('b-113').replace('your-long-random-secret-token-here', STRONG), {}, 'config.json');
    expect(block.config.gateway).toMatchObject({
      port: 3_000,
      bind: 'loopback',
      auth: { mode: 'token', token: STRONG },
    });
    expect(mappings(block)).toEqual([
      'config.json is read as openclaw.json (the file under its other name is read)',
      'gateway.authToken is read as gateway.auth.token',
    ]);
  });

  test('S101 a guessable token is refused, whatever its length', () => {
    for (const token of ['password123', 'password123'.repeat(3), 'changeme', '19841231', 'aaaaaaaaaaaaaaaaaaaaaaaa']) {
      expect(lines(judge(`{ gateway: { auth: { token: '${token}' } } }`))[0]).toMatch(
        /can be guessed|is an example from a guide/,
      );
    }
  });

  test('S115 S116 pairing.autoApprove lets nobody in without an acknowledgement', () => {
    expect(lines(judge(fixture('b-181')))).toEqual([
      'error: pairing.autoApprove lets every stranger in, and they spend your credits | remove it; or add pairing.dangerouslyAutoApproveStrangers: true',
    ]);
    const { config } = start('{ pairing: { autoApprove: true, dangerouslyAutoApproveStrangers: true } }');
    expect(config.pairing.autoApprove).toBe(true);
    expect(start('{}').config.pairing.autoApprove).toBe(false);
  });

  test('S122 S123 providers at the root, with the key from a variable', () => {
    const block = start(fixture('b-209'), { ANTHROPIC_API_KEY: 'sk-ant-api03-k2Jx8' });
    expect(block.config.models.providers['anthropic']).toMatchObject({
      apiKey: 'sk-ant-api03-k2Jx8',
      api: 'anthropic-messages',
    });
    expect(mappings(block)).toEqual([
      'providers.anthropic.type is read as models.providers.anthropic.api ("anthropic" means "anthropic-messages")',
      'providers.anthropic.apiKey is read as models.providers.anthropic.apiKey',
    ]);
    expect(lines(judge(fixture('b-209')))).toEqual([
      expect.stringContaining(
        'models.providers.anthropic.apiKey uses ${ANTHROPIC_API_KEY}, and that variable is not set',
      ),
    ]);
  });

  test('S120 GATEWAY_AUTH_TOKEN is OPENCLAW_GATEWAY_TOKEN', () => {
    const block = judge('{}', { GATEWAY_AUTH_TOKEN: STRONG });
    expect(block.env['OPENCLAW_GATEWAY_TOKEN']).toBe(STRONG);
    expect(mappings(block)).toEqual(['GATEWAY_AUTH_TOKEN is read as OPENCLAW_GATEWAY_TOKEN']);
    expect(lines(judge('{}', { GATEWAY_AUTH_TOKEN: 'xxxxx' }))).toEqual([
      expect.stringContaining('OPENCLAW_GATEWAY_TOKEN is an example'),
    ]);
  });

  test('S129 S128 workspace, allowed and denied folders', () => {
    const { config } = start(fixture('b-246'));
    expect(config.security).toMatchObject({
      workspace: '/home/openclaw/workspace',
      allowedPaths: ['/home/openclaw/workspace', '/home/openclaw/data'],
      deniedPaths: ['/etc', '/root', '/home/openclaw/.ssh'],
    });
    expect(config.agents.defaults.workspace).toBe('/home/openclaw/workspace');
    expect(config.tools.fs.workspaceOnly).toBe(true);
  });
});

describe('guide C', () => {
  test('S146 S147 S148 S149 the gateway block; its example is no token', () => {
    expect(lines(judge(fixture('c-008')))).toEqual([
      expect.stringContaining('gateway.auth.token is an example from a guide'),
    ]);
    const block = start(fixture('c-008').replace('replace-with-a-long-random-string', STRONG));
    expect(block.config.gateway).toMatchObject({
      bind: 'loopback',
      port: 18_789,
      auth: { mode: 'token', token: STRONG },
    });
    expect(mappings(block)).toEqual([
      'gateway.bind: "127.0.0.1" means "loopback"',
      'gateway.auth.enabled is read as gateway.auth.mode (authentication is always on)',
    ]);
  });

  test('S147 auth.enabled false alone switches nothing off', () => {
    expect(lines(judge('{ gateway: { auth: { enabled: false } } }'))).toEqual([
      expect.stringContaining('authentication is switched off'),
    ]);
    const both = start('{ gateway: { auth: { enabled: false, mode: "token" } } }');
    expect(both.config.gateway.auth.mode).toBe('token');
    expect(mappings(both)).toEqual([
      'gateway.auth.enabled is read as gateway.auth.mode (gateway.auth.mode is also written, as "token"; the stricter "token" holds)',
    ]);
  });

  test('S162 S163 S164 S165 the sandbox block, word for word', () => {
    const block = start(fixture('c-036'));
    expect(block.config.agents.defaults.sandbox).toMatchObject({
      mode: 'all',
      scope: 'agent',
      workspaceAccess: 'rw',
      docker: { image: 'openclaw-sandbox:bookworm-slim', network: 'none' },
    });
    expect(mappings(block)).toEqual([]);
    expect(start('{}').config.agents.defaults.sandbox).toMatchObject({
      mode: 'all',
      scope: 'agent',
      docker: { network: 'none' },
    });
  });

  test('S176 S177 allowlists per channel', () => {
    const { config } = start(fixture('c-079'));
    expect(config.channels.whatsapp).toMatchObject({
      enabled: true,
      dmPolicy: 'allowlist',
      allowFrom: ['+15551234567'],
    });
    expect(config.channels.telegram).toMatchObject({
      dmPolicy: 'pairing',
      allowFrom: ['123456789'],
      groupPolicy: 'allowlist',
      groups: { '*': { requireMention: true } },
    });
  });

  test('S179 a group in groupAllowFrom is said to be none of a sender', () => {
    const block = start(`{ channels: { telegram: { groupAllowFrom: ['-1001234567890', 42] } } }`);
    expect(block.config.channels.telegram?.groupAllowFrom).toEqual(['42']);
    expect(lines(block, 'warning')[0]).toContain('"-1001234567890" is a group, and this list is for senders');
  });
});

describe('guide D', () => {
  const expected = (config: Config) => {
    expect(config.actions.email).toEqual({ requireConfirmation: true, allowedRecipients: ['*@yourdomain.com'] });
    expect(config.security).toMatchObject({
      allowedPaths: ['/Users/you/workspace', '/Users/you/documents'],
      deniedPaths: ['/Users/you/.ssh', '/Users/you/.gnupg'],
    });
    expect(config.tools.exec).toMatchObject({ mode: 'allowlist', allow: ['git', 'npm', 'node', 'python'] });
  };

  test('S210 S211 S212 S213 the YAML block, as it reaches readers: without its indentation', () => {
    const block = start(fixture('d-075'));
    expected(block.config);
    expect(mappings(block)).toEqual([
      'YAML is read as JSON5 (only the plain part of YAML is read, and commands cannot change it)',
      'require_confirmation is read as actions.email.require_confirmation (the indentation of the guide was lost in copying)',
      'allowed_recipients is read as actions.email.allowed_recipients (the indentation of the guide was lost in copying)',
      'allowed_paths is read as actions.filesystem.allowed_paths (the indentation of the guide was lost in copying)',
      'denied_paths is read as actions.filesystem.denied_paths (the indentation of the guide was lost in copying)',
      'mode is read as actions.shell.mode (the indentation of the guide was lost in copying)',
      'allowed is read as actions.shell.allowed (the indentation of the guide was lost in copying)',
      'actions.email.require_confirmation is read as actions.email.requireConfirmation',
      'actions.email.allowed_recipients is read as actions.email.allowedRecipients',
      'actions.filesystem.allowed_paths is read as actions.filesystem.allowedPaths',
      'actions.filesystem.denied_paths is read as actions.filesystem.deniedPaths',
      'actions.filesystem.allowedPaths is read as security.allowedPaths',
      'actions.filesystem.deniedPaths is read as security.deniedPaths',
      'actions.shell.mode is read as tools.exec.mode',
      'actions.shell.allowed is read as tools.exec.allow',
    ]);
    expect(lines(block, 'warning')).toEqual([
      ...['workspace', 'documents'].map((name) => expect.stringContaining(`"/Users/you/${name}" does not exist`)),
      ...['git', 'npm', 'node', 'python'].map((name) => expect.stringContaining(`"${name}" can run any other program`)),
    ]);
  });

  test('S213 the same block as its author indented it, in openclaw.yaml', () => {
    const depth: Record<string, number> = { actions: 0, email: 1, filesystem: 1, shell: 1 };
    const indented = fixture('d-075').replace(/^(\w+):/gm, (line, key: string) => '  '.repeat(depth[key] ?? 2) + line);
    expected(start(indented, {}, 'openclaw.yaml').config);
  });

  test('S210 S211 S212 the same block as JSON', () => {
    expected(
      start(
        JSON.stringify({
          actions: {
            email: { require_confirmation: true, allowed_recipients: ['*@yourdomain.com'] },
            filesystem: {
              allowed_paths: ['/Users/you/workspace', '/Users/you/documents'],
              denied_paths: ['/Users/you/.ssh', '/Users/you/.gnupg'],
            },
            shell: { mode: 'allowlist', allowed: ['git', 'npm', 'node', 'python'] },
          },
        }),
      ).config,
    );
  });
});

describe('guide E', () => {
  test('S242 gateway.host is the bind', () => {
    const block = start(fixture('e-038'));
    expect(block.config.gateway).toMatchObject({ bind: 'loopback', port: 18_789 });
    expect(mappings(block)).toEqual(['gateway.host is read as gateway.bind ("127.0.0.1" means "loopback")']);
  });

  test('S242 host and bind that disagree: the stricter one, and it is said', () => {
    const block = start('{ gateway: { host: "127.0.0.1", bind: "lan" } }');
    expect(block.config.gateway.bind).toBe('loopback');
    expect(mappings(block)).toEqual([
      'gateway.host is read as gateway.bind ("127.0.0.1" means "loopback"; gateway.bind is also written, as "lan"; the stricter "loopback" holds)',
    ]);
  });

  test('S243 S097 host 0.0.0.0 is refused without an acknowledgement', () => {
    const open = '"host": "0.0.0.0"';
    expect(lines(judge(fixture('e-038').replace('"host": "127.0.0.1"', open)))).toEqual([
      expect.stringContaining('gateway.bind "lan" lets a network reach the gateway (0.0.0.0, ::)'),
    ]);
    const block = start(`{ gateway: { ${open}, dangerouslyExposeToNetwork: true, auth: { token: '${STRONG}' } } }`);
    expect(listenHosts(block.config.gateway, [])).toMatchObject({ loopback: false });
  });

  test('S245 S282 a token alone starts: mode token, local; its example is no token', () => {
    expect(lines(judge(fixture('e-052')))).toEqual([
      expect.stringContaining('gateway.auth.token is an example from a guide'),
    ]);
    const { config } = start(fixture('e-052').replace('your-generated-token-here', STRONG));
    expect(config.gateway).toMatchObject({ mode: 'local', auth: { mode: 'token', token: STRONG } });
  });

  test('S251 S253 S283 allowlist.senders answers these and nobody else; its example is nobody', () => {
    expect(lines(judge(fixture('e-068')))[0]).toContain(
      'channels.telegram.allowFrom: "your-telegram-user-id" is an example',
    );
    const block = start(fixture('e-068').replace('your-telegram-user-id', '1303993020'));
    expect(block.config.channels.telegram).toMatchObject({ dmPolicy: 'allowlist', allowFrom: ['1303993020'] });
    expect(mappings(block)).toEqual([
      'channels.telegram.allowlist.senders is read as channels.telegram.allowFrom (only these senders are answered)',
    ]);
    const slack = start(`{ channels: { slack: { allowlist: { senders: ['U12345678'] }, dmPolicy: 'pairing' } } }`);
    expect(slack.config.channels.slack?.dmPolicy).toBe('allowlist');
  });

  test('S255 S254 tool policies by place', () => {
    const { config } = start(fixture('e-081'));
    expect(config.tools.policies).toMatchObject({
      '*': { exec: 'deny', browser: 'deny' },
      dm: { exec: 'allow', browser: 'allow' },
    });
    expect(start('{}').config.tools.policies).toEqual({
      group: { exec: 'deny', browser: 'deny' },
      channel: { exec: 'deny', browser: 'deny' },
    });
    expect(start('{ tools: { policies: { group: { read: "ask" } } } }').config.tools.policies.group).toEqual({
      read: 'ask',
      exec: 'deny',
      browser: 'deny',
    });
  });

  test('S271 sandbox at the root: all sessions, workspace read-only, no network', () => {
    const block = start(fixture('e-134'));
    expect(block.config.agents.defaults.sandbox).toMatchObject({
      mode: 'all',
      workspaceAccess: 'ro',
      docker: { network: 'none' },
    });
    expect(mappings(block)).toEqual([
      'sandbox.mode is read as agents.defaults.sandbox.mode',
      'sandbox.workspace is read as agents.defaults.sandbox.workspaceAccess',
      'sandbox.network is read as agents.defaults.sandbox.docker.network (false means "none")',
    ]);
  });

  test('S270 host folders and the container socket never get into the box', () => {
    for (const bind of [
      '/etc:/host-etc:ro',
      '/var/run/docker.sock:/sock',
      '/proc:/p',
      '/:/host',
      '/root/.ssh:/k:ro',
      `${home}/.aws:/a`,
    ]) {
      expect(
        lines(judge(JSON.stringify({ agents: { defaults: { sandbox: { docker: { binds: [bind] } } } } })))[0],
      ).toContain('this can not be allowed');
    }
  });
});

afterAll(() => {
  // All 22 blocks of the five guides are judged above; a fixture that nobody reads is a row that nobody keeps.
  expect([...used].sort()).toEqual(readdirSync(FIXTURES).sort());
  expect(used.size).toBe(22);
});
