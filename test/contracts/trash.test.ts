// What rm does in a box, on each driver that shows the shim: what is in the workspace goes to the trash and comes back.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openRoot } from '../../src/platform/root.ts';
import { bubblewrapDriver } from '../../src/sandbox/bubblewrap.ts';
import { DEFAULT_LIMITS, type Sandbox } from '../../src/sandbox/driver.ts';
import { BASE_ENVIRONMENT } from '../../src/sandbox/environment.ts';
import { createTrash, TRASH_KEEP_MS } from '../../src/sandbox/trash/trash.ts';
import { unshareDriver } from '../../src/sandbox/unshare.ts';
import {
  EMPTY_TRASH,
  LIST_TRASH,
  RESTORE_FROM_TRASH,
  RM_SHIM,
  SHIM_FOLDER,
  TRASH_ID,
} from '../../src/sandbox/walls/trash.ts';
import { bashIn, makePlace, type Place } from '../support/sandbox.ts';

describe.each([
  { name: 'bubblewrap', make: () => bubblewrapDriver() },
  { name: 'unshare', make: () => unshareDriver() },
])('$name', ({ make }) => {
  let place: Place;
  let sandbox: Sandbox;
  const env = { PATH: `${SHIM_FOLDER}:${BASE_ENVIRONMENT['PATH']}` };
  const bash = (command: string, stdin = '') => bashIn(sandbox, command, { env, stdin });
  const script = (text: string, ...words: string[]) =>
    sandbox.exec({
      argv: ['/bin/sh', '-c', text, 'sh', ...words],
      cwd: '.',
      limits: {
        timeoutMs: 10_000,
        memoryBytes: 2 ** 29,
        maxProcesses: 32,
        maxOutputBytes: 2 ** 18,
        maxFileBytes: 2 ** 26,
      },
      signal: new AbortController().signal,
    });
  const listed = async () => {
    const parts = (await script(LIST_TRASH)).stdout.split('\0');
    return Array.from({ length: Math.floor(parts.length / 3) }, (_, i) => parts.slice(i * 3, i * 3 + 3));
  };

  beforeAll(async () => {
    place = makePlace();
    sandbox = await make().open({
      ...{ workspace: place.workspace, workspaceAccess: 'rw', network: 'none', hidden: [place.state] },
      fixedFiles: ['AGENTS.md'],
    });
  });
  beforeEach(() => script('/bin/rm -rf /workspace/.trash /workspace/[a-z0-9]*'));
  afterAll(async () => {
    await sandbox?.close();
    place.remove();
  });

  test('S216 rm moves files, folders and links to the trash, and each comes back where it was', async () => {
    const made =
      await bash(`mkdir -p a/b; echo deep >a/b/c; echo plain >"it's a 'name'"; ln -s /etc/passwd link; ln -s a dir
      rm -v "it's a 'name'" link dir/ && cd a && rm -rf b && [ ! -e b ] && cd .. && rm -r -- a; ls -A`);
    expect(made).toMatchObject({ exitCode: 0, stderr: '' });
    expect(made.stdout).toContain(`removed 'it's a 'name''`);
    expect(made.stdout.trimEnd().split('\n').slice(-2)).toEqual(['.trash', 'AGENTS.md']);
    const entries = await listed();
    expect(entries.map(([, , was]) => was).sort()).toEqual(['a', 'a/b', 'dir', "it's a 'name'", 'link']);
    for (const [id = '', , was = ''] of entries.toReversed()) {
      expect(id).toMatch(TRASH_ID);
      expect(await script(RESTORE_FROM_TRASH, id, was)).toMatchObject({ exitCode: 0, stderr: '' });
    }
    expect((await bash(`cat a/b/c "it's a 'name'"; readlink link dir; ls .trash`)).stdout).toBe(
      'deep\nplain\n/etc/passwd\na\n',
    );
  });

  test('what stands there is never replaced by what comes back, and what is emptied is gone', async () => {
    await bash('echo one >f; rm f; echo two >f; rm f; echo three >f');
    const [[first = ''] = [], [second = ''] = []] = await listed();
    expect(await script(RESTORE_FROM_TRASH, first, 'f')).toMatchObject({ exitCode: 3, stderr: 'f exists\n' });
    expect(await script(RESTORE_FROM_TRASH, first, 'new/f')).toMatchObject({ exitCode: 0 });
    expect((await bash('cat f new/f')).stdout).toBe('three\none\n');
    await script(EMPTY_TRASH, second);
    expect(await listed()).toEqual([]);
    expect(readdirSync(join(place.workspace, '.trash'))).toEqual([]);
  });

  test('it answers as rm does: options anywhere, what is missing, what is a folder, what must not go', async () => {
    const said = async (command: string) => {
      const { exitCode, stdout, stderr } = await bash(`touch f g; mkdir -p d e; ${command}`);
      return [exitCode, (stderr + stdout).trim()];
    };
    expect(await said('rm')).toEqual([1, 'rm: missing operand']);
    expect(await said('rm -f')).toEqual([0, '']);
    expect(await said('rm nothing')).toEqual([1, "rm: cannot remove 'nothing': No such file or directory"]);
    expect(await said('rm -f nothing')).toEqual([0, '']);
    expect(await said('rm d')).toEqual([1, "rm: cannot remove 'd': Is a directory"]);
    expect(await said('rm -d e && ls -d e')).toEqual([2, "ls: cannot access 'e': No such file or directory"]);
    expect(await said('rm -x f')).toEqual([1, "rm: invalid option -- 'x'"]);
    expect(await said('rm d -rf f && ls')).toEqual([0, 'AGENTS.md\ne\ng']);
    expect(await said('touch ./-r; rm -- -r && ls')).toEqual([0, 'AGENTS.md\nd\ne\nf\ng']);
    expect(await said('rm -rf . .. d/.')).toEqual([
      1,
      ['.', '..', 'd/.'].map((p) => `rm: refusing to remove '.' or '..' directory: skipping '${p}'`).join('\n'),
    ]);
    expect((await bash('rm -i f g; ls f g', 'n\ny\n')).stdout).toBe('f\n');
    expect((await said('rm AGENTS.md'))[0]).toBe(1);
    expect((await said('rm -rf .trash'))[1]).toContain('emptied by its owner');
    expect((await said('rm --version'))[1]).toContain('GNU');
  });

  test('what is too old goes by itself, then the oldest until the rest is small enough; a name that leads out leads nowhere', async () => {
    await bash(`for id in 20200101-000000-1 20261101-000000-1 20261102-000000-1 not-ours; do
        mkdir -p .trash/$id && printf '%s' "$id.txt" >.trash/$id/was && head -c 100000 /dev/zero >.trash/$id/item; done
      mkdir .trash/20261103-000000-1; printf ../../etc/evil >.trash/20261103-000000-1/was; echo >.trash/20261103-000000-1/item
      mkdir .trash/20261104-000000-1; ln -s /etc/passwd .trash/20261104-000000-1/was; echo >.trash/20261104-000000-1/item`);
    const workspace = await openRoot(place.workspace);
    const open = async () => ({ sandbox, sandboxReason: '', limits: DEFAULT_LIMITS });
    const trash = createTrash(workspace, open, () => Date.UTC(2026, 10, 21));
    const idsOf = async (some: Promise<readonly { id: string }[]>) => (await some).map(({ id }) => id);
    expect(await idsOf(trash.list())).toEqual([
      ...['20200101-000000-1', '20261101-000000-1', '20261102-000000-1', '20261103-000000-1'],
    ]);
    await expect(trash.restore('20261103-000000-1')).rejects.toMatchObject({ code: 'PATH_OUTSIDE' });
    await expect(trash.restore('../..')).rejects.toMatchObject({ code: 'TRASH_UNKNOWN' });
    expect(await idsOf(trash.tidy())).toEqual(['20200101-000000-1']);
    expect(await idsOf(trash.tidy(TRASH_KEEP_MS, 150_000))).toEqual(['20261101-000000-1']);
    expect(await trash.restore('20261102-000000-1')).toMatchObject({ path: '20261102-000000-1.txt' });
    expect(existsSync(join(place.workspace, '20261102-000000-1.txt'))).toBe(true);
    await workspace.close();
  });

  test('rm in /tmp really removes, and nobody changes the shim', async () => {
    const { stdout, exitCode } = await bash(`cd /tmp; echo x >y; mkdir z; rm -r y z; ls -A
      echo >${SHIM_FOLDER}/rm || chmod 777 ${SHIM_FOLDER}/rm || mv ${SHIM_FOLDER} /tmp/s || { cat ${SHIM_FOLDER}/rm; exit 9; }`);
    expect(exitCode).toBe(9);
    expect(stdout).toBe(RM_SHIM);
    expect(existsSync(join(place.workspace, '.trash'))).toBe(false);
  });

  test('S159 rm -rf / and all that it is written as harms nothing, and what went comes back', async () => {
    for (const command of [
      'rm -rf /',
      'rm -rf --no-preserve-root /',
      'rm -rf /*',
      'rm -rf /workspace',
      'rm -rf ./* ../*',
    ]) {
      await bash('mkdir -p a; echo precious >a/b; echo hidden >.config');
      const { exitCode } = await bash(command);
      expect(exitCode, command).not.toBe(0);
      for (const [id = '', , was = ''] of await listed()) await script(RESTORE_FROM_TRASH, id, was);
      const found = await bash('cat a/b .config; ls /usr/bin/env /etc/passwd');
      expect(found.stdout, command).toBe('precious\nhidden\n/etc/passwd\n/usr/bin/env\n');
    }
    expect(readFileSync(join(place.state, 'openclaw.json'), 'utf8')).toContain('STATE-SECRET');
  });

  test('forty at the same second, from many commands at once, do not meet', async () => {
    await bash('for i in $(seq 40); do echo $i >f$i; done');
    await Promise.all(Array.from({ length: 4 }, (_, i) => bash(`rm $(seq -f f%g ${i * 10 + 1} ${i * 10 + 10})`)));
    expect(new Set((await listed()).map(([, , was]) => was)).size).toBe(40);
  });
});
