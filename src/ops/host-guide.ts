// Owns the commands that harden the machine around an installation, filled in with its values. It prints; whoever administers
// the machine runs them. It must never run one.
import { quoted } from '../secrets/files.ts';

export type HostValues = {
  readonly port: number;
  /** the account that the gateway has, or should have */
  readonly user: string;
  readonly stateDir: string;
  /** of this package, with the filter and the jail for fail2ban */
  readonly deployDir: string;
  /** where people would reach it */
  readonly name: string;
};
export type Step = { readonly title: string; readonly why: string; readonly commands: readonly string[] };

export function hostSteps({ port, user, stateDir, deployDir, name }: HostValues): Step[] {
  const logs = `${stateDir}/logs/openclaw.log`;
  const jail = '/etc/fail2ban/jail.d/openclaw-gateway.conf';
  return [
    {
      title: 'Account',
      why: 'whoever breaks the assistant has this account, and nothing else of the machine',
      commands: [
        `id ${quoted(user)} || sudo useradd -m -s /bin/bash ${quoted(user)}`,
        `sudo openclaw gateway install --system-user ${quoted(user)}`,
        'ps -o user,cmd -C node',
      ],
    },
    {
      title: 'Firewall (ufw)',
      why: `only SSH comes in; there is no rule for ${port}, and none is needed: messengers are reached from here`,
      commands: [
        'sudo ufw default deny incoming',
        'sudo ufw default allow outgoing',
        'sudo ufw allow ssh        # narrower: sudo ufw allow from YOUR.IP to any port 22 proto tcp',
        'sudo ufw enable',
        'sudo ufw status verbose',
        '# Docker publishes ports past ufw: publish on 127.0.0.1 alone, and do not set FORWARD to DROP by hand',
      ],
    },
    {
      title: 'SSH',
      why: 'keys cannot be guessed; try a second session before you close this one',
      commands: [
        "printf 'PasswordAuthentication no\\nKbdInteractiveAuthentication no\\nPubkeyAuthentication yes\\nPermitRootLogin no\\n' | sudo tee /etc/ssh/sshd_config.d/10-hardening.conf",
        'sudo sshd -t && sudo systemctl reload ssh',
      ],
    },
    {
      title: 'fail2ban',
      why: 'addresses that keep trying are shut out, at SSH and at the gateway',
      commands: [
        'sudo apt install -y fail2ban && sudo systemctl enable --now fail2ban',
        `sudo cp ${quoted(`${deployDir}/fail2ban/filter.d/openclaw-gateway.conf`)} /etc/fail2ban/filter.d/`,
        `sed -e ${quoted(`s|^logpath .*|logpath = ${logs}|`)} -e 's|^port .*|port = ${port}|' ${quoted(`${deployDir}/fail2ban/jail.d/openclaw-gateway.conf`)} | sudo tee ${jail}`,
        'sudo systemctl reload fail2ban && sudo fail2ban-client status sshd',
        `# behind nginx every address is 127.0.0.1: leave the gateway's jail out there (sudo rm ${jail})`,
      ],
    },
    {
      title: 'Updates',
      why: 'holes that are known are closed the same night',
      commands: [
        'sudo apt install -y unattended-upgrades && sudo dpkg-reconfigure -plow unattended-upgrades',
        '[ -e /var/run/reboot-required ] && echo "a reboot is due"',
      ],
    },
    {
      title: 'Logs',
      why: `those in ${stateDir}/logs are rotated by the gateway itself; a rule of your own may be there as well`,
      commands: [
        `printf '%s/logs/*.log {\\n  daily\\n  rotate 7\\n  missingok\\n  copytruncate\\n  su ${user} ${user}\\n}\\n' ${quoted(stateDir)} | sudo tee /etc/logrotate.d/openclaw`,
      ],
    },
    {
      title: 'From elsewhere: an SSH tunnel',
      why: 'no port is opened; run it on your own machine',
      commands: [
        `ssh -N -L ${port}:127.0.0.1:${port} ${user}@${name}`,
        `# for good: autossh -M 0 -N -o ServerAliveInterval=30 -L ${port}:127.0.0.1:${port} ${user}@${name}`,
      ],
    },
    {
      title: 'From elsewhere: Tailscale',
      why: 'only your own devices reach it; never funnel, which is the whole internet',
      commands: ['sudo tailscale up', `sudo tailscale serve --bg ${port}`, 'tailscale serve status'],
    },
    {
      title: 'From elsewhere: nginx with TLS',
      why: 'when it has to be a page on the internet: a password before the token, and WebSockets let through',
      commands: [
        `sudo apt install -y nginx apache2-utils certbot python3-certbot-nginx && sudo htpasswd -c /etc/nginx/.htpasswd ${quoted(user)}`,
        `sudo tee /etc/nginx/sites-available/openclaw <<'END'\n${nginx(port, name)}\nEND`,
        'sudo ln -s ../sites-available/openclaw /etc/nginx/sites-enabled/ && sudo nginx -t && sudo systemctl reload nginx',
        `sudo certbot --nginx -d ${name} && sudo ufw allow https`,
        `openclaw config set gateway.controlUi.allowedOrigins '["https://${name}"]'`,
      ],
    },
    {
      title: 'Disk',
      why: 'a stolen disk tells nothing; this is chosen when a system is installed',
      commands: [
        'lsblk -o NAME,TYPE,FSTYPE,MOUNTPOINT',
        `openclaw backup create --encrypt   # copies that leave the machine`,
      ],
    },
  ];
}

const nginx = (port: number, name: string): string =>
  [
    'server {',
    '  listen 80;',
    `  server_name ${name};`,
    '  location / {',
    '    auth_basic "OpenClaw";',
    '    auth_basic_user_file /etc/nginx/.htpasswd;',
    `    proxy_pass http://127.0.0.1:${port};`,
    '    proxy_http_version 1.1;',
    '    proxy_set_header Upgrade $http_upgrade;',
    '    proxy_set_header Connection "upgrade";',
    `    proxy_set_header Host 127.0.0.1:${port};`,
    '    proxy_set_header Authorization "";',
    '    proxy_read_timeout 1h;',
    '  }',
    '}',
  ].join('\n');
