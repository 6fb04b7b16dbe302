// Owns `openclaw status --deep`: a real round trip over the protocol, and per channel who was seen last (S034).
import { withClient } from '../connect/with-client.ts';
import type { Context } from '../context.ts';
import type { TargetFlags } from '../target.ts';

export type ChannelUse = {
  readonly id: string;
  readonly sessions: number;
  readonly lastUsedAtMs: number;
  /** the ids of people as their channel knows them */
  readonly people: readonly string[];
};
export type Deep = { readonly connectMs: number; readonly requestMs: number; readonly channels: readonly ChannelUse[] };

type Row = { key?: string; channel?: string; updatedAt?: number };

export async function lookDeeper(context: Context, options: TargetFlags): Promise<Deep> {
  const startedAt = performance.now();
  return withClient(context, options, { scopes: ['operator.read'] }, async (client) => {
    const connectedAt = performance.now();
    await client.request('health', {});
    const answeredAt = performance.now();
    const list = (await client.request('sessions.list', { limit: 200 })) as { sessions?: Row[] } | null;
    return {
      connectMs: connectedAt - startedAt,
      requestMs: answeredAt - connectedAt,
      channels: channelsOf(list?.sessions ?? []),
    };
  });
}

function channelsOf(rows: readonly Row[]): ChannelUse[] {
  return [...Map.groupBy(rows, (row) => row.channel ?? 'unknown')].map(([id, inside]) => ({
    id,
    sessions: inside.length,
    lastUsedAtMs: Math.max(...inside.map((row) => row.updatedAt ?? 0)),
    people: [...new Set(inside.flatMap((row) => personOf(row.key ?? '')))].sort(),
  }));
}

/** The peer in `agent:<agent>:<channel>:dm:<id>` and its like; a terminal's or a page's own session has none. */
function personOf(key: string): string[] {
  const found = /^agent:[^:]+:[^:]+:(?:dm|direct|group|channel):(.+)$/.exec(key);
  return found?.[1] === undefined ? [] : [found[1]];
}
