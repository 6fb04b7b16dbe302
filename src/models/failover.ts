// Owns retry and failover: which model answers, how long to wait, when to give up. A request that has produced output is
// never sent again, and a session's own choice of model is never replaced by another.
import { setTimeout as delay } from 'node:timers/promises';
import { catalogOf, splitRef } from './catalog.ts';
import {
  type ModelEvent,
  type ModelFailure,
  type ModelProvider,
  type ModelRequest,
  type Models,
  NO_USAGE,
} from './provider.ts';
import type { ProviderSettings } from './providers.ts';
import { totalTokens } from './usage.ts';

export type ModelsOptions = {
  readonly providers: readonly ModelProvider[];
  /** for the list of models only */
  readonly settings?: Readonly<Record<string, ProviderSettings>>;
  /** `provider/model` */
  readonly primary: string;
  readonly fallbacks?: readonly string[];
  readonly onNotice?: (text: string, fields: Record<string, unknown>) => void;
  /** all waiting of one request together */
  readonly retryBudgetMs?: number;
  readonly clock?: Clock;
};
export type Clock = {
  /** milliseconds, never running backwards */
  now(): number;
  /** rejects when the signal aborts */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** 0 to 1 */
  random(): number;
};

type End = Extract<ModelEvent, { type: 'end' }>;
type Cooling = { readonly untilMs: number; readonly step: number };

const RETRY_BUDGET_MS = 90_000;
/** A provider that is down is not waited for this long while another model could answer; one that says when, is. */
const RETRY_WITH_FALLBACK_MS = 10_000;
const MAX_WAIT_MS = 60_000;
const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 30_000;
const MAX_ATTEMPTS = 8;
const MAX_RATE_LIMIT_ATTEMPTS = 10;
const COOLDOWNS_MS = [30_000, 60_000, 300_000];

const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => delay(ms, undefined, { signal }),
  random: Math.random,
};

export function createModels(options: ModelsOptions): Models {
  const {
    primary,
    fallbacks = [],
    clock = SYSTEM_CLOCK,
    retryBudgetMs = RETRY_BUDGET_MS,
    onNotice = () => {},
  } = options;
  const providers = new Map(options.providers.map((provider) => [provider.id, provider]));
  const cooling = new Map<string, Cooling>();

  const cooledUntil = (ref: string): number =>
    Math.max(cooling.get(ref)?.untilMs ?? 0, cooling.get(splitRef(ref)[0])?.untilMs ?? 0);

  /** A wrong key or an unreachable host concerns all models of a provider; anything else only this one. */
  const cool = (ref: string, failure: ModelFailure): void => {
    const isShared = failure.kind === 'auth' || failure.kind === 'billing' || failure.kind === 'network';
    const key = isShared ? splitRef(ref)[0] : ref;
    const step = Math.min((cooling.get(key)?.step ?? -1) + 1, COOLDOWNS_MS.length - 1);
    cooling.set(key, { untilMs: clock.now() + Math.max(COOLDOWNS_MS[step] ?? 0, failure.retryAfterMs ?? 0), step });
  };

  /** One request to one model. Holds `start` back until there is output, so that a failed attempt leaves no trace. */
  async function* attempt(
    ref: string,
    request: ModelRequest,
    signal: AbortSignal,
  ): AsyncGenerator<ModelEvent, { end: End; produced: boolean }> {
    const [providerId, model] = splitRef(ref);
    const provider = providers.get(providerId);
    let produced = false;
    let end: End | undefined;
    if (provider === undefined) return { end: failed(unknownProvider(ref)), produced };
    try {
      for await (const event of provider.stream({ ...request, model }, signal)) {
        if (event.type === 'end') {
          end = event;
          break;
        }
        if (event.type === 'start') continue;
        if (!produced) yield { type: 'start', provider: providerId, model };
        produced = true;
        yield event;
      }
    } catch {
      // A provider must not throw; its message is not repeated, since nobody has cleaned it.
      end = failed({ kind: 'unknown', message: `the adapter of provider ${providerId} broke its contract` });
    }
    end ??= failed({ kind: 'bad_response', message: `provider ${providerId} ended its reply without finishing it` });
    if (!produced && end.stop !== 'error' && end.stop !== 'aborted')
      yield { type: 'start', provider: providerId, model };
    return { end, produced };
  }

  /** How long to wait before the same model is asked again, or null when it should not be. */
  function retryDelay(failure: ModelFailure, attempts: number, deadlineMs: number): number | null {
    if (!isTransient(failure)) return null;
    if (attempts >= (failure.kind === 'rate_limit' ? MAX_RATE_LIMIT_ATTEMPTS : MAX_ATTEMPTS)) return null;
    const backoff = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempts - 1)) * (0.5 + clock.random() / 2);
    const waitMs = Math.max(backoff, failure.retryAfterMs ?? 0);
    return waitMs > MAX_WAIT_MS || clock.now() + waitMs > deadlineMs ? null : waitMs;
  }

  async function* stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    const isOwnChoice = request.model !== '' && request.model !== primary;
    const refs = isOwnChoice ? [request.model] : [...new Set([primary, ...fallbacks])];
    const ready = refs.filter((ref) => cooledUntil(ref) <= clock.now());
    const candidates = ready.length > 0 ? ready : refs;
    const deadlineMs = clock.now() + retryBudgetMs;
    const failures: { ref: string; failure: ModelFailure }[] = [];
    for (const [index, ref] of candidates.entries()) {
      const isLast = index === candidates.length - 1;
      const patienceMs = isLast ? deadlineMs : Math.min(deadlineMs, clock.now() + RETRY_WITH_FALLBACK_MS);
      for (let attempts = 1; ; attempts++) {
        // Of the first one it was asked before; what failed since may have cost something.
        if ((attempts > 1 || ref !== refs[0]) && request.isBarred?.(ref)) {
          failures.push({ ref, failure: { kind: 'billing', message: `the budget for ${ref} is used up` } });
          break;
        }
        const { end, produced } = yield* attempt(ref, request, signal);
        const failure =
          end.failure ?? (end.stop === 'error' ? { kind: 'unknown' as const, message: 'the model failed' } : undefined);
        if (failure === undefined || end.stop !== 'error') {
          if (end.stop !== 'aborted') [ref, splitRef(ref)[0]].forEach((key) => void cooling.delete(key));
          yield { ...end, model: ref };
          return;
        }
        const isFinal = produced || failure.kind === 'context_length' || failure.kind === 'refusal';
        if (isFinal) {
          yield { ...end, failure, model: ref };
          return;
        }
        if (totalTokens(end.usage) > 0) yield { type: 'spent', model: ref, usage: end.usage };
        const waitMs = signal.aborted
          ? null
          : retryDelay(failure, attempts, failure.kind === 'rate_limit' ? deadlineMs : patienceMs);
        if (waitMs === null) {
          cool(ref, failure);
          failures.push({ ref, failure });
          break;
        }
        onNotice('model call failed, will try again', {
          model: ref,
          attempt: attempts,
          waitMs: Math.round(waitMs),
          kind: failure.kind,
          reason: failure.message,
        });
        await clock.sleep(waitMs, signal).catch(() => {});
        if (signal.aborted) {
          yield { type: 'end', stop: 'aborted', usage: NO_USAGE, model: ref };
          return;
        }
      }
      const next = candidates[index + 1];
      const last = failures.at(-1)?.failure;
      if (next !== undefined)
        onNotice('model failed, going to the next one', { model: ref, next, kind: last?.kind, reason: last?.message });
    }
    yield failed(summary(failures));
  }

  const list = catalogOf(options.settings ?? {}, [primary, ...fallbacks]);
  return { primary, stream, list: () => list };
}

const failed = (failure: ModelFailure): End => ({ type: 'end', stop: 'error', usage: NO_USAGE, failure });

/** Worth another try with the same request. A reply that broke off has no status; one from a wrong address has. */
const isTransient = ({ kind, httpStatus }: ModelFailure): boolean =>
  kind === 'rate_limit' ||
  kind === 'overloaded' ||
  kind === 'timeout' ||
  kind === 'network' ||
  (kind === 'bad_response' && (httpStatus === undefined || httpStatus >= 500));

const unknownProvider = (ref: string): ModelFailure => ({
  kind: 'auth',
  message: `no provider for the model ${ref.slice(0, 100)} is set up; add its key, or choose another model`,
});

/** The first failure is the one that matters; the fallbacks are named so that nobody wonders. */
function summary(failures: readonly { ref: string; failure: ModelFailure }[]): ModelFailure {
  const [first, ...others] = failures;
  if (first === undefined) return { kind: 'unknown', message: 'no model is configured' };
  const more = others.map(({ ref, failure }) => `${ref} ${failure.kind}`).join(', ');
  const tail = more === '' ? '' : ` (fallbacks failed too: ${more})`.slice(0, 140);
  return { ...first.failure, message: first.failure.message.slice(0, 300 - tail.length) + tail };
}
