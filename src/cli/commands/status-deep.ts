// Owns `openclaw status --deep`: a real round trip over the protocol, and per channel who was seen last (S034).
import { listOf, objectOf } from '../connect/wire.ts';
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

type Seen = { readonly channel: string; readonly person: string; readonly atMs: number };
type Row = { key?: string; channel?: string; updatedAt?: number };

export async function lookDeeper(context: Context, options: TargetFlags): Promise<Deep> {
  const startedAt = performance.now();
  return withClient(context, options, { scopes: ['operator.read'] }, async (client) => {
    const connectedAt = performance.now();
    await client.request('health', {});
    const answeredAt = performance.now();
    const list = (await client.request('sessions.list', { limit: 200 })) as { sessions?: Row[] } | null;
    const approved = listOf(objectOf(await client.request('channels.pairing.approved', {}))['approved']);
    const waiting = listOf(objectOf(await client.request('channels.pairing.list', {}))['waiting']);
    const seen = [...approved, ...waiting].flatMap(seenOf);
    return {
      connectMs: connectedAt - startedAt,
      requestMs: answeredAt - connectedAt,
      channels: channelsOf(list?.sessions ?? [], seen),
    };
  });
}

function channelsOf(rows: readonly Row[], seen: readonly Seen[]): ChannelUse[] {
  const ids = new Set([...rows.map((row) => row.channel ?? 'unknown'), ...seen.map(({ channel }) => channel)]);
  return [...ids].map((id) => {
    const inside = rows.filter((row) => (row.channel ?? 'unknown') === id);
    const here = seen.filter(({ channel }) => channel === id);
    return {
      id,
      sessions: inside.length,
      lastUsedAtMs: Math.max(0, ...inside.map((row) => row.updatedAt ?? 0), ...here.map(({ atMs }) => atMs)),
      people: [
        ...new Set([...here.map(({ person }) => person), ...inside.flatMap((row) => personOf(row.key ?? ''))]),
      ].sort(),
    };
  });
}

/** Somebody who has written, whether they were let in or still wait. */
function seenOf(value: unknown): Seen[] {
  const { id, kind, lastSeenAtMs: atMs } = objectOf(value);
  const [, channel, person] = (typeof id === 'string' && /^([a-z]+):(.+)$/.exec(id)) || [];
  return kind === 'person' && typeof atMs === 'number' && channel && person ? [{ channel, person, atMs }] : [];
}

/** The peer in `agent:<agent>:<channel>:dm:<id>` and its like; a terminal's or a page's own session has none. */
function personOf(key: string): string[] {
  const found = /^agent:[^:]+:[^:]+:(?:dm|direct|group|channel):(.+)$/.exec(key);
  return found?.[1] === undefined ? [] : [found[1]];
}
