// Owns what of the machine keeps others out of what is on it: encryption, swap, accounts, Docker. It reads files alone, and
// what it cannot read it says.
import { realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import { look } from '../../../platform/files.ts';
import { quoted } from '../../../secrets/files.ts';
import { type Facts, type Finding, type Outcome, outcomeOf } from '../../check.ts';
import { amiss, andMore, found, namesIn, read } from '../../looking.ts';
import { hasDocker } from './firewall.ts';

const GUIDE = 'openclaw security host-guide';

export function uidOf(root: string, pid: number | undefined): number | null {
  const text = pid === undefined ? null : read(join(root, `proc/${pid}/status`)).text;
  const uid = /^Uid:\s+\d+\s+(\d+)/m.exec(text ?? '')?.[1];
  return uid === undefined ? null : Number(uid);
}

/** The disks below a mount, down through partitions and layers. */
function layersOf(root: string, device: string): readonly string[] {
  let real: string;
  try {
    real = realpathSync(join(root, 'sys/dev/block', device));
  } catch {
    return [];
  }
  const uuid = (read(join(real, 'dm/uuid')).text ?? '').trim();
  const below = namesIn(join(real, 'slaves')).flatMap((path) =>
    layersOf(root, (read(join(path, 'dev')).text ?? '').trim()),
  );
  return [uuid === '' ? basename(real) : uuid, ...below];
}

export function probeEncryption(root: string, { paths }: Facts): Outcome {
  const { text } = read(join(root, 'proc/self/mountinfo'));
  if (text === null) return { skipped: 'this system does not tell what is mounted' };
  const mounts = text.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [, , device = '', , at = ''] = before.split(' ');
    return at === '' ? [] : [{ device, at, kind: after.split(' ')[0] ?? '' }];
  });
  const covers = (at: string): boolean => at === '/' || paths.stateDir === at || paths.stateDir.startsWith(`${at}/`);
  const mount = mounts
    .filter(({ at }) => covers(at))
    .reduce((a, b) => (b.at.length >= a.at.length ? b : a), { device: '', at: '', kind: '' });
  if (/^(ecryptfs|fuse\.(gocryptfs|encfs|cryfs))$/.test(mount.kind))
    return { pass: `Disk: encrypted by ${mount.kind}` };
  if (mount.kind === 'tmpfs') return { pass: 'Disk: the state lies in memory alone' };
  const layers = layersOf(root, mount.device);
  if (layers.some((one) => one.startsWith('CRYPT-'))) return { pass: `Disk: encrypted (dm-crypt) below ${mount.at}` };
  if (layers.length === 0)
    return { skipped: `${mount.kind || 'what is mounted'} at ${mount.at || '/'} does not tell which disk it lies on` };
  return amiss(
    'INFO',
    `${mount.at} lies on ${layers.at(-1)} without encryption that this machine knows of`,
    `${GUIDE}   (encryption is chosen when a system is installed)`,
  );
}

export function probeSwap(root: string): Outcome {
  const { text } = read(join(root, 'proc/swaps'));
  if (text === null) return { skipped: 'this system does not tell of its swap' };
  const plain = text
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(/\s+/)[0] ?? '')
    .filter((path) => path !== '' && !/\/zram|\/dm-|\/mapper\//.test(path));
  const core = (read(join(root, 'proc/sys/kernel/core_pattern')).text ?? '').trim();
  const soft = /^Max core file size\s+(\S+)/m.exec(read(join(root, 'proc/self/limits')).text ?? '')?.[1] ?? '0';
  const findings: Finding[] = [];
  if (plain[0] !== undefined)
    findings.push(
      found(
        'INFO',
        `${andMore(plain[0], plain.length)} is swap without encryption`,
        `swapoff ${quoted(plain[0])}, or put it on an encrypted disk`,
      ),
    );
  if (soft !== '0' && !core.startsWith('|') && core !== '')
    findings.push(
      found('INFO', `core dumps are written (${core})`, "echo '* hard core 0' > /etc/security/limits.d/core.conf"),
    );
  return outcomeOf(findings, 'Memory: written to no plain swap and into no dump');
}

export function probeAccount(root: string, { lock, paths }: Facts): Outcome {
  const uid = uidOf(root, lock?.pid) ?? look(paths.stateDir)?.uid;
  if (uid === undefined) return { skipped: 'there is no gateway and no state folder yet, so no account' };
  const { text } = read(join(root, 'etc/passwd'));
  if (text === null) return { skipped: 'the accounts of this system are not in /etc/passwd' };
  const [name = '', , , , , , shell = ''] = (
    text.split('\n').find((line) => line.split(':')[2] === String(uid)) ?? ''
  ).split(':');
  const own = 'openclaw gateway install --system-user openclaw';
  if (uid === 0) return amiss('WARNING', 'the gateway has the account of root', own);
  if (name === '') return { skipped: `uid ${uid} has no name in /etc/passwd` };
  const groups = (read(join(root, 'etc/group')).text ?? '')
    .split('\n')
    .filter((line) => (line.split(':')[3] ?? '').split(',').includes(name))
    .map((line) => line.split(':')[0] ?? '');
  const strong = groups.filter((one) => /^(sudo|wheel|admin|docker|lxd|libvirt|disk|adm|root)$/.test(one));
  if (strong.length > 0)
    return amiss('WARNING', `the account ${name} is in ${strong.join(', ')}, as good as root`, own);
  const canLogin =
    !/(nologin|false)$/.test(shell) && uid >= 1000 && !/^(openclaw|hardshell|moltbot|clawdbot)/.test(name);
  return canLogin
    ? amiss('INFO', `the gateway shares the account ${name} with a person`, own, {
        consequence: 'whoever breaks it has the files and logins of that person',
      })
    : { pass: `Account: ${name}, of its own and without the rights of root` };
}

export function probeDocker(root: string): Outcome {
  const socket = ['run/docker.sock', 'var/run/docker.sock'].find((path) => look(join(root, path)) !== null);
  if (socket === undefined) return { pass: hasDocker(root) ? 'Docker: no socket of root' : 'Docker: not there' };
  const stats = look(join(root, socket));
  if (stats !== null && (stats.mode & 0o006) !== 0)
    return amiss('CRITICAL', `/${socket} is open to every account`, `chmod o= /${socket}`);
  const { text } = read(join(root, 'etc/docker/daemon.json'));
  if (/"userns-remap"\s*:\s*"[^"]+"/.test(text ?? '')) return { pass: 'Docker: root of a container is nobody outside' };
  return amiss('INFO', `Docker runs as root (/${socket})`, 'dockerd-rootless-setuptool.sh install');
}
