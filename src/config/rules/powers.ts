// Owns the rules of powers: what the assistant may run, reach and be told by others, and what that costs.
import { isAbsolute } from 'node:path';
import { placeholderIn } from '../../secrets/strength.ts';
import type { Finding } from '../findings.ts';
import { isLoopback } from '../ip.ts';
import { secretRules } from './door.ts';
import { type Rule, risky, wrong } from './rule.ts';

const INTERPRETERS = [
  'node',
  'npm',
  'npx',
  'python',
  'python3',
  'perl',
  'ruby',
  'php',
  'bash',
  'sh',
  'zsh',
  'deno',
  'bun',
  'make',
  'env',
  'xargs',
  'find',
  'awk',
  'sed',
  'git',
  'vim',
  'ssh',
  'docker',
  'pip',
  'pip3',
  'uv',
  'cargo',
  'go',
  'yarn',
  'pnpm',
];
const SECRET_NAME = /(TOKEN|SECRET|PASSWORD|API_?KEY|PRIVATE_KEY)$/;
const MIN_HOOK_TOKEN_CHARS = 32;
const MAX_PATTERN_CHARS = 200;

export const powers: Rule = function* (config, context) {
  yield* commands(config);
  yield* strangers(config);
  yield* hooks(config, context.env['OPENCLAW_GATEWAY_TOKEN']);
  yield* servers(config);
  yield* models(config);
  yield* patterns(config);
  yield* secretProviders(config);
  for (const [name, value] of Object.entries(config.env.vars)) {
    if (SECRET_NAME.test(name) && value !== '' && !value.includes('${')) {
      yield risky(
        'secret-in-vars',
        `env.vars.${name}`,
        `env.vars.${name} looks like a secret written into the configuration`,
        `openclaw secrets set ${name.toLowerCase()}, and remove it here`,
      );
    }
  }
};

function* commands({ tools, browser }: Parameters<Rule>[0]): Generator<Finding> {
  const { exec, elevated } = tools;
  if (exec.mode === 'full')
    yield risky(
      'exec-full',
      'tools.exec.mode',
      'tools.exec.mode "full" runs any command in the box without a question',
      'use "ask", or "allowlist" with tools.exec.allow',
    );
  for (const program of exec.allow) {
    const base = program.split('/').at(-1) ?? program;
    if (/[*?]/.test(program))
      yield wrong(
        'exec-pattern',
        'tools.exec.allow',
        `tools.exec.allow: "${program}" is a pattern`,
        'name programs one by one',
      );
    else if (INTERPRETERS.includes(base) && exec.mode !== 'full') {
      yield risky(
        'exec-interpreter',
        'tools.exec.allow',
        `tools.exec.allow: "${program}" can run any other program or code`,
        'leave it out, so that you are asked',
      );
    }
  }
  for (const program of exec.safeBins) {
    if (INTERPRETERS.includes(program.split('/').at(-1) ?? '')) {
      yield wrong(
        'safe-bin-interpreter',
        'tools.exec.safeBins',
        `tools.exec.safeBins: "${program}" is no filter, it can run anything`,
        'remove it',
      );
    }
  }
  if (elevated.enabled && elevated.allowFrom.includes('*')) {
    yield wrong(
      'elevated-anyone',
      'tools.elevated.allowFrom',
      'tools.elevated.allowFrom has "*", so anybody could leave the box',
      'list your own ids',
    );
  } else if (elevated.enabled && elevated.allowFrom.length === 0) {
    yield risky(
      'elevated-nobody',
      'tools.elevated.allowFrom',
      'tools.elevated is on, and allowFrom names nobody',
      'list your own ids, or remove tools.elevated',
    );
  }
  if (browser.enabled) {
    yield risky(
      'browser-on',
      'browser.enabled',
      'the assistant may use a browser',
      'turn on two-factor login for your mail, bank and cloud accounts',
    );
  }
}

function* strangers({ pairing, commands: slash }: Parameters<Rule>[0]): Generator<Finding> {
  if (pairing.autoApprove && !pairing.dangerouslyAutoApproveStrangers) {
    yield wrong(
      'auto-approve',
      'pairing.autoApprove',
      'pairing.autoApprove lets every stranger in, and they spend your credits',
      'remove it; or add pairing.dangerouslyAutoApproveStrangers: true',
    );
  }
  if (slash.ownerAllowFrom.includes('*')) {
    yield wrong(
      'owner-anyone',
      'commands.ownerAllowFrom',
      'commands.ownerAllowFrom has "*", so everybody would be you',
      'list your own ids, such as telegram:123456',
    );
  }
}

function* hooks(
  { hooks: { enabled, token }, gateway }: Parameters<Rule>[0],
  envToken: string | undefined,
): Generator<Finding> {
  if (!enabled) return;
  const key = 'hooks.token';
  const fix = 'put the output of `openssl rand -hex 32` there';
  if (!token) yield wrong('hooks-token-missing', key, 'hooks are on, and hooks.token is missing', fix);
  else if (token === gateway.auth.token || token === envToken)
    yield wrong('hooks-token-reused', key, 'hooks.token is the gateway token', fix);
  else yield* secretRules(key, token, MIN_HOOK_TOKEN_CHARS, fix);
}

function* servers({ mcp }: Parameters<Rule>[0]): Generator<Finding> {
  for (const [name, server] of Object.entries(mcp.servers)) {
    const key = `mcp.servers.${name}`;
    if ((server.command === undefined) === (server.url === undefined))
      yield wrong('mcp-shape', key, `${key} needs either command or url`, `write one of them`);
    if (server.url && isPlainHttp(server.url))
      yield wrong('mcp-plain-http', `${key}.url`, `${key}.url is not encrypted`, 'use https');
    for (const [field, values] of [
      ['env', server.env],
      ['headers', server.headers],
    ] as const) {
      for (const [one, value] of Object.entries(values)) {
        const placeholder = placeholderIn(value);
        if (placeholder)
          yield wrong(
            placeholder.code,
            `${key}.${field}.${one}`,
            `${key}.${field}.${one} ${placeholder.why}`,
            'write the real value',
          );
      }
    }
  }
}

function* models({ models: { providers }, agents }: Parameters<Rule>[0]): Generator<Finding> {
  for (const [id, { baseUrl, apiKey }] of Object.entries(providers)) {
    const key = `models.providers.${id}`;
    const placeholder = apiKey === undefined ? null : placeholderIn(apiKey);
    if (placeholder)
      yield wrong(
        placeholder.code,
        `${key}.apiKey`,
        `${key}.apiKey ${placeholder.why}`,
        'write the real key, or remove it and put the key into credentials/',
      );
    if (baseUrl && isPlainHttp(baseUrl) && apiKey)
      yield risky(
        'provider-plain-http',
        `${key}.baseUrl`,
        `${key}.baseUrl is not encrypted, and the key is sent along`,
        'use https',
      );
  }
  const { primary, fallbacks } = agents.defaults.model;
  for (const name of [primary, ...fallbacks, ...agents.defaults.modelPolicy.allow]) {
    if (name !== undefined && !/^[^/\s]+\/\S+$/.test(name)) {
      yield wrong(
        'model-name',
        'agents.defaults.model',
        `the model "${name}" names no provider`,
        'write it as provider/model',
      );
    }
  }
}

/** Only what cannot take exponential time: no repetition of a repetition, no look-around, no back reference. */
function* patterns({ messages }: Parameters<Rule>[0]): Generator<Finding> {
  const key = 'messages.groupChat.mentionPatterns';
  for (const pattern of messages.groupChat.mentionPatterns) {
    const risk = /[+*}]\)?[+*{]|\([^)]*[+*}][^)]*\)[+*{]|\(\?[=!<]|\\[1-9]/.test(pattern);
    if (pattern.length > MAX_PATTERN_CHARS || risk || !compiles(pattern)) {
      yield wrong(
        'pattern-risky',
        key,
        `${key}: "${pattern.slice(0, 40)}" is not a simple pattern`,
        'write the word itself, such as "@openclaw"',
      );
    }
  }
}

function* secretProviders({ secrets }: Parameters<Rule>[0]): Generator<Finding> {
  for (const [name, { source, command, path }] of Object.entries(secrets.providers)) {
    const key = `secrets.providers.${name}`;
    if (source === undefined)
      yield wrong('secrets-source', key, `${key} has no source`, 'write source: "env", "file" or "exec"');
    if (source === 'exec' && !isAbsolute(command ?? ''))
      yield wrong(
        'secrets-command',
        `${key}.command`,
        `${key}.command must be the absolute path of a program`,
        'write it from /',
      );
    if (source === 'file' && !/^(\/|~\/)/.test(path ?? ''))
      yield wrong('secrets-path', `${key}.path`, `${key}.path must be an absolute path`, 'write it from / or ~');
  }
}

function isPlainHttp(url: string): boolean {
  const parsed = URL.parse(url);
  return parsed?.protocol === 'http:' && !isLoopback(parsed.hostname.replace(/^\[|\]$/g, ''));
}

function compiles(pattern: string): boolean {
  try {
    return new RegExp(pattern, 'iu') !== null;
  } catch {
    return false;
  }
}
