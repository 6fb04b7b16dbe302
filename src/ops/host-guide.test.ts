// The commands for the machine: all that the guides ask for, with the values of this installation, none that opens its port.
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { hostSteps } from './host-guide.ts';

const VALUES = {
  port: 19_001,
  user: 'claw',
  stateDir: "/home/claw/it's/.openclaw",
  deployDir: '/opt/a b/deploy',
  name: 'box',
};
const steps = hostSteps(VALUES);
const text = steps.flatMap(({ commands }) => commands).join('\n');

test('S094 S120 S126 S141 S265 S267 S268 has every tool of the guides, with this port, account and folder', () => {
  for (const word of [
    ...[
      'ufw default deny incoming',
      'ufw allow ssh',
      'PasswordAuthentication no',
      'PermitRootLogin no',
      'fail2ban-client',
    ],
    ...['useradd -m -s /bin/bash claw', 'unattended-upgrades', 'ssh -N -L 19001:127.0.0.1:19001 claw@box'],
    ...['tailscale serve --bg 19001', 'proxy_set_header Upgrade $http_upgrade;', 'proxy_pass http://127.0.0.1:19001;'],
    ...['/opt/a b/deploy/fail2ban/filter.d/openclaw-gateway.conf', 'port = 19001', '/etc/logrotate.d/openclaw'],
  ])
    expect(text).toContain(word);
});

test('S266 no firewall rule is for the port of the gateway', () => {
  expect(text).not.toMatch(/ufw allow[^\n]*19001|--funnel|tailscale funnel/);
});

test('each command is one that a shell understands, whatever the folder is called', () => {
  for (const { commands } of steps)
    for (const command of commands) execFileSync('bash', ['-n'], { input: `${command}\n`, timeout: 5_000 });
});
