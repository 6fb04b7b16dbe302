// Owns `openclaw policy replay FILE`: recorded runs, one a line, put through the rules of information flow, one line of
// decisions out for each. It calls nothing and changes nothing.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import * as z from 'zod/mini';
import { HardshellError } from '../../../platform/errors.ts';
import { fileFailure } from '../../../platform/file-errors.ts';
import { tryParseJson } from '../../../platform/json.ts';
import { createFlowRun, type FlowDecision } from '../../../policy/flow/decide-flow.ts';
import type { Context } from '../../context.ts';
import { span } from '../../output.ts';

const EFFECTS = [
  ...(['read', 'fetch', 'reversible', 'irreversible', 'message'] as const),
  ...(['grant-access', 'money', 'credential', 'execute'] as const),
];
const tool = z.object({
  effect: z.enum(EFFECTS),
  args: z.record(z.string(), z.enum(['target', 'object', 'payload', 'amount'])),
  result: z.enum(['own', 'untrusted']),
  readers: z.optional(z.enum(['secret', 'public'])),
});
const recording = z.object({
  id: z.string(),
  tools: z.record(z.string(), tool),
  registry: z._default(z.record(z.string(), z.array(z.string())), {}),
  run: z.array(
    z.union([
      z.object({ owner: z.string() }),
      z.object({
        call: z.object({ tool: z.string(), args: z._default(z.record(z.string(), z.unknown()), {}) }),
        result: z._default(z.string(), ''),
      }),
    ]),
  ),
});
type Recording = z.infer<typeof recording>;
type Timed = FlowDecision & { readonly us: number };

export async function run(
  context: Context,
  options: { readonly denyAsks?: boolean },
  file: string,
): Promise<undefined> {
  const { out } = context;
  const count = { runs: 0, allow: 0, ask: 0, deny: 0 };
  let number = 0;
  for await (const line of linesOf(file)) {
    number += 1;
    if (line.trim() === '') continue;
    const given = read(line, `${file}, line ${number}`);
    const decisions = replay(given, options.denyAsks === true);
    count.runs += 1;
    for (const { decision } of decisions) count[decision] += 1;
    out.record({ id: given.id, decisions });
  }
  out.note(
    span('dim', `${count.runs} runs: ${count.allow} calls allowed, ${count.ask} would ask, ${count.deny} denied`),
  );
}

/** A call that would ask counts as approved for what follows, unless `denyAsks`: then the model never sees its result. */
function replay(given: Recording, denyAsks: boolean): Timed[] {
  const flow = createFlowRun(given.tools, given.registry);
  return given.run.flatMap((step): Timed[] => {
    if ('owner' in step) {
      flow.owner(step.owner);
      return [];
    }
    const fromMs = performance.now();
    const decision = flow.decide(step.call);
    const us = Math.round((performance.now() - fromMs) * 1_000);
    if (decision.decision === 'allow' || (decision.decision === 'ask' && !denyAsks))
      flow.result(step.call, step.result);
    return [{ ...decision, us }];
  });
}

function read(line: string, where: string): Recording {
  const value = tryParseJson(line);
  const parsed = recording.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const at = issue && issue.path.length > 0 ? `${issue.path.map(String).join('.')}: ` : '';
  throw new HardshellError({
    code: 'BAD_RECORDING',
    message: `${where} is no recorded run (${value === undefined ? 'not JSON' : `${at}${issue?.message ?? ''}`})`,
    fix: 'one JSON object a line: {"id", "tools", "registry", "run"}; see docs/policy.md',
  });
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const stream = createReadStream(file, 'utf8');
  try {
    yield* createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
  } catch (error) {
    if (error instanceof HardshellError) throw error;
    throw fileFailure('read', file, error);
  } finally {
    stream.destroy();
  }
}
