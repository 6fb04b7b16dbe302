// The unit that `gateway install` writes, under a systemd that has really booted: it starts, its walls stand, commands of
// the assistant still run in their sandbox, it comes back after kill -9, and it ends cleanly and leaves the data.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, bootMachine, type Machine, noMachineBecause, PROGRAM } from '../support/machine.ts';

const ACCOUNT = 'hardshell-test';
const STATE = `/home/${ACCOUNT}/.openclaw`;
const UNIT = 'openclaw-gateway';

const why = noMachineBecause();
if (why !== null) console.log(`skipped: the unit is not started, since ${why}`);

describe.skipIf(why !== null)('the unit under a booted systemd', () => {
  let machine: Machine;
  const asAccount = (...words: string[]): Answer =>
    machine.run(
      ...(['setpriv', '--reuid', ACCOUNT, '--regid', ACCOUNT, '--init-groups', '--'] as [string, ...string[]]),
      ...['env', `HOME=/home/${ACCOUNT}`, PROGRAM, ...words],
    );
  const property = (name: string): string =>
    machine.run('systemctl', 'show', UNIT, '--property', name, '--value').stdout.trim();
  const status = (): { code: number | null; text: string } => {
    const { code, stdout, stderr } = asAccount('gateway', 'status');
    return { code, text: stdout + stderr };
  };

  beforeAll(async () => {
    machine = await bootMachine();
  });
  afterAll(async () => {
    await machine?.stop();
  });

  test('S130 root is refused, and given an account of its own', () => {
    const refused = machine.run(PROGRAM, 'gateway', 'install');
    expect(refused.code).toBe(77);
    expect(refused.stderr).toContain('useradd');
    const installed = machine.run(PROGRAM, 'gateway', 'install', '--system-user', ACCOUNT);
    expect(installed.stdout + installed.stderr).toContain(`/etc/systemd/system/${UNIT}.service`);
    expect(installed.code).toBe(0);
    expect(property('User')).toBe(ACCOUNT);
    expect(property('UnitFileState')).toBe('enabled');
  });

  test('it serves, and `gateway status` of its account says by whom it was started', async () => {
    await expect.poll(() => status().code, { timeout: 20_000, interval: 300 }).toBe(0);
    expect(status().text).toMatch(/running on http:\/\/127\.0\.0\.1:18789/);
    expect(status().text).toContain('systemd-system');
  });

  test('its walls are in force on the running process', () => {
    expect(property('NoNewPrivileges')).toBe('yes');
    expect(property('ProtectSystem')).toBe('strict');
    expect(property('CapabilityBoundingSet')).toBe('');
    expect(property('MemoryMax')).toBe(String(4 * 1024 ** 3));
    const pid = property('MainPID');
    const facts = machine.run('cat', `/proc/${pid}/status`).stdout;
    expect(facts).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(facts).toMatch(/^Seccomp:\s+2$/m);
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
      expect(facts, set).toMatch(new RegExp(`^${set}:\\s+0+$`, 'm'));
    expect(facts).toMatch(/^Umask:\s+0077$/m);
    expect(machine.run('stat', '-c', '%U', `/proc/${pid}`).stdout.trim()).toBe(ACCOUNT);
    // What it sees of the file system: the homes of others are not there, and the system cannot be written.
    const inside = (...words: string[]): Answer =>
      machine.run('nsenter', '--target', pid, '--mount', '--setuid', '0', '--', ...words);
    expect(inside('ls', '-A', '/root').stdout).toBe('');
    expect(inside('touch', '/etc/hardshell-was-here').stderr).toMatch(/Read-only file system/);
    expect(inside('ls', '-A', `/home/${ACCOUNT}`).stdout.trim()).toBe('.openclaw');
    const score = machine.run('systemd-analyze', 'security', '--no-pager', UNIT).stdout.trim().split('\n').at(-1) ?? '';
    console.log(score.replaceAll('→', '').trim());
    expect(Number(/: ([\d.]+) /.exec(score)?.[1])).toBeLessThanOrEqual(3.5);
  });

  test('a command of the assistant runs in its sandbox, inside the unit', () => {
    const list = asAccount(
      'agent',
      '-m',
      '$ echo made-in-the-box > made.txt; cat /proc/self/uid_map; ls -A /root; id -u',
    );
    expect(list.stdout + list.stderr).not.toMatch(/no sandbox|not available/i);
    expect(list.code).toBe(0);
    const made = machine.run('cat', `${STATE}/workspace/made.txt`);
    expect(made.stdout.trim(), list.stdout + list.stderr).toBe('made-in-the-box');
    const deep = asAccount('status', '--deep').stdout;
    console.log(/^sandbox .*$/m.exec(deep)?.[0] ?? deep);
    expect(deep).toMatch(/^sandbox +(bubblewrap|bwrap|unshare)\b/m);
  });

  test('it comes back after kill -9, with another process and the same data', async () => {
    const before = property('MainPID');
    machine.run('kill', '-9', before);
    await expect.poll(() => property('NRestarts'), { timeout: 30_000, interval: 300 }).toBe('1');
    await expect.poll(() => status().code, { timeout: 30_000, interval: 300 }).toBe(0);
    expect(property('MainPID')).not.toBe(before);
    expect(asAccount('sessions', 'list').stdout).toContain('main');
  });

  test('it is stopped, started and restarted through systemd', async () => {
    const told = (verb: string): Answer => machine.run('env', `OPENCLAW_STATE_DIR=${STATE}`, PROGRAM, 'gateway', verb);
    const stopped = told('stop');
    expect(stopped.code, stopped.stderr).toBe(0);
    expect(property('ActiveState')).toBe('inactive');
    expect(property('Result')).toBe('success');
    expect(told('start').code).toBe(0);
    expect(property('ActiveState')).toBe('active');
    const before = property('MainPID');
    expect(told('restart').code).toBe(0);
    expect(property('MainPID')).not.toBe(before);
  });

  test('a configuration that is not usable ends it for good, with the reason, and not in a circle', async () => {
    const write = (text: string): Answer =>
      machine.run(
        'sh',
        '-c',
        'printf %s "$1" > "$2" && chown "$3" "$2" && chmod 600 "$2"',
        'sh',
        text,
        `${STATE}/openclaw.json`,
        ACCOUNT,
      );
    expect(write('{ gateway: { bind: "nowhere" } }').code).toBe(0);
    machine.run('systemctl', 'restart', UNIT);
    await expect.poll(() => property('ActiveState'), { timeout: 20_000, interval: 300 }).toBe('failed');
    expect(property('ExecMainStatus')).toBe('78');
    expect(machine.run('journalctl', '--no-pager', '-u', UNIT).stdout).toContain('gateway.bind');
    expect(write('{}').code).toBe(0);
  });

  test('it is uninstalled, and the data stays', () => {
    const gone = machine.run('env', `OPENCLAW_STATE_DIR=${STATE}`, PROGRAM, 'gateway', 'uninstall');
    expect(gone.code, gone.stderr).toBe(0);
    expect(machine.run('test', '-e', `/etc/systemd/system/${UNIT}.service`).code).toBe(1);
    expect(machine.run('test', '-e', `${STATE}/state.sqlite`).code).toBe(0);
  });
});

describe.skipIf(why !== null)('the unit of a person, under a booted systemd', () => {
  const PERSON = 'person-test';
  let machine: Machine;
  let uid = '';
  const asPerson = (program: string, ...words: string[]): Answer =>
    machine.run(
      ...(['setpriv', '--reuid', PERSON, '--regid', PERSON, '--init-groups', '--'] as [string, ...string[]]),
      ...['env', `HOME=/home/${PERSON}`, `XDG_RUNTIME_DIR=/run/user/${uid}`, program, ...words],
    );
  const property = (name: string): string =>
    asPerson('systemctl', '--user', 'show', UNIT, '--property', name, '--value').stdout.trim();

  beforeAll(async () => {
    machine = await bootMachine();
    expect(machine.run('useradd', '--create-home', '--shell', '/bin/bash', PERSON).code).toBe(0);
    uid = machine.run('id', '-u', PERSON).stdout.trim();
    // What a login does.
    const manager = machine.run('systemctl', 'start', `user@${uid}.service`);
    expect(manager.code, manager.stderr).toBe(0);
  });
  afterAll(async () => {
    await machine?.stop();
  });

  test('it serves as the person, with its walls, and takes a program of root as one of root', async () => {
    const settings = `{ secrets: { providers: { tool: { source: "exec", command: "/usr/bin/printf", args: ["key-%s", "{id}"] } } },
      models: { providers: { local: { baseUrl: "http://127.0.0.1:9/v1", apiKey: { source: "exec", provider: "tool", id: "seven" },
        models: [{ id: "none" }] } } }, agents: { defaults: { model: { primary: "offline/hardshell" } } } }`;
    const write = 'umask 077; mkdir -p ~/.openclaw; printf %s "$1" > ~/.openclaw/openclaw.json';
    expect(asPerson('sh', '-c', write, 'sh', settings).code).toBe(0);
    const installed = asPerson(PROGRAM, 'gateway', 'install');
    expect(installed.code, installed.stdout + installed.stderr).toBe(0);
    const status = (): string => asPerson(PROGRAM, 'gateway', 'status').stdout;
    await expect.poll(status, { timeout: 15_000, interval: 300 }).toMatch(/running on http:[\s\S]*systemd-user/);
    const facts = machine.run('cat', `/proc/${property('MainPID')}/status`).stdout;
    expect(facts).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(facts).toMatch(/^Seccomp:\s+2$/m);
    for (const set of ['CapPrm', 'CapEff', 'CapBnd']) expect(facts, set).toMatch(new RegExp(`^${set}:\\s+0+$`, 'm'));
    expect(facts).toMatch(new RegExp(`^Uid:\\s+${uid}\\s`, 'm'));
    // Not only asked for: the system is read-only to it, and its /tmp is its own.
    const mounts = machine.run('cat', `/proc/${property('MainPID')}/mountinfo`).stdout;
    expect(mounts).toMatch(/ \/ \/ ro,/);
    expect(mounts).toMatch(/\/systemd-private-\S+ \/tmp /);
  });

  test('a command of the assistant runs in its sandbox, inside the unit', () => {
    const ran = asPerson(PROGRAM, 'agent', '-m', '$ echo made-in-the-box > made.txt');
    const made = machine.run('cat', `/home/${PERSON}/.openclaw/workspace/made.txt`).stdout.trim();
    expect(made, ran.stdout + ran.stderr).toBe('made-in-the-box');
  });

  test('it comes back after kill -9, and is uninstalled', async () => {
    asPerson('kill', '-9', property('MainPID'));
    await expect.poll(() => property('NRestarts'), { timeout: 30_000, interval: 300 }).toBe('1');
    await expect.poll(() => asPerson(PROGRAM, 'gateway', 'status').code, { timeout: 30_000, interval: 300 }).toBe(0);
    expect(asPerson(PROGRAM, 'gateway', 'uninstall').code).toBe(0);
    expect(property('ActiveState')).toBe('inactive');
  });
});
