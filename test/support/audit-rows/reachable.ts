// Rows of the audit's matrix: who reaches the gateway. Each: what is wrong, the configuration, what is found.
import type { Row } from './row.ts';

const TOKEN = 'b6d1f0c39a7e4852e1c7d90f5a2b8463';
const OTHER = '7f3ac81e9d2b460597ae13cc0b84f6d2';
const LAN = `bind: "lan", dangerouslyExposeToNetwork: true`;

export const REACHABLE: readonly Row[] = [
  ['S016 all networks, unasked', `{ gateway: { bind: "lan" } }`, ['C gateway.bind_network_accessible']],
  ['S045 all networks, as an address', `{ gateway: { bind: "0.0.0.0" } }`, ['C gateway.bind_network_accessible']],
  ['S242 all networks, in another spelling', `{ gateway: { host: "0.0.0.0" } }`, ['C gateway.bind_network_accessible']],
  [
    'S097 all networks, on purpose',
    `{ gateway: { ${LAN} } }`,
    ['W config.insecure_or_dangerous_flags', 'W gateway.bind_network_accessible'],
  ],
  [
    'an address that is none of this machine',
    `{ gateway: { bind: "203.0.113.9" } }`,
    ['C gateway.bind_network_accessible'],
  ],
  ['a tailnet that is not there', `{ gateway: { bind: "tailnet" } }`, ['C gateway.bind_network_accessible']],
  [
    'S097 a network and no token',
    `{ gateway: { ${LAN}, auth: { mode: "none", dangerouslyDisableAuth: true } } }`,
    [
      'C gateway.bind_no_auth',
      'W config.insecure_or_dangerous_flags',
      'W config.insecure_or_dangerous_flags',
      'W gateway.bind_network_accessible',
    ],
  ],
  [
    'S147 no token, on purpose',
    `{ gateway: { auth: { mode: "none", dangerouslyDisableAuth: true } } }`,
    ['C gateway.loopback_no_auth', 'W config.insecure_or_dangerous_flags'],
  ],
  ['S147 authentication switched off', `{ gateway: { auth: { enabled: false } } }`, ['C gateway.loopback_no_auth']],
  ['no authentication', `{ gateway: { auth: { mode: "none" } } }`, ['C gateway.loopback_no_auth']],
  [
    'S149 the token out of guide C',
    `{ gateway: { auth: { token: "replace-with-a-long-random-string" } } }`,
    ['C gateway.token_placeholder_value'],
  ],
  [
    'S099 the token out of guide B, in its spelling',
    `{ gateway: { authToken: "your-long-random-secret-token-here" } }`,
    ['C gateway.token_placeholder_value'],
  ],
  ['S101 a word', `{ gateway: { auth: { token: "changeme" } } }`, ['C gateway.token_placeholder_value']],
  [
    'S101 a word, three times',
    `{ gateway: { auth: { token: "password123password123password123" } } }`,
    ['C gateway.token_guessable'],
  ],
  ['a token of 20 signs', `{ gateway: { auth: { token: "kP9xQ2vL7mT4rZ8wN3bY" } } }`, ['W gateway.token_too_short']],
  [
    'S123 a variable that nobody sets',
    `{ gateway: { auth: { token: "\${NOBODY_SETS_THIS}" } } }`,
    ['C gateway.token_placeholder_value'],
  ],
  [
    'a password of six signs',
    `{ gateway: { auth: { mode: "password", password: "s3cr3t" } } }`,
    ['C gateway.password_guessable'],
  ],
  [
    'a password out of a guide',
    `{ gateway: { auth: { mode: "password", password: "your-password-here" } } }`,
    ['C gateway.password_placeholder_value'],
  ],
  [
    'a password of twelve signs',
    `{ gateway: { auth: { mode: "password", password: "kP9xQ2vL7mT4" } } }`,
    ['W gateway.password_too_short'],
  ],
  ['no password where one is asked for', `{ gateway: { auth: { mode: "password" } } }`, ['C gateway.password_missing']],
  [
    'a limit that is none',
    `{ gateway: { auth: { rateLimit: { maxAttempts: 100000 } } } }`,
    ['C gateway.auth_no_rate_limit'],
  ],
  [
    'a limit that is nearly none',
    `{ gateway: { auth: { rateLimit: { maxAttempts: 90, windowMs: 2000, lockoutMs: 1000 } } } }`,
    ['W gateway.auth_no_rate_limit', 'W gateway.auth_no_rate_limit', 'W gateway.auth_no_rate_limit'],
  ],
  [
    'this machine is never locked out',
    `{ gateway: { auth: { rateLimit: { exemptLoopback: true } } } }`,
    ['W gateway.auth_rate_limit_exempts_loopback'],
  ],
  ['S203 a header as proof', `{ gateway: { auth: { mode: "trusted-proxy" } } }`, ['C gateway.trusted_proxy_auth']],
  [
    'every address is a proxy',
    `{ gateway: { trustedProxies: ["0.0.0.0/0", "10.0.0.2"] } }`,
    ['C gateway.trusted_proxies_everybody'],
  ],
  [
    'a whole network is a proxy',
    `{ gateway: { trustedProxies: ["10.0.0.0/8"] } }`,
    ['W gateway.trusted_proxies_everybody'],
  ],
  ['a proxy that is no address', `{ gateway: { trustedProxies: ["nginx"] } }`, ['C gateway.trusted_proxies_everybody']],
  [
    'S049 the whole internet, with a token',
    `{ gateway: { tailscale: { mode: "funnel" } } }`,
    ['C gateway.tailscale_bind', 'C gateway.tailscale_funnel'],
  ],
  [
    'S050 Tailscale and a network beside it',
    `{ gateway: { tailscale: { mode: "serve" }, ${LAN} } }`,
    ['C gateway.tailscale_bind', 'W config.insecure_or_dangerous_flags', 'W gateway.bind_network_accessible'],
  ],
  [
    'every device of the tailnet is let in',
    `{ gateway: { tailscale: { mode: "serve" }, auth: { allowTailscale: true } } }`,
    ['W gateway.tailscale_identity'],
  ],
  [
    'a tailnet is believed that is not asked',
    `{ gateway: { auth: { allowTailscale: true } } }`,
    ['C gateway.tailscale_bind'],
  ],
  [
    'any page may connect',
    `{ gateway: { controlUi: { allowedOrigins: ["*"] } } }`,
    ['C gateway.control_ui.allowed_origins_wildcard'],
  ],
  [
    'a page that is not encrypted',
    `{ gateway: { controlUi: { allowedOrigins: ["http://bot.example.net", "https://bot.example.net"] } } }`,
    ['W gateway.control_ui.allowed_origins_wildcard'],
  ],
  [
    'a page with a path',
    `{ gateway: { controlUi: { allowedOrigins: ["https://bot.example.net/x"] } } }`,
    ['C gateway.control_ui.allowed_origins_wildcard'],
  ],
  [
    'S223 a webhook that anybody can call',
    `{ channels: { telegram: { botToken: "123456789:AAF-x7Q2_kLm3nOpQrStUvWxYz012345678", webhookUrl: "https://bot.example.net/t" } } }`,
    ['C channels.telegram.webhook_no_secret'],
  ],
  [
    'the bot token goes elsewhere in the clear',
    `{ channels: { telegram: { botToken: "123456789:AAF-x7Q2_kLm3nOpQrStUvWxYz012345678", apiRoot: "http://bots.example.net" } } }`,
    ['W channels.telegram.api_root'],
  ],
  [
    'two doors on one port',
    `{ channels: { slack: { mode: "http", port: 18789, botToken: "xoxb-1-2-a8Kq2LmN4pQ6rS8t", signingSecret: "${OTHER}" } } }`,
    ['W gateway.port_shared'],
  ],
  [
    'webhooks without a token',
    `{ hooks: { enabled: true } }`,
    ['C hooks.token_reuse_gateway_token', 'W budget.missing'],
  ],
  [
    'webhooks with the gateway’s token',
    `{ gateway: { auth: { token: "${TOKEN}" } }, hooks: { enabled: true, token: "${TOKEN}" }, budget: { daily: { usd: 5 } } }`,
    ['C hooks.token_reuse_gateway_token'],
  ],
  [
    'webhooks with a short token',
    `{ hooks: { enabled: true, token: "k8Jx2pQ9vLm4Rt7Z" }, budget: { daily: { usd: 5 } } }`,
    ['W hooks.token_too_short'],
  ],
  [
    'webhooks with a word',
    `{ hooks: { enabled: true, token: "short" }, budget: { daily: { usd: 5 } } }`,
    ['C hooks.token_guessable'],
  ],
  [
    'webhooks with the token of a guide',
    `{ hooks: { enabled: true, token: "your-hook-token-goes-here-please" }, budget: { daily: { usd: 5 } } }`,
    ['C hooks.token_placeholder_value'],
  ],
  [
    'webhooks reach every agent',
    `{ hooks: { enabled: true, token: "${OTHER}", allowedAgentIds: ["*"] }, budget: { daily: { usd: 5 } } }`,
    ['W hooks.allowed_agent_ids_unrestricted'],
  ],
  [
    'webhooks at the root',
    `{ hooks: { enabled: true, token: "${OTHER}", path: "/" }, budget: { daily: { usd: 5 } } }`,
    ['C hooks.path_root'],
  ],
  [
    'webhooks choose the conversation',
    `{ hooks: { enabled: true, token: "${OTHER}", allowRequestSessionKey: true }, budget: { daily: { usd: 5 } } }`,
    ['C hooks.request_session_key_enabled'],
  ],
  ['another address is believed', `{ gateway: { allowRealIpFallback: true } }`, ['C gateway.real_ip_fallback_enabled']],
  [
    'the page is not checked',
    `{ gateway: { controlUi: { dangerouslyAllowHostHeaderOriginFallback: true } } }`,
    ['C gateway.control_ui.host_header_origin_fallback'],
  ],
  [
    'an interface that runs turns',
    `{ gateway: { http: { endpoints: { chatCompletions: { enabled: true } } } } }`,
    ['C gateway.http.endpoints_enabled'],
  ],
  ['S090 a terminal in the page', `{ gateway: { terminal: { enabled: true } } }`, ['C gateway.terminal_enabled']],
  ['TLS where it is not done', `{ gateway: { tls: { enabled: true } } }`, ['C gateway.tls_misplaced']],
  [
    'other devices run commands',
    `{ gateway: { nodes: { commands: { allow: ["system.run"] } } } }`,
    ['I gateway.nodes.allow_commands_dangerous'],
  ],
  ['announced to the network', `{ discovery: { mdns: { mode: "full" } } }`, ['I discovery.mdns_full_mode']],
];
