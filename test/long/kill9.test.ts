// kill -9 at random moments of real turns, again and again: every accepted message ends in exactly one state, nothing
// outward happens twice, and the balance adds up.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startModelServer } from '../doubles/model-server.ts';
import { freePort, newHome, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { configFor } from '../support/model-config.ts';

const KILLS = Number(process.env['HARDSHELL_KILLS'] ?? 200);
const SESSIONS = 6;

type Sent = { readonly id: string; readonly session: string; readonly message: string; acknowledged: boolean };

test(`${KILLS} times kill -9 at random points of a turn: nothing is lost and nothing is doubled`, async () => {
  const model = await startModelServer({ tokens: 12, delayMs: 2 });
  const home = newHome();
  const port = await freePort();
  const config = configFor(model);
  const sent: Sent[] = [];
  const open: Sent[] = [];
  const under: Promise<void>[] = [];
  let gateway: TestGateway | undefined;
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      gateway = await startTestGateway({ home, port, ...(kill === 0 ? { config } : {}) });
      const deadline = performance.now() + 30 + Math.random() * 400;
      // What was not acknowledged is sent again with the same id, as a careful client does.
      for (const message of open.splice(0)) under.push(submit(gateway, message, open));
      while (performance.now() < deadline) {
        const next = newMessage(sent.length);
        sent.push(next);
        under.push(submit(gateway, next, open));
        await sleep(15 + Math.random() * 40);
      }
      await gateway.kill9();
    }
    gateway = await startTestGateway({ home, port });
    // Whatever is still on its way to a dead gateway comes back first; then all of it is handed in once more.
    await Promise.all(under.splice(0));
    while (open.length > 0) for (const message of open.splice(0)) await submit(gateway, message, open);
    await expect.poll(async () => (await balance(gateway)).queued, { timeout: 120_000, interval: 200 }).toBe(0);
    const total = await balance(gateway);
    expect(total.received).toBe(total.answered + total.declined + total.failed);
    await gateway.stop();

    const log = readLog(home);
    const rows = readInbox(home);
    const acknowledged = sent.filter((m) => m.acknowledged);
    console.log(
      `kills ${KILLS}, sent ${sent.length}, acknowledged ${acknowledged.length}, balance ${JSON.stringify(total)}, commands run ${log.length}`,
    );
    expect(sent.length).toBeGreaterThan(KILLS);
    for (const message of acknowledged) expect(rows.get(message.id)?.length, `inbox rows of ${message.id}`).toBe(1);
    for (const [id, states] of rows) expect(['answered', 'failed'], `state of ${id}`).toContain(states[0]);
    expect(new Set(log).size, 'a command ran twice').toBe(log.length);
    expect(total.answered).toBeGreaterThan(total.received * 0.5);
    checkTranscripts(home, rows);
  } finally {
    await gateway?.dispose();
    await model.close();
  }
}, 1_500_000);

function newMessage(n: number): Sent {
  const id = crypto.randomUUID();
  const call = n % 3 === 0 ? '' : `[[tool:exec ${JSON.stringify({ command: `echo ${id} >> log.txt` })}]]`;
  return { id, session: `agent:main:k${n % SESSIONS}`, message: `message ${n} ${call}`, acknowledged: false };
}

async function submit(gateway: TestGateway, message: Sent, open: Sent[]): Promise<void> {
  try {
    await gateway.rpc(
      'chat.send',
      { sessionKey: message.session, message: message.message, idempotencyKey: message.id, queueMode: 'followup' },
      5_000,
    );
    message.acknowledged = true;
  } catch {
    open.push(message);
  }
}

async function balance(
  gateway: TestGateway | undefined,
): Promise<Record<'received' | 'answered' | 'declined' | 'queued' | 'failed', number>> {
  const response = await fetch(`${gateway?.url}/api/status`, {
    headers: { authorization: `Bearer ${gateway?.token}` },
  });
  return (
    (await response.json()) as { messages: Record<'received' | 'answered' | 'declined' | 'queued' | 'failed', number> }
  ).messages;
}

const database = (home: string): DatabaseSync =>
  new DatabaseSync(join(home, '.openclaw', 'state.sqlite'), { readOnly: true });

const readLog = (home: string): string[] =>
  readFileSync(join(home, '.openclaw', 'workspace', 'log.txt'), 'utf8')
    .trim()
    .split('\n');

function readInbox(home: string): Map<string, string[]> {
  const db = database(home);
  const rows = new Map<string, string[]>();
  for (const row of db.prepare('SELECT message_id, state FROM inbox').all()) {
    const id = String(row['message_id']);
    rows.set(id, [...(rows.get(id) ?? []), String(row['state'])]);
  }
  db.close();
  return rows;
}

/** Each run: one message of the user, at most one final answer, every call with its result. */
function checkTranscripts(home: string, rows: Map<string, string[]>): void {
  const db = database(home);
  const users = new Map<string, number>();
  const finals = new Map<string, number>();
  let openCalls = 0;
  for (const row of db.prepare('SELECT run_id, role, blocks FROM messages ORDER BY transcript, seq').all()) {
    const blocks = JSON.parse(String(row['blocks'])) as { type: string }[];
    const id = String(row['run_id']);
    if (row['role'] === 'user') users.set(id, (users.get(id) ?? 0) + 1);
    const calls = blocks.filter((b) => b.type === 'toolCall').length;
    openCalls += calls - blocks.filter((b) => b.type === 'toolResult').length;
    if ((row['role'] === 'assistant' || row['role'] === 'notice') && calls === 0)
      finals.set(id, (finals.get(id) ?? 0) + 1);
  }
  db.close();
  expect(openCalls, 'calls without a result').toBe(0);
  for (const id of rows.keys()) {
    expect(users.get(id), `messages of the user in ${id}`).toBe(1);
    expect(finals.get(id), `final answers in ${id}`).toBe(1);
  }
}
