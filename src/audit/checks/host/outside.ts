// Owns what of the machine faces outwards: ports, firewall, the SSH server, what shuts out whoever keeps trying, updates. It
// reads files alone, and what it cannot read it says.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { look } from '../../../platform/files.ts';
import { type Facts, type Finding, type Outcome, outcomeOf } from '../../check.ts';
import { amiss, andMore, found, namesIn, read } from '../../looking.ts';
import { listeningOn, spoken } from '../../sockets.ts';
import { hasDocker, isEnabled, wallsOf } from './firewall.ts';
import { readSshd, type Sshd, settingOf } from './sshd.ts';

const DAY_MS = 86_400_000;
const UPDATES_DUE_MS = 14 * DAY_MS;

export function probeListening(root: string, { lock }: Facts): Outcome {
  const all = listeningOn(root);
  if (all === null) return { skipped: 'this system does not tell which sockets listen' };
  const ssh = readSshd(root)?.ports ?? ['22'];
  const open = [...new Map(all.filter(({ isLocal }) => !isLocal).map((one) => [one.port, one])).values()];
  const ours = open.filter(({ port }) => port === lock?.port || port === 18_789);
  const others = open.filter((one) => !ours.includes(one) && !ssh.includes(String(one.port)) && one.port !== 443);
  const findings = ours.map((one) =>
    found(
      'CRITICAL',
      `${spoken(one)} listens for others: the port of the gateway`,
      'openclaw config set gateway.bind loopback && openclaw gateway restart',
    ),
  );
  if (others[0] !== undefined)
    findings.push(
      found(
        'INFO',
        `${andMore(spoken(others[0]), others.length)} listens for others${others.length > 1 ? `: ${others.slice(1, 6).map(spoken).join(', ')}` : ''}`,
        'ss -ltnp says whose they are',
        { consequence: 'each that is not needed is a way in too many' },
      ),
    );
  return outcomeOf(
    findings,
    `Ports: ${open.length === 0 ? 'none' : `only ${open.map(({ port }) => port).join(', ')}`} can be reached from outside`,
  );
}

export function probeFirewall(root: string): Outcome {
  if (!existsSync(join(root, 'etc'))) return { skipped: 'there is no /etc here' };
  const walls = wallsOf(root);
  const known = walls.filter((wall) => 'kind' in wall);
  const closed = known.find(({ closes }) => closes);
  if (closed !== undefined) {
    if (closed.kind === 'ufw' && hasDocker(root))
      return amiss(
        'INFO',
        `${closed.said}, and Docker opens the ports of containers past it`,
        'publish ports on 127.0.0.1 only: -p 127.0.0.1:8080:80',
        { consequence: 'a published port of a container is reachable whatever ufw says' },
      );
    return { pass: `Firewall: ${closed.said}` };
  }
  const [problem] = walls.filter((wall) => 'problem' in wall);
  if (problem !== undefined) return { skipped: `${problem.problem}: run this as root` };
  const [first] = known;
  if (first !== undefined) return amiss('WARNING', first.said, first.fix);
  return amiss(
    'WARNING',
    'no firewall was found on this machine; one of your provider cannot be seen from here',
    'apt install ufw && ufw allow ssh && ufw default deny incoming && ufw enable',
  );
}

export function probeSshd(root: string): Outcome {
  if (!existsSync(join(root, 'usr/sbin/sshd')) && !existsSync(join(root, 'etc/ssh/sshd_config')))
    return { pass: 'SSH: no server is installed' };
  const sshd = readSshd(root);
  if (sshd === null) return { skipped: 'there is an SSH server, and no configuration of it to read' };
  if (sshd.problems.length > 0) return { skipped: `${sshd.problems.join('; ')}: run this as root` };
  const byPassword = takesPasswords(sshd);
  const login = settingOf(sshd, 'permitrootlogin');
  const findings: Finding[] = [];
  const fix = (line: string): string =>
    `echo '${line}' > /etc/ssh/sshd_config.d/00-hardening.conf && systemctl restart ssh`;
  if (byPassword !== null)
    findings.push(
      found(
        'WARNING',
        `SSH: ${byPassword}`,
        `printf 'PasswordAuthentication no\\nKbdInteractiveAuthentication no\\n' > /etc/ssh/sshd_config.d/00-hardening.conf && systemctl restart ssh`,
      ),
    );
  if (login === 'yes')
    findings.push(
      found(byPassword === null ? 'WARNING' : 'CRITICAL', 'SSH: root may log in', fix('PermitRootLogin no')),
    );
  else if (login !== 'no')
    findings.push(
      found('INFO', `SSH: root may log in with a key (PermitRootLogin ${login})`, fix('PermitRootLogin no'), {
        consequence: 'a stolen key is the whole machine at once',
      }),
    );
  if (settingOf(sshd, 'permitemptypasswords') === 'yes')
    findings.push(found('CRITICAL', 'SSH: accounts without a password may log in', fix('PermitEmptyPasswords no')));
  if (settingOf(sshd, 'pubkeyauthentication') === 'no')
    findings.push(found('WARNING', 'SSH: keys are refused', fix('PubkeyAuthentication yes')));
  for (const { match, key, value } of sshd.matched)
    if (
      (key === 'passwordauthentication' && value === 'yes' && byPassword === null) ||
      (key === 'permitrootlogin' && value === 'yes' && login !== 'yes') ||
      (key === 'permitemptypasswords' && value === 'yes')
    )
      findings.push(
        found(
          'WARNING',
          `SSH: ${key} is ${value} for "Match ${match}"`,
          `look at that block in /etc/ssh/sshd_config and its includes`,
        ),
      );
  return outcomeOf(findings, `SSH: keys only, no root, port ${sshd.ports.join(', ')}`);
}

/** PAM asks for a password over the second way as well, which is forgotten everywhere. */
function takesPasswords(sshd: Sshd): string | null {
  if (settingOf(sshd, 'passwordauthentication') !== 'no')
    return `passwords are taken (PasswordAuthentication ${settingOf(sshd, 'passwordauthentication')})`;
  if (settingOf(sshd, 'usepam') === 'yes' && settingOf(sshd, 'kbdinteractiveauthentication') !== 'no')
    return 'passwords are taken by asking for them (KbdInteractiveAuthentication yes with UsePAM yes)';
  return null;
}

export function probeFail2ban(root: string): Outcome {
  if (!existsSync(join(root, 'etc'))) return { skipped: 'there is no /etc here' };
  const [name, is] = isEnabled(root, 'fail2ban.service') ? ['fail2ban', true] : ['', false];
  const other = ['crowdsec.service', 'sshguard.service'].find((unit) => isEnabled(root, unit));
  if (is || other !== undefined) return { pass: `Tries: shut out by ${name || other?.replace('.service', '')}` };
  if (!existsSync(join(root, 'usr/sbin/sshd')) && !existsSync(join(root, 'etc/ssh/sshd_config')))
    return { pass: 'Tries: there is no SSH server to try' };
  const isInstalled = existsSync(join(root, 'etc/fail2ban'));
  return amiss(
    'WARNING',
    `fail2ban is ${isInstalled ? 'installed and not started' : 'not installed'}`,
    isInstalled ? 'systemctl enable --now fail2ban' : 'apt install fail2ban && systemctl enable --now fail2ban',
  );
}

export function probeUpgrades(root: string, { nowMs }: Facts): Outcome {
  if (!existsSync(join(root, 'etc'))) return { skipped: 'there is no /etc here' };
  if (existsSync(join(root, 'etc/dnf')))
    return isEnabled(root, 'dnf-automatic.timer') || isEnabled(root, 'dnf-automatic-install.timer')
      ? { pass: 'Updates: dnf-automatic' }
      : amiss(
          'WARNING',
          'dnf-automatic is not on',
          'dnf install dnf-automatic && systemctl enable --now dnf-automatic-install.timer',
        );
  if (!existsSync(join(root, 'etc/apt'))) return { skipped: 'this system has neither apt nor dnf' };
  const said = namesIn(join(root, 'etc/apt/apt.conf.d'))
    .map((path) => (read(path).text ?? '').replace(/^\s*(\/\/|#).*$/gm, ''))
    .join('\n');
  const number = (key: string): number =>
    Number([...said.matchAll(new RegExp(`APT::Periodic::${key}\\s+"(\\d+)`, 'g'))].at(-1)?.[1] ?? 0);
  const fix = 'apt install unattended-upgrades && dpkg-reconfigure -plow unattended-upgrades';
  if (!existsSync(join(root, 'usr/bin/unattended-upgrade')))
    return amiss('WARNING', 'unattended-upgrades is not installed', fix);
  if (number('Unattended-Upgrade') === 0) return amiss('WARNING', 'unattended-upgrades is installed and off', fix);
  if (number('Update-Package-Lists') === 0)
    return amiss('WARNING', 'updates are installed, but their lists are never fetched', fix);
  const last = look(join(root, 'var/lib/apt/periodic/unattended-upgrades-stamp'))?.mtimeMs;
  if (last !== undefined && nowMs - last > UPDATES_DUE_MS)
    return amiss(
      'WARNING',
      `updates were last installed ${Math.floor((nowMs - last) / DAY_MS)} days ago`,
      'systemctl status apt-daily-upgrade.timer',
    );
  return { pass: 'Updates: installed by themselves' };
}
