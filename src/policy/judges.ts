// Owns the list of judges: who is asked about a tool call, from the values of the configuration alone, so that the running
// program and `openclaw policy explain` ask the same ones. It must never open anything.
import type { Config } from '../config/schema.ts';
import type { Zones } from '../config/zones.ts';
import { browserRules } from '../net/browser/browser-url.ts';
import { conversationOf, planFor } from '../sandbox/pool/plan.ts';
import { isOwnChat, judgeActions } from './actions.ts';
import type { Judge, ToolCall } from './decide.ts';
import type { Effect } from './effects.ts';
import { type FlowRules, judgeFlow } from './flow/judge.ts';
import type { Asking, ToolRules } from './layers/rules.ts';
import { judgePaths } from './paths.ts';
import { judgeDestructive } from './shell/destructive.ts';
import { judgeFeeding } from './shell/feeding.ts';
import { judgeShell, shellRulesOf } from './shell/judge.ts';
import { judgeSkills } from './skills.ts';
import { judgeSteering } from './steering.ts';
import { judgeToolCall } from './tool-policy.ts';
import { judgeCarryingOut, judgeTiers } from './trust/tiers.ts';
import { judgeBrowser, judgeWeb } from './web/judge.ts';

type Spoken = Pick<ToolCall, 'sessionKey' | 'agentId' | 'speaker'>;
export type PolicyConfig = Pick<Config, 'tools' | 'actions' | 'agents' | 'trust' | 'browser'>;

export const rulesOf = ({ tools, agents }: PolicyConfig): ToolRules => ({ ...tools, agents: agents.entries });

/** Of a call, or of a turn that has not called anything yet: whose it is, and what its box has of the workspace. */
export function askingOf(config: PolicyConfig, turn: Spoken): Asking {
  const { isBoxed, access, because } = planFor(config, conversationOf(turn));
  return { ...turn.speaker, agentId: turn.agentId, box: { isBoxed, access, key: because.access } };
}

/** For asking about a call that nobody has made: what a run would have heard, nobody can say. */
const UNTOLD: FlowRules = { rolesOf: () => undefined, registry: {} };

/** Each may object; the strictest objection holds. */
export function judgesOf(config: PolicyConfig, zones: Zones, flow: FlowRules = UNTOLD): readonly Judge[] {
  const rules = rulesOf(config);
  const { message, email: mail, destructive } = config.actions;
  return [
    (call, effects) => judgeToolCall(call, effects, rules, askingOf(config, call)),
    (call, effects) => judgePaths(call, effects, zones),
    (call, effects) => judgeTiers(call, effects, config.trust.tiers, zones),
    (call, effects) => {
      const reaches = planFor(config, conversationOf(call)).hosts.length > 0;
      return judgeCarryingOut(call, effects, config.trust.tiers, zones, reaches);
    },
    (_call, effects) => judgeSteering(effects),
    (_call, effects) => judgeSkills(effects, zones),
    // What asks to leave the box is judged by its own rules, which know the windows (running.ts).
    ({ context }, effects) => {
      const inBox = effects.filter((one) => one.kind !== 'run' || !one.elevated);
      return judgeShell(context, inBox, shellRulesOf(config.tools.exec, zones));
    },
    (call, effects) => judgeDestructive(call, effects, destructive),
    (_call, effects) => judgeFeeding(effects, config.tools.exec.mode),
    (_call, effects) => judgeWeb(effects, config.tools.web),
    ({ name }, effects) => judgeBrowser(name, effects, browserRules(config)),
    (call, effects) => judgeActions(call, effects, { message, mail }),
    (call, effects) => (staysHere(call, effects) ? [] : judgeFlow(call, flow)),
  ];
}

/** An answer, with files or without, and the owner's own mailbox: nobody hears of it who could not be told in the answer. */
const staysHere = (call: ToolCall, effects: readonly Effect[]): boolean =>
  effects.every(
    (one) => one.kind === 'read' || one.kind === 'mailbox' || (one.kind === 'message' && isOwnChat(call, one.to)),
  ) && effects.some(({ kind }) => kind !== 'read');
