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
  readonly finalMs: readonly number[];
  readonly cpuMs: number;
  readonly writtenKb: number;
  readonly growthMb: number;
};

describe('turns', () => {
  let model: ModelServer;
  let gateway: TestGateway;
  let client: WsClient;

  beforeAll(async () => {
    model = await startModelServer();
    gateway = await startTestGateway({ config: configFor(model) });
    client = await gateway.connect();
  });

  afterAll(async () => {
    await client?.close();
    await gateway?.dispose();
    await model?.close();
  });

  test('the first prompt, with the schemas of all tools, stays under 4,000 tokens', async () => {
    const turn = await client.chat('agent:main:budget-first', 'hello');
    expect(turn.state).toBe('final');
    const request = model.requests[0];
    const prompt = {
      system: request?.body['system'],
      messages: request?.body['messages'],
      tools: request?.body['tools'],
    };
    expect(request?.body['tools'], 'the tools are offered').toBeInstanceOf(Array);
    budget(
      'first prompt',
      Math.ceil(Buffer.byteLength(JSON.stringify(prompt)) / BYTES_PER_TOKEN),
      LIMIT.promptTokens,
      'tokens',
    );
  });

  test('turns stay cheap in time, CPU, writes and memory', { timeout: 300_000 }, async () => {
    for (let i = 0; i < 10; i += 1) await client.chat('agent:main:budget-warm', 'hello');
    let best: Series | undefined;
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const series = await runSeries(attempt);
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

  async function runSeries(attempt: number): Promise<Series> {
    const turns: ChatTurn[] = [];
    const before = figuresOf(gateway.pid);
    let settledMb = 0;
    for (let i = 0; i < TURNS; i += 1) {
      const key = `agent:main:budget-${attempt}-${i % SESSIONS}`;
      turns.push(await client.chat(key, `turn ${i} [[id:${attempt}-${i}]]`));
      if (i + 1 === SETTLED_AFTER) settledMb = figuresOf(gateway.pid).rssMb;
    }
    const after = figuresOf(gateway.pid);
    const failed = turns.filter((turn) => turn.state !== 'final');
    expect(failed, 'turns that did not end well').toEqual([]);
    const arrived = new Map(model.requests.map((request) => [request.tag, request.receivedAtMs]));
    return {
      frontMs: turns.map((turn, i) => (arrived.get(`${attempt}-${i}`) ?? Number.NaN) - turn.sentAtMs),
      finalMs: turns.map((turn) => turn.finalMs),
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
