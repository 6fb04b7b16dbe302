// Owns the rules of what is reached outside or calls from there: webhooks, MCP servers, model providers, secret providers.
import { isAbsolute } from 'node:path';
import type { Finding } from '../findings.ts';
import { isLoopback } from '../ip.ts';
import { secretRules } from './door.ts';
import { type Rule, risky, wrong } from './rule.ts';

const MIN_HOOK_TOKEN_CHARS = 32;

export const outside: Rule = function* (config, { env }) {
  yield* hooks(config, env['OPENCLAW_GATEWAY_TOKEN']);
  yield* servers(config);
  yield* models(config);
  yield* secretProviders(config);
};

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
  }
}

function* models({ models: { providers }, agents }: Parameters<Rule>[0]): Generator<Finding> {
  for (const [id, { baseUrl, apiKey }] of Object.entries(providers)) {
    const key = `models.providers.${id}`;
    if (baseUrl && !/^https?:$/.test(URL.parse(baseUrl)?.protocol ?? '')) {
      yield wrong(
        'provider-url',
        `${key}.baseUrl`,
        `${key}.baseUrl is no http or https address`,
        'write it like https://host/v1',
      );
    } else if (baseUrl && isPlainHttp(baseUrl) && apiKey)
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
