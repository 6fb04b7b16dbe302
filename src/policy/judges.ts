// Owns the list of judges: who is asked about a tool call, from the values of the configuration alone, so that the running
// program and `openclaw policy explain` ask the same ones. It must never open anything.
import type { Config } from '../config/schema.ts';
import type { Zones } from '../config/zones.ts';
import { judgeActions } from './actions.ts';
import type { Judge, ToolCall } from './decide.ts';
import type { Asking, Box, ToolRules } from './layers/rules.ts';
import { judgePaths } from './paths.ts';
import { judgeShell } from './shell/judge.ts';
import { judgeSteering } from './steering.ts';
import { judgeToolCall } from './tool-policy.ts';

type Speaker = ToolCall['speaker'];
export type PolicyConfig = Pick<Config, 'tools' | 'actions' | 'agents'>;

export const rulesOf = ({ tools, agents }: PolicyConfig): ToolRules => ({ ...tools, agents: agents.entries });

/** Where the tools of a conversation run: in a box of its own, unless the settings leave it, or your own main one, out. */
export function boxOf({ agents }: PolicyConfig, { principal, place }: Speaker): Box {
  const { mode } = agents.defaults.sandbox;
  const isMain = principal.kind === 'owner' && place === 'dm';
  return { isBoxed: mode === 'all' || (mode === 'non-main' && !isMain), access: 'rw' };
}

export const askingOf = (config: PolicyConfig, speaker: Speaker, agentId: string): Asking => ({
  ...speaker,
  agentId,
  box: boxOf(config, speaker),
});

/** Each may object; the strictest objection holds. */
export function judgesOf(config: PolicyConfig, zones: Zones): readonly Judge[] {
  const rules = rulesOf(config);
  const { message, email: mail } = config.actions;
  return [
    (call, effects) => judgeToolCall(call, effects, rules, askingOf(config, call.speaker, call.agentId)),
    (call, effects) => judgePaths(call, effects, zones),
    (_call, effects) => judgeSteering(effects),
    (_call, effects) => judgeShell(effects),
    (call, effects) => judgeActions(call, effects, { message, mail }),
  ];
}
