// Owns what tokens cost, in one table with its date. What is not in it and has no price in the settings is taken at the
// dearest of everything known, so that a new name cannot spend unseen; what runs on this machine costs nothing.
import { splitRef } from './catalog.ts';
import type { Usage } from './provider.ts';

/** US dollars for a million tokens. `long` holds for a whole request with more than so many tokens in. */
export type Price = Readonly<Record<keyof Usage, number>> & { readonly long?: Price & { readonly over: number } };
export const PRICES_OF = '2026-11-05';

const price = (input: number, output: number, cacheRead: number, cacheWrite = input * 1.25): Price => ({
  ...{ input, output, cacheRead, cacheWrite },
});
const long = (base: Price, over: number, dearer: Price): Price => ({ ...base, long: { ...dearer, over } });

const PRICES: Readonly<Record<string, Price>> = {
  'anthropic/claude-fable-5-1': price(10, 50, 0.25),
  'anthropic/claude-opus-5-5': price(4, 20, 0.2),
  'anthropic/claude-sonnet-5-5': price(2, 10, 0.1),
  'anthropic/claude-haiku-5-5': long(price(0.1, 0.5, 0.01), 100_000, price(0.5, 2.5, 0.05)),
  'anthropic/claude-haiku-4-5': price(1, 5, 0.1),
  'openai/gpt-6.1-sol': long(price(2, 10, 0.1), 272_000, price(4, 15, 0.2)),
  'openai/gpt-5.6-sol': price(5, 30, 0.5),
  'openai/gpt-5.6-terra': price(2.5, 15, 0.25),
  'openai/gpt-5.6-luna': price(1, 6, 0.1),
  'openai/gpt-5.4-mini': price(0.75, 4.5, 0.075),
};
const FREE = price(0, 0, 0, 0);
const ALL = Object.values(PRICES);
const most = (of: keyof Usage): number => Math.max(...ALL.map((one) => one[of]));
const DEAREST: Price = price(most('input'), most('output'), most('cacheRead'), most('cacheWrite'));

type Configured = Readonly<
  Record<
    string,
    {
      readonly baseUrl?: string | undefined;
      readonly models: readonly {
        readonly id: string;
        readonly cost?: Readonly<Partial<Record<keyof Usage, number>>> | undefined;
      }[];
    }
  >
>;
export type Priced = { readonly price: Price; readonly from: 'settings' | 'table' | 'this machine' | 'dearest known' };

/** `ref` is provider/model. A price of the settings that leaves something out is completed from the table, else the dearest. */
export function priceOf(ref: string, configured: Configured): Priced {
  const [provider, id] = splitRef(ref);
  const settings = Object.hasOwn(configured, provider) ? configured[provider] : undefined;
  const known = Object.hasOwn(PRICES, ref) ? PRICES[ref] : undefined;
  const cost = settings?.models.find((one) => one.id === id)?.cost;
  if (cost) {
    const given = Object.entries(cost).filter((entry): entry is [keyof Usage, number] => entry[1] !== undefined);
    return { price: { ...plainOf(known ?? DEAREST), ...Object.fromEntries(given) }, from: 'settings' };
  }
  if (known) return { price: known, from: 'table' };
  if (isHere(provider, settings?.baseUrl)) return { price: FREE, from: 'this machine' };
  return { price: DEAREST, from: 'dearest known' };
}
const plainOf = ({ input, output, cacheRead, cacheWrite }: Price): Price => ({ input, output, cacheRead, cacheWrite });

const isHere = (provider: string, url: string | undefined): boolean =>
  url === undefined
    ? /^(offline|ollama|lmstudio)$/.test(provider)
    : URL.canParse(url) && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(url).hostname);

/** In millionths of a dollar, rounded up: of one request. */
export function costOf({ price }: Priced, usage: Usage): number {
  const tokensIn = usage.input + usage.cacheRead + usage.cacheWrite;
  const per = price.long && tokensIn > price.long.over ? price.long : price;
  const sum =
    usage.input * per.input +
    usage.output * per.output +
    usage.cacheRead * per.cacheRead +
    usage.cacheWrite * per.cacheWrite;
  return Math.ceil(sum);
}
