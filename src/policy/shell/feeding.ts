// Owns what policy says about words to a running command: to an interactive shell they are commands. Whoever wants to be
// asked before each command is asked before each line of input too.
import type { Effect } from '../effects.ts';
import type { Verdict } from '../verdict.ts';

const ASKING = ['ask', 'allowlist'];

export function judgeFeeding(effects: readonly Effect[], mode: string | undefined): Verdict[] {
  if (!ASKING.includes(mode ?? '')) return [];
  return effects.flatMap((effect) =>
    effect.kind === 'process' && effect.input !== ''
      ? [
          {
            rule: 'ask',
            key: 'tools.exec.mode',
            code: 'INPUT_ASKS',
            reason: `what is written to ${effect.id} may be a command, and tools.exec.mode "${mode}" asks before each`,
            fix: '',
            marks: [effect.input],
          },
        ]
      : [],
  );
}
