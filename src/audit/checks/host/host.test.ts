// The machine around the gateway, on two made-up machines: one that nobody looked after, and its hardened twin.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { Facts, Outcome } from '../../check.ts';
import { hostChecks, rootOutcome } from './host.ts';
import { readSshd, settingOf } from './sshd.ts';

const NOW = Date.UTC(2026, 10, 21);
const made: string[] = [];
afterEach(() => {
  for (const root of made.splice(0)) rmSync(root, { recursive: true });
});

type Files = Readonly<Record<string, string>>;

/** A text that begins with `->` is a link. */
function machine(files: Files): string {
  const root = mkdtempSync(join(tmpdir(), 'host-'));
  made.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    if (text.startsWith('->')) symlinkSync(text.slice(2), join(root, path));
    else writeFileSync(join(root, path), text);
  }
  return root;
}

const facts = (stateDir = '/home/openclaw/.openclaw', pid = 77): Facts =>
  ({ nowMs: NOW, paths: { stateDir }, lock: { pid, port: 18_789 } }) as Facts;

async function ask(root: string, at: Facts = facts()): Promise<Record<string, Outcome>> {
  const asked = hostChecks(root).map(async (check) => [check.id, await check.probe(at)] as const);
  return Object.fromEntries(await Promise.all(asked));
}
const saidOf = (outcome: Outcome | undefined): string =>
  outcome === undefined
    ? 'nothing'
    : 'pass' in outcome
      ? 'pass'
      : 'skipped' in outcome
        ? 'skipped'
        : outcome.findings.map(({ severity, evidence }) => `${severity} ${evidence}`).join('; ');

const TCP = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const socket = (local: string): string =>
  `   0: ${local} 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1001        0 4242 1\n`;
const MOUNTS = '29 1 254:1 / / rw,relatime shared:1 - ext4 /dev/root rw\n';
const ENABLED = 'etc/systemd/system/multi-user.target.wants';

const BAD: Files = {
  'proc/net/tcp': TCP + socket('00000000:4965') + socket('00000000:1F90') + socket('00000000:0016'),
  'proc/77/status': 'Name:\tnode\nUid:\t1000\t1000\t1000\t1000\n',
  'proc/swaps': 'Filename\tType\tSize\tUsed\tPriority\n/dev/sda2 partition 1 0 -2\n',
  'proc/self/mountinfo': MOUNTS,
  'sys/dev/block/254:1': '->../../devices/sda1',
  'sys/devices/sda1/dev': '254:1\n',
  'etc/ufw/ufw.conf': 'ENABLED=no\n',
  'usr/sbin/sshd': '',
  'etc/ssh/sshd_config': 'PermitRootLogin yes\nPermitEmptyPasswords yes\n',
  'etc/apt/apt.conf.d/20auto-upgrades': 'APT::Periodic::Unattended-Upgrade "0";\n',
  'usr/bin/unattended-upgrade': '',
  'run/reboot-required': '',
  'run/reboot-required.pkgs': 'linux-image\n',
  'run/docker.sock': '',
  'etc/passwd': 'root:x:0:0::/root:/bin/bash\nanna:x:1000:1000::/home/anna:/bin/bash\n',
  'etc/group': 'docker:x:999:anna\n',
};
const GOOD: Files = {
  'proc/net/tcp': TCP + socket('0100007F:4965') + socket('00000000:0016'),
  'proc/net/tcp6': TCP + socket('00000000000000000000000001000000:4965'),
  'proc/77/status': 'Name:\tnode\nUid:\t1001\t1001\t1001\t1001\n',
  'proc/swaps': 'Filename\tType\tSize\tUsed\tPriority\n/dev/dm-1 partition 1 0 -2\n',
  'proc/self/mountinfo': MOUNTS,
  'sys/dev/block/254:1': '->../../devices/dm-0',
  'sys/devices/dm-0/dm/uuid': 'LVM-x\n',
  'sys/devices/dm-0/slaves/dm-9/dev': '254:9\n',
  'sys/dev/block/254:9': '->../../devices/dm-9',
  'sys/devices/dm-9/dm/uuid': 'CRYPT-LUKS2-x\n',
  'etc/ufw/ufw.conf': 'ENABLED=yes\n',
  'etc/default/ufw': 'DEFAULT_INPUT_POLICY="DROP"\n',
  'usr/sbin/sshd': '',
  'etc/ssh/sshd_config': 'Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\nPermitRootLogin yes\n',
  'etc/ssh/sshd_config.d/00-hardening.conf':
    'PermitRootLogin no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n',
  [`${ENABLED}/fail2ban.service`]: '->/lib/systemd/system/fail2ban.service',
  'etc/apt/apt.conf.d/20auto-upgrades':
    'APT::Periodic::Update-Package-Lists "1";\nAPT::Periodic::Unattended-Upgrade "1";\n',
  'usr/bin/unattended-upgrade': '',
  'var/lib/apt/periodic/unattended-upgrades-stamp': '',
  'etc/logrotate.conf': '',
  'etc/systemd/system/sysinit.target.wants/systemd-timesyncd.service': '->/lib/x',
  'etc/passwd': 'root:x:0:0::/root:/bin/bash\nopenclaw:x:1001:1001::/home/openclaw:/usr/sbin/nologin\n',
  'etc/group': 'sudo:x:27:anna\n',
};
const hardened = (files: Files = {}): string => {
  const root = machine({ ...GOOD, ...files });
  utimesSync(join(root, 'var/lib/apt/periodic/unattended-upgrades-stamp'), NOW / 1000, NOW / 1000);
  return root;
};

test('S055 S142 S289 a machine that nobody looked after is told of, point by point', async () => {
  const found = await ask(machine(BAD));
  expect(Object.fromEntries(Object.entries(found).map(([id, one]) => [id, saidOf(one)]))).toEqual({
    'host.listening': expect.stringMatching(/^CRITICAL 0\.0\.0\.0:18789 listens.*; INFO 0\.0\.0\.0:8080 listens/),
    'host.firewall': 'WARNING ufw is installed and off',
    'host.sshd': expect.stringMatching(
      /^WARNING SSH: passwords.*CRITICAL SSH: root may log in.*CRITICAL SSH: accounts/,
    ),
    'host.fail2ban': 'WARNING fail2ban is not installed',
    'host.unattended_upgrades': 'WARNING unattended-upgrades is installed and off',
    'host.pending_reboot': 'WARNING a restart is due, for linux-image',
    'host.disk_encryption': 'INFO / lies on sda1 without encryption that this machine knows of',
    'host.swap': 'INFO /dev/sda2 is swap without encryption',
    'host.dedicated_user': 'WARNING the account anna is in docker, as good as root',
    'host.log_rotation': 'INFO neither logrotate nor journald is there',
    'host.docker_rootless': expect.stringMatching(/^(CRITICAL|INFO) /),
    'host.time_sync': 'INFO no program sets the clock at each start',
  });
});

test('S281 its hardened twin has no finding', async () => {
  const found = await ask(hardened());
  expect(Object.entries(found).filter(([, one]) => !('pass' in one))).toEqual([]);
});

test('what cannot be read is skipped with the reason, and never guessed', async () => {
  const found = await ask(machine({}));
  for (const id of [
    'host.listening',
    'host.firewall',
    'host.unattended_upgrades',
    'host.disk_encryption',
    'host.swap',
    'host.dedicated_user',
  ])
    expect([id, saidOf(found[id])]).toEqual([id, 'skipped']);
  // A folder where a file should be cannot be read as one, as one of another owner cannot.
  const closed = await ask(hardened({ 'etc/default/ufw': '', 'etc/ssh/sshd_config.d/50-x.conf/x': '' }));
  expect(saidOf(closed['host.sshd'])).toBe('skipped');
});

test.each([
  [
    'a Match block that lets passwords in again',
    { 'etc/ssh/sshd_config.d/90.conf': 'Match User bob\nPasswordAuthentication yes\n' },
    /^WARNING SSH: passwordauthentication is yes for "Match User bob"$/,
  ],
  [
    'the first value counts',
    { 'etc/ssh/sshd_config.d/00-a.conf': 'PasswordAuthentication yes\n' },
    /^WARNING SSH: passwords are taken/,
  ],
  [
    'PAM asks for passwords the other way',
    { 'etc/ssh/sshd_config.d/00-a.conf': 'ChallengeResponseAuthentication yes\n' },
    /KbdInteractiveAuthentication yes with UsePAM/,
  ],
  [
    'root by key',
    { 'etc/ssh/sshd_config.d/00-a.conf': 'PermitRootLogin = prohibit-password\n' },
    /^INFO SSH: root may log in with a key/,
  ],
] as const)('S056 S139 S171 sshd: %s', async (_, files, said) => {
  expect(saidOf((await ask(hardened(files as Files)))['host.sshd'])).toMatch(said);
});

test('a Match block of an included file ends with it', () => {
  const root = machine({
    'etc/ssh/sshd_config': 'Include /etc/ssh/sshd_config.d/*.conf\nPasswordAuthentication no\nPort 2222\n',
    'etc/ssh/sshd_config.d/a.conf': 'Match Address 10.0.0.0/8\n  PermitRootLogin yes\n',
  });
  const sshd = readSshd(root);
  expect(sshd && [settingOf(sshd, 'passwordauthentication'), sshd.ports]).toEqual(['no', ['2222']]);
});

test.each([
  [
    'nftables',
    'etc/nftables.conf',
    'table inet f {\n chain input {\n  type filter hook input priority 0; policy drop;\n }\n}\n',
    'etc/systemd/system/sysinit.target.wants/nftables.service',
  ],
  [
    'iptables',
    'etc/iptables/rules.v4',
    '*filter\n:INPUT DROP [0:0]\nCOMMIT\n',
    `${ENABLED}/netfilter-persistent.service`,
  ],
] as const)('S096 %s counts when it closes and is loaded at a start', async (_, path, rules, unit) => {
  const firewall = async (files: Files): Promise<string> =>
    saidOf((await ask(hardened({ 'etc/ufw/ufw.conf': 'ENABLED=no\n', ...files })))['host.firewall']);
  expect(await firewall({ [path]: rules, [unit]: '->/lib/x' })).toBe('pass');
  expect(await firewall({ [path]: rules })).toMatch(/^WARNING /);
  expect(await firewall({ [path]: rules.replace(/drop|DROP/, 'accept'), [unit]: '->/lib/x' })).toMatch(/^WARNING /);
});

test('updates that have not come for weeks are told of', async () => {
  const root = hardened();
  utimesSync(
    join(root, 'var/lib/apt/periodic/unattended-upgrades-stamp'),
    NOW / 1000 - 30 * 86_400,
    NOW / 1000 - 30 * 86_400,
  );
  expect(saidOf((await ask(root))['host.unattended_upgrades'])).toBe('WARNING updates were last installed 30 days ago');
});

test('S069 root is a finding, whoever of the two it is', () => {
  expect(saidOf(rootOutcome(0, null))).toBe('WARNING this runs as root');
  expect(saidOf(rootOutcome(1000, 0))).toBe('WARNING the gateway runs as root');
  // Root looks at a gateway that is not.
  expect([saidOf(rootOutcome(0, 1001)), saidOf(rootOutcome(1000, null))]).toEqual(['pass', 'pass']);
});
