// Owns the one decision whether a tool call may run. Pure: effects and settings in, decision out. It must never look
// at model prose, and nothing else in the program can make a PermittedCall.
import type { ToolCall } from '../agent/tool-call.ts';
import type { Effect } from './effects.ts';
import type { ToolVerdict } from './tool-policy.ts';

/** What policy is asked about; tools/ sees the call through here. */
export type { ToolCall };

declare const permitted: unique symbol;
/** A tool call that policy has let through. Only this module constructs it. */
export type PermittedCall = ToolCall & { readonly [permitted]: true; readonly effects: readonly Effect[] };

export type Decision =
  | { readonly kind: 'allow'; readonly call: PermittedCall }
  | { readonly kind: 'deny'; readonly code: string; readonly reason: string; readonly fix: string }
  /** needs the owner; `approve` makes the permitted call once the owner has said yes */
  | { readonly kind: 'ask'; readonly code: string; readonly reason: string; readonly approve: () => PermittedCall };

/** Files that steer every later turn; the model may propose a change, the owner decides (attacks.md E05). */
export const STEERING_FILES: readonly string[] = ['AGENTS.md', 'SOUL.md', 'IDENTITY.md', 'USER.md'];
const STEERING = new Set(STEERING_FILES.map((name) => name.toLowerCase()));

/** The strictest answer over all effects: a denial beats a question, whatever their order. */
export function decide(call: ToolCall, effects: readonly Effect[], tool: ToolVerdict): Decision {
  const permit = (): PermittedCall => ({ ...call, effects }) as PermittedCall;
  if (tool.rule === 'deny') {
    const isPass = tool.key.startsWith('openclaw ');
    return {
      kind: 'deny',
      code: 'TOOL_DENIED',
      reason: isPass
        ? `${call.name} reaches beyond the folder and the tools that this guest was given`
        : `the owner's settings deny ${call.name} (${tool.key})`,
      fix: isPass ? `name something inside that folder; /whoami says which it is` : `openclaw config get ${tool.key}`,
    };
  }
  if (effects.some((effect) => effect.kind === 'run' && effect.where === 'host')) {
    return {
      kind: 'deny',
      code: 'HOST_EXEC_DENIED',
      reason: 'commands run only inside the sandbox, never on the host',
      fix: 'openclaw status   (shows whether a sandbox driver is available)',
    };
  }
  const steering = effects.find((effect) => effect.kind === 'write' && isSteeringFile(effect.path));
  if (steering?.kind === 'write') {
    return {
      kind: 'ask',
      code: 'STEERING_FILE',
      reason: `${steering.path} steers every later conversation, so a change to it needs your word`,
      approve: permit,
    };
  }
  if (tool.rule === 'ask') {
    return {
      kind: 'ask',
      code: 'TOOL_ASKS',
      reason: `the owner's settings ask before each ${call.name} (${tool.key})`,
      approve: permit,
    };
  }
  return { kind: 'allow', call: permit() };
}

/** By its last name, wherever it lies: spelling, case, Unicode and detours must not make it look like another file. */
function isSteeringFile(path: string): boolean {
  const name = path
    .normalize('NFKC')
    .toLowerCase()
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .at(-1);
  return STEERING.has(name ?? '');
}
