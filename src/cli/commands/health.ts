// Owns `openclaw health`: a real round trip over the protocol, timed.
import { EXIT } from '../../platform/errors.ts';
import { withClient } from '../connect/with-client.ts';
import type { Context } from '../context.ts';
import { span } from '../output.ts';
import { formatDuration } from '../print/units.ts';
import type { TargetFlags } from '../target.ts';

export async function run(context: Context, options: TargetFlags): Promise<number> {
  const { out } = context;
  return withClient(context, options, { scopes: ['operator.read'] }, async (client, target) => {
    const startedAt = performance.now();
    const health = (await client.request('health', {})) as { ok?: boolean } | null;
    const tookMs = performance.now() - startedAt;
    const well = health?.ok !== false;
    out.data(health);
    out.line(
      span(well ? 'green' : 'red', well ? 'ok' : 'not well'),
      `: ${target.address} answered in ${formatDuration(tookMs)}`,
    );
    return well ? EXIT.ok : EXIT.failure;
  });
}
