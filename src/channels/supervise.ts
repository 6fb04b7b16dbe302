// Owns keeping one channel connected: it starts the connection again when it ends, tells messages that flow from a socket
// that is merely open, and knows the last real round trip. What a platform refuses is not hammered at.
import type { Log } from '../log/log.ts';
import { reasonOf } from '../platform/errors.ts';
import type { ChannelPorts, ChannelProblem, ConnectedChannel, Health } from './channel.ts';
import { ChannelFailure } from './channel.ts';
import type { DaySummary, HealthRecord } from './health-record.ts';
import { pause, waitMsFor } from './pause.ts';
import { roundTrip } from './round-trip.ts';

export type SupervisePorts = Pick<ChannelPorts, 'emit' | 'groupChanged' | 'chatMoved'> & {
  readonly log: Log;
  readonly now: () => number;
  readonly record: HealthRecord;
  /** the connection was lost, came back, or is refused */
  changed(status: ChannelStatus): void;
  readonly pace?: Partial<SupervisePace>;
};

export type SupervisePace = {
  readonly firstWaitMs: number;
  readonly maxWaitMs: number;
  /** how long a refusal is taken for an answer */
  readonly refusedWaitMs: number;
  /** a connection that held this long makes the next wait a short one again */
  readonly steadyMs: number;
  /** when nothing arrived for this long, the platform is asked */
  readonly probeEveryMs: number;
  readonly probeLimitMs: number;
  readonly tickMs: number;
  /** how long a connection may take to end */
  readonly endMs: number;
};
const PACE: SupervisePace = {
  firstWaitMs: 1_000,
  maxWaitMs: 60_000,
  refusedWaitMs: 10 * 60_000,
  steadyMs: 60_000,
  probeEveryMs: 5 * 60_000,
  probeLimitMs: 20_000,
  tickMs: 15_000,
  endMs: 10_000,
};

export type ChannelStatus = {
  readonly id: string;
  readonly account: string;
  /** `waiting`: lost, will be tried again; `refused`: the platform said no */
  readonly state: 'connecting' | 'connected' | 'waiting' | 'refused' | 'stopped';
  readonly sinceMs: number;
  /** why it is not connected, or what the last round trip said */
  readonly problem: ChannelProblem | null;
  /** when it is tried again */
  readonly nextTryMs: number | null;
  /** anything at all from the platform */
  readonly lastEventMs: number | null;
  /** the last one that came back */
  readonly lastRoundTrip: { readonly atMs: number; readonly roundTripMs: number; readonly account: string } | null;
  readonly lastGap: { readonly atMs: number; readonly what: string } | null;
  readonly day: DaySummary;
};

/** Two round trips in a row that fail mean that the connection is dead, whatever its socket says. */
const DEAD_AFTER_PROBES = 2;

export type Supervisor = ReturnType<typeof supervise>;

export function supervise(channel: ConnectedChannel, ports: SupervisePorts) {
  const { log, now, record } = ports;
  const pace = { ...PACE, ...ports.pace };
  const about = { channel: channel.id, account: channel.account };
  const ended = new AbortController();
  let wake = new AbortController();
  let state: ChannelStatus['state'] = 'connecting';
  let sinceMs = now();
  let problem: ChannelProblem | null = null;
  let nextTryMs: number | null = null;
  let lastEventMs: number | null = null;
  let lastRoundTrip: ChannelStatus['lastRoundTrip'] = null;
  let lastGap: ChannelStatus['lastGap'] = null;
  let askedAtMs = 0;
  let failedProbes = 0;
  let asking: Promise<Health> | null = null;

  const status = (): ChannelStatus => ({
    id: channel.id,
    account: channel.account,
    state,
    sinceMs,
    problem,
    nextTryMs,
    lastEventMs,
    lastRoundTrip,
    lastGap,
    day: record.day(now()),
  });
  const enter = (next: ChannelStatus['state']): void => {
    if (next === state) return;
    // Trying again is not news: a channel is away since it was lost, however often that was tried.
    if (next === 'connected' || state === 'connected') sinceMs = now();
    state = next;
    ports.changed(status());
  };

  const attempt = async (): Promise<ChannelFailure | null> => {
    const connection = new AbortController();
    const signal = AbortSignal.any([ended.signal, connection.signal]);
    let dead: ChannelFailure | null = null;
    let quietSinceMs = now();
    const giveUp = (failure: ChannelFailure): void => {
      dead ??= failure;
      connection.abort();
    };
    const tick = setInterval(() => {
      const quietMs = now() - quietSinceMs;
      if (state === 'connected' && channel.silenceMs !== null && quietMs > channel.silenceMs)
        return giveUp(silent(quietMs));
      const idleMs = now() - Math.max(quietSinceMs, askedAtMs);
      if (idleMs >= pace.probeEveryMs && state === 'connected') void ask().then((health) => judge(health, giveUp));
    }, pace.tickMs).unref();
    try {
      const run = channel.run(
        {
          emit: ports.emit,
          groupChanged: ports.groupChanged,
          chatMoved: ports.chatMoved,
          alive: () => {
            quietSinceMs = now();
            lastEventMs = quietSinceMs;
            record.event(quietSinceMs);
          },
          gap: (what) => {
            lastGap = { atMs: now(), what };
            log.warn('messages may be missing', { ...about, what });
          },
          log,
          now,
        },
        signal,
        () => {
          quietSinceMs = now();
          failedProbes = 0;
          problem = null;
          enter('connected');
          void ask().then((health) => judge(health, giveUp));
        },
      );
      const late = (): void => log.error('the connection did not end when it was told to', about);
      await endsInTime(run, signal, pace.endMs, late);
      return dead ?? (ended.signal.aborted ? null : new ChannelFailure('network', 'the connection ended', ''));
    } catch (error) {
      if (ended.signal.aborted) return null;
      return dead ?? (error instanceof ChannelFailure ? error : ourBug(error));
    } finally {
      clearInterval(tick);
    }
  };

  const judge = (health: Health, giveUp: (failure: ChannelFailure) => void): void => {
    if (health.ok) {
      failedProbes = 0;
      problem = null;
      return;
    }
    failedProbes += 1;
    if (ended.signal.aborted) return;
    if (health.family === 'refused') giveUp(new ChannelFailure('refused', health.reason, health.fix));
    else if (failedProbes >= DEAD_AFTER_PROBES) giveUp(new ChannelFailure(health.family, health.reason, health.fix));
  };

  /** One round trip at a time; whoever asks meanwhile gets the same answer. */
  const ask = (): Promise<Health> => {
    asking ??= roundTrip(channel, pace.probeLimitMs, now)
      .then((health) => {
        askedAtMs = now();
        if (health.ok) {
          lastRoundTrip = { atMs: health.atMs, roundTripMs: health.roundTripMs, account: health.account };
          record.roundTrip(health.atMs, health.roundTripMs);
        } else {
          const { ok: _, ...failure } = health;
          problem = failure;
          record.failedTrip(failure.atMs);
        }
        return health;
      })
      .finally(() => {
        asking = null;
      });
    return asking;
  };

  const loop = async (): Promise<void> => {
    for (let tries = 0; !ended.signal.aborted; tries++) {
      nextTryMs = null;
      if (state !== 'connecting') enter('connecting');
      const startedAtMs = now();
      const failure = await attempt();
      if (!failure || ended.signal.aborted) break;
      if (state === 'connected') record.drop(now());
      if (state === 'connected' && now() - startedAtMs >= pace.steadyMs) tries = 0;
      const { family, message: reason, fix, retryAfterMs } = failure;
      problem = { atMs: now(), family, reason, fix };
      const leastMs = family === 'refused' ? pace.refusedWaitMs : 0;
      const waitMs = waitMsFor(pace, tries, Math.max(retryAfterMs ?? 0, leastMs));
      nextTryMs = now() + waitMs;
      log.warn('channel not connected', { ...about, family, reason, waitMs });
      enter(family === 'refused' ? 'refused' : 'waiting');
      wake = new AbortController();
      await pause(waitMs, wake.signal);
    }
    enter('stopped');
  };
  const running = loop();

  return {
    channel,
    status,
    probe: ask,
    /** Whatever it waits for: it tries again now. */
    hurry: (): void => wake.abort(),
    /** Resolves when everything that the channel opened is closed, or the time for that is over. */
    async stop(): Promise<void> {
      ended.abort();
      wake.abort();
      await running;
      await asking?.catch(() => {});
    },
  };
}

/** A connection that does not let go when it is told to must not keep the next one from starting. */
function endsInTime(run: Promise<void>, signal: AbortSignal, endMs: number, isLate: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    run.then(resolve, reject);
    signal.addEventListener('abort', () => {
      const late = setTimeout(() => {
        isLate();
        resolve();
      }, endMs).unref();
      run.finally(() => clearTimeout(late)).catch(() => {});
    });
  });
}

const silent = (quietMs: number): ChannelFailure =>
  new ChannelFailure('network', `nothing arrived for ${Math.round(quietMs / 1_000)} seconds, so it counts as dead`, '');
const ourBug = (error: unknown): ChannelFailure =>
  new ChannelFailure('bug', reasonOf(error), 'openclaw logs --tail 200   (and please report it)');
