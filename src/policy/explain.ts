// Owns the answer to "may this call run, and who says so": the same judges and the same layers that decide, asked aloud. It
// must never have a rule of its own.
import type { Judge, ToolCall } from './decide.ts';
import type { Effect } from './effects.ts';
import { askingOf, type PolicyConfig, rulesOf } from './judges.ts';
import { layersOf } from './layers/layers.ts';
import { isCommand, isMutating } from './layers/names.ts';
import { GUEST_PASS, type Rule, type Say } from './layers/rules.ts';
import { judgeFor } from './tool-policy.ts';
import { type Objection, strictest } from './verdict.ts';

export type Explained = {
  readonly decision: Rule;
  /** '' when nothing objects */
  readonly key: string;
  readonly code: string;
  readonly reason: string;
  readonly fix: string;
  readonly layers: readonly Say[];
  /** of every judge, the layers' own among them */
  readonly objections: readonly Objection[];
  /** what else a person should know of it */
  readonly notes: readonly string[];
};

export async function explain(
  call: ToolCall,
  effects: readonly Effect[],
  config: PolicyConfig,
  judges: readonly Judge[],
): Promise<Explained> {
  const asking = askingOf(config, call);
  const verdicts = (await Promise.all(judges.map((one) => one(call, effects)))).flat();
  const objection = strictest(verdicts);
  const layers = layersOf(call.name, rulesOf(config), asking);
  const { rule, key, code, reason, fix } = objection ?? { rule: 'allow', key: '', code: '', reason: '', fix: '' };
  // What the model is told of it may be less than what the owner may know.
  const said = layers.find((say) => say.rule === rule && say.key === key);
  return {
    decision: rule,
    ...{ key, code, reason },
    fix: key === GUEST_PASS ? (said?.fix ?? fix) : fix || (said?.fix ?? ''),
    layers,
    objections: verdicts.filter((one): one is Objection => one.rule !== 'allow'),
    notes: [
      ...(call.name === 'exec' && effects.length === 0 && rule !== 'deny' && isJudged(config, asking) ? [JUDGED] : []),
      ...aboutWriting(call.name, config, asking, rule),
    ],
  };
}

const JUDGED = 'each command is judged by what it says as well: add --command';
const isJudged = ({ tools }: PolicyConfig, { box }: ReturnType<typeof askingOf>): boolean =>
  box?.isBoxed === false || ['ask', 'allowlist'].includes(tools.exec.mode ?? '');

/** Who reads "write: deny" believes that nothing is written. */
function aboutWriting(name: string, config: PolicyConfig, asking: ReturnType<typeof askingOf>, rule: Rule): string[] {
  const { isBoxed, access } = asking.box ?? {};
  if (isBoxed && access !== 'rw') return [];
  const rules = rulesOf(config);
  const is = (other: string): Rule => judgeFor(other, rules, asking).rule;
  if (isMutating(name) && rule !== 'allow' && is('exec') !== 'deny')
    return ['exec is not denied, and a command can change files of the workspace all the same'];
  if (isCommand(name) && rule !== 'deny' && is('write') === 'deny')
    return ['write is denied, and a command can change files of the workspace all the same'];
  return [];
}
