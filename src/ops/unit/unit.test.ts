// Owns the promises about unit texts: every wall, no secret, and paths that no blank or percent sign can break. Where
// systemd-analyze is present it reads them too.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { resolvePaths } from '../../config/paths.ts';
import { checkAccountName, findAccount } from './account.ts';
import { systemProgram } from './control.ts';
import { unitFacts, unitText } from './facts.ts';
import { findInstalled, servedBy, unitPath } from './places.ts';

const paths = resolvePaths({ HOME: '/home/openclaw' });
const program = ['/usr/bin/node', '/opt/hardshell/bin/openclaw.cjs'] as const;
const system = unitText('systemd-system', unitFacts(paths, program, { user: 'openclaw', workspace: undefined }));
const own = unitText('systemd-user', unitFacts(paths, program, { user: null, workspace: undefined }));
const plist = unitText('launchd', unitFacts(paths, program, { user: null, workspace: undefined }));

test('S221 S268 the units limit what it takes and stand between it and the machine', () => {
  for (const text of [system, own]) {
    for (const line of [
      ...['NoNewPrivileges=yes', 'ProtectSystem=strict', 'PrivateTmp=yes', 'UMask=0077', 'MemoryMax=4G'],
      ...['CPUQuota=200%', 'CapabilityBoundingSet=', 'RestartPreventExitStatus=78', 'StandardOutput=null'],
      ...['ReadWritePaths=/home/openclaw/.openclaw', 'Environment=OPENCLAW_STATE_DIR=/home/openclaw/.openclaw'],
    ])
      expect(text.split('\n')).toContain(line);
  }
  expect(system).toMatch(/^User=openclaw$/m);
  expect(system).toMatch(/^ProtectHome=tmpfs$/m);
  expect(system).toMatch(/^BindPaths=\/home\/openclaw\/\.openclaw$/m);
  expect(own).not.toMatch(/^User=/m);
});

test('the units leave the namespaces possible that the sandbox is made of', () => {
  for (const setting of [
    ...['RestrictNamespaces', 'ProtectKernelTunables', 'ProtectKernelLogs', 'ProcSubset', 'ProtectProc'],
    ...['ProtectHostname', 'MemoryDenyWriteExecute'],
  ])
    expect(system).not.toMatch(new RegExp(`^${setting}=`, 'm'));
  expect(system).toMatch(/^SystemCallFilter=@system-service @mount sethostname seccomp$/m);
  expect(system).toMatch(/^RestrictAddressFamilies=.*AF_NETLINK/m);
});

test('a program below a home is shown to the unit, read only', () => {
  const there = ['/home/ann/.nvm/bin/node', '/home/ann/hardshell/bin/openclaw.cjs'] as const;
  const text = unitText('systemd-system', unitFacts(paths, there, { user: 'openclaw', workspace: '/srv/notes' }));
  expect(text).toMatch(/^BindReadOnlyPaths=\/home\/ann\/hardshell$/m);
  expect(text).toMatch(/^BindReadOnlyPaths=\/home\/ann\/\.nvm\/bin$/m);
  expect(text).toMatch(/^ReadWritePaths=\/srv\/notes$/m);
});

test('blanks, quotes and percent signs in a path stay part of it', () => {
  const odd = resolvePaths({ HOME: '/srv/50% of "it" $HOME' });
  const text = unitText('systemd-user', unitFacts(odd, program, { user: null, workspace: undefined }));
  expect(text).toContain('Environment="OPENCLAW_STATE_DIR=/srv/50%% of \\"it\\" $$HOME/.openclaw"');
  expect(servedBy(text)).toBe(odd.stateDir);
  const xml = resolvePaths({ HOME: '/Users/a & b <c>' });
  expect(servedBy(unitText('launchd', unitFacts(xml, program, { user: null, workspace: undefined })))).toBe(
    xml.stateDir,
  );
});

test('the launchd agent starts again after a crash only and says its token nowhere', () => {
  expect(plist).toMatch(/SuccessfulExit<\/key>\s*<false\/>/);
  expect(plist).toMatch(/StandardOutPath<\/key>\s*<string>\/dev\/null/);
  expect(plist).toMatch(/<integer>63<\/integer>/);
});

test.runIf(process.platform === 'linux')('only a unit that serves this state folder counts as installed', () => {
  const home = mkdtempSync(join(tmpdir(), 'hardshell-unit-'));
  try {
    const env = { HOME: home };
    const mine = resolvePaths(env);
    const file = unitPath('systemd-user', env);
    mkdirSync(join(home, '.config', 'systemd', 'user'), { recursive: true });
    writeFileSync(file, own);
    expect(findInstalled(mine, env)).toBeNull();
    writeFileSync(file, unitText('systemd-user', unitFacts(mine, program, { user: null, workspace: undefined })));
    expect(findInstalled(mine, env)).toMatchObject({ manager: 'systemd-user', path: file });
  } finally {
    rmSync(home, { recursive: true });
  }
});

test('S130 an account is found in passwd, and root is none for a unit', () => {
  const passwd = 'root:x:0:0:root:/root:/bin/sh\nopenclaw:x:998:997::/home/openclaw:/usr/sbin/nologin\n';
  expect(findAccount('openclaw', passwd)).toEqual({ name: 'openclaw', uid: 998, gid: 997, home: '/home/openclaw' });
  expect(findAccount('open', passwd)).toBeNull();
  expect(() => checkAccountName('root')).toThrow('never run as root');
  expect(() => checkAccountName('a b; rm')).toThrow('cannot be the name');
});

test.each(['\n', '\r', '\u0085', '\0'])('a folder named with %j adds no line to a unit', (mark) => {
  const evil = `/srv/a${mark}ExecStartPre=/bin/evil`;
  const facts = unitFacts(paths, ['/usr/bin/node', '/opt/x/bin/x.cjs'], { user: null, workspace: undefined });
  for (const changed of [{ stateDir: evil }, { writable: [evil] }, { command: [evil] }, { environment: { A: evil } }])
    expect(() => unitText('systemd-user', { ...facts, ...changed })).toThrow('control character');
});

const analyze = systemProgram('systemd-analyze');
test.runIf(analyze)('systemd-analyze finds nothing wrong with them, and little exposed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hardshell-unit-'));
  try {
    const facts = unitFacts(paths, [process.execPath, import.meta.filename], { user: 'daemon', workspace: undefined });
    const file = join(folder, 'openclaw-gateway.service');
    writeFileSync(file, unitText('systemd-system', facts).replaceAll(/^(WorkingDirectory)=.*$/gm, '$1=/tmp'));
    const options = { encoding: 'utf8', timeout: 15_000, stdio: 'pipe' } as const;
    expect(execFileSync('/bin/sh', ['-c', `${analyze} verify "${file}" 2>&1 || true`], options)).not.toContain(file);
    const judged = execFileSync(analyze ?? '', ['security', '--offline=true', '--no-pager', file], options);
    const level = Number(/exposure level for \S+: ([\d.]+)/.exec(judged)?.[1]);
    expect(level).toBeLessThan(4);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const deploy = join(import.meta.dirname, '..', '..', '..', 'deploy');
test.each([
  ['openclaw-gateway.service', system],
  ['openclaw-gateway.user.service', own.replaceAll('/home/openclaw', '%h')],
  ['ai.hardshell.gateway.plist', plist.replaceAll('/home/openclaw', '/Users/you')],
])('deploy/%s is what the program would write', (name, text) => {
  const file = join(deploy, name);
  if (process.env['UPDATE_DEPLOY'] === '1') writeFileSync(file, text);
  expect(readFileSync(file, 'utf8')).toBe(text);
});
