// Owns the checks of the machine around the gateway (--host): what the second tier of the guides asks for, read from /etc,
// /proc, /sys and units. It starts no program, changes nothing, and says of what it cannot read that it cannot.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Check, Facts, Outcome } from '../../check.ts';
import { amiss, andMore, read } from '../../looking.ts';
import { isEnabled } from './firewall.ts';
import { probeAccount, probeDocker, probeEncryption, probeSwap, uidOf } from './machine.ts';
import { probeFail2ban, probeFirewall, probeListening, probeSshd, probeUpgrades } from './outside.ts';

type Probe = (root: string, facts: Facts) => Outcome;
type Question = Pick<Check, 'id' | 'title' | 'why' | 'rows'> & { readonly probe: Probe };

const asked = (id: string, title: string, more: Omit<Question, 'id' | 'title'>): Question => ({ id, title, ...more });

const QUESTIONS: readonly Question[] = [
  asked('host.listening', 'Which ports of this machine can others reach?', {
    why: 'each is a way in that somebody has to keep up to date',
    rows: ['S043', 'S055', 'S197', 'S288'],
    probe: probeListening,
  }),
  asked('host.firewall', 'Does a firewall close what is not meant to be open?', {
    why: 'a program that listens by mistake is reachable from everywhere',
    rows: ['S054', 'S094', 'S096', 'S142', 'S201', 'S265'],
    probe: probeFirewall,
  }),
  asked('host.sshd', 'Does the SSH server take keys only, and not root?', {
    why: 'passwords are tried by the thousand from everywhere, every day',
    rows: ['S056', 'S139', 'S142', 'S171'],
    probe: probeSshd,
  }),
  asked('host.fail2ban', 'Are addresses shut out that keep trying?', {
    why: 'whoever may try for ever gets lucky some day',
    rows: ['S141', 'S142', 'S267'],
    probe: probeFail2ban,
  }),
  asked('host.unattended_upgrades', 'Does the system mend itself?', {
    why: 'known holes are used within days',
    rows: ['S057', 'S083', 'S138', 'S142'],
    probe: probeUpgrades,
  }),
  asked('host.pending_reboot', 'Is what was mended in force?', {
    why: 'an old kernel runs on until the next start, with its holes',
    rows: ['S138'],
    probe: (root) => {
      if (!existsSync(join(root, 'etc'))) return { skipped: 'there is no /etc here' };
      const packages = (read(join(root, 'run/reboot-required.pkgs')).text ?? '').trim().split('\n').filter(Boolean);
      return existsSync(join(root, 'run/reboot-required')) || existsSync(join(root, 'var/run/reboot-required'))
        ? amiss(
            'WARNING',
            `a restart is due${packages.length > 0 ? `, for ${andMore(packages[0] ?? '', packages.length)}` : ''}`,
            'reboot',
          )
        : { pass: 'Restart: none is due' };
    },
  }),
  asked('host.disk_encryption', 'Is the disk encrypted?', {
    why: 'whoever has the disk has every key and conversation on it',
    rows: ['S059', 'S083'],
    probe: probeEncryption,
  }),
  asked('host.swap', 'Could keys be written out to swap or into a core dump?', {
    why: 'what was only in memory stays on the disk',
    rows: [],
    probe: probeSwap,
  }),
  asked('host.dedicated_user', 'Does the gateway have an account of its own?', {
    why: 'what the account may do, whoever breaks the gateway may do',
    rows: ['S130', 'S132', 'S218', 'S268'],
    probe: probeAccount,
  }),
  asked('host.log_rotation', 'Are the logs of the machine kept within bounds?', {
    why: 'a full disk stops the gateway, and with it every record',
    rows: [],
    probe: (root) => {
      if (existsSync(join(root, 'etc/logrotate.conf'))) return { pass: 'Logs of the machine: logrotate' };
      if (existsSync(join(root, 'run/systemd/journal')) || existsSync(join(root, 'etc/systemd/journald.conf')))
        return { pass: 'Logs of the machine: kept within bounds by journald' };
      return existsSync(join(root, 'etc'))
        ? amiss('INFO', 'neither logrotate nor journald is there', 'apt install logrotate')
        : { skipped: 'there is no /etc here' };
    },
  }),
  asked('host.docker_rootless', 'Is Docker kept from being root?', {
    why: 'whoever reaches the socket of Docker is root on this machine',
    rows: ['S270'],
    probe: probeDocker,
  }),
  asked('host.time_sync', 'Is the clock kept right?', {
    why: 'with a wrong clock records lie, codes fail and jobs run at odd hours',
    rows: [],
    probe: (root) => {
      if (!existsSync(join(root, 'etc'))) return { skipped: 'there is no /etc here' };
      const units = [
        'systemd-timesyncd.service',
        'chrony.service',
        'chronyd.service',
        'ntp.service',
        'ntpsec.service',
        'ntpd.service',
        'openntpd.service',
      ];
      const on =
        units.find((unit) => isEnabled(root, unit)) ??
        (existsSync(join(root, 'run/systemd/timesync/synchronized')) ? 'systemd-timesyncd.service' : undefined);
      return on === undefined
        ? amiss('INFO', 'no program sets the clock at each start', 'timedatectl set-ntp true')
        : { pass: `Clock: kept right by ${on.replace('.service', '')}` };
    },
  }),
];

/** `root` holds the machine: / or, for a test, a folder that looks like one. */
export const hostChecks = (root = '/'): readonly Check[] =>
  QUESTIONS.map(({ probe, ...question }) => ({
    ...question,
    group: 'Host',
    depth: 'host',
    probe: (facts) =>
      root === '/' && process.platform !== 'linux'
        ? { skipped: 'only Linux tells of this in files' }
        : probe(root, facts),
  }));

export const HOST_CHECKS: readonly Check[] = [
  {
    id: 'host.running_as_root',
    group: 'Host',
    title: 'Does it run without the rights of root?',
    why: 'whoever breaks it has the machine',
    rows: ['S069', 'S142'],
    depth: 'read',
    probe: ({ lock }) => rootOutcome(process.geteuid?.(), uidOf('/', lock?.pid)),
  },
  ...hostChecks(),
];

/** `own`: this command; `gateway`: the one that runs. */
export function rootOutcome(own: number | undefined, gateway: number | null): Outcome {
  const uid = gateway ?? own;
  if (uid === undefined) return { skipped: 'this system has no such accounts' };
  if (uid !== 0) return { pass: `Account: uid ${uid}, not root` };
  const who = gateway === null ? 'this' : 'the gateway';
  return amiss('WARNING', `${who} runs as root`, 'openclaw gateway install --system-user openclaw');
}
