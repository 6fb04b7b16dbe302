// Owns the rules of the door: nothing but loopback without an acknowledgement and a strong secret, no secret that can be
// guessed, no proxy or origin that stands for everybody.
import { weaknessOf } from '../../secrets/strength.ts';
import type { Finding } from '../findings.ts';
import { isIP } from '../ip.ts';
import { listenHosts } from '../listen.ts';
import type { Config } from '../schema.ts';
import { type Rule, type RuleContext, risky, wrong } from './rule.ts';

const MIN_TOKEN_CHARS = 16;
const MAX_SECRET_CHARS = 1024;
const NEW_TOKEN = 'put the output of `openssl rand -hex 32` there, or remove it and one is made';

export const door: Rule = function* (config, context) {
  yield* binding(config, context);
  yield* authentication(config, context);
  yield* tailscale(config, context);
  yield* proxies(config);
  yield* origins(config);
};

function* binding({ gateway }: Config, context: RuleContext): Generator<Finding> {
  const hosts = listenHosts(gateway, context.addresses());
  if ('reason' in hosts) {
    yield wrong('bind-unusable', 'gateway.bind', hosts.reason, hosts.fix);
    return;
  }
  if (hosts.loopback) {
    if (gateway.dangerouslyExposeToNetwork) {
      yield risky(
        'needless-danger',
        'gateway.dangerouslyExposeToNetwork',
        'gateway.dangerouslyExposeToNetwork is set, and the bind is loopback',
        'remove it',
      );
    }
    return;
  }
  if (!gateway.dangerouslyExposeToNetwork) {
    yield wrong(
      'exposed',
      'gateway.bind',
      `gateway.bind "${gateway.bind}" lets a network reach the gateway (${hosts.hosts.join(', ')})`,
      'use "loopback" with an SSH tunnel or gateway.tailscale.mode "serve"; or add gateway.dangerouslyExposeToNetwork: true',
    );
  }
  if (gateway.auth.mode === 'none' && gateway.auth.dangerouslyDisableAuth) {
    yield wrong(
      'exposed-without-auth',
      'gateway.auth.mode',
      'without authentication the gateway may only listen on loopback',
      'set gateway.auth.mode to "token"',
    );
  }
}

function* authentication({ gateway }: Config, { env }: RuleContext): Generator<Finding> {
  const { auth } = gateway;
  const tokens = [
    ['gateway.auth.token', auth.token],
    ['OPENCLAW_GATEWAY_TOKEN', env['OPENCLAW_GATEWAY_TOKEN']],
  ] as const;
  for (const [key, token] of tokens) if (token) yield* secretRules(key, token, MIN_TOKEN_CHARS, NEW_TOKEN);
  const passwords = [
    ['gateway.auth.password', auth.password],
    ['OPENCLAW_GATEWAY_PASSWORD', env['OPENCLAW_GATEWAY_PASSWORD']],
  ] as const;
  for (const [key, password] of passwords) {
    if (password)
      yield* secretRules(key, password, MIN_TOKEN_CHARS, 'choose at least 16 characters that nobody can guess');
  }
  if (auth.mode === 'password' && !auth.password && !env['OPENCLAW_GATEWAY_PASSWORD']) {
    yield wrong(
      'password-missing',
      'gateway.auth.password',
      'gateway.auth.mode is "password", and there is no password',
      'set OPENCLAW_GATEWAY_PASSWORD, or gateway.auth.password',
    );
  }
  if (auth.mode !== 'password' && (auth.password || env['OPENCLAW_GATEWAY_PASSWORD'])) {
    yield risky(
      'password-idle',
      'gateway.auth.password',
      `there is a password, and it counts for nothing: gateway.auth.mode is "${auth.mode}"`,
      'set gateway.auth.mode to "password", or remove the password',
    );
  }
  yield* withoutAuth(gateway);
  if (auth.mode === 'trusted-proxy') {
    yield wrong(
      'proxy-auth',
      'gateway.auth.mode',
      'gateway.auth.mode "trusted-proxy" is not offered: a header is no proof of who somebody is',
      'set it to "token", and let the proxy check people as well and pass the Authorization header on',
    );
  }
}

function* withoutAuth({ auth, tailscale: { mode }, trustedProxies }: Config['gateway']): Generator<Finding> {
  if (auth.mode !== 'none') return;
  const key = 'gateway.auth.mode';
  const fix = 'set gateway.auth.mode to "token" (and remove auth.enabled: false)';
  if (!auth.dangerouslyDisableAuth) {
    const or = '; or, on loopback alone, add gateway.auth.dangerouslyDisableAuth: true';
    yield wrong('auth-off', key, 'authentication is switched off', fix + or);
  } else if (mode !== 'off' || trustedProxies.length > 0)
    yield wrong('forwarded-without-auth', key, 'without authentication nothing may be forwarded to the gateway', fix);
  else yield risky('auth-none', key, 'every program and every account of this machine can command the assistant', fix);
}

export function* secretRules(key: string, value: string, minChars: number, fix: string): Generator<Finding> {
  const weakness = weaknessOf(value);
  if (weakness) yield wrong(weakness.code, key, `${key} ${weakness.why}`, fix);
  else if (/[\s\p{Cc}]/u.test(value))
    yield wrong('secret-shape', key, `${key} contains a line break, space or control character`, fix);
  else if (/[^\x21-\x7e]/.test(value))
    yield wrong('secret-shape', key, `${key} contains a character that no HTTP header can carry`, fix);
  else if (value.length < minChars)
    yield wrong('secret-short', key, `${key} has ${value.length} characters, at least ${minChars} are needed`, fix);
  else if (value.length > MAX_SECRET_CHARS)
    yield wrong('secret-long', key, `${key} has more than ${MAX_SECRET_CHARS} characters`, fix);
}

function* tailscale({ gateway }: Config, context: RuleContext): Generator<Finding> {
  const { mode } = gateway.tailscale;
  if (mode === 'off') {
    if (gateway.auth.allowTailscale) {
      yield wrong(
        'tailscale-identity',
        'gateway.auth.allowTailscale',
        'gateway.auth.allowTailscale needs gateway.tailscale.mode "serve"',
        'set gateway.tailscale.mode to "serve", or remove allowTailscale',
      );
    }
    return;
  }
  const hosts = listenHosts(gateway, context.addresses());
  if ('reason' in hosts || !hosts.loopback) {
    yield wrong(
      'tailscale-bind',
      'gateway.bind',
      `gateway.tailscale.mode "${mode}" needs gateway.bind "loopback"`,
      'set gateway.bind to "loopback"; Tailscale reaches it there',
    );
  }
  if (mode === 'funnel' && gateway.auth.mode !== 'password') {
    yield wrong(
      'funnel-without-password',
      'gateway.auth.mode',
      'gateway.tailscale.mode "funnel" is open to the internet and needs gateway.auth.mode "password"',
      'set gateway.auth.mode to "password" and a password, or use "serve"',
    );
  }
}

function* proxies({ gateway }: Config): Generator<Finding> {
  for (const entry of gateway.trustedProxies) {
    const [address = '', bits] = entry.split('/');
    const size = isIP(address) === 4 ? 32 : 128;
    const prefix = bits === undefined ? size : Number(bits);
    if (!isIP(address) || !Number.isInteger(prefix) || prefix < 0 || prefix > size) {
      yield wrong(
        'proxy-address',
        'gateway.trustedProxies',
        `gateway.trustedProxies: "${entry}" is no address or CIDR range`,
        'write it like 10.0.0.2 or 10.0.0.0/24',
      );
    } else if (prefix < 8) {
      yield wrong(
        'proxy-everybody',
        'gateway.trustedProxies',
        `gateway.trustedProxies: "${entry}" believes everybody`,
        'name the proxy alone',
      );
    }
  }
}

function* origins({ gateway }: Config): Generator<Finding> {
  for (const origin of gateway.controlUi.allowedOrigins) {
    if (origin.includes('*')) {
      yield wrong(
        'origin-everybody',
        'gateway.controlUi.allowedOrigins',
        `gateway.controlUi.allowedOrigins: "${origin}" lets any page connect`,
        'write the origins out',
      );
    } else if (URL.parse(origin)?.origin !== origin) {
      yield wrong(
        'origin-shape',
        'gateway.controlUi.allowedOrigins',
        `gateway.controlUi.allowedOrigins: "${origin}" is no origin`,
        'write it like https://bot.example.net, without a path',
      );
    }
  }
}
