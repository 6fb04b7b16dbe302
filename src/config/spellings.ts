// Owns the table of spellings: every way in which a guide or an older version writes a setting, the canonical key, and
// which of two answers is the stricter one. Data only; spell/apply.ts applies it. A row must never mean less security.

/** How a value changes on its way; the functions are in spell/values.ts. */
export type Change =
  | 'address'
  | 'auth-enabled'
  | 'workspace-access'
  | 'network'
  | 'megabytes'
  | 'provider-type'
  | 'shell-mode'
  | 'exec-security'
  | 'exec-ask'
  | 'senders'
  | 'direct-enabled'
  | 'model-name'
  | 'queue-mode'
  | 'tiers';

export type Spelling = {
  /** `*` stands for one key and is carried over */
  readonly from: string;
  readonly to: string;
  readonly change?: Change;
  readonly note?: string;
};

export const SPELLINGS: readonly Spelling[] = [
  // Clawdbot and Moltbot: whole groups at other places. First, since what lies in them has spellings of its own.
  { from: 'agent.model', to: 'agents.defaults.model.primary', change: 'model-name' },
  { from: 'agent.*', to: 'agents.defaults.*' },
  { from: 'telegram.*', to: 'channels.telegram.*' },
  { from: 'whatsapp.*', to: 'channels.whatsapp.*' },
  { from: 'discord.*', to: 'channels.discord.*' },
  { from: 'slack.*', to: 'channels.slack.*' },
  { from: 'channels.imap.*', to: 'channels.mail.*' },
  { from: 'channels.email.*', to: 'channels.mail.*' },
  // Guides A, C, E: where to listen.
  { from: 'gateway.host', to: 'gateway.bind', change: 'address' },
  { from: 'gateway.bind', to: 'gateway.bind', change: 'address' },
  // Guide B: the token beside the port. Guide C: a switch for it.
  { from: 'gateway.authToken', to: 'gateway.auth.token' },
  { from: 'gateway.token', to: 'gateway.auth.token' },
  { from: 'gateway.password', to: 'gateway.auth.password' },
  { from: 'gateway.auth.enabled', to: 'gateway.auth.mode', change: 'auth-enabled' },
  // Guides A and E: the sandbox at three further places.
  { from: 'sandbox.mode', to: 'agents.defaults.sandbox.mode' },
  { from: 'sandbox.scope', to: 'agents.defaults.sandbox.scope' },
  { from: 'sandbox.backend', to: 'agents.defaults.sandbox.backend' },
  { from: 'sandbox.workspace', to: 'agents.defaults.sandbox.workspaceAccess', change: 'workspace-access' },
  { from: 'sandbox.workspaceAccess', to: 'agents.defaults.sandbox.workspaceAccess', change: 'workspace-access' },
  { from: 'sandbox.network', to: 'agents.defaults.sandbox.docker.network', change: 'network' },
  { from: 'sandbox.image', to: 'agents.defaults.sandbox.docker.image' },
  { from: 'sandbox.docker.*', to: 'agents.defaults.sandbox.docker.*' },
  { from: 'sandbox.tools.*', to: 'tools.sandbox.tools.*' },
  { from: 'tools.sandbox.mode', to: 'agents.defaults.sandbox.mode' },
  { from: 'tools.sandbox.scope', to: 'agents.defaults.sandbox.scope' },
  { from: 'tools.sandbox.backend', to: 'agents.defaults.sandbox.backend' },
  { from: 'tools.sandbox.workspaceAccess', to: 'agents.defaults.sandbox.workspaceAccess', change: 'workspace-access' },
  { from: 'tools.sandbox.docker.*', to: 'agents.defaults.sandbox.docker.*' },
  {
    from: 'agents.defaults.sandbox.workspaceAccess',
    to: 'agents.defaults.sandbox.workspaceAccess',
    change: 'workspace-access',
  },
  {
    from: 'agents.defaults.sandbox.docker.network',
    to: 'agents.defaults.sandbox.docker.network',
    change: 'network',
  },
  // One limit, one place.
  { from: 'tools.exec.memoryMb', to: 'agents.defaults.sandbox.docker.memory', change: 'megabytes' },
  { from: 'tools.exec.maxProcesses', to: 'agents.defaults.sandbox.docker.pidsLimit' },
  // Guide B: providers at the root, with a type.
  { from: 'providers.*.type', to: 'models.providers.*.api', change: 'provider-type' },
  { from: 'providers.*.*', to: 'models.providers.*.*' },
  { from: 'models.providers.*.type', to: 'models.providers.*.api', change: 'provider-type' },
  // Guide E: who may write, on every channel.
  { from: 'channels.*.allowlist.senders', to: 'channels.*.allowFrom', change: 'senders' },
  { from: 'channels.*.allowlist.users', to: 'channels.*.allowFrom', change: 'senders' },
  { from: 'channels.*.dm.policy', to: 'channels.*.dmPolicy' },
  { from: 'channels.*.dm.allowFrom', to: 'channels.*.allowFrom' },
  { from: 'channels.*.dm.enabled', to: 'channels.*.dmPolicy', change: 'direct-enabled' },
  { from: 'channels.telegram.token', to: 'channels.telegram.botToken' },
  { from: 'channels.discord.botToken', to: 'channels.discord.token' },
  // Guide D: actions.
  { from: 'actions.filesystem.allowedPaths', to: 'security.allowedPaths' },
  { from: 'actions.filesystem.deniedPaths', to: 'security.deniedPaths' },
  { from: 'actions.shell.mode', to: 'tools.exec.mode', change: 'shell-mode' },
  { from: 'actions.shell.allowed', to: 'tools.exec.allow' },
  { from: 'actions.shell.allow', to: 'tools.exec.allow' },
  { from: 'actions.api.allowedEndpoints', to: 'tools.web.fetch.allowedHosts' },
  { from: 'actions.api.allowedHosts', to: 'tools.web.fetch.allowedHosts' },
  // The prose of guides C and D, and config-cli-audit.md.
  { from: 'sensitivity.tiers', to: 'trust.tiers', change: 'tiers' },
  { from: 'sensitivity.tiers.*', to: 'trust.tiers.*' },
  { from: 'trust.tiers', to: 'trust.tiers', change: 'tiers' },
  { from: 'tools.exec.security', to: 'tools.exec.mode', change: 'exec-security' },
  { from: 'tools.exec.ask', to: 'tools.exec.mode', change: 'exec-ask' },
  { from: 'tools.exec.allowlist', to: 'tools.exec.allow' },
  { from: 'browser.ssrfPolicy.dangerouslyAllowPrivateNetwork', to: 'browser.dangerouslyAllowPrivateNetwork' },
  { from: 'browser.ssrfPolicy.allowedHostnames', to: 'browser.allowedHosts' },
  { from: 'messages.queue.mode', to: 'messages.queue.mode', change: 'queue-mode' },
  { from: 'agents.defaults.model', to: 'agents.defaults.model.primary', change: 'model-name' },
];

/** Below these, `snake_case` keys are read as `camelCase`. */
export const SNAKE_BELOW: readonly string[] = 'actions security pairing budget backup gateway sandbox session'.split(
  ' ',
);

/** Guide D's YAML reaches readers with its indentation lost; then these keys belong below their headings. */
export const LOST_INDENTATION: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  actions: {
    email: ['require_confirmation', 'allowed_recipients'],
    filesystem: ['allowed_paths', 'denied_paths'],
    shell: ['mode', 'allowed'],
  },
};

/**
 * When two spellings disagree: words from strict to loose, or for lists whether entries allow (only common ones stay)
 * or deny (all stay). Where nothing is stricter, the two must be made equal by hand.
 */
export const STRICTNESS: Readonly<Record<string, readonly (string | boolean)[] | 'allows' | 'denies'>> = {
  'gateway.bind': ['loopback', 'auto', 'tailnet', 'custom', 'lan'],
  'gateway.auth.mode': ['password', 'token', 'trusted-proxy', 'none'],
  'agents.defaults.sandbox.mode': ['all', 'non-main', 'off'],
  'agents.defaults.sandbox.scope': ['session', 'agent', 'shared'],
  'agents.defaults.sandbox.workspaceAccess': ['none', 'ro', 'rw'],
  'agents.defaults.sandbox.docker.network': ['none', 'allowlist'],
  'channels.*.dmPolicy': ['disabled', 'allowlist', 'pairing', 'open'],
  'channels.*.groupPolicy': ['disabled', 'allowlist', 'open'],
  'channels.*.allowFrom': 'allows',
  'security.allowedPaths': 'allows',
  'security.deniedPaths': 'denies',
  'tools.exec.mode': ['deny', 'allowlist', 'ask', 'full'],
  'tools.exec.allow': 'allows',
  'tools.sandbox.tools.allow': 'allows',
  'tools.sandbox.tools.deny': 'denies',
  'tools.web.fetch.allowedHosts': 'allows',
  'browser.allowedHosts': 'allows',
  'browser.dangerouslyAllowPrivateNetwork': [false, true],
  'trust.tiers.*': 'denies',
};

/** Names of variables from guide B and from older versions. */
export const ENV_SPELLINGS: Readonly<Record<string, readonly string[]>> = {
  OPENCLAW_GATEWAY_TOKEN: ['GATEWAY_AUTH_TOKEN', 'CLAWDBOT_GATEWAY_TOKEN', 'MOLTBOT_GATEWAY_TOKEN'],
  OPENCLAW_GATEWAY_PASSWORD: ['CLAWDBOT_GATEWAY_PASSWORD', 'MOLTBOT_GATEWAY_PASSWORD'],
  OPENCLAW_GATEWAY_PORT: ['CLAWDBOT_GATEWAY_PORT', 'MOLTBOT_GATEWAY_PORT'],
  OPENCLAW_STATE_DIR: ['CLAWDBOT_STATE_DIR', 'MOLTBOT_STATE_DIR'],
  OPENCLAW_CONFIG_PATH: ['CLAWDBOT_CONFIG_PATH', 'MOLTBOT_CONFIG_PATH'],
};

/** Other names of the file, read when openclaw.json does not exist. */
export const FILE_SPELLINGS: readonly string[] = `openclaw.json5 config.json config.json5 openclaw.yaml
  openclaw.yml config.yaml config.yml clawdbot.json moltbot.json`.split(/\s+/);
