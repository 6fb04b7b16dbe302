// Owns asking the rules of information flow about a call of this program: what the run has heard becomes their picture of
// it. Only for tools that declare their roles; files and commands in the box have judges of their own.
import { isOthers } from '../../store/label.ts';
import type { ToolCall } from '../decide.ts';
import type { Verdict } from '../verdict.ts';
import { createFlowRun, type FlowCall } from './decide-flow.ts';
import { ownWords } from './own-words.ts';
import type { ToolRoles } from './roles.ts';

/** `registry`: people, chats, hosts and accounts that the owner has confirmed. */
export type FlowRules = {
  rolesOf(tool: string): ToolRoles | undefined;
  readonly registry: Readonly<Record<string, readonly string[]>>;
};

export function judgeFlow(call: ToolCall, { rolesOf, registry }: FlowRules): Verdict[] {
  /** A tool that does several things has roles for each; what it did before is known by its action. */
  const nameOf = (tool: string, args: unknown): string => {
    const { act, action } = fieldsOf(args);
    const whole = `${tool}.${String(act ?? action)}`;
    return rolesOf(whole) === undefined ? tool : whole;
  };
  const name = nameOf(call.name, call.args);
  const roles = rolesOf(name);
  if (roles === undefined || roles.effect === 'read') return [];
  const { words, results, earlier = '' } = call.heard?.() ?? { words: '', results: [] };
  const heard = results.map(({ tool, args, text }) => ({ tool: nameOf(tool, args), args: fieldsOf(args), text }));
  const names = new Set([name, ...heard.map(({ tool }) => tool)]);
  const tools = Object.fromEntries([...names].flatMap((one) => [[one, rolesOf(one)]])) as Record<string, ToolRoles>;
  const run = createFlowRun(tools, registry, {
    isTainted: isOthers(call.context),
    hasSecret: call.context.readers === 'secret',
    words: eachIn(earlier).map(ownWords).join('\n'),
    hosts: new Set(registry['host'] ?? []),
    ...heldBy(call),
  });
  for (const one of eachIn(words)) run.owner(one);
  for (const { tool, args, text } of heard) run.result({ tool, args }, text);
  const { decision, code, reason, value } = run.decide({ tool: name, args: fieldsOf(call.args) });
  if (decision === 'allow') return [];
  const marks = value === undefined ? {} : { marks: [value] };
  return [{ rule: decision, key: 'built in', code, reason, fix: '', ...marks }];
}

/** Message by message, as agent/heard.ts sets them apart: what is pasted into one does not end in the next. */
const eachIn = (words: string): string[] => words.split('\f');

/** By where all that the model has seen came from: `file:` and `exec` are the owner's things, pages are nobody's. */
const heldBy = (call: ToolCall) => ({
  hasThings: call.context.sources.some((one) => !isOwnChat(one, call) && !one.startsWith('web:')),
  hasOutside: call.context.sources.some((one) => isFromOutside(one, call)),
});

/** Somebody else had a hand in it, as far as this call is concerned. */
export const isFromOutside = (source: string, call: Spoken): boolean =>
  !isOwnChat(source, call) && !source.startsWith('file:') && source !== 'exec';

type Spoken = Pick<ToolCall, 'sessionKey' | 'speaker'>;
/** To the letter: what was quoted or handed over in that chat, and a mail that was read, begin with the channel as well. */
const isOwnChat = (source: string, { sessionKey, speaker: { channel, chat, place } }: Spoken): boolean =>
  place === 'dm' && (source === `${channel}:direct:${chat}` || source === `${channel}:${sessionKey}`);

const fieldsOf = (args: unknown): FlowCall['args'] =>
  args !== null && typeof args === 'object' ? (args as FlowCall['args']) : { value: args };
