// The promises of the audit that are no row of the matrix: the lines of the guides, nothing to say about what is hardened, a
// configuration that cannot be read, and one check that fails beside the others.
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Home, makeHome, SETTINGS, told } from '../../test/support/audit-rows/audited.ts';
import { newToken } from '../platform/ids.ts';
import { openStore } from '../store/open.ts';
import { openPairingTables } from '../store/people/pairing.ts';
import type { Check } from './check.ts';
import { CHECKS } from './checks/checks.ts';
import { gatherAuditFacts } from './facts.ts';
import { jsonReport } from './report/json.ts';
import { sarifReport } from './report/sarif.ts';
import { textReport } from './report/text.ts';
import { foundIn, runAudit } from './run.ts';

let home: Home;
beforeEach(() => {
  home = makeHome();
});
afterEach(() => home.remove());

const BOT = 'botToken: "123456789:AAF-x7Q2_kLm3nOpQrStUvWxYz012345678"';
const facts = (env = home.env) =>
  gatherAuditFacts(env, {
    version: '0',
    nowMs: Date.now(),
    probeSandbox: async () => ({ driver: null, detail: '', fix: null }),
  });
const ASKED = CHECKS.filter(({ group, depth }) => SETTINGS.has(group) && depth === 'read');
const whole = async (checks: readonly Check[] = ASKED) =>
  runAudit(checks, await facts(), { depths: new Set(['read']) });
const linesOf = async (isQuiet = false): Promise<string[]> => {
  const report = await whole();
  const lines = textReport(report, foundIn(report), { isQuiet, isVerbose: false });
  return lines.map((line) => line.map(({ text }) => text).join(''));
};

describe('what guide 000 shows', () => {
  test('S013 S014 S016 the lines of what is good, word by word', async () => {
    home.write(`{ channels: { telegram: { ${BOT}, allowFrom: ["1303993020"] } } }`);
    const lines = await linesOf();
    for (const line of [
      '✅ DM policy: pairing (secure)',
      '✅ Telegram allowlist: restricted to 1 user',
      '✅ Gateway bind: 127.0.0.1 (local-only)',
    ])
      expect(lines).toContain(line);
    expect(lines.at(-1)).toMatch(/^0 critical, 0 warnings, 0 info, \d+ passed in \d+\.\d\d s$/);
  });

  test('S012 S015 a browser is warned of with its line, word by word', async () => {
    home.write('{ browser: { enabled: true } }');
    expect(await linesOf(true)).toEqual([
      'What it can do',
      '⚠️ Browser control enabled — ensure 2FA on important accounts',
      expect.stringMatching(/^ {3}WARNING browser\.enabled: /),
      '   fix: openclaw config unset browser.enabled',
      '',
      expect.stringMatching(/^0 critical, 1 warning, 0 info, \d+ passed/),
    ]);
  });

  test('S008 each channel says how many are let in, those that were approved included', async () => {
    home.write(`{ channels: { telegram: { ${BOT}, allowFrom: ["42"] }, whatsapp: { allowFrom: ["+15551234567"] } } }`);
    const store = openStore(join(home.stateDir, 'state.sqlite'));
    const grant = {
      channel: 'telegram',
      account: 'default',
      kind: 'person' as const,
      title: 'Ann',
      members: false,
      was: null,
    };
    store.commit(() =>
      openPairingTables(store).put({
        ...grant,
        subject: '43',
        role: 'owner',
        limits: null,
        untilMs: null,
        grantedAtMs: 1,
      }),
    );
    store.close();
    const lines = await linesOf();
    expect(lines).toContain('✅ Telegram allowlist: restricted to 2 users');
    expect(lines).toContain('✅ WhatsApp allowlist: restricted to 1 user');
  });
});

describe('S281 what is hardened has nothing to say', () => {
  const token = newToken(32);
  test.each([
    ['nothing at all', null],
    [
      'guide A',
      `{ gateway: { port: 18789, bind: "127.0.0.1", tailscale: { mode: "serve" } }, tools: { sandbox: { mode: "non-main",
      tools: { allow: ["read", "write", "edit", "web_search", "web_fetch"], deny: ["browser", "exec", "nodes", "cron"] } } },
      messages: { groupChat: { mentionPatterns: ["@openclaw", "hey openclaw"] } },
      channels: { telegram: { ${BOT}, dmPolicy: "pairing", allowFrom: ["1303993020"], groups: { "*": { requireMention: true } } },
      whatsapp: { allowFrom: ["+15555550123"] } } }`,
    ],
    [
      'guide B',
      `{ gateway: { port: 3000, authToken: "${token}" }, security: { workspace: "~/work", allowedPaths: ["~/work", "~/data"],
      deniedPaths: ["/etc", "/root"] }, providers: { anthropic: { type: "anthropic" } } }`,
    ],
    [
      'guide C',
      `{ gateway: { bind: "127.0.0.1", port: 18789, auth: { enabled: true, mode: "token", token: "${token}" } },
      agents: { defaults: { sandbox: { mode: "all", scope: "agent", workspaceAccess: "rw", docker: { image: "openclaw-sandbox:bookworm-slim", network: "none" } } } },
      channels: { whatsapp: { enabled: true, dmPolicy: "allowlist", allowFrom: ["+15551234567"] },
      telegram: { ${BOT}, allowFrom: ["123456789"], groups: { "*": { requireMention: true } } } } }`,
    ],
    [
      'guide D, without the interpreters that it lists',
      `{ actions: { email: { require_confirmation: true, allowed_recipients: ["*@example.net"] },
      shell: { mode: "allowlist", allowed: ["ls", "cat", "grep"] } } }`,
    ],
    [
      'guide E',
      `{ gateway: { host: "127.0.0.1", port: 18789, auth: { token: "${token}" } }, channels: { telegram: { ${BOT}, allowlist: { senders: ["1303993020"] } } },
      tools: { policies: { "*": { exec: "deny", browser: "deny" }, dm: { exec: "allow", browser: "allow" } } },
      sandbox: { mode: "all", workspace: "ro", network: false } }`,
    ],
    [
      'budgets and a strong model',
      `{ budget: { daily: { usd: 5 }, monthly: { usd: 50 } }, agents: { defaults: { model: { primary: "anthropic/claude-sonnet-5-5" } } } }`,
    ],
  ])('%s', async (_name, config) => {
    for (const name of ['work', 'data']) mkdirSync(join(home.env['HOME'] ?? '', name));
    if (config !== null) home.write(config);
    expect(told(await home.audited())).toEqual([]);
  });
});

/** What the guides print, as they print it: their examples are found as examples, and nothing else is. */
const PRINTED: Readonly<Record<string, readonly string[]>> = {
  'a-108-allow-from.json5': ['W channels.allowFrom.mutable_entries_inert'],
  'a-277-browser.json5': ['W browser.enabled'],
  'a-302-bot-token.json5': ['C config.invalid'],
  'b-113-auth-token.json5': ['C gateway.token_placeholder_value'],
  'b-181-auto-approve.json5': ['C pairing.auto_approve', 'W budget.missing', 'W budget.per_sender_missing'],
  'c-008-gateway.json5': ['C gateway.token_placeholder_value'],
  'd-075-actions.yaml': ['W tools.exec.allowlist_interpreter_without_strict_inline_eval'],
  'e-052-token.json5': ['C gateway.token_placeholder_value'],
  'e-068-allowlist.json5': ['C channels.allowFrom.placeholder_entries'],
};
const FIXTURES = new URL('../../test/guides/fixtures/', import.meta.url);

test.each(readdirSync(FIXTURES))('the configuration of guide %s', async (name) => {
  home.write(readFileSync(new URL(name, FIXTURES), 'utf8'));
  expect(told(await home.audited({ ANTHROPIC_API_KEY: `sk-ant-api03-${newToken(32)}` }))).toEqual(PRINTED[name] ?? []);
});

describe('it always runs', () => {
  test('S002 a text that is no JSON5 is one finding with a command, and says where', async () => {
    home.write('{ gateway: { bind: ');
    const found = await home.audited();
    expect(told(found)).toEqual(['C config.invalid']);
    expect(found[0]?.finding).toMatchObject({
      evidence: expect.stringMatching(/openclaw\.json: it is not JSON5.*line 1/),
    });
    expect((await linesOf()).join('\n')).toMatch(/the configuration cannot be read/);
  });

  test('a key with a slip is found with what was meant, and the command takes its value along', async () => {
    home.write('{ gateway: { bnd: "loopback" } }');
    expect((await home.audited()).map(({ finding }) => finding)).toMatchObject([
      {
        evidence: 'unknown key "gateway.bnd", did you mean "bind"?',
        fix: `openclaw config patch '{"gateway":{"bnd":null,"bind":"loopback"}}'`,
      },
    ]);
  });

  test('no secret is in a command or in what is said', async () => {
    const secret = 'kP9xQ2vL7mT4rZ8wN3bY';
    home.write(
      `{ gateway: { auth: { tokn: "${secret}", token: "${secret}" } }, hooks: { enabled: true, token: "${secret}" },
        mcp: { servers: { a: { command: "npx", args: ["--token", "${secret}", "pkg"] } } } }`,
    );
    const report = await whole();
    expect(foundIn(report).length).toBeGreaterThan(2);
    expect(
      JSON.stringify([
        jsonReport(report),
        sarifReport(report, foundIn(report), { version: '0', configPath: home.configPath }),
      ]),
    ).not.toContain(secret);
  });

  test('a password of letters at a key with a slip is not moved by a command for all to see', async () => {
    home.write('{ gateway: { auth: { pasword: "horsebattery" } } }');
    expect((await home.audited()).map(({ finding }) => finding.fix)).toEqual([
      'openclaw config unset gateway.auth.pasword',
    ]);
  });

  test('a .env that others can read hides nothing of the settings', async () => {
    home.write('{ gateway: { bind: "lan" } }');
    writeFileSync(join(home.stateDir, '.env'), 'A=b\n');
    chmodSync(join(home.stateDir, '.env'), 0o644);
    expect(told(await home.audited())).toEqual(['C config.invalid', 'C gateway.bind_network_accessible']);
  });

  test('one check that throws is a finding, and all the others are asked', async () => {
    const broken: Check = {
      ...{ id: 'x.y', group: 'Host', title: 'Does it hold?', why: 'it does not', rows: [], depth: 'read' },
      probe() {
        throw new Error('no luck');
      },
    };
    const report = await whole([broken, ...ASKED]);
    expect(report.looked).toHaveLength(ASKED.length + 2);
    expect(foundIn(report).filter(({ check }) => check.id === 'x.y')).toMatchObject([
      { finding: { severity: 'WARNING', evidence: 'Does it hold? It could not be looked at: no luck' } },
    ]);
  });

  test('what is wrong by the rules of the configuration is wrong for the audit', async () => {
    home.write(
      `{ secrets: { providers: { op: { source: 'exec', command: 'op' } } }, messages: { groupChat: { mentionPatterns: ['('] } } }`,
    );
    expect(told(await home.audited())).toEqual(['C config.invalid', 'C config.invalid']);
  });
});

test('the token of the environment is told from the one of the file', async () => {
  home.write(`{ gateway: { auth: { token: "${newToken(32)}" } } }`);
  const env = { ...home.env, OPENCLAW_GATEWAY_TOKEN: newToken(32) };
  const report = await runAudit(CHECKS, await facts(env), { depths: new Set(['read']) });
  expect(foundIn(report).map(({ check }) => check.id)).toContain('gateway.env_token_overrides_config');
  const weak = await runAudit(CHECKS, await facts({ ...home.env, OPENCLAW_GATEWAY_TOKEN: 'changeme' }), {
    depths: new Set(['read']),
  });
  expect(foundIn(weak).map(({ check }) => check.id)).toContain('gateway.token_placeholder_value');
});

test('invitations that nobody has used are told', async () => {
  const store = openStore(join(home.stateDir, 'state.sqlite'));
  const invite = { limits: '{}', createdAtMs: 1, untilMs: Date.now() + 1e9 };
  store.commit(() => {
    openPairingTables(store).addInvite({ ...invite, code: 'a', title: 'Ann', expiresAtMs: Date.now() + 1e6 });
    openPairingTables(store).addInvite({ ...invite, code: 'b', title: 'Old', expiresAtMs: 2 });
    openPairingTables(store).addInvite({ ...invite, code: 'c', title: '', expiresAtMs: Date.now() + 2e6 });
  });
  store.close();
  const found = await home.audited();
  expect(told(found)).toEqual(['I pairing.invites_outstanding']);
  expect(found[0]?.finding.evidence).toBe('2 invitations are out: "Ann", one without a name');
});

test('a damaged database is critical, and nothing is called good that stands in it', async () => {
  writeFileSync(join(home.stateDir, 'state.sqlite'), 'no database '.repeat(1000), { mode: 0o600 });
  const report = await whole(
    CHECKS.filter(({ depth, group }) => depth === 'read' && group !== 'Host' && group !== 'Secrets'),
  );
  expect(foundIn(report)).toMatchObject([
    {
      finding: {
        severity: 'CRITICAL',
        evidence: expect.stringContaining('file is not a database'),
        fix: 'openclaw doctor',
      },
    },
  ]);
  expect(JSON.stringify(report)).not.toMatch(/users? let in/);
});

test('totals count apart what is below the severity that was asked for', async () => {
  home.write('{ session: { dmScope: "main" }, gateway: { bind: "lan" } }');
  const report = await whole();
  const lines = textReport(report, foundIn(report, 'CRITICAL'), { isQuiet: true, isVerbose: false });
  expect(lines.at(-1)?.[0]?.text).toMatch(/^1 critical, 0 warnings, 0 info, 1 not shown, \d+ passed/);
});

test('S257 reports have the shape of upstream, and that of SARIF', async () => {
  home.write('{ gateway: { bind: "lan" }, session: { dmScope: "main" } }');
  const report = await whole();
  const json = jsonReport(report);
  expect(json).toMatchObject({ ts: report.atMs, summary: { critical: 1, warn: 0, info: 1 }, suppressedFindings: [] });
  expect(json['findings']).toMatchObject([
    {
      checkId: 'gateway.bind_network_accessible',
      severity: 'critical',
      title: expect.stringContaining('gateway.bind is "lan"'),
      detail: expect.any(String),
      remediation: 'openclaw config set gateway.bind loopback',
    },
    { checkId: 'channels.dm.scope_main_multiuser', severity: 'info' },
  ]);
  const sarif = sarifReport(report, foundIn(report), { version: '9', configPath: home.configPath });
  expect(sarif).toMatchObject({
    version: '2.1.0',
    runs: [{ results: [{ ruleId: 'gateway.bind_network_accessible', level: 'error' }, { level: 'note' }] }],
  });
});

test('it changes nothing', async () => {
  home.write('{ gateway: { bind: "lan" } }');
  const before = readFileSync(home.configPath, 'utf8');
  await whole();
  expect(readFileSync(home.configPath, 'utf8')).toBe(before);
});
