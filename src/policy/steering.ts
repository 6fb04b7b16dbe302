// Owns the files that steer every later turn: the model may propose a change, the owner decides (attacks.md E05).
import type { Effect } from './effects.ts';
import type { Verdict } from './verdict.ts';

export const STEERING_FILES: readonly string[] = ['AGENTS.md', 'SOUL.md', 'IDENTITY.md', 'USER.md'];
const STEERING = new Set(STEERING_FILES.map((name) => name.toLowerCase()));

export function judgeSteering(effects: readonly Effect[]): Verdict[] {
  return effects.flatMap((effect) =>
    effect.kind === 'write' && isSteeringFile(effect.path)
      ? [
          {
            rule: 'ask',
            key: 'built in',
            code: 'STEERING_FILE',
            reason: `${effect.path} steers every later conversation, so a change to it needs your word`,
            fix: '',
            marks: [effect.path],
          },
        ]
      : [],
  );
}

/** By its last name, wherever it lies: spelling, case, Unicode and detours must not make it look like another file. */
export function isSteeringFile(path: string): boolean {
  const name = path
    .normalize('NFKC')
    .toLowerCase()
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .at(-1);
  return STEERING.has(name ?? '');
}
