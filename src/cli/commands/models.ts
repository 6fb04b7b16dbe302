// Owns `openclaw models list`.
import { ask } from '../connect/with-client.ts';
import type { Context } from '../context.ts';
import { tableLines } from '../print/table.ts';
import { formatCount } from '../print/units.ts';
import type { TargetFlags } from '../target.ts';

type Model = {
  id: string;
  name?: string;
  provider?: string;
  contextWindow?: number;
  available?: boolean;
};

export async function run(context: Context, options: TargetFlags): Promise<undefined> {
  const { out } = context;
  const answer = (await ask(context, options, 'operator.read', 'models.list', {})) as { models?: Model[] } | null;
  const models = answer?.models ?? [];
  out.data({ models });
  const rows = models.map((model) => [
    model.provider ? `${model.provider}/${model.id}` : model.id,
    model.name ?? '',
    formatCount(model.contextWindow ?? 0),
    model.available === false ? 'no key' : 'yes',
  ]);
  const columns = [
    { title: 'MODEL' },
    { title: 'NAME', flexible: true },
    { title: 'CONTEXT', align: 'right' },
    { title: 'USABLE' },
  ] as const;
  for (const line of tableLines(columns, rows, out.width)) out.line(line);
}
