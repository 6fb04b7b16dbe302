// Owns what the files of this machine say about a firewall: ufw, nftables, iptables, firewalld. Rules in the kernel are for
// root to see through programs, so what counts is what is loaded at each start; what cannot be read is said.
import { join } from 'node:path';
import { look } from '../../../platform/files.ts';
import { namesIn, read } from '../../looking.ts';

export type Wall =
  | { readonly kind: string; readonly closes: boolean; readonly said: string; readonly fix: string }
  | { readonly problem: string };

const WANTS = ['etc/systemd/system/multi-user.target.wants', 'etc/systemd/system/sysinit.target.wants', 'etc/systemd/system/basic.target.wants', 'etc/systemd/system/network-pre.target.wants', 'etc/systemd/system/timers.target.wants'] as const; // biome-ignore format: a list of folders

/** Whether systemd starts it; a link that is there is enough, wherever it leads. */
export const isEnabled = (root: string, unit: string): boolean =>
  WANTS.some((folder) => look(join(root, folder, unit)) !== null);

export function wallsOf(root: string): readonly Wall[] {
  const walls: Wall[] = [];
  const text = (path: string): string | null => {
    const found = read(join(root, path));
    if (found.problem !== null) walls.push({ problem: found.problem });
    return found.text;
  };
  const ufw = text('etc/ufw/ufw.conf');
  if (ufw !== null) {
    const isOn = /^\s*ENABLED\s*=\s*"?yes/im.test(ufw);
    const policy =
      /^\s*DEFAULT_INPUT_POLICY\s*=\s*"?(\w+)/im.exec(text('etc/default/ufw') ?? '')?.[1]?.toUpperCase() ?? 'DROP';
    const closes = isOn && policy !== 'ACCEPT';
    const said = isOn
      ? `ufw is on, incoming is ${policy === 'ACCEPT' ? 'allowed' : 'denied'}`
      : 'ufw is installed and off';
    walls.push({ kind: 'ufw', closes, said, fix: 'ufw allow ssh && ufw default deny incoming && ufw enable' });
  }
  const isLoaded = isEnabled(root, 'nftables.service');
  const nft = text('etc/nftables.conf');
  if (nft !== null) {
    const all = [nft, ...namesIn(join(root, 'etc/nftables.d')).map((path) => read(path).text ?? '')]
      .join('\n')
      .replace(/#.*$/gm, '');
    const input = [...all.matchAll(/\bhook\s+input\b[^;}]*;?([^}]*)/g)].map(([whole]) => whole);
    const drops = input.some(
      (chain) =>
        /policy\s+(drop|reject)/.test(chain) || /(^|[;\n])\s*(counter\s+)?(drop|reject\b[^;\n]*)\s*$/m.test(chain),
    );
    const said = `nftables ${drops ? 'closes what is not named' : 'lets everything in'}${isLoaded ? '' : ', and is not loaded at a start'}`;
    walls.push({
      kind: 'nftables',
      closes: drops && isLoaded,
      said,
      fix: drops ? 'systemctl enable --now nftables' : 'openclaw security host-guide',
    });
  }
  const v4 = text('etc/iptables/rules.v4');
  if (v4 !== null) {
    const drops = /^:INPUT\s+(DROP|REJECT)/m.test(v4) || /^-A INPUT -j (DROP|REJECT)/m.test(v4);
    const loaded = isEnabled(root, 'netfilter-persistent.service') || isEnabled(root, 'iptables.service');
    const said = `iptables ${drops ? 'closes what is not named' : 'lets everything in'}${loaded ? '' : ', and is not loaded at a start'}`;
    walls.push({
      kind: 'iptables',
      closes: drops && loaded,
      said,
      fix: loaded ? 'openclaw security host-guide' : 'systemctl enable --now netfilter-persistent',
    });
  }
  if (isEnabled(root, 'firewalld.service')) {
    const zone = /^\s*DefaultZone\s*=\s*(\S+)/im.exec(text('etc/firewalld/firewalld.conf') ?? '')?.[1] ?? 'public';
    walls.push({
      kind: 'firewalld',
      closes: zone !== 'trusted',
      said: `firewalld is on, zone ${zone}`,
      fix: 'firewall-cmd --set-default-zone=public',
    });
  }
  return walls;
}

/** Docker writes its own rules, past those of ufw, for every port that a container publishes. */
export const hasDocker = (root: string): boolean =>
  ['usr/bin/dockerd', 'usr/sbin/dockerd', 'usr/local/bin/dockerd'].some((path) => look(join(root, path)) !== null);
