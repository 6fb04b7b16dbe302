// A yes to a tool of a server that sees the workspace is a yes to the files that its arguments name, as they are then.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { OWNER_DM } from '../../test/support/speaker.ts';
import { changedIn } from '../policy/approvals/approval.ts';
import { UNDECLARED } from '../policy/flow/roles.ts';
import { namesIn } from '../policy/shell/names.ts';
import { tierOfCall } from '../policy/trust/tiers.ts';
import { label } from '../store/label.ts';
import { serverTool } from '../tools/mcp/tool.ts';
import { createBinder } from './binding.ts';

const toolOf = (hasWorkspace: boolean) =>
  serverTool({ server: 'post', tool: 'send', description: '', schema: {}, hasWorkspace }, UNDECLARED);

function bound(hasWorkspace = true) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'binding-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const put = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  put('plan b.txt', 'as it was shown');
  const bind = createBinder({ folderOf: () => folder, namesIn });
  const parts = (args: object) =>
    bind(
      {
        ...{ turnId: 't', sessionKey: 's', agentId: 'main', callId: 'c', name: 'post__send', args, speaker: OWNER_DM },
        context: label('owner', 'owner'),
      },
      toolOf(hasWorkspace).effects(args, 'sandbox'),
    );
  return { put, parts };
}

test.each<[string, object]>([
  ['by its name', { path: 'plan b.txt' }],
  ['as the server sees it', { path: '/workspace/plan b.txt' }],
  ['as an address', { uri: 'file:///workspace/plan%20b.txt' }],
  ['within others', { mail: { text: 'hello', files: [{ at: './plan b.txt' }] } }],
  ['as the name of a field', { files: { 'plan b.txt': { isInline: true } } }],
  ['the long way', { path: `${'./'.repeat(1_000)}plan b.txt` }],
  ['as an address in capitals', { uri: 'FILE:///workspace/plan%20b.txt' }],
])('a file that changes after the yes is noticed, named %s', async (_how, args) => {
  const { put, parts } = bound();
  const approved = (await parts(args)).parts;
  expect(changedIn(approved, (await parts(args)).parts)).toBeNull();
  put('plan b.txt', 'something else');
  expect(changedIn(approved, (await parts(args)).parts)).toMatch(/^the file .*plan b\.txt$/);
});

test('E25 what lies above a link is looked for where the system finds it, not where the words seem to lead', async () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'binding-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'sub/deep'), { recursive: true });
  symlinkSync('sub/deep', join(folder, 'a'));
  const bind = createBinder({ folderOf: () => folder, namesIn });
  for (const command of ['bash a/../x.sh', 'bash /workspace/a/../x.sh', 'cd a && bash ../x.sh']) {
    const call = {
      turnId: 't',
      sessionKey: 's',
      agentId: 'main',
      callId: 'c',
      name: 'exec',
      args: {},
      speaker: OWNER_DM,
    };
    const parts = async () =>
      (
        await bind({ ...call, context: label('owner', 'owner') }, [
          { kind: 'run', command, cwd: '.', where: 'sandbox' },
        ])
      ).parts;
    writeFileSync(join(folder, 'sub/x.sh'), 'echo shown');
    const approved = await parts();
    expect(changedIn(approved, await parts())).toBeNull();
    writeFileSync(join(folder, 'sub/x.sh'), 'echo other');
    expect(changedIn(approved, await parts()), command).toMatch(/x\.sh$/);
  }
});

test('a file that comes into being after the yes is noticed; what is no name binds nothing', async () => {
  const { put, parts } = bound();
  const args = { path: 'later.txt', text: 'two\nlines', long: 'x'.repeat(5_000), n: 4 };
  const approved = (await parts(args)).parts;
  expect(approved.filter(({ what }) => what.startsWith('the file '))).toHaveLength(1);
  put('later.txt', 'x');
  expect(changedIn(approved, (await parts(args)).parts)).toBe('the file later.txt');
});

test('where more is named than can be looked at, the card says so', async () => {
  const { parts } = bound();
  const many = { files: Array.from({ length: 300 }, (_, n) => `f${n}`) };
  expect(await parts(many)).toMatchObject({ isWhole: false });
  expect(await parts({ files: ['f1'] })).toMatchObject({ isWhole: true });
});

test('a change within a folder would not be noticed, so the card says so', async () => {
  const { parts } = bound();
  expect(await parts({ path: '/workspace' })).toMatchObject({ isWhole: false });
  expect(await parts({ path: 'plan b.txt' })).toMatchObject({ isWhole: true });
});

test('what names so much that nobody could look at all of it is refused', () => {
  const paths = Array.from({ length: 6_000 }, (_, n) => `f${n}`);
  expect(toolOf(true).parameters.safeParse({ paths }).success).toBe(false);
  expect(toolOf(true).parameters.safeParse({ paths: paths.slice(0, 4_000) }).success).toBe(true);
  expect(toolOf(false).parameters.safeParse({ paths }).success).toBe(true);
});

test('a server without the workspace has other files under those names', async () => {
  const { parts } = bound(false);
  expect((await parts({ path: 'plan b.txt' })).parts.filter(({ what }) => what.startsWith('the file '))).toEqual([]);
});

test('S213 what is private stays secret, whichever program reads it', () => {
  const [tiers, zones] = [{ high: [], medium: [], low: [] }, { workspace: ['/w'] }] as const;
  const tierOf = (hasWorkspace: boolean, args: object) =>
    tierOfCall(tiers, zones as never, 'post__send', toolOf(hasWorkspace).effects(args, 'sandbox'))?.tier ?? null;
  expect(tierOf(true, { path: 'papers/tax return.pdf' })).toBe('high');
  expect(tierOf(true, { path: 'file:///workspace/taxes/2025.md' })).toBe('high');
  expect(tierOf(true, { rename: { 'taxes/2025.md': 'x.md' } })).toBe('high');
  expect(tierOf(true, { path: `${'./'.repeat(1_000)}taxes/2025.md` })).toBe('high');
  const crowd = Array.from({ length: 300 }, (_, n) => `f${n}`);
  expect(tierOf(true, { paths: [...crowd, 'taxes/2025.md'] })).toBe('high');
  expect(tierOf(true, { path: 'notes.md' })).toBeNull();
  expect(tierOf(false, { path: 'taxes/2025.md' })).toBeNull();
});
