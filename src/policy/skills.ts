// Owns what policy says about the scripts of skills: they run in a box, and nowhere else, whoever approved the skill and
// whatever the settings open. It knows them by where they lie; what only the run can tell counts as one.
import { resolve } from 'node:path';
import { covers, type Zones } from '../config/zones.ts';
import { foldPath } from '../platform/never-readable.ts';
import type { Effect } from './effects.ts';
import type { Verdict } from './verdict.ts';

export async function judgeSkills(
  effects: readonly Effect[],
  zones: Pick<Zones, 'workspace' | 'closed'>,
): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const effect of effects) {
    if (effect.kind !== 'run' || (effect.where !== 'host' && effect.elevated !== true)) continue;
    const named = await scriptsIn(effect.command, effect.cwd, zones);
    if (named.length === 0) continue;
    verdicts.push({
      rule: 'deny',
      key: 'built in',
      code: 'SKILL_ON_HOST',
      reason: `what belongs to a skill runs in the sandbox alone, and this names ${named[0]}`,
      fix: 'run it in the sandbox, without elevated',
      marks: named.slice(0, 5),
    });
  }
  return verdicts;
}

async function scriptsIn(command: string, cwd: string, { workspace, closed }: Pick<Zones, 'workspace' | 'closed'>) {
  const [top = '/'] = workspace;
  const folders = [...workspace, ...closed.flatMap(({ spellings }) => spellings)].map(
    (one) => `/${foldPath(one)}/skills`,
  );
  const isSkills = (path: string): boolean => {
    const whole = `/${foldPath(resolve(top, cwd, path.replace(/^\/workspace(?=\/|$)/, top)))}`;
    return folders.some((folder) => whole !== folder && covers(folder, whole));
  };
  if (isSkills('.')) return [cwd];
  // Loaded only for commands on the host: the parser costs memory.
  const { namesIn } = await import('./shell/names.ts');
  const { programs, files, isBindable } = await namesIn(command);
  const found = [...programs, ...files].filter((one) => isSkills(one));
  return found.length === 0 && !isBindable && /skills/i.test(command)
    ? ['skills, in a way that only the run can tell']
    : found;
}
