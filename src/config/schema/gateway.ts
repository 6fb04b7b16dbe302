// Owns the settings of the door: where the gateway listens, who is let in, what stands in front of it.
import { choice, flag, group, maybeText, secret, textOr, texts, whole } from './leaf.ts';

const RESTART = { restart: true } as const;

export const gateway = () =>
  group('The door: where the gateway listens and who is let in', {
    mode: choice('This program is the gateway; another one cannot be served from here', 'local', ['local']),
    port: whole('TCP port of the page, the WebSocket and the HTTP interface', 18_789, {
      min: 1,
      max: 65_535,
      ...RESTART,
    }),
    bind: choice(
      'Where to listen: loopback, all interfaces (lan), the Tailscale address, customBindHost; auto is loopback',
      'loopback',
      ['loopback', 'auto', 'tailnet', 'custom', 'lan'],
      RESTART,
    ),
    customBindHost: maybeText('The one address to listen on when bind is "custom"', RESTART),
    dangerouslyExposeToNetwork: flag(
      'You know that anything but loopback lets a network try the door; needed for such a bind',
      false,
      RESTART,
    ),
    auth: group('Who is let in', {
      mode: choice(
        'How a client proves itself: token or password',
        'token',
        ['token', 'password', 'trusted-proxy', 'none'],
        RESTART,
      ),
      token: secret('The gateway token; better kept in credentials/gateway-token, where it is made on the first start'),
      password: secret('The password for mode "password", at least 16 characters'),
      dangerouslyDisableAuth: flag('You know that mode "none" lets everybody in who reaches the port', false, RESTART),
      allowTailscale: flag('Take the identity that Tailscale vouches for instead of a token', false),
      rateLimit: group('How wrong tokens are slowed down', {
        maxAttempts: whole('Wrong attempts that one address may make within windowMs', 10, { min: 1, max: 100 }),
        windowMs: whole('Over how many milliseconds attempts are counted', 60_000, { min: 1_000 }),
        lockoutMs: whole('For how many milliseconds an address is locked out', 300_000, { min: 1_000 }),
        exemptLoopback: flag('Never lock out this machine itself', false),
      }),
      trustedProxy: group('For mode "trusted-proxy": a proxy that has checked who it is', {
        userHeader: maybeText('The header in which the proxy names the user'),
        allowUsers: texts('Users that are let in'),
      }),
    }),
    trustedProxies: texts('Addresses or CIDR ranges of proxies whose forwarding headers are believed'),
    tailscale: group('Reach the gateway through Tailscale', {
      mode: choice(
        'serve: within your tailnet; funnel: for the whole internet, with a password',
        'off',
        ['off', 'serve', 'funnel'],
        RESTART,
      ),
    }),
    controlUi: group('The page', {
      enabled: flag('Serve the page', true, RESTART),
      basePath: textOr(
        'Below which path the page lies behind a proxy, such as /openclaw',
        '',
        /^(\/[A-Za-z0-9._-]+)*$/,
      ),
      allowedOrigins: texts('Further origins from which a browser may connect, such as https://bot.example.net'),
    }),
    reload: group('What happens when this file is edited', {
      mode: choice('hybrid: take over what can change while running; off: only at a start', 'hybrid', [
        'hybrid',
        'off',
      ]),
    }),
  });
