// Thousands of turns, with tools, aborts and clients that come and go: memory stays flat, nothing is left open, and the
// balance adds up.
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startModelServer } from '../doubles/model-server.ts';
import { startTestGateway } from '../support/gateway.ts';
import { configFor } from '../support/model-config.ts';

const TURNS = Number(process.env['HARDSHELL_SOAK_TURNS'] ?? 6_000);
const SESSIONS = 40;

test(`${TURNS} turns with tools, aborts and dropped clients leave memory, descriptors and children where they were`, async () => {
  const model = await startModelServer({ tokens: 24, keep: 100 });
  const gateway = await startTestGateway({ config: configFor(model) });
  try {
    const figures: { turns: number; rssMb: number; descriptors: number }[] = [];
    let client = await gateway.connect();
    for (let done = 0; done < TURNS; done += SESSIONS) {
      await Promise.all(
        Array.from({ length: SESSIONS }, (_, n) =>
          client.chat(`agent:main:soak${Math.floor(done / 1_000)}-${n}`, textFor(done + n)).catch(() => null),
        ),
      );
      // One client in ten goes away without a word; one turn in a hundred is stopped in the middle.
      if (done % (SESSIONS * 10) === 0) {
        await client.close();
        client = await gateway.connect();
        const stopped = client.chat('agent:main:stopped', 'long [[tokens:400]] [[delay:20]]');
        await sleep(60);
        await client.request('chat.abort', { sessionKey: 'agent:main:stopped' });
        expect((await stopped).state).toBe('aborted');
      }
      if (done % 1_000 === 0)
        figures.push({
          turns: done,
          rssMb: rssMb(gateway.pid),
          descriptors: readdirSync(`/proc/${gateway.pid}/fd`).length,
        });
    }
    await client.close();
    const before = figures.at(1) ?? { rssMb: 0, descriptors: 0 };
    const after = { rssMb: rssMb(gateway.pid), descriptors: readdirSync(`/proc/${gateway.pid}/fd`).length };
    console.log(figures, after);
    expect(after.rssMb - before.rssMb, 'memory growth after the first thousand turns, MB').toBeLessThan(25);
    expect(after.descriptors - before.descriptors, 'descriptors').toBeLessThan(10);
    const status = (await (
      await fetch(`${gateway.url}/api/status`, { headers: { authorization: `Bearer ${gateway.token}` } })
    ).json()) as {
      messages: Record<string, number>;
    };
    const { received, answered, declined, queued, failed } = status.messages;
    expect(received).toBe((answered ?? 0) + (declined ?? 0) + (queued ?? 0) + (failed ?? 0));
    expect(answered).toBeGreaterThanOrEqual(TURNS * 0.98);
    expect(queued).toBe(0);
  } finally {
    await gateway.dispose();
    await model.close();
  }
}, 900_000);

const textFor = (n: number): string => {
  if (n % 25 === 0)
    return `turn ${n} [[tool:write ${JSON.stringify({ path: `f${n % 50}.txt`, content: 'x'.repeat(500) })}]]`;
  if (n % 25 === 5) return `turn ${n} [[tool:exec ${JSON.stringify({ command: 'echo hi' })}]]`;
  return `turn ${n}`;
};

const rssMb = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_000;
