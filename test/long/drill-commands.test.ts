// `openclaw security drill` as people run it: on the settings as they come everything is stopped, on settings that are open it
// says what got through and which of them let it, and the owner's own state stays as it was.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { newHome, runCommand, writeConfig } from '../support/gateway.ts';

let home: string;
beforeEach(() => {
  home = newHome();
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

type Scenario = {
  id: string;
  effect: string | null;
  stop: { layer: string; rule: string; key: string } | null;
  let: string[];
};
type Report = { stopped: number; gotThrough: number; ms: number; notes: string[]; scenarios: Scenario[] };
const drill = (...args: string[]) => runCommand(['security', 'drill', ...args], { home, timeoutMs: 300_000 });
const reportOf = (stdout: string): Report => (JSON.parse(stdout) as { data: Report }).data;
const scratches = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('hardshell-drill-'));
const hashOf = (folder: string): string =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) =>
      createHash('sha256')
        .update(readFileSync(join(one.parentPath, one.name)))
        .digest('hex'),
    )
    .join();

test('S192 S195 S209 S214 S215 S264 on the settings as they come, every attack is stopped, and nothing is left or touched', async () => {
  writeConfig(home, {});
  const [before, folders] = [hashOf(home), scratches()];
  const { code, stdout } = await drill('--json');
  const report = reportOf(stdout);
  const through = report.scenarios.filter(({ effect }) => effect !== null);
  expect([code, through]).toEqual([0, []]);
  expect(report.stopped).toBeGreaterThanOrEqual(60);
  const layers = new Set(report.scenarios.map(({ stop }) => stop?.layer));
  for (const layer of ['access', 'tool policy', 'path policy', 'shell', 'flow', 'net', 'approval pending'])
    expect([layer, layers.has(layer)]).toEqual([layer, true]);
  expect([hashOf(home), scratches()]).toEqual([before, folders]);
});

test('open settings: it says what got through, which settings let it, and exits 1', async () => {
  writeConfig(home, {
    tools: { fs: { workspaceOnly: false }, policies: { group: { read: 'allow' } } },
    agents: { defaults: { sandbox: { workspaceAccess: 'rw' } } },
    security: { dangerouslyReadable: ['~/.ssh/id_ed25519'] },
    channels: {
      telegram: {
        ...{ botToken: '123456789:AAF-x7Q2pLmZw81', dmPolicy: 'open', allowFrom: ['*'] },
        ...{ groupPolicy: 'open', dangerouslyAllowAnyone: true },
      },
    },
  });
  const { code, stdout } = await drill('--json', '--only', 'file-read');
  const { scenarios } = reportOf(stdout);
  const letBy = (id: string) => scenarios.find((one) => one.id === id)?.let;
  expect(code).toBe(1);
  expect(letBy('file-read-outside')).toEqual(['tools.fs.workspaceOnly']);
  expect(letBy('file-read-ssh-key')).toEqual(['tools.fs.workspaceOnly', 'security.dangerouslyReadable']);
  expect(letBy('file-read-own-state')).toEqual([]);
  const people = await drill('--only', 'stranger');
  expect(people.code).toBe(1);
  expect(people.stdout).toMatch(/stranger-speaks +NOTHING/);
  expect(people.stdout).toMatch(/let by {2}channels\.telegram\.dmPolicy and .*dangerouslyAllowAnyone/);
  const group = await drill('--only', 'group-member-reads');
  expect(group.stdout).toContain('let by  tools.policies.group.read and agents.defaults.sandbox.workspaceAccess');
});

test('settings that are none: it could not run, says why, and exits 3; an unknown scenario has a name that is near', async () => {
  writeConfig(home, { tools: { exec: { mode: 'wide' } } });
  const broken = await drill();
  expect([broken.code, broken.stdout]).toEqual([3, '']);
  expect(broken.stderr).toContain('tools.exec.mode');
  const unknown = await drill('--only', 'page-host-comand');
  expect([unknown.code, unknown.stderr.includes('page-host-command')]).toEqual([64, true]);
  const list = await drill('--list');
  expect([list.code, list.stdout.includes('page-host-command')]).toEqual([0, true]);
});
