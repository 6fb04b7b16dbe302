// Owns the count of what is spent, and that nothing is asked of a model over a cap. Part of the composition. What a turn has
// used so far counts before it is stored, so that fifty at once cannot each see an empty day.
import type { Config } from '../config/schema.ts';
import type { Journal } from '../journal/journal.ts';
import { splitRef } from '../models/catalog.ts';
import { costOf, PRICES_OF, priceOf } from '../models/prices.ts';
import type { Notes } from '../store/notes.ts';
import { dayOf, NO_TOKENS, type TokenCount, type UsageTable } from '../store/usage.ts';
import { type Amount, type Cap, capsFor, capText, isNear, isOver, NOTHING, plus, raiseOf, usdText } from './caps.ts';

export type LedgerPorts = {
  readonly usage: UsageTable;
  readonly notes: Notes;
  readonly journal: Pick<Journal, 'record'>;
  readonly now: () => number;
  readonly config: () => Pick<Config, 'budget' | 'models'>;
  /** that answers by default */
  model(): string;
  sessionSpent(sessionKey: string): Amount;
  /** to the owner, once for each key */
  tell(text: string, key: string): void;
};
/** A run that thinks: where it belongs, and the model that it would ask. */
export type Thinking = { readonly runId: string; readonly sessionKey: string };
type Used = { readonly sessionKey: string; readonly model: string; readonly amount: Amount };
export type Ledger = ReturnType<typeof createLedger>;

const ALLOWANCE = 'allowance';

export function createLedger({ usage, notes, journal, now, config, model, sessionSpent, tell }: LedgerPorts) {
  /** what the request of a run that is under way will take at least */
  const asked = new Map<string, Used>();
  /** what requests have used that is not stored yet */
  const open = new Set<Used>();
  const told = new Set<string>();

  const unstored = (is: (sessionKey: string, provider: string) => boolean): Amount =>
    [...asked.values(), ...open].reduce(
      (sum, { sessionKey, model, amount }) => (is(sessionKey, splitRef(model)[0]) ? plus(sum, amount) : sum),
      NOTHING,
    );
  const saved = notes.load(ALLOWANCE);
  let allowance = saved === null || saved === '' ? null : Number(saved);
  const caps = (sessionKey: string, provider: string): readonly Cap[] => {
    // Most have none, and a turn is counted in milliseconds.
    if (allowance === null && Object.keys(config().budget).length === 0) return [];
    const day = dayOf(now());
    return capsFor(
      config().budget,
      {
        today: plus(
          usage.amountSince(day),
          unstored(() => true),
        ),
        month: plus(
          usage.amountSince(`${day.slice(0, 8)}01`),
          unstored(() => true),
        ),
        provider: plus(
          usage.amountSince(day, provider),
          unstored((_, of) => of === provider),
        ),
        session: plus(
          sessionSpent(sessionKey),
          unstored((key) => key === sessionKey),
        ),
      },
      provider,
      allowance,
    );
  };

  const amountOf = (model: string, tokens: TokenCount): Amount => ({
    tokens: sumOf(tokens),
    microusd: costOf(priceOf(model, config().models.providers), tokens),
  });

  /** A turn that ended because the database is gone is no reason to fail once more. */
  const nearIn = (sessionKey: string, model: string): readonly Cap[] => {
    try {
      return caps(sessionKey, splitRef(model)[0]).filter(isNear);
    } catch {
      return [];
    }
  };

  return {
    /** Why this run may not ask that model for so many tokens now, or null. */
    whyNot(run: Thinking, model: string, tokensIn: number): { readonly message: string; readonly fix: string } | null {
      // What it asked before was answered, or failed and another model is to answer.
      asked.delete(run.runId);
      const over = caps(run.sessionKey, splitRef(model)[0]).find(isOver);
      if (over) return { message: `the budget is used up: ${capText(over)}`, fix: raiseOf(over) };
      const amount = amountOf(model, { ...NO_TOKENS, input: tokensIn });
      asked.set(run.runId, { sessionKey: run.sessionKey, model, amount });
      return null;
    },
    /** A request was answered, or broke off having cost this. `store` is for inside a transaction, soon. */
    count({ runId, sessionKey }: Thinking, model: string, tokens: TokenCount) {
      asked.delete(runId);
      const used: Used = { sessionKey, model, amount: amountOf(model, tokens) };
      const { microusd } = used.amount;
      const day = dayOf(now());
      if (used.amount.tokens > 0) open.add(used);
      return {
        microusd,
        store(): void {
          open.delete(used);
          usage.add(day, model, tokens, microusd);
        },
      };
    },
    ended({ runId, sessionKey }: Thinking, model: string): void {
      asked.delete(runId);
      for (const cap of nearIn(sessionKey, model)) {
        const key = `budget:${cap.at}:${cap.at.includes('monthly') ? dayOf(now()).slice(0, 7) : dayOf(now())}`;
        if (cap.at.includes('perSession') || told.has(key)) continue;
        told.add(key);
        journal.record('budget.near', { at: cap.at, used: cap.used, cap: cap.cap });
        tell(
          `${capText(cap)}. At ${cap.unit === 'usd' ? usdText(cap.cap) : cap.cap} I stop. To raise it: ${raiseOf(cap)}`,
          key,
        );
      }
    },
    /** `usd` a day; null: what the settings say holds again. */
    allow(usd: number | null, by: string): string {
      allowance = usd;
      notes.save(ALLOWANCE, usd === null ? '' : String(usd));
      journal.record('budget.allowance', { usd, by });
      return usd === null
        ? 'The settings say again what may be spent.'
        : `From now on I spend at most ${usdText(usd)} a day.`;
    },
    report(days: number) {
      const today = dayOf(now());
      const from = dayOf(now() - (days - 1) * 86_400_000);
      return {
        pricesOf: PRICES_OF,
        days: usage.byDay(from),
        models: usage
          .byModel(from)
          .map((one) => ({ ...one, price: priceOf(one.model, config().models.providers).from })),
        today: plus(
          usage.amountSince(today),
          unstored(() => true),
        ),
        month: plus(
          usage.amountSince(`${today.slice(0, 8)}01`),
          unstored(() => true),
        ),
        senders: usage.bySender(from),
        sessions: usage.bySession(10),
        allowance: allowance,
        caps: caps('', splitRef(model())[0]).map((cap) => ({ ...cap, says: capText(cap), isOver: isOver(cap) })),
      };
    },
  };
}

const sumOf = ({ input, output, cacheRead, cacheWrite }: TokenCount): number => input + output + cacheRead + cacheWrite;
