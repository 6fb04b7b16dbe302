// Commands whose words mean something else to the program, or in another folder, than they seem to: none of them may be
// allowed by a list, and what a yes is bound to is the file that will run.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { namesIn } from '../../src/policy/shell/names.ts';
import { startAsking } from '../support/asking.ts';
import { judged, openShellPlace, type ShellPlace } from '../support/shell-place.ts';

let place: ShellPlace;
beforeAll(() => {
  place = openShellPlace();
  mkdirSync(join(place.workspace, 'project'));
  writeFileSync(join(place.workspace, 'project', '.env'), 'KEY=canary\n');
  writeFileSync(join(place.workspace, 'AGENTS.md'), 'be kind\n');
});
afterAll(() => place.close());

const MORE = ['xxd', 'column', 'strings', 'bash', 'sh', 'cp', 'mv', 'rm', 'tee', 'touch', 'git', 'nice', 'du'];
const allow = ['ls', 'cat', 'grep', 'head', 'tail', ...MORE];
const ruleOf = async (command: string, where: 'sandbox' | 'host') =>
  (await judged(place, command, { allow, where }))?.rule ?? 'nothing';

describe('E14-E22 what a listed program makes of its words', () => {
  test.each([
    // A folder that was gone to by another name of cd.
    ...['command cd private && cat p.txt', 'command cd away; cat secret.txt', 'builtin cd out; cat passwd'],
    ...['command -p cd private; ls', 'command builtin cd private; cat p.txt'],
    // Shells take options with a plus, and code behind them.
    ...["bash +x -c 'id'", 'sh +e -c id', "bash +o posix -c 'id'"],
    // Options that take no value here, or one that is not seen.
    ...['xxd -i /etc/passwd', 'xxd -i b.txt x.py', 'xxd -ac b.txt x.py', 'xxd -s -o /etc/passwd'],
    ...['column -n -o /etc/passwd', 'column -n -s /etc/passwd'],
    // A file that names further files.
    ...['strings @b.txt', 'strings -n @b.txt', 'strings -- @b.txt'],
  ])('%s is asked about', async (command) => {
    expect([await ruleOf(command, 'sandbox'), await ruleOf(command, 'host')]).toEqual(['ask', 'ask']);
  });

  test.each(['xxd -p a.md', 'column -t a.md', 'strings -n 5 a.md', 'command cd sub && cat c.md', 'bash x.sh +x'])(
    '%s still runs',
    async (command) => {
      expect(await ruleOf(command, 'host')).toBe('allow');
    },
  );
});

describe('E05 on the host no wall stands before the files that steer, nor before keys in folders', () => {
  test.each([
    ...['cp a.md AGENTS.md', 'tee AGENTS.md', 'mv a.md AGENTS.md', 'mv AGENTS.md x', 'rm AGENTS.md', 'touch SOUL.md'],
    ...['cp a.md ./agents.md', 'cp a.md sub/AGENTS.md', 'git checkout -- AGENTS.md', 'xxd a.md AGENTS.md'],
    ...['grep -r KEY project', 'grep -rh .'],
  ])('%s is asked about', async (command) => {
    expect(await ruleOf(command, 'host')).toBe('ask');
  });

  test.each(['cat AGENTS.md', 'grep -r alpha sub', 'ls project', 'grep kind AGENTS.md'])(
    '%s still runs',
    async (command) => {
      expect(await ruleOf(command, 'host')).toBe('allow');
    },
  );
});

describe('E25 a yes is bound to the script in the folder that is gone to', () => {
  test.each([
    ['cd sub && bash run.sh', 'sub/run.sh'],
    ['cd sub; ./run.sh', 'sub/./run.sh'],
    ['command cd sub && cd deep; python3 x.py < in.txt', 'sub/deep/in.txt'],
    ["bash -c 'cd sub; . ./lib.sh'", 'sub/./lib.sh'],
    ['cd /tmp/x && sh a.sh', '/tmp/x/a.sh'],
  ])('%s: %s', async (command, file) => {
    const { files, programs, isBindable } = await namesIn(command);
    expect([...files, ...programs]).toContain(file);
    expect(isBindable).toBe(true);
  });

  test.each(['cd; sh a.sh', 'cd -; sh a.sh', 'pushd sub; sh a.sh', 'cd $X; sh a.sh'])(
    '%s: says that it cannot know',
    async (command) => {
      expect((await namesIn(command)).isBindable).toBe(false);
    },
  );

  test('changed between the question and the yes, it does not run', async () => {
    const house = await startAsking({ calls: [{ command: 'cd sub && bash run.sh' }] });
    try {
      mkdirSync(join(house.home, 'workspace', 'sub'));
      house.put('sub/run.sh', 'echo kind');
      house.hear('please');
      const { code } = await house.question();
      house.put('sub/run.sh', 'echo evil');
      house.hear(`yes ${code}`);
      await house.told(/what was approved has changed: .*sub\/run\.sh/);
      expect(house.ran).toEqual([]);
    } finally {
      await house.end();
    }
  });
});
