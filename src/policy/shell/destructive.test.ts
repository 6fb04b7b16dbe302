// What neither trash nor undo brings back asks: by the programs of the command, whatever they are wrapped in.
import { describe, expect, test } from 'vitest';
import { OWNER_DM } from '../../../test/support/speaker.ts';
import { label } from '../../store/label.ts';
import type { ToolCall } from '../decide.ts';
import type { Effect } from '../effects.ts';
import { judgeDestructive } from './destructive.ts';

const call: ToolCall = {
  ...{ turnId: 't', sessionKey: 'agent:main:main', agentId: 'main', callId: 'c', name: 'exec', args: {} },
  ...{ speaker: OWNER_DM, context: label('owner', 'owner') },
};
const run = (command: string, where: 'host' | 'sandbox' = 'host'): Effect => ({
  kind: 'run',
  command,
  cwd: '.',
  where,
});
const judge = (effect: Effect, rules = { requireConfirmation: true, useTrash: true }) =>
  judgeDestructive(call, [effect], rules);

describe('S215 deleting files', () => {
  test.each([
    'rm -rf build',
    '/bin/rm x',
    'echo hi && rm x',
    'ls | xargs rm',
    'xargs -0 -n1 rm -f',
    'timeout 5 shred key',
    'env A=1 rmdir d',
    'sudo rm -rf /',
    "bash -c 'cd x; unlink y'",
    'for f in *; do rm "$f"; done',
    'echo $(truncate -s 0 log)',
    'dd if=/dev/zero of=disk',
    'mkfs.ext4 /dev/sdz',
    'busybox rm x',
    'find . -name "*.o" -delete',
    'find . -exec rm {} +',
    'git clean -fdx',
    'git -C sub reset --hard HEAD~1',
    'git checkout -- src',
    'git checkout .',
    'git restore src/a.ts',
    'git stash drop',
  ])('asks on the host: %s', async (command) => {
    const [verdict] = await judge(run(command));
    expect(verdict).toMatchObject({
      ...{ rule: 'ask', code: 'DESTRUCTIVE_ASKS', key: 'actions.destructive.requireConfirmation' },
    });
    expect(verdict).toMatchObject({ marks: [expect.any(String)] });
  });
  test('marks the risky part alone, and offers no "always"', async () => {
    const [verdict] = await judge(run('cd build && rm -rf out && ls'));
    expect(verdict).toMatchObject({ marks: ['rm -rf out'] });
    expect(verdict).not.toHaveProperty('always');
  });
  test.each([
    'ls -la',
    'echo rm',
    'grep rm notes',
    'git status',
    'git clean -n',
    'git reset HEAD a',
    'git checkout main',
    'git restore --staged a',
    'find . -name x',
    'npm run rm',
  ])('does not ask: %s', async (command) => expect(await judge(run(command))).toEqual([]));
  test('in a box the trash and undo bring it back, unless the trash is off; and never when switched off', async () => {
    expect(await judge(run('rm x', 'sandbox'))).toEqual([]);
    const noTrash = { requireConfirmation: true, useTrash: false };
    expect(await judge(run('rm x', 'sandbox'), noTrash)).toMatchObject([{ rule: 'ask' }]);
    expect(await judge({ kind: 'run', command: 'rm x', cwd: '.', where: 'sandbox', elevated: true })).toHaveLength(1);
    expect(await judge(run('rm x'), { requireConfirmation: false, useTrash: false })).toEqual([]);
  });
});
