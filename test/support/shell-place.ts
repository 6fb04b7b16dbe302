// Owns a place in which commands are judged and run by tests: a workspace with a few files, and canaries around it that
// nothing allowed may touch.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zonesOf } from '../../src/config/zones.ts';
import { judgeShell, type ShellRules, shellRulesOf } from '../../src/policy/shell/judge.ts';
import { label } from '../../src/store/label.ts';

export type ShellPlace = ReturnType<typeof openShellPlace>;

/** The five programs of the guides, and a few more. */
export const LISTED = ['ls', 'cat', 'grep', 'head', 'tail'];

export function openShellPlace() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'hardshell-shell-')));
  const workspace = join(folder, 'workspace');
  mkdirSync(join(workspace, 'sub', 'deep'), { recursive: true });
  mkdirSync(join(workspace, 'private'));
  for (const name of ['a.md', 'b.txt', 'sub/c.md', 'two words.txt', 'private/p.txt', 'x.py', 'x.sh', 'x.js'])
    writeFileSync(join(workspace, name), `${name}\nalpha beta\n`);
  writeFileSync(join(workspace, 'head'), `#!/bin/sh\ntouch '${folder}/ran'\n`, { mode: 0o755 });
  writeFileSync(join(folder, 'outside.txt'), 'canary-outside\n');
  symlinkSync(join(folder, 'outside.txt'), join(workspace, 'link'));
  symlinkSync('/etc', join(workspace, 'out'));
  mkdirSync(join(folder, 'outside-folder'));
  writeFileSync(join(folder, 'outside-folder', 'secret.txt'), 'canary-secret\n');
  symlinkSync(join(folder, 'outside-folder'), join(workspace, 'away'));
  symlinkSync(join(folder, 'nothing-yet'), join(workspace, 'dangling'));
  const settings = {
    security: { allowedPaths: [], deniedPaths: ['private'], dangerouslyReadable: [] },
    workspaceOnly: true,
  };
  const places = { workspace, stateDir: join(folder, 'state'), configPath: join(folder, 'state', 'openclaw.json') };
  const zones = zonesOf(settings, places);
  return {
    folder,
    workspace,
    zones,
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export type Mode = NonNullable<ShellRules['mode']>;
export type Asked = {
  readonly mode?: Mode;
  readonly allow?: readonly string[];
  readonly where?: 'sandbox' | 'host';
  readonly cwd?: string;
  readonly strictInlineEval?: boolean;
  readonly integrity?: 'owner' | 'untrusted';
};

/** The one verdict on a command; null: nothing is said about it. */
export async function judged(place: ShellPlace, command: string, asked: Asked = {}) {
  const { mode = 'allowlist', allow = LISTED, where = 'sandbox', cwd = '.', strictInlineEval = true } = asked;
  const exec = { mode, allow, safeBins: ['cut', 'uniq', 'head', 'tail', 'tr', 'wc'], strictInlineEval };
  const effects = [{ kind: 'run', command, cwd, where }] as const;
  const context = label(asked.integrity ?? 'owner', 'owner');
  const verdicts = await judgeShell(context, effects, shellRulesOf(exec, place.zones));
  return verdicts[0] ?? null;
}
