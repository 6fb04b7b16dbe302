// Owns what policy says about a command that wants out of the box: owner, listed, an open window, and the owner's word each
// time. It must never let one through unasked, whatever else the settings allow, and offers no "always".
import type { ToolCall } from './decide.ts';
import type { Effect } from './effects.ts';
import type { Verdict } from './verdict.ts';

/** How it stands with the speaker of the call, now. */
export type ElevatedState = {
  readonly refusal: 'off' | 'not the owner' | 'not listed' | null;
  /** as tools.elevated.allowFrom would name them */
  readonly id: string;
  readonly isOpen: boolean;
  /** the account that it would run as */
  readonly user: string;
  readonly isRoot: boolean;
};

export function judgeElevated(
  call: Pick<ToolCall, 'speaker'>,
  effects: readonly Effect[],
  stateOf: (speaker: ToolCall['speaker']) => ElevatedState,
): Verdict[] {
  const wanted = effects.flatMap((effect) => (effect.kind === 'run' && effect.elevated ? [effect] : []));
  if (wanted.length === 0) return [];
  const { refusal, id, isOpen, user, isRoot } = stateOf(call.speaker);
  const inside = 'run it without elevated, inside the box';
  const deny = (code: string, key: string, reason: string, fix: string): Verdict[] => [
    { rule: 'deny', key, code, reason, fix },
  ];
  if (refusal === 'off')
    return deny('ELEVATED_OFF', 'tools.elevated.enabled', 'no command leaves the box here', inside);
  if (refusal === 'not the owner')
    return deny(
      'ELEVATED_NOT_OWNER',
      'tools.elevated',
      'only the owner, in a direct chat, may take a command out of the box',
      inside,
    );
  if (refusal === 'not listed')
    return deny(
      'ELEVATED_NOT_LISTED',
      'tools.elevated.allowFrom',
      `the owner's settings do not list ${id}`,
      `openclaw config set tools.elevated.allowFrom '["${id}"]'`,
    );
  if (isRoot)
    return deny(
      'HOST_EXEC_AS_ROOT',
      'built in',
      'the gateway runs as root, and no command of the assistant runs as root',
      'openclaw gateway install --system-user openclaw',
    );
  if (!isOpen)
    return deny(
      'ELEVATED_CLOSED',
      'built in',
      'no window is open in this chat for commands outside the box',
      id === 'webchat:owner' ? 'the owner runs: openclaw elevated on' : 'the owner sends: /elevated on',
    );
  return wanted.map(({ command }) => ({
    rule: 'ask',
    key: 'tools.elevated',
    code: 'ELEVATED_ASKS',
    reason: `it would run outside the box, on this machine, with all that the account ${user} may do`,
    fix: '',
    marks: [command],
  }));
}
