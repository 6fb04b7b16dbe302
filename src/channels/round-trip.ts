// Owns asking a platform whether it answers, and what is made of that: a time, or a failure of a known family. It never
// takes the settings for an answer.
import { reasonOf } from '../platform/errors.ts';
import { ChannelFailure, type ConnectedChannel, type Health } from './channel.ts';

type Ask = {
  readonly now: () => number;
  /** the name of the account there; what this takes is the time of the round trip */
  who(): Promise<string>;
  /** what else must be in order */
  also?(): Promise<void>;
  failureOf(error: unknown): ChannelFailure;
};

export async function askHealth({ now, who, also, failureOf }: Ask): Promise<Health> {
  const startedMs = performance.now();
  try {
    const account = await who();
    const roundTripMs = Math.round(performance.now() - startedMs);
    await also?.();
    return { ok: true, atMs: now(), roundTripMs, account };
  } catch (error) {
    return unwell(failureOf(error), now());
  }
}

/** As the supervisor asks it: an answer in time, whatever the channel does. */
export async function roundTrip(channel: ConnectedChannel, limitMs: number, now: () => number): Promise<Health> {
  const limit = new AbortController();
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new ChannelFailure('network', `no answer within ${Math.round(limitMs / 1_000)} seconds`, ''));
    limit.abort();
  }, limitMs).unref();
  try {
    return await Promise.race([channel.probe(limit.signal), late.promise]);
  } catch (error) {
    return unwell(error instanceof ChannelFailure ? error : new ChannelFailure('bug', reasonOf(error), ''), now());
  } finally {
    clearTimeout(timer);
  }
}

const unwell = ({ family, message: reason, fix }: ChannelFailure, atMs: number): Health => ({
  ok: false,
  atMs,
  family,
  reason,
  fix,
});
