// Owns what tests of models need: a request with sensible parts, and a whole stream read into one value that says whether
// its events came in the order the contract promises.
import type {
  ModelEvent,
  ModelFailure,
  ModelProvider,
  ModelRequest,
  ModelToolCall,
  Usage,
} from '../../src/models/provider.ts';

export const LS_TOOL = {
  name: 'ls',
  description: 'Lists a folder.',
  parameters: { type: 'object', properties: { path: { type: 'string' } }, additionalProperties: false },
};

export const requestOf = (text: string, more: Partial<ModelRequest> = {}): ModelRequest => ({
  model: 'test-model',
  system: { stable: 'You are a test.', volatile: 'It is Monday.' },
  messages: [{ role: 'user', text }],
  tools: [LS_TOOL],
  maxOutputTokens: 1_000,
  cacheKey: 'agent:main:telegram:+491700000000',
  ...more,
});

export type Outcome = {
  readonly events: readonly ModelEvent[];
  readonly text: string;
  readonly calls: readonly ModelToolCall[];
  readonly stop: string;
  readonly usage: Usage;
  readonly failure: ModelFailure | undefined;
  readonly startedBy: string | undefined;
  readonly ms: number;
};

/** Reads a stream to its end and throws when it breaks the contract. */
export async function outcomeOf(stream: AsyncIterable<ModelEvent>): Promise<Outcome> {
  const events: ModelEvent[] = [];
  const began = performance.now();
  for await (const event of stream) {
    if (events.at(-1)?.type === 'end') throw new Error('an event came after end');
    events.push(event);
  }
  const end = events.at(-1);
  if (end?.type !== 'end') throw new Error('the stream did not end with end');
  const starts = events.filter((event) => event.type === 'start');
  const firstOutput = events.findIndex((event) => event.type === 'text' || event.type === 'toolCall');
  if (starts.length > 1 || (starts.length === 1 && events.find(({ type }) => type !== 'spent')?.type !== 'start'))
    throw new Error('start is not the first event');
  if (firstOutput >= 0 && starts.length === 0) throw new Error('output without start');
  if (end.stop === 'error' && end.failure === undefined) throw new Error('an error without a failure');
  if (end.failure !== undefined && (end.failure.message.length > 300 || /[\n\r]/.test(end.failure.message))) {
    throw new Error(`not one line of at most 300 characters: ${end.failure.message}`);
  }
  const start = starts[0];
  return {
    events,
    text: events.map((event) => (event.type === 'text' ? event.delta : '')).join(''),
    calls: events.flatMap((event) => (event.type === 'toolCall' ? [event.call] : [])),
    stop: end.stop,
    usage: end.usage,
    failure: end.failure,
    startedBy: start?.type === 'start' ? `${start.provider}/${start.model}` : undefined,
    ms: performance.now() - began,
  };
}

export const ask = (
  provider: ModelProvider,
  request: ModelRequest | string,
  signal: AbortSignal = new AbortController().signal,
): Promise<Outcome> => outcomeOf(provider.stream(typeof request === 'string' ? requestOf(request) : request, signal));
