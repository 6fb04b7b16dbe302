// Owns the checklists of the five guides in our words: for each box the checks that answer it, or the command with which the
// owner looks. It must never tick anything itself.

export const GUIDES = ['000', '001', '002', '003', '004'] as const;
export type Guide = (typeof GUIDES)[number];
/** 1 what is configured here, 2 the machine, 3 what limits the damage */
export type Tier = 1 | 2 | 3;

export type Box = {
  readonly guide: Guide;
  readonly tier: Tier;
  readonly text: string;
  /** ids of checks that all have to be green; 'all': everything but the machine */
  readonly by: readonly string[] | 'all';
  /** what no program can see from here: the command or the page where the owner looks */
  readonly yours?: string;
};

const BIND = ['gateway.bind_network_accessible', 'gateway.sockets'];
const TOKEN = [
  ...['gateway.bind_no_auth', 'gateway.loopback_no_auth', 'gateway.token_placeholder_value', 'gateway.token_guessable'],
  ...['gateway.token_too_short', 'gateway.password_missing', 'gateway.probe_no_token'],
];
const STRANGERS = ['channels.dm.open', 'pairing.auto_approve'];
const LISTS = [
  ...['telegram', 'whatsapp', 'discord', 'slack', 'mail'].map((channel) => `channels.${channel}.allowlist`),
  ...['channels.allowFrom.placeholder_entries', 'channels.allowFrom.mutable_entries_inert', 'channels.dm.locked'],
];
const MENTIONS = ['channels.groups.mention_not_required'];
const BOX = ['sandbox.mode_off', 'sandbox.agent_looser', 'sandbox.escape'];
const FIREWALL = ['host.firewall', 'host.listening'];
const ACCOUNT = ['host.running_as_root', 'host.dedicated_user'];
const KEYS = ['fs.credentials_dir.perms', 'fs.credential_files.perms', 'fs.env_file.perms', 'fs.config.perms'];
const GIT = ['fs.state_in_git', 'secrets.in_recent_files'];
const CAPS = ['budget.missing', 'budget.per_sender_missing', 'budget.too_large', 'budget.month_below_day'];
const PATHS = ['fs.workspace.too_wide', 'tools.fs.workspace_only_off', 'security.allowed_paths_wide'];
const COMMANDS = [
  ...['tools.exec.security_full_configured', 'tools.exec.allowlist_interpreter_without_strict_inline_eval'],
  ...['tools.exec.safe_bins_interpreter_unprofiled', 'tools.exec.strict_inline_eval_off'],
];
const IN_GROUPS = ['security.exposure.open_channels_with_exec', 'security.exposure.open_groups_with_runtime_or_fs'];
const SKILLS = ['skills.lock', 'skills.drift', 'skills.code_safety', 'skills.waiting', 'security.install_policy_off'];
const MODELS = ['models.weak_tier', 'models.legacy', 'models.small_params'];
const BILLING = 'the billing page of each provider; openclaw usage shows what was spent from here';

type Written = readonly [tier: Tier, text: string, by: Box['by'], yours?: string];
const boxes = (guide: Guide, written: readonly Written[]): Box[] =>
  written.map(([tier, text, by, yours]) => ({ guide, tier, text, by, ...(yours === undefined ? {} : { yours }) }));

export const BOXES: readonly Box[] = [
  ...boxes('000', [
    [1, 'Strangers in direct chats have to pair', STRANGERS],
    [1, 'Each channel has a list of who is let in', LISTS],
    [1, 'In groups it waits to be mentioned', MENTIONS],
    [3, 'Conversations other than your own run in a box', BOX],
    [1, 'The gateway listens on 127.0.0.1', BIND],
    [2, 'The firewall lets in SSH and HTTPS, and nothing else', FIREWALL],
    [2, 'SSH takes keys only, and not root', ['host.sshd']],
    [2, 'Security updates install themselves', ['host.unattended_upgrades', 'host.pending_reboot']],
    [2, 'The disk is encrypted', ['host.disk_encryption']],
    [
      1,
      'Where it controls a browser, your important accounts ask for a second factor',
      ['browser.enabled'],
      'the security page of each account that the browser is signed in to',
    ],
    [1, 'Files with keys have mode 0600', KEYS],
    [1, 'Audits run by themselves', ['audit.schedule']],
    [1, 'There is a backup, and it was restored once', ['recovery.backup', 'recovery.restore_proven']],
  ]),
  ...boxes('001', [
    [2, 'The firewall is on, with only the ports that are needed', FIREWALL],
    [1, 'The gateway is on localhost, or asks who comes', [...BIND, 'gateway.bind_no_auth']],
    [1, 'The gateway has a token that is long and random', TOKEN],
    [1, 'Pairing is on, and approves nobody by itself', STRANGERS],
    [2, 'It does not run as root', ['host.running_as_root']],
    [1, 'Keys are not in the configuration file', ['secrets.plaintext_in_config', 'secrets.placeholder']],
    [1, '.env has mode 0600', ['fs.env_file.perms']],
    [1, 'No secret is in a git repository', GIT],
    [2, 'SSH takes keys, and no passwords', ['host.sshd']],
    [2, 'fail2ban is installed and runs', ['host.fail2ban']],
    [2, 'Security updates install themselves', ['host.unattended_upgrades']],
    [3, 'Each provider of models warns you of its bill', [], BILLING],
    [3, 'There is a limit to what a month may cost', CAPS],
  ]),
  ...boxes('002', [
    [1, 'The gateway listens on 127.0.0.1 and on nothing else', BIND],
    [1, 'The gateway asks for a token, and the token is changed now and then', [...TOKEN, 'secrets.age']],
    [1, 'The deep audit has nothing critical and no warning', 'all'],
    [3, 'Tools run in a box', BOX],
    [3, 'The box has no network', ['sandbox.dangerous_network_mode']],
    [3, 'Each agent has a box of its own', ['sandbox.scope_shared']],
    [3, 'Containers are not run by a root daemon', ['host.docker_rootless']],
    [
      2,
      'The port of the gateway is not open to the internet; you come through a tunnel',
      [...FIREWALL, 'gateway.tailscale_funnel'],
    ],
    [2, 'SSH takes keys only, and not root', ['host.sshd']],
    [2, 'It has an account of its own that is not root', ACCOUNT],
    [1, 'No channel is open to whoever writes', [...STRANGERS, 'channels.groups.open']],
    [1, 'Each channel has a list of who is let in', LISTS],
    [1, 'In groups it waits to be mentioned', MENTIONS],
    [1, 'The model is a strong one', MODELS],
    [1, 'Commands are those of a list', COMMANDS],
    [1, 'It reaches the folders of a list', PATHS],
    [1, 'It cannot read your SSH keys and logins', ['security.dangerously_readable', 'sandbox.dangerous_bind_mount']],
    [1, 'It remembers no secrets', ['memory.scan_secrets_off']],
    [1, 'Only you can read the state folder', ['fs.state_dir.perms', 'fs.files.perms']],
  ]),
  ...boxes('003', [
    [2, 'It does not run as root', ACCOUNT],
    [1, 'No key is in a file that git knows', [...GIT, 'fs.gitignore', 'secrets.plaintext_in_config']],
    [1, 'No port of it is open to the internet', BIND],
    [3, 'Spending has a limit', CAPS],
    [1, 'It reaches its own folder, and not the whole disk', PATHS],
    [1, 'Nothing is sent without your yes', ['actions.email.unconfirmed', 'actions.message.unconfirmed']],
    [2, 'Updates are installed', ['host.unattended_upgrades'], 'npm outdated -g'],
    [2, 'The firewall lets in what you allow', FIREWALL],
    [1, 'Keys lie in private files, one each', KEYS],
    [1, 'Keys are changed every quarter', ['secrets.age']],
    [
      1,
      'What each key may do is as little as it needs',
      [],
      'the page of each token: Gmail read-only, GitHub for single repositories',
    ],
    [1, 'Commands and recipients are those of a list', [...COMMANDS, 'actions.recipients_anybody']],
    [
      1,
      'Deleting and paying ask first, and rm goes to the trash',
      ['actions.destructive.unconfirmed', 'actions.money.unconfirmed', 'actions.destructive.trash_off'],
    ],
    [1, 'You look now and then at what it did', ['journal.head', 'journal.chain'], 'openclaw audit'],
    [3, 'It runs in a box with limits', [...BOX, 'sandbox.weakened', 'sandbox.limits_weak']],
    [1, 'On each messenger only you and whom you name are heard', [...STRANGERS, ...LISTS, 'channels.groups.open']],
    [1, 'Telegram webhooks have a secret', ['channels.telegram.webhook_no_secret', 'channels.telegram.api_root']],
    [1, 'Private files are off limits', ['security.denied_paths_ineffective', 'security.dangerously_readable']],
    [1, 'There is a backup, and it was restored once', ['recovery.backup', 'recovery.restore_proven']],
    [1, 'You know what to do on a bad day', [], 'openclaw incident'],
  ]),
  ...boxes('004', [
    [1, 'The gateway listens on 127.0.0.1', BIND],
    [1, 'The gateway has a token, and nobody is let in without it', TOKEN],
    [1, 'Each channel has a list of senders', LISTS],
    [1, 'In groups it has fewer tools', IN_GROUPS],
    [1, 'The deep audit is clean', 'all'],
    [1, 'There is no skill that you do not use', SKILLS, 'openclaw skills list'],
    [2, 'ufw is on, and lets in SSH alone', FIREWALL],
    [2, 'fail2ban runs', ['host.fail2ban']],
    [2, 'It has an account of its own that is not root', ACCOUNT],
    [2, 'Logs are rotated', ['logs.rotation', 'host.log_rotation']],
    [3, 'Commands run in a box', BOX],
    [
      3,
      'You come by Tailscale or WireGuard; no port is public',
      [...BIND, 'gateway.tailscale_funnel', 'gateway.tailscale_bind', 'host.listening'],
    ],
    [3, 'It has keys of its own at each provider, with limits', [...CAPS, 'secrets.reused'], BILLING],
    [3, 'Backups are encrypted', ['recovery.backup', 'recovery.backup_encrypted']],
  ]),
];
