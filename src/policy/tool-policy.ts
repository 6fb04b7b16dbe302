// Owns which tools there are in a conversation at all, and what the layers say about one call. The verdict is the strictest
// say of the layers and nothing else, so what is explained is what is decided. Pure.
import type { ToolCall } from './decide.ts';
import type { Effect } from './effects.ts';
import { layersOf, strictestSay } from './layers/layers.ts';
import { type Asking, GUEST_PASS, type Say, type ToolRules } from './layers/rules.ts';
import type { Verdict } from './verdict.ts';

/** What holds for one tool in one conversation; `key` is the setting that says so. */
export const judgeFor = (name: string, rules: ToolRules, asking: Asking): Say =>
  strictestSay(layersOf(name, rules, asking));

/** What the layers say about one call, with the reason that the model and the person read. */
export function judgeToolCall(call: ToolCall, effects: readonly Effect[], rules: ToolRules, asking: Asking): Verdict[] {
  const name = heldBackAs(call.name, effects, rules, asking);
  const { rule, key, why, fix } = leavesFolder(effects, asking) ? BEYOND : judgeFor(name, rules, asking);
  if (rule === 'allow') return [];
  if (rule === 'ask')
    return [{ rule, key, code: 'TOOL_ASKS', reason: `the owner's settings ask before each ${name} (${key})`, fix }];
  const isPass = key === GUEST_PASS;
  const isOwner = asking.principal.kind === 'owner';
  return [
    {
      rule,
      key,
      code: 'TOOL_DENIED',
      reason: isPass
        ? `${name} reaches beyond the folder and the tools that this guest was given`
        : `the owner's settings deny ${name} (${key}: ${why})`,
      // A guest cannot run a command of the owner's, and can mend it by what they ask for.
      fix: isPass ? 'name something inside that folder; /whoami says which it is' : isOwner ? fix : '',
    },
  ];
}
/** Whoever may not read a file may not have it sent either: the tool of the two that is held back more. */
function heldBackAs(name: string, effects: readonly Effect[], rules: ToolRules, asking: Asking): string {
  if (name !== 'message' || !effects.some(({ kind }) => kind === 'read')) return name;
  const order = (one: string): number => ['allow', 'ask', 'deny'].indexOf(judgeFor(one, rules, asking).rule);
  return order('read') > order(name) ? 'read' : name;
}

const BEYOND = { rule: 'deny', key: GUEST_PASS, why: '', fix: '' } as const;

/** Whether a call reaches outside the folder that a guest pass names; a command reaches everything. */
export function leavesFolder(effects: readonly Effect[], { principal: { kind, limits } }: Asking): boolean {
  const folder = limits?.folder ?? null;
  if (kind === 'owner' || folder === null || folder === '.') return false;
  return effects.some((effect) => {
    if (effect.kind === 'message' || effect.kind === 'mail') return false;
    if (effect.kind !== 'read' && effect.kind !== 'write') return true;
    return effect.path !== folder && !effect.path.startsWith(`${folder}/`);
  });
}
