import { expect, test } from 'vitest';
import type { Effect } from './effects.ts';
import { judgeSkills } from './skills.ts';

const ZONES = {
  workspace: ['/home/o/.openclaw/workspace'],
  closed: [{ path: '/home/o/.openclaw', access: 'rw', spellings: ['/home/o/.openclaw'] }],
};
const run = (command: string, where: 'host' | 'sandbox', cwd = '.'): Effect => ({ kind: 'run', command, cwd, where });

const REFUSED: readonly (readonly string[])[] = [
  ['bash skills/weather/run.sh'],
  ['./skills/weather/run.sh Berlin'],
  ['cd skills/weather && ./run.sh'],
  ['python3 /workspace/skills/weather/main.py'],
  ['bash ./notes/../skills/weather/run.sh'],
  ['sh SKILLS/weather/run.sh'],
  ['cat skills/weather/run.sh | bash'],
  ['bash -c "skills/weather/run.sh"'],
  ['./run.sh', 'skills/weather'],
  ['make', 'skills/weather'],
  ['bash /home/o/.openclaw/skills/weather/run.sh'],
  ['bash "$(echo skills)/weather/run.sh"'],
];

test.each(REFUSED)('on the host, what belongs to a skill is refused: %s', async (command = '', cwd = '.') => {
  const [verdict] = await judgeSkills([run(command, 'host', cwd)], ZONES);
  expect(verdict).toMatchObject({ rule: 'deny', code: 'SKILL_ON_HOST' });
  const elevated: Effect = { kind: 'run', command, cwd, where: 'host', elevated: true };
  expect(await judgeSkills([elevated], ZONES)).toHaveLength(1);
  expect(await judgeSkills([run(command, 'sandbox', cwd)], ZONES)).toEqual([]);
});

test.each(['ls', 'git status', 'cat notes/skills.md', 'ls skills'])(
  'what is none of a skill is nobody’s business here: %s',
  async (command) => {
    expect(await judgeSkills([run(command, 'host')], ZONES)).toEqual([]);
  },
);
