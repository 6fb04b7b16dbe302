// What the supervisor promises for connections that end, hang, lie or are refused.
import { expect, test } from 'vitest';
import type { Log } from '../log/log.ts';
import { ChannelFailure, type ChannelPorts, type ConnectedChannel, type Health } from './channel.ts';
import { createHealthRecord } from './health-record.ts';
import { type ChannelStatus, type SupervisePace, supervise } from './supervise.ts';

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, reopen() {}, close() {}, file: '' };
const FAST: SupervisePace = {
  ...{ firstWaitMs: 5, maxWaitMs: 40, refusedWaitMs: 60_000, steadyMs: 10_000, probeEveryMs: 20, probeLimitMs: 50 },
  ...{ tickMs: 5, endMs: 50 },
};
type Run = (ports: ChannelPorts, signal: AbortSignal, connected: () => void, nth: number) => Promise<void>;

function start(
  run: Run,
  more: { probe?: () => Promise<Health>; silenceMs?: number; pace?: Partial<SupervisePace> } = {},
) {
  let runs = 0;
  const seen: ChannelStatus[] = [];
  const waiting: { readonly test: (status: ChannelStatus) => boolean; readonly go: (status: ChannelStatus) => void }[] =
    [];
  const fine = (): Promise<Health> =>
    Promise.resolve({ ok: true, atMs: Date.now(), roundTripMs: 3, account: '@bot' } as const);
  const channel: ConnectedChannel = {
    ...{ id: 'test', account: 'default', idempotent: false, maxChars: 100, silenceMs: more.silenceMs ?? null },
    send: () => Promise.resolve({ state: 'sent' }),
    probe: more.probe ?? fine,
    run: (ports, signal, connected) => run(ports, signal, connected, ++runs),
  };
  const supervisor = supervise(channel, {
    emit: () => 'accepted',
    groupChanged: () => {},
    chatMoved: () => {},
    changed(status) {
      seen.push(status);
      for (const one of waiting) if (one.test(status)) one.go(status);
    },
    ...{ log: silent, now: Date.now, record: createHealthRecord(null), pace: { ...FAST, ...more.pace } },
  });
  return {
    supervisor,
    seen,
    runs: () => runs,
    when: (test: (status: ChannelStatus) => boolean): Promise<ChannelStatus> =>
      new Promise((go) => waiting.push({ test, go })),
  };
}
const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve()));

test('a connection that is lost is made again, slower each time it fails at once', async () => {
  const times: number[] = [];
  const house = start(async (_ports, signal, connected, nth) => {
    times.push(performance.now());
    if (nth < 5) throw new ChannelFailure('network', 'connection refused', '');
    connected();
    await untilAborted(signal);
  });
  await house.when(({ state }) => state === 'connected');
  const waits = times.slice(1).map((at, i) => at - (times[i] ?? 0));
  expect(waits[0]).toBeGreaterThanOrEqual(4);
  expect(waits[3]).toBeGreaterThan((waits[0] ?? 0) * 3);
  expect(house.supervisor.status()).toMatchObject({ state: 'connected', problem: null });
  await house.supervisor.stop();
  expect(house.supervisor.status().state).toBe('stopped');
});

test('what the platform asks for is the least it waits', async () => {
  const times: number[] = [];
  const house = start(async (_ports, signal, connected, nth) => {
    times.push(performance.now());
    if (nth === 1) throw new ChannelFailure('network', 'slow down', '', 120);
    connected();
    await untilAborted(signal);
  });
  await house.when(({ state }) => state === 'connected');
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(118);
  await house.supervisor.stop();
});

test('a refusal is taken for an answer: no hammering, and the status has the fix', async () => {
  const house = start(() =>
    Promise.reject(new ChannelFailure('refused', 'the token was revoked', 'openclaw channels add')),
  );
  const status = await house.when(({ state }) => state === 'refused');
  expect(status).toMatchObject({ problem: { family: 'refused', fix: 'openclaw channels add' } });
  expect((status.nextTryMs ?? 0) - Date.now()).toBeGreaterThan(50_000);
  await house.supervisor.stop();
  expect(house.runs()).toBe(1);
});

test('somebody who asks does not have to wait for the next try', async () => {
  const house = start(async (_ports, signal, connected, nth) => {
    if (nth === 1) throw new ChannelFailure('refused', 'no phone is linked', 'openclaw channels login whatsapp');
    connected();
    await untilAborted(signal);
  });
  await house.when(({ state }) => state === 'refused');
  const connected = house.when(({ state }) => state === 'connected');
  house.supervisor.hurry();
  await connected;
  await house.supervisor.stop();
});

test('a socket that is open and says nothing is taken for dead', async () => {
  const house = start(
    async (ports, signal, connected, nth) => {
      connected();
      const beat = nth === 1 ? undefined : setInterval(ports.alive, 5);
      await untilAborted(signal);
      clearInterval(beat);
    },
    { silenceMs: 40 },
  );
  const lost = await house.when(({ state }) => state === 'waiting');
  expect(lost.problem?.reason).toMatch(/^nothing arrived for/);
  await house.when(({ state }) => state === 'connected');
  expect(house.runs()).toBe(2);
  expect(house.supervisor.status().day.drops).toBe(1);
  await house.supervisor.stop();
});

test('two round trips in a row that fail end the connection; one does not', async () => {
  let asked = 0;
  const house = start(
    async (_ports, signal, connected) => {
      connected();
      await untilAborted(signal);
    },
    {
      probe: () => {
        asked += 1;
        const atMs = Date.now();
        if (asked === 2 || asked >= 4)
          return Promise.resolve({ ok: false, atMs, family: 'network', reason: 'no way', fix: '' });
        return Promise.resolve({ ok: true, atMs, roundTripMs: 12, account: '@bot' });
      },
    },
  );
  const lost = await house.when(({ state }) => state === 'waiting');
  expect(asked).toBe(5);
  expect(lost).toMatchObject({ lastRoundTrip: { roundTripMs: 12, account: '@bot' }, problem: { reason: 'no way' } });
  expect(lost.day).toMatchObject({ roundTrips: 2, failedRoundTrips: 3, slowestMs: 12 });
  await house.supervisor.stop();
});

test('a round trip without an answer is a failed one, and a connection that does not let go does not block the next', async () => {
  const house = start(
    async (_ports, _signal, connected, nth) => {
      connected();
      await new Promise<void>((resolve) => nth > 1 && resolve());
    },
    { probe: () => new Promise(() => {}) },
  );
  const lost = await house.when(({ state }) => state === 'waiting');
  expect(lost.problem?.reason).toMatch(/^no answer within/);
  await house.when(({ state }) => state === 'connected');
  expect(house.runs()).toBeGreaterThan(1);
  await house.supervisor.stop();
});

test('a gap is named', async () => {
  const house = start(async (ports, signal, connected) => {
    connected();
    ports.gap('two days without a session');
    await untilAborted(signal);
  });
  await house.supervisor.stop();
  expect(house.supervisor.status().lastGap).toMatchObject({ what: 'two days without a session' });
});

test('the last day survives a restart, and what is older or broken is forgotten', () => {
  const hour = 3_600_000;
  const record = createHealthRecord(null);
  record.roundTrip(0, 10);
  record.roundTrip(30 * hour, 20);
  record.event(30 * hour);
  const next = createHealthRecord(record.save());
  expect(next.day(30 * hour)).toEqual({
    ...{ roundTrips: 1, failedRoundTrips: 0, averageMs: 20, slowestMs: 20, events: 1, drops: 0, hours: 1 },
  });
  for (const broken of ['', '{', '[1]', '[{"hour":"x"}]', '{}'])
    expect(createHealthRecord(broken).day(0).hours).toBe(0);
});
