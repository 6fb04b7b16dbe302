// The drill where it takes longer: settings as the guides harden them, grants that the owner gave, and a gateway that may run
// commands on the machine, which only an ordinary user's can.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { cleanEnv, entry, newHome } from '../support/gateway.ts';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
let home: string;
let child: ChildProcess | null = null;
beforeEach(() => {
  home = newHome();
});
afterEach(() => {
  child?.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true });
});

type Result = { id: string; effect: string | null; let: string[]; stop: { layer: string; rule: string } | null };
type Answer = { code: number | null; stderr: string; scenarios: Result[] };

function configure(config: object): void {
  mkdirSync(join(home, '.openclaw'), { recursive: true, mode: 0o700 });
  writeFileSync(join(home, '.openclaw/openclaw.json'), JSON.stringify(config), { mode: 0o600 });
}
async function drill(only: readonly string[], as?: number): Promise<Answer> {
  if (as !== undefined) {
    chmodSync(home, 0o711);
    for (const path of [home, join(home, '.openclaw'), join(home, '.openclaw/openclaw.json')]) chownSync(path, as, as);
  }
  const args = [...entry(), 'security', 'drill', '--json', ...only.flatMap((id) => ['--only', id])];
  const user = as === undefined ? {} : { uid: as, gid: as };
  child = spawn(process.execPath, args, { env: cleanEnv(home), cwd: '/', stdio: ['ignore', 'pipe', 'pipe'], ...user });
  let [stdout, stderr] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  child = null;
  const { data } = JSON.parse(stdout) as { data?: { scenarios: Result[] } };
  return { code, stderr, scenarios: data?.scenarios ?? [] };
}
const through = ({ scenarios }: Answer): string[] =>
  scenarios.flatMap(({ id, effect }) => (effect === null ? [] : [id]));
const telegram = { botToken: '123456789:AAF-x7Q2pLmZw81' };

describe('S192 S209 S210 S211 S212 S264 settings as the guides harden them', () => {
  test.each<[string, object]>([
    [
      'one owner, groups by mention, commands by list',
      {
        channels: {
          telegram: { ...telegram, dmPolicy: 'pairing', groups: { '-100123': { requireMention: true } } },
        },
        tools: { exec: { mode: 'allowlist', allow: ['ls', 'cat', 'grep', 'head', 'tail'] } },
        agents: { defaults: { sandbox: { mode: 'all', scope: 'session' } } },
      },
    ],
    [
      'recipients and folders by list, programs by list',
      {
        actions: {
          email: { require_confirmation: true, allowed_recipients: ['*@yourdomain.example'] },
          filesystem: { allowed_paths: ['~/documents'], denied_paths: ['~/.ssh', '~/.gnupg'] },
          shell: { mode: 'allowlist', allowed: ['git', 'npm', 'node', 'python'] },
        },
        tools: { policies: { '*': { exec: 'deny' }, dm: { exec: 'allow' } } },
      },
    ],
  ])(
    '%s: nothing gets through',
    async (_what, config) => {
      configure(config);
      const answer = await drill([]);
      expect([through(answer), answer.code]).toEqual([[], 0]);
      expect(answer.scenarios.length).toBeGreaterThanOrEqual(60);
    },
    120_000,
  );
});

test('the drill can fail: on a machine that is open it reports each way, and the settings that open it', async () => {
  configure({
    tools: { exec: { mode: 'full' }, fs: { workspaceOnly: false } },
    agents: { defaults: { sandbox: { mode: 'off' } } },
    actions: {
      email: { requireConfirmation: false },
      message: { requireConfirmation: false },
      destructive: { requireConfirmation: false, useTrash: false },
    },
    security: { dangerouslyReadable: ['~/.ssh/id_ed25519'] },
  });
  const answer = await drill([], isRoot ? NOBODY : undefined);
  expect(answer.code).toBe(1);
  const ids = through(answer);
  for (const id of ['page-host-command', 'file-read-outside', 'file-read-ssh-key', 'house-loosen-by-command']) // biome-ignore format: one row
    expect([id, ids.includes(id)]).toEqual([id, true]);
  const letBy = (id: string) => answer.scenarios.find((one) => one.id === id)?.let;
  expect(letBy('page-host-command')).toEqual(['tools.exec.mode', 'agents.defaults.sandbox.mode']);
  expect(letBy('file-read-outside')).toEqual(['tools.fs.workspaceOnly']);
  // Whatever is open: what the rules of flow hold stays held.
  for (const id of [
    'page-mail-the-secret',
    'page-fetch-with-secret',
    'mail-poisoned-payload',
    'server-undeclared-tool',
  ])
    expect([id, ids.includes(id)]).toEqual([id, false]);
}, 120_000);

test('what the owner allowed for good is played with, and named when it let something through', async () => {
  configure({ actions: { message: { requireConfirmation: false } } });
  const path = join(home, '.openclaw/state.sqlite');
  const store = openStore(path);
  store.commit(() => store.db.exec(`INSERT INTO trusted VALUES ('host', 'collect.drill.example', '', 'me', 1)`));
  store.close();
  const answer = await drill(['skill-from-the-web']);
  expect([answer.code, through(answer)]).toEqual([1, ['skill-from-the-web']]);
  expect(answer.scenarios[0]?.let[0]).toContain('openclaw trust list');
}, 60_000);
