// Owns which cap a request would meet: pure over what was spent and what the settings say. In the order of how much they
// concern: everything first, then the provider, the session.
import type { Config } from '../config/schema.ts';

/** Millionths of a dollar, and tokens. */
export type Amount = { readonly microusd: number; readonly tokens: number };
export const NOTHING: Amount = { microusd: 0, tokens: 0 };
export const plus = (a: Amount, b: Amount): Amount => ({
  ...{ microusd: a.microusd + b.microusd, tokens: a.tokens + b.tokens },
});

export type Cap = {
  /** the setting, such as budget.daily.usd */
  readonly at: string;
  readonly what: string;
  readonly unit: 'usd' | 'tokens';
  readonly used: number;
  readonly cap: number;
};

export type Spent = {
  readonly today: Amount;
  readonly month: Amount;
  /** of the provider, today */
  readonly provider: Amount;
  readonly session: Amount;
};

/** `allowance`: what the owner said in a chat about a day, in dollars; it stands in place of budget.daily.usd. */
export function capsFor(
  budget: Config['budget'],
  spent: Spent,
  provider: string,
  allowance: number | null,
): readonly Cap[] {
  const scopes: readonly [string, string, Amount][] = [
    ['daily', 'today', spent.today],
    ['monthly', 'this month', spent.month],
    [`provider-${provider}`, `today with ${provider}`, spent.provider],
    ['perSession', 'in this session', spent.session],
  ];
  return scopes.flatMap(([name, what, { microusd, tokens }]) => {
    const own = Object.hasOwn(budget, name) ? budget[name] : undefined;
    const said = name === 'daily' && allowance !== null;
    const usd = said ? allowance : own?.usd;
    return [
      ...(usd === undefined
        ? []
        : [
            {
              at: said ? '/allowance' : `budget.${name}.usd`,
              what,
              unit: 'usd' as const,
              used: microusd / 1e6,
              cap: usd,
            },
          ]),
      ...(own?.tokens === undefined
        ? []
        : [{ at: `budget.${name}.tokens`, what, unit: 'tokens' as const, used: tokens, cap: own.tokens }]),
    ];
  });
}

export const isOver = ({ used, cap }: Cap): boolean => used >= cap;
export const isNear = ({ used, cap }: Cap): boolean => used >= cap * NEAR && used < cap;
const NEAR = 0.8;

export const usdText = (usd: number): string => `$${usd.toFixed(usd > 0 && usd < 0.1 ? 4 : 2)}`;
const amountText = (unit: Cap['unit'], amount: number): string =>
  unit === 'usd' ? usdText(amount) : `${amount.toLocaleString('en-US')} tokens`;
export const capText = ({ what, unit, used, cap }: Cap): string =>
  `${amountText(unit, used)} of ${amountText(unit, cap)} spent ${what}`;
/** Twice as much, or what leaves room over what is spent already. */
export const raiseOf = ({ at, unit, used, cap }: Cap): string => {
  const room = Math.max(cap, used) * 2;
  const next = unit === 'usd' ? Math.max(1, Number(room.toPrecision(2))) : Math.max(1_000, Math.ceil(room));
  return at === '/allowance' ? `say /allowance ${next}/day` : `openclaw config set ${at} ${next}`;
};
