// Owns the shape of every provider's stream: `start` before the first output, exactly one `end`, nothing thrown. The
// adapters only translate; what counts as aborted, failed or finished is decided here, once for all of them.
import { setImmediate } from 'node:timers/promises';
import {
  type ModelEvent,
  type ModelFailure,
  type ModelProvider,
  type ModelRequest,
  NO_USAGE,
  type Usage,
} from '../provider.ts';
import { type Connection, type Endpoint, openConnection } from './connection.ts';
import { badKeyFailure, brokenOffFailure, thrownFailure } from './failures.ts';

export type Output = Extract<ModelEvent, { type: 'text' | 'toolCall' }>;
export type Finish = { readonly stop: 'end' | 'tools' | 'length' | 'refusal'; readonly failure?: ModelFailure };
/** What is known so far; an adapter writes here so that a reply that breaks off is still counted. */
export type Tally = { usage: Usage };
/** Yields output and returns how the reply finished, or null when the stream stopped before it had finished. */
type Talk = (
  request: ModelRequest,
  connection: Connection,
  tally: Tally,
) => AsyncGenerator<Output, Finish | null, void>;

/** Long enough to never matter: silence is watched by the connection, byte by byte, not by the SDK's timer. */
export const SDK_TIMEOUT_MS = 2_147_483_647;

/** Data that has already arrived is read without ever waiting; others get their turn at least this often. */
const MAX_BUSY_MS = 10;

const ignore = (): void => {};
/** The SDKs log to the console by default, request bodies included. */
export const SILENT_LOGGER = { error: ignore, warn: ignore, info: ignore, debug: ignore };

/** A provider that speaks one format. The adapter brings its address and how it talks; the rest is the same for all. */
export const speaking = (endpoint: Endpoint, talk: Talk): ModelProvider => ({
  id: endpoint.id,
  stream: (request, signal) => streamReply(endpoint, request, signal, talk),
});

async function* streamReply(
  endpoint: Endpoint,
  request: ModelRequest,
  signal: AbortSignal,
  talk: Talk,
): AsyncGenerator<ModelEvent, void, void> {
  const tally: Tally = { usage: NO_USAGE };
  const connection = openConnection(endpoint, signal);
  const output = talk(request, connection, tally);
  let started = false;
  let busySinceMs = performance.now();
  let finish: Finish | undefined;
  let failure = /[^\x21-\x7e]/.test(endpoint.apiKey) ? badKeyFailure(connection.where) : undefined;
  try {
    while (failure === undefined && finish === undefined && !signal.aborted) {
      if (performance.now() - busySinceMs > MAX_BUSY_MS) {
        await setImmediate();
        busySinceMs = performance.now();
      }
      const step = await output.next();
      if (signal.aborted) break;
      if (step.done && step.value === null) {
        failure = connection.failure() ?? brokenOffFailure(connection.where);
        break;
      }
      if (!started) yield { type: 'start', provider: endpoint.id, model: request.model };
      started = true;
      if (!step.done) yield step.value;
      else finish = step.value ?? undefined;
    }
  } catch (error) {
    failure = connection.failure() ?? thrownFailure(error, connection.where);
  } finally {
    // Also when the reader has stopped reading: the socket must not stay open behind it.
    connection.close();
    output.return(null).catch(ignore);
  }
  if (signal.aborted) yield { type: 'end', stop: 'aborted', usage: tally.usage };
  else if (failure !== undefined) yield { type: 'end', stop: 'error', usage: tally.usage, failure };
  else yield { type: 'end', stop: 'end', usage: tally.usage, ...finish };
}
