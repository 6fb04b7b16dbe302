// Owns `openclaw policy explain`: the decision about one call, each layer's say, the setting behind it, and the command that
// opens it. It works without a gateway and changes nothing.
import { type Explained, explain } from '../../../policy/explain.ts';
import { judgesOf } from '../../../policy/judges.ts';
import type { Context } from '../../context.ts';
import { type Output, type Style, span } from '../../output.ts';
import { tableLines } from '../../print/table.ts';
import { type Asked, type Ground, openGround, type Question, questionOf } from './question.ts';

const STYLE: Readonly<Record<Explained['decision'], Style>> = { allow: 'green', ask: 'yellow', deny: 'red' };

type Line = Omit<Explained['layers'][number], 'layer'> & { readonly layer: string };
export type Answer = Omit<Explained, 'layers'> &
  Pick<Question, 'standing' | 'call'> & {
    /** first `access`, when whoever asks is not heard at all */
    readonly layers: readonly Line[];
  };

export async function run(context: Context, options: Asked): Promise<undefined> {
  const { out } = context;
  const ground = openGround(context);
  const answer = await answerTo(ground, options);
  const { call, ...rest } = answer;
  const { speaker, agentId, name } = call;
  out.data({ ...rest, tool: name, agent: agentId, speaker, notes: [...ground.notes, ...rest.notes] });
  for (const note of ground.notes) out.note(span('yellow', note));
  out.line(span(STYLE[answer.decision], answer.decision), `  ${name}, ${whoIn(answer)}`);
  if (answer.reason !== '') out.line(`because  ${answer.reason}`);
  if (answer.key !== '') out.line(`setting  ${answer.key}`);
  for (const [index, line] of opening(answer).entries()) out.line(`${index === 0 ? 'to open' : 'and    '}  ${line}`);
  for (const note of answer.notes) out.line(`note     ${note}`);
  if (answer.layers.length > 0) printLayers(out, answer);
}

export async function answerTo(ground: Ground, asked: Asked): Promise<Answer> {
  const { call, effects, standing, refused, notes } = questionOf(ground, asked);
  const answer = await explain(call, effects, ground.config, judgesOf(ground.config, ground.zones));
  if (!refused) return { ...answer, standing, call, notes: [...notes, ...answer.notes] };
  const { code, at: key, reason, fix } = refused;
  // What would hold if they were let in is said all the same: it is what the question was about.
  const layers: Line[] = [{ layer: 'access', rule: 'deny', key, why: reason, fix }, ...answer.layers];
  const never = 'a message of theirs never reaches the model, so no tool is ever asked for';
  return { ...answer, decision: 'deny', key, code, reason, fix, layers, standing, call, notes: [...notes, never] };
}

function whoIn({ standing, call: { speaker, agentId } }: Answer): string {
  const { channel, chat, sender, place } = speaker;
  const who = standing === 'owner' ? 'for you' : `for ${channel}:${sender} (${standing})`;
  const where = place === 'dm' ? `in a direct chat on ${channel}` : `in the ${place} ${channel}:${chat}`;
  return `${who}, ${where}${agentId === 'main' ? '' : `, agent ${agentId}`}`;
}

/** Each layer that holds it back has its own lock. */
function opening({ fix, layers, decision }: Answer): string[] {
  const more = (layers[0]?.layer === 'access' ? [] : layers).flatMap((say) =>
    say.rule !== 'allow' && (say.rule === decision || decision === 'deny') ? [say.fix] : [],
  );
  return [...new Set([fix, ...more])].filter((line) => line !== '');
}

function printLayers(out: Output, { layers }: Answer): void {
  const columns = [{ title: 'layer' }, { title: 'says' }, { title: 'setting' }, { title: 'why', flexible: true }];
  const rows = layers.map(({ layer, rule, key, why }) => [layer, rule, key, why]);
  out.line('');
  for (const line of tableLines(columns, rows, out.width)) out.line(line);
}
