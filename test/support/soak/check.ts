// Owns what a soak must have come to: counted in the gateway's own tables and at the doubles, message by message.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'vitest';
import type { Said, Site } from './sites.ts';

type InboxRow = { id: number; channel: string; chat: string; messageId: string; state: string; reason: string };
type Reply = { inboxId: number; state: string };
export type ChannelCount = {
  readonly said: number;
  readonly answered: number;
  readonly declined: number;
  readonly failed: number;
  readonly shown: number;
  readonly unknown: number;
};

export function readTables(home: string): { inbox: InboxRow[]; replies: Map<number, Reply[]> } {
  const db = new DatabaseSync(join(home, '.openclaw', 'state.sqlite'), { readOnly: true });
  const inbox = db
    .prepare('SELECT id, channel, chat, message_id, state, reason FROM inbox ORDER BY id')
    .all()
    .map((row) => ({
      ...{ id: Number(row['id']), channel: String(row['channel']), chat: String(row['chat']) },
      ...{ messageId: String(row['message_id']), state: String(row['state']), reason: String(row['reason']) },
    }));
  const replies = new Map<number, Reply[]>();
  for (const row of db.prepare('SELECT inbox_id, state FROM outbox ORDER BY id').all()) {
    const inboxId = Number(row['inbox_id']);
    replies.set(inboxId, [...(replies.get(inboxId) ?? []), { inboxId, state: String(row['state']) }]);
  }
  db.close();
  return { inbox, replies };
}

const keyOf = ({ chat, messageId }: { chat: string; messageId: string }): string => `${chat} ${messageId}`;

/** Every promise about one channel; what is wrong is listed, so that a failure names messages and not only numbers. */
export function checkChannel(site: Site, said: readonly Said[], tables: ReturnType<typeof readTables>): ChannelCount {
  const rows = tables.inbox.filter(({ channel }) => channel === site.id);
  const byKey = new Map(said.map((one) => [keyOf(one), one]));
  const shownBy = new Map<string, number>();
  const tagsByLane = new Map<string, string[]>();
  const wrong: string[] = [];
  for (const { lane, text } of site.shown()) {
    const tag = /^re ([0-9a-f-]{18})$/.exec(text)?.[1];
    if (tag === undefined) {
      // A message that was found unfinished three times says so in its chat.
      if (!text.startsWith('I failed on this message several times'))
        wrong.push(`shown in ${lane}: ${text.slice(0, 80)}`);
      continue;
    }
    shownBy.set(tag, (shownBy.get(tag) ?? 0) + 1);
    tagsByLane.set(lane, [...(tagsByLane.get(lane) ?? []), tag]);
  }

  const seen = new Map<string, number>();
  const count = { said: said.length, answered: 0, declined: 0, failed: 0, shown: 0, unknown: 0 };
  for (const row of rows) {
    const key = keyOf(row);
    seen.set(key, (seen.get(key) ?? 0) + 1);
    const one = byKey.get(key);
    if (!one) {
      wrong.push(`nobody said ${key}`);
      continue;
    }
    const name = `${key} (${row.state} ${row.reason})`;
    const replies = tables.replies.get(row.id) ?? [];
    const shown = shownBy.get(one.tag) ?? 0;
    if (row.state === 'answered') count.answered += 1;
    else if (row.state === 'declined') count.declined += 1;
    else if (row.state === 'failed') count.failed += 1;
    else wrong.push(`not final: ${name}`);
    if (one.isAnswered === (row.state === 'declined')) wrong.push(`the wrong verdict: ${name}`);
    if (shown > 1) wrong.push(`shown ${shown} times: ${name}`);
    if (row.state !== 'answered') {
      if (shown > 0) wrong.push(`answered all the same: ${name}`);
      continue;
    }
    const fate = replies.map(({ state }) => state).join();
    if (fate === 'sent' && shown !== 1) wrong.push(`sent, and not shown: ${name}`);
    else if (fate !== 'sent' && fate !== 'unknown') wrong.push(`its reply is "${fate}": ${name}`);
    if (fate === 'unknown') count.unknown += 1;
    count.shown += shown;
  }
  for (const [key, times] of seen) if (times > 1) wrong.push(`stored ${times} times: ${key}`);
  for (const key of byKey.keys()) if (!seen.has(key)) wrong.push(`lost: ${key}`);
  wrong.push(...disorder(said, rows, byKey, tagsByLane));
  expect(wrong.slice(0, 12), `${site.id}: ${wrong.length} things are wrong`).toEqual([]);
  return count;
}

/** Taken in the order of the platform, and answered in the order of taking. */
function disorder(
  said: readonly Said[],
  rows: readonly InboxRow[],
  byKey: ReadonlyMap<string, Said>,
  shown: ReadonlyMap<string, readonly string[]>,
): string[] {
  const wrong: string[] = [];
  const place = new Map(said.map((one, n) => [one.tag, n]));
  const taken = new Map<string, number>();
  const lastIn = new Map<string, Said>();
  for (const row of rows) {
    const one = byKey.get(keyOf(row));
    if (!one) continue;
    taken.set(one.tag, row.id);
    const before = lastIn.get(one.lane);
    const late = before && (place.get(before.tag) ?? 0) > (place.get(one.tag) ?? 0);
    if (late && !(before.isScrambled && one.isScrambled))
      wrong.push(`taken too late in ${one.lane}: ${keyOf(one)} after ${keyOf(before)}`);
    lastIn.set(one.lane, one);
  }
  for (const [lane, tags] of shown)
    for (const [n, tag] of tags.entries()) {
      const next = tags[n + 1];
      if (next !== undefined && (taken.get(tag) ?? 0) > (taken.get(next) ?? 0))
        wrong.push(`answered out of order in ${lane}: ${tag} before ${next}`);
    }
  return wrong;
}
