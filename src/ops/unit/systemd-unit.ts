// Owns the text of the systemd unit, for a person's own manager and for the machine's. Pure: facts in, text out. Every
// wall is up that the sandbox of commands can stand behind; a wall that is missing has its reason in the text.
import { dirname } from 'node:path';
import { misconfigured } from '../../platform/errors.ts';

export type UnitFacts = {
  /** the program and its arguments, all absolute */
  readonly command: readonly string[];
  /** the folder of the program itself, to be read only */
  readonly programDir: string;
  readonly stateDir: string;
  /** folders outside the state folder that it writes, such as a workspace of your own */
  readonly writable: readonly string[];
  /** the same where they exist */
  readonly maybeWritable: readonly string[];
  /** the account of a system unit; null for a unit of one's own */
  readonly user: string | null;
  readonly environment: Readonly<Record<string, string>>;
};

/** Below these ProtectHome hides everything. */
const isInHome = (path: string): boolean => /^\/(home|root|run\/user)(\/|$)/.test(path);

export function systemdUnit(facts: UnitFacts): string {
  refuseBrokenLines(facts);
  const isSystem = facts.user !== null;
  const writable = [facts.stateDir, ...facts.writable];
  const readable = [facts.programDir, dirname(facts.command[0] ?? '/')].filter(isInHome);
  const lines = [
    '# Written by: openclaw gateway install. Change it with: systemctl edit openclaw-gateway',
    '[Unit]',
    'Description=Hardshell assistant gateway',
    'After=network-online.target',
    'Wants=network-online.target',
    'StartLimitIntervalSec=300',
    'StartLimitBurst=10',
    '',
    '[Service]',
    'Type=exec',
    ...(isSystem ? [`User=${facts.user}`] : []),
    `ExecStart=${facts.command.map(word).join(' ')}`,
    ...Object.entries(facts.environment).map(([name, value]) => `Environment=${word(`${name}=${value}`)}`),
    // The one setting that takes its value as it is, without quotes.
    `WorkingDirectory=${facts.stateDir.replaceAll('%', '%%')}`,
    'Restart=on-failure',
    'RestartSec=5',
    '# 78: the configuration is not usable. Starting again changes nothing.',
    'RestartPreventExitStatus=78',
    'TimeoutStopSec=30',
    'KillMode=mixed',
    '# It says its token there; what it has to tell is in logs/ of the state folder, and its errors in the journal.',
    'StandardOutput=null',
    'StandardError=journal',
    '',
    '# How much it may take.',
    'MemoryMax=4G',
    'CPUQuota=200%',
    'TasksMax=1024',
    'OOMPolicy=continue',
    '',
    '# What it may reach.',
    'UMask=0077',
    'NoNewPrivileges=yes',
    'ProtectSystem=strict',
    ...(isSystem
      ? [
          'ProtectHome=tmpfs',
          ...writable.filter(isInHome).map((dir) => `BindPaths=${path(dir)}`),
          ...facts.maybeWritable.filter(isInHome).map((dir) => `BindPaths=${path(`-${dir}`)}`),
          ...[...new Set(readable)].map((dir) => `BindReadOnlyPaths=${path(dir)}`),
        ]
      : [
          '# A manager without rights can raise these walls only inside a user namespace; without it the start fails, or a',
          '# wall is silently left out. Files of other accounts, those of root too, then show the owner nobody.',
          'PrivateUsers=yes',
          'ProtectHome=read-only',
        ]),
    ...writable.map((dir) => `ReadWritePaths=${path(dir)}`),
    ...facts.maybeWritable.map((dir) => `ReadWritePaths=${path(`-${dir}`)}`),
    'PrivateTmp=yes',
    'PrivateDevices=yes',
    'ProtectClock=yes',
    'ProtectControlGroups=yes',
    'ProtectKernelModules=yes',
    'CapabilityBoundingSet=',
    'AmbientCapabilities=',
    'LockPersonality=yes',
    'RestrictRealtime=yes',
    'RestrictSUIDSGID=yes',
    'RemoveIPC=yes',
    'KeyringMode=private',
    'SystemCallArchitectures=native',
    '# The network, local sockets, and netlink, by which a sandbox brings up its own loopback.',
    'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
    '# Commands of the assistant run behind walls of their own: user, mount, pid, net, ipc and uts namespaces, made',
    '# without any right of the machine. So RestrictNamespaces= is not set, and the calls that build them are allowed:',
    '# @mount, sethostname and seccomp. Outside such a namespace they are refused, since there is no capability.',
    'SystemCallFilter=@system-service @mount sethostname seccomp',
    'SystemCallErrorNumber=EPERM',
    '# Not set, each for that reason: ProtectKernelTunables=, ProtectKernelLogs=, ProcSubset= and ProtectProc= cover parts',
    '# of /proc, and the kernel then refuses a fresh /proc to the namespace. ProtectHostname= forbids it its own name.',
    '# MemoryDenyWriteExecute= would stop the compiler inside Node.',
    '',
    '[Install]',
    `WantedBy=${isSystem ? 'multi-user.target' : 'default.target'}`,
    '',
  ];
  return lines.join('\n');
}

/** A line break in a path would begin a line of its own, such as one more command. */
function refuseBrokenLines({ command, programDir, stateDir, writable, maybeWritable, environment }: UnitFacts): void {
  const all = [...command, programDir, stateDir, ...writable, ...maybeWritable, ...Object.entries(environment).flat()];
  const broken = all.find((text) => /\p{Cc}/u.test(text));
  if (broken === undefined) return;
  throw misconfigured(
    'UNIT_PATH',
    `${JSON.stringify(broken)} holds a line break or another control character, and a unit cannot hold it`,
    'give that folder another name',
  );
}

/** One word of a command line or an assignment: `%` starts a specifier, `$` a variable, blanks end a word. */
function word(text: string): string {
  const safe = text.replaceAll('%', '%%').replaceAll('$', '$$$$');
  if (/^[\w@%+=:,./$-]+$/.test(safe)) return safe;
  return `"${safe.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

/** A path that is no command line: no `$`, and blanks must be quoted where several may stand. */
function path(text: string): string {
  const safe = text.replaceAll('%', '%%');
  return /\s|"/.test(safe) ? `"${safe.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"` : safe;
}
