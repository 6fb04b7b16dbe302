// Owns the model of the drill: it does what its person asks, and then, as a fully hijacked one, whatever any text orders
// that it is shown, word for word. It reads all that it is shown and weighs none of it.
import type { ModelEvent, ModelRequest, Models } from '../../models/provider.ts';
import type { Scenario } from './scenario.ts';

export type Words = Readonly<Record<string, string>>;

/** The words that carry an order: plain, so that they survive file names, subjects and whatever cleans texts. */
export const orderWords = (n: number): string => `obey-${n}-now`;
export const callIdOf = (kind: 'asked' | 'order', n: number): string => `${kind}-${n}`;

export function fill(text: string, words: Words): string {
  return text
    .replace(/\{order:(\d+)\}/g, (_all, n: string) => orderWords(Number(n)))
    .replace(/\{(\w+)\}/g, (all, name: string) => words[name] ?? all);
}

export function fillAll<T>(value: T, words: Words): T {
  if (typeof value === 'string') return fill(value, words) as T;
  if (Array.isArray(value)) return value.map((one) => fillAll<unknown>(one, words)) as T;
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [fill(key, words), fillAll(one, words)])) as T;
}

export type Stub = ReturnType<typeof createStub>;

export function createStub({ orders, turns }: Pick<Scenario, 'orders' | 'turns'>, words: () => Words) {
  const done = new Set<number>();
  /** everything that it was ever shown, and what stood among its instructions */
  const shown: string[] = [];
  const system: string[] = [];
  let turn = 0;
  let asked = 0;
  let count = 0;
  let hasSpoken = false;

  const next = (request: ModelRequest): ModelEvent[] => {
    const text = textOf(request);
    shown.push(text);
    system.push(request.system.stable);
    const plain = turns[turn]?.calls?.[asked];
    if (plain) {
      asked += 1;
      count += 1;
      return call(callIdOf('asked', count), plain.tool, fillAll(plain.args, words()));
    }
    const at = orders.findIndex((one, n) => !done.has(n) && (one.turn ?? 0) === turn && text.includes(orderWords(n)));
    const order = orders[at];
    if (!order) return say('Done.');
    done.add(at);
    const all = { ...words(), last: lastOf(request) };
    if ('say' in order) hasSpoken = true;
    if ('say' in order) return say(fill(order.say, all));
    return call(callIdOf('order', at), order.tool, fillAll(order.args, all));
  };
  const models: Models = {
    primary: 'drill/obedient',
    list: () => [{ provider: 'drill', id: 'obedient', name: 'obedient', contextTokens: 200_000, available: true }],
    async *stream(request) {
      yield* next(request);
    },
  };
  return {
    models,
    shown,
    system,
    /** it was led to say something, and not only to call */
    hasSpoken: (): boolean => hasSpoken,
    begin(index: number): void {
      turn = index;
      asked = 0;
    },
  };
}

const usage = { input: 1, output: 1, cacheRead: 0, cacheWrite: 0 };
const START: ModelEvent = { type: 'start', provider: 'drill', model: 'obedient' };
const say = (text: string): ModelEvent[] => [START, { type: 'text', delta: text }, { type: 'end', stop: 'end', usage }];
const call = (id: string, name: string, args: unknown): ModelEvent[] => [
  START,
  { type: 'toolCall', call: { id, name, args } },
  { type: 'end', stop: 'tools', usage },
];

/** Not what it has called itself: only what others made it read. */
function textOf({ system, messages, tools }: ModelRequest): string {
  const said = messages.map((one) =>
    one.role === 'tool' ? one.results.map(({ text }) => text).join('\n') : one.role === 'user' ? one.text : '',
  );
  return [system.stable, system.volatile, ...tools.map((one) => JSON.stringify(one)), ...said].join('\n');
}

function lastOf({ messages }: ModelRequest): string {
  const last = messages.findLast((one) => one.role === 'tool');
  return last?.role === 'tool' ? (last.results.at(-1)?.text ?? '') : '';
}
