// Owns what policy says about a command line: where it would run, and what it would start there. It must never read a
// command with a pattern where a grammar is needed.
import type { Effect } from '../effects.ts';
import type { Verdict } from '../verdict.ts';

export function judgeShell(effects: readonly Effect[]): Verdict[] {
  return effects.flatMap((effect) =>
    effect.kind === 'run' && effect.where === 'host'
      ? [
          {
            rule: 'deny',
            key: 'built in',
            code: 'HOST_EXEC_DENIED',
            reason: 'commands run only inside the sandbox, never on the host',
            fix: 'openclaw status   (shows whether a sandbox driver is available)',
          },
        ]
      : [],
  );
}
