// Owns the checks of the ways in that lead past the bind: proxies, Tailscale, pages of other origins, webhooks, and how often
// somebody may try. It looks at settings only.
import type { Check } from '../../check.ts';
import { found } from '../../looking.ts';
import { advise, mend } from '../../mend.ts';
import { orUnset, overIn, saidOf, told, whenIs, whenSaid } from '../over.ts';

const over = overIn('Reachable from outside');
const MIN_LOCKOUT_MS = 60_000;
const MIN_WINDOW_MS = 10_000;
const MAX_ATTEMPTS = 30;
/** An IPv4 range this wide is a company, not a proxy. */
const WIDE_BITS = 20;
const LOOPBACK_ORIGIN = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

export const WAY_CHECKS: readonly Check[] = [
  over('gateway.auth_no_rate_limit', 'Is somebody locked out who tries one token after the other?', {
    why: 'a guesser who is never locked out has all the time in the world',
    rows: ['S141'],
    pass: ({ gateway: { auth } }) =>
      `Wrong tokens: ${auth.rateLimit.maxAttempts} tries, then ${auth.rateLimit.lockoutMs / 1000} s locked out`,
    *look({ gateway }, facts) {
      const key = 'gateway.auth.rateLimit';
      const { maxAttempts, windowMs, lockoutMs } = gateway.auth.rateLimit;
      yield* told(facts, saidOf(facts, ['bad-value'], /^gateway\.auth\.rateLimit/));
      const weak = [
        maxAttempts > MAX_ATTEMPTS ? (['maxAttempts', maxAttempts] as const) : null,
        windowMs < MIN_WINDOW_MS ? (['windowMs', windowMs] as const) : null,
        lockoutMs < MIN_LOCKOUT_MS ? (['lockoutMs', lockoutMs] as const) : null,
      ].filter((one) => one !== null);
      for (const [name, value] of weak)
        yield found('WARNING', `${key}.${name} is ${value}`, mend(facts, { [`${key}.${name}`]: null }));
    },
  }),
  over(
    'gateway.auth_rate_limit_exempts_loopback',
    'Does the lock also hold for what comes through a proxy or a tunnel?',
    {
      why: 'through a proxy, a tunnel or Tailscale everybody comes from this machine, so nobody is ever locked out',
      pass: 'The lock holds for this machine as well',
      look: whenIs('gateway.auth.rateLimit.exemptLoopback', true, 'WARNING'),
    },
  ),
  over('gateway.trusted_proxy_auth', 'Is a header no proof of who somebody is?', {
    why: 'whoever reaches the port past the proxy writes the header himself',
    rows: ['S203'],
    pass: 'No header is taken for a proof',
    look: (_, facts) =>
      told(facts, saidOf(facts, ['proxy-auth']), () => advise(facts, { 'gateway.auth.mode': 'token' })),
  }),
  over('gateway.trusted_proxies_everybody', 'Are only your proxies believed?', {
    why: 'whoever is believed names any address as his own, and is never locked out',
    rows: ['S202'],
    pass: ({ gateway }) =>
      gateway.trustedProxies.length === 0 ? 'No proxy is believed' : `Proxies: ${gateway.trustedProxies.join(', ')}`,
    *look({ gateway }, facts) {
      const key = 'gateway.trustedProxies';
      const bad = saidOf(facts, ['proxy-everybody', 'proxy-address']);
      const isWide = (entry: string): boolean => Number(/^[\d.]+\/(\d+)$/.exec(entry)?.[1] ?? 32) < WIDE_BITS;
      const isBlamed = (entry: string): boolean =>
        isWide(entry) || bad.some(({ message }) => message.includes(`"${entry}"`));
      const left = gateway.trustedProxies.filter((entry) => !isBlamed(entry));
      const fix = advise(facts, { [key]: orUnset(left) });
      yield* told(facts, bad, () => fix);
      for (const entry of gateway.trustedProxies.filter(isWide))
        if (!bad.some(({ message }) => message.includes(`"${entry}"`)))
          yield found('WARNING', `${key}: "${entry}" is a whole network, not a proxy`, fix);
    },
  }),
  over('gateway.tailscale_funnel', 'Does Tailscale keep the gateway from the internet?', {
    why: 'the whole internet can try the password; serve lets in your own devices only',
    rows: ['S047', 'S048', 'S049', 'S273'],
    pass: ({ gateway }) =>
      gateway.tailscale.mode === 'serve' ? 'Tailscale: serve (your tailnet only)' : 'Tailscale: off',
    *look({ gateway: { tailscale, auth } }, facts) {
      if (tailscale.mode !== 'funnel') return;
      yield found(
        auth.mode === 'password' ? 'WARNING' : 'CRITICAL',
        'gateway.tailscale.mode is "funnel": the gateway is open to the internet',
        advise(facts, { 'gateway.tailscale.mode': 'serve' }),
      );
    },
  }),
  over('gateway.tailscale_bind', 'Is Tailscale the only way in where it is used?', {
    why: 'what Tailscale guards is open beside it',
    rows: ['S050'],
    pass: 'Nothing is open beside Tailscale',
    look: whenSaid(['tailscale-bind', 'funnel-without-password', 'tailscale-identity'], {
      wanted: ({ code }) =>
        code === 'tailscale-bind'
          ? { 'gateway.bind': 'loopback' }
          : code === 'tailscale-identity'
            ? { 'gateway.auth.allowTailscale': null }
            : { 'gateway.tailscale.mode': 'serve' },
    }),
  }),
  over('gateway.tailscale_identity', 'Does each device of your tailnet still need the token?', {
    why: 'every device and every guest of your tailnet commands the assistant without a token',
    pass: 'Being in the tailnet is not enough',
    *look({ gateway }, facts) {
      if (gateway.auth.allowTailscale && gateway.tailscale.mode !== 'off')
        yield found(
          'WARNING',
          'gateway.auth.allowTailscale is true',
          advise(facts, { 'gateway.auth.allowTailscale': null }),
        );
    },
  }),
  over('gateway.control_ui.allowed_origins_wildcard', 'May only pages that you name connect?', {
    why: 'any page that you open in your browser may speak with the gateway',
    rows: ['S202'],
    pass: ({ gateway: { controlUi } }) =>
      controlUi.allowedOrigins.length === 0
        ? 'Only its own page may connect'
        : `Pages that may connect: ${controlUi.allowedOrigins.join(', ')}`,
    *look({ gateway: { controlUi } }, facts) {
      const key = 'gateway.controlUi.allowedOrigins';
      const left = controlUi.allowedOrigins.filter(
        (one) => !one.includes('*') && URL.parse(one)?.origin === one && !isPlain(one),
      );
      const fix = advise(facts, { [key]: orUnset(left) });
      yield* told(facts, saidOf(facts, ['origin-everybody', 'origin-shape']), () => fix);
      for (const origin of controlUi.allowedOrigins.filter(isPlain))
        yield found('WARNING', `${key}: "${origin}" is not encrypted`, fix, {
          consequence: 'whoever is on the way changes that page, and speaks with the gateway as you',
        });
    },
  }),
  over('channels.telegram.webhook_no_secret', 'Can only Telegram speak as Telegram?', {
    why: 'whoever finds the address sends messages in anybody’s name, also in yours',
    rows: ['S223'],
    pass: 'Telegram is asked, or proves who it is',
    look: whenSaid(['webhook-secret'], { wanted: () => ({ 'channels.telegram.webhookUrl': null }) }),
  }),
  over('channels.telegram.api_root', 'Does the bot token go to Telegram alone?', {
    why: 'that server gets the token with each request, reads everything, and can answer in anybody’s name',
    rows: ['S222'],
    pass: 'The bot token goes to Telegram alone',
    *look({ channels: { telegram } }, facts) {
      const url = URL.parse(telegram?.apiRoot ?? '');
      if (!url || url.hostname === 'api.telegram.org' || isPlainLocal(url)) return;
      yield found(
        url.protocol === 'https:' ? 'INFO' : 'WARNING',
        `channels.telegram.apiRoot is ${url.origin}`,
        advise(facts, { 'channels.telegram.apiRoot': null }),
      );
    },
  }),
  over('hooks.path_root', 'Have webhooks a path of their own?', {
    why: 'at the root they would answer for the page and for everything that is not found',
    pass: ({ hooks }) => (hooks.enabled ? `Webhooks: below ${hooks.path}` : 'Webhooks: off'),
    look: whenSaid(['bad-value'], { key: /^hooks\.path$/ }),
  }),
  over('hooks.allowed_agent_ids_unrestricted', 'Do webhooks reach only the agents that you name?', {
    why: 'whoever has the token of webhooks speaks with every agent, also with one that may do more',
    pass: ({ hooks }) =>
      hooks.enabled ? `Webhooks reach: ${hooks.allowedAgentIds.join(', ')}` : 'Webhooks reach nobody',
    *look({ hooks }, facts) {
      if (hooks.enabled && hooks.allowedAgentIds.includes('*'))
        yield found('WARNING', 'hooks.allowedAgentIds has "*"', advise(facts, { 'hooks.allowedAgentIds': ['main'] }));
    },
  }),
];

const isPlain = (origin: string): boolean => origin.startsWith('http://') && !LOOPBACK_ORIGIN.test(origin);
const isPlainLocal = (url: URL): boolean => url.protocol === 'http:' && LOOPBACK_ORIGIN.test(url.origin);
