import { describe, expect, test } from 'vitest';
import { zonesFor } from '../../test/support/reach.ts';
import { type Access, ruleOn } from './zones.ts';

const WORKSPACE = '/home/u/.openclaw/workspace';
const zones = zonesFor(WORKSPACE, {
  allowed: ['/srv/docs:ro', '/srv/docs/out', '/srv/one.txt', '/home/u/.config', 'reference:ro'],
  denied: ['private', '/srv/docs/secret', '/srv/docs/out/kept:w'],
  readable: ['/srv/docs/.ssh/config', '/proc/self/environ'],
  stateDir: '/home/u/.openclaw',
});
const say = (path: string, access: Access, which = zones): string => {
  const ruling = ruleOn(which, path.startsWith('/') ? path : `${WORKSPACE}/${path}`, access);
  return ruling.ok ? 'ok' : ruling.code;
};

describe('S129 S183 S211 where files may be read and written', () => {
  test.each([
    ['a.md', 'ok', 'ok'],
    ['/srv/docs/a.md', 'ok', 'PATH_READ_ONLY'],
    ['/srv/docs', 'ok', 'PATH_READ_ONLY'],
    ['/srv/docs/out/a.md', 'ok', 'ok'],
    ['/srv/docs/out/kept/a.md', 'ok', 'PATH_DENIED'],
    ['/srv/docs/secret/a.md', 'PATH_DENIED', 'PATH_DENIED'],
    ['/srv/docs-other/a.md', 'PATH_OUTSIDE', 'PATH_OUTSIDE'],
    ['/srv/one.txt', 'ok', 'ok'],
    ['/srv/one.txt.bak', 'PATH_OUTSIDE', 'PATH_OUTSIDE'],
    ['/srv', 'PATH_OUTSIDE', 'PATH_OUTSIDE'],
    ['reference/a.md', 'ok', 'PATH_READ_ONLY'],
    ['private/a.md', 'PATH_DENIED', 'PATH_DENIED'],
    ['/etc/hostname', 'PATH_OUTSIDE', 'PATH_OUTSIDE'],
    ['/', 'PATH_OUTSIDE', 'PATH_OUTSIDE'],
  ])('%s: read %s, write %s', (path, read, write) => {
    expect([say(path, 'read'), say(path, 'write')]).toEqual([read, write]);
  });

  test('F08 no other spelling of a denied name gets by on a disk that takes them for one', () => {
    for (const path of [
      'PRIVATE/x',
      'private./x',
      'private /x',
      'ｐｒｉｖａｔｅ/x',
      '/SRV/docs/Secret',
      '.ENV',
      '.env.',
      'sub/.Env.local ',
    ])
      expect([path, say(path, 'read')]).toEqual([path, 'PATH_DENIED']);
  });

  test('S128 workspaceOnly false reads elsewhere and writes nowhere; what is closed stays closed', () => {
    const wide = zonesFor(WORKSPACE, { workspaceOnly: false, stateDir: '/home/u/.openclaw' });
    expect([say('/etc/hostname', 'read', wide), say('/etc/hostname', 'write', wide)]).toEqual(['ok', 'PATH_OUTSIDE']);
    for (const path of ['/etc/shadow', '/proc/1/environ', '/home/u/.ssh/id_ed25519', '/home/u/.openclaw/openclaw.json'])
      expect([path, say(path, 'read', wide)]).toEqual([path, 'PATH_DENIED']);
  });
});

describe('S184 S185 S187 never readable, whatever is allowed', () => {
  const all = zonesFor(WORKSPACE, { allowed: ['/home/u', '/run', '/proc', '/mnt'], stateDir: '/home/u/.openclaw' });
  test.each([
    '.openclaw/openclaw.json',
    '.openclaw/credentials/gateway-token',
    '.openclaw/.env',
    '.ssh/id_rsa',
    '.SSH/config',
    '.gnupg/private-keys-v1.d/x',
    '.aws/credentials',
    '.azure/x',
    '.kube/config',
    '.config/gcloud/x',
    '.config/gh/hosts.yml',
    '.config/google-chrome/Default/Cookies',
    '.config/chromium/x',
    '.config/BraveSoftware/x',
    '.config/microsoft-edge/x',
    '.config/vivaldi/x',
    '.config/opera/x',
    '.mozilla/firefox/x',
    '.thunderbird/x',
    '.password-store/x.gpg',
    '.local/share/keyrings/login.keyring',
    'Documents/passwords.kdbx',
    '.netrc',
    '.npmrc',
    '.pypirc',
    '.git-credentials',
    '.docker/config.json',
    '.bitcoin/wallet.dat',
    '.ethereum/x',
    '.electrum/x',
    '.bash_history',
    '.zsh_history',
    '.python_history',
    'Library/Keychains/login.keychain-db',
    'Library/Application Support/Google/Chrome/Default/Cookies',
    'project/.env',
    'project/.env.production',
    'backup/home/somebody/.ssh/id_rsa',
  ])('~/%s', (path) => {
    expect([say(`/home/u/${path}`, 'read', all), say(`/home/u/${path}`, 'write', all)]).toEqual([
      'PATH_DENIED',
      'PATH_DENIED',
    ]);
  });
  test.each([
    '/proc/self/environ',
    '/proc/1/environ',
    '/proc/self/root/etc/passwd',
    '/run/docker.sock',
    '/run/user/1000/podman/podman.sock',
    '/mnt/docker.sock',
  ])('%s', (path) => expect(say(path, 'read', all)).toBe('PATH_DENIED'));
  test('E04 what runs by itself at the next login may be read, not written', () => {
    for (const path of ['.bashrc', '.profile', '.config/systemd/user/x.service', '.config/autostart/x.desktop'])
      expect([path, say(`/home/u/${path}`, 'read', all), say(`/home/u/${path}`, 'write', all)]).toEqual([
        path,
        'ok',
        'PATH_DENIED',
      ]);
  });
  test('examples of .env files are no secrets, and the workspace may have a .npmrc of its own', () => {
    for (const path of [
      '.env.example',
      'a/.env.sample',
      '.env.template',
      '.env.dist',
      'environment',
      '.npmrc',
      'a.env',
    ])
      expect([path, say(path, 'read')]).toEqual([path, 'ok']);
    for (const path of ['.env', 'a/b/.env.local', '.env.example.local', 'x.kdbx'])
      expect([path, say(path, 'read')]).toEqual([path, 'PATH_DENIED']);
  });
  test('a dangerous setting lifts exactly one of them, for reading; never what the kernel tells of programs', () => {
    expect([say('/srv/docs/.ssh/config', 'read'), say('/srv/docs/.ssh/config', 'write')]).toEqual([
      'ok',
      'PATH_DENIED',
    ]);
    expect(say('/srv/docs/.ssh/id_rsa', 'read')).toBe('PATH_DENIED');
    expect(say('/proc/self/environ', 'read')).toBe('PATH_DENIED');
  });
});
