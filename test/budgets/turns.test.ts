// Owns the budgets of a turn: what the gateway adds before the model is asked, what it computes, writes and keeps in
// memory. 1,000 real turns over 50 sessions against the protocol double; the model itself takes no time.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ModelServer, startModelServer } from '../doubles/model-server.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { budgetTable, figuresOf, percentile } from '../support/measure.ts';
import { configFor } from '../support/model-config.ts';
import type { ChatTurn, WsClient } from '../support/ws-client.ts';

const TURNS = 1_000;
const SESSIONS = 50;
const SETTLED_AFTER = 200;
/** One measurement is the whole series; a busy machine gets two more. */
const TRIES = 3;
/** Bytes a token: a low guess, so the count is a high one. */
const BYTES_PER_TOKEN = 3.5;
const LIMIT = { p50Ms: 5, p95Ms: 20, cpuMs: 6, writtenKb: 40, growthMb: 10, promptTokens: 4_000 } as const;

const budget = budgetTable(`a turn, of ${TURNS} over ${SESSIONS} sessions`);

type Series = {
  readonly frontMs: readonly number[];
  readonly cpuMs: number;
  readonly writtenKb: number;
  readonly growthMb: number;
};

describe('turns', () => {
  let model: ModelServer;

  beforeAll(async () => {
    model = await startModelServer();
  });

  afterAll(() => model?.close());

  test('the first prompt, with the schemas of all tools, stays under 4,000 tokens', async () => {
    await withGateway(async (_gateway, client) => {
      const turn = await client.chat('agent:main:budget-first', 'hello');
      expect(turn.state).toBe('final');
    });
    const body = model.requests[0]?.body;
    expect(body?.['tools'], 'the tools are offered').toBeInstanceOf(Array);
    const prompt = { system: body?.['system'], messages: body?.['messages'], tools: body?.['tools'] };
    const tokens = Math.ceil(Buffer.byteLength(JSON.stringify(prompt)) / BYTES_PER_TOKEN);
    budget('first prompt', tokens, LIMIT.promptTokens, 'tokens');
  });

  test('turns stay cheap in time, CPU, writes and memory', { timeout: 300_000 }, async () => {
    let best: Series | undefined;
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const series = await withGateway((gateway, client) => runSeries(gateway, client, attempt));
      if (best === undefined || score(series) < score(best)) best = series;
      if (score(best) <= 1) break;
    }
    if (best === undefined) throw new Error('nothing was measured');
    expect(best.writtenKb, 'a file system that counts writes').toBeGreaterThan(0);
    budget('in front of the model, p50', percentile(best.frontMs, 0.5), LIMIT.p50Ms, 'ms');
    budget('in front of the model, p95', percentile(best.frontMs, 0.95), LIMIT.p95Ms, 'ms');
    budget('CPU of the gateway', best.cpuMs, LIMIT.cpuMs, 'ms');
    budget('written to storage', best.writtenKb, LIMIT.writtenKb, 'kB');
    budget(`memory growth after the first ${SETTLED_AFTER}`, Math.max(0, best.growthMb), LIMIT.growthMb, 'MB');
  });

  /** Every series has a gateway of its own: one that has grown already would hide its growth. */
  async function withGateway<T>(work: (gateway: TestGateway, client: WsClient) => Promise<T>): Promise<T> {
    const gateway = await startTestGateway({ config: configFor(model) });
    try {
      const client = await gateway.connect();
      try {
        return await work(gateway, client);
      } finally {
        await client.close();
      }
    } finally {
      await gateway.dispose();
    }
  }

  async function runSeries(gateway: TestGateway, client: WsClient, attempt: number): Promise<Series> {
    const turns: ChatTurn[] = [];
    const before = figuresOf(gateway.pid);
    let settledMb = 0;
    for (let i = 0; i < TURNS; i += 1) {
      turns.push(await client.chat(`agent:main:budget-${i % SESSIONS}`, `turn ${i} [[id:${attempt}-${i}]]`));
      if (i + 1 === SETTLED_AFTER) settledMb = figuresOf(gateway.pid).rssMb;
    }
    const after = figuresOf(gateway.pid);
    const failed = turns.filter((turn) => turn.state !== 'final');
    expect(failed, 'turns that did not end well').toEqual([]);
    const arrived = new Map(model.requests.map((request) => [request.tag, request.receivedAtMs]));
    return {
      frontMs: turns.map((turn, i) => (arrived.get(`${attempt}-${i}`) ?? Number.NaN) - turn.sentAtMs),
      cpuMs: (after.cpuMs - before.cpuMs) / TURNS,
      writtenKb: (after.writtenBytes - before.writtenBytes) / TURNS / 1_000,
      growthMb: after.rssMb - settledMb,
    };
  }
});

/** The worst of the five figures as a share of its budget; 1 or less means that all are met. */
function score(series: Series): number {
  return Math.max(
    percentile(series.frontMs, 0.5) / LIMIT.p50Ms,
    percentile(series.frontMs, 0.95) / LIMIT.p95Ms,
    series.cpuMs / LIMIT.cpuMs,
    series.writtenKb / LIMIT.writtenKb,
    series.growthMb / LIMIT.growthMb,
  );
}
