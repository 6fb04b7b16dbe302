// Owns the checks of money: whether anything ends the spending when others talk or nobody watches, whether the caps can be
// meant, whether the price of the model is known. It looks at settings; what was spent is told by `openclaw usage`.
import type { Config } from '../../../config/schema.ts';
import { priceOf } from '../../../models/prices.ts';
import type { Check } from '../../check.ts';
import { found } from '../../looking.ts';
import { advise } from '../../mend.ts';
import { overIn } from '../over.ts';
import { accountsOf, isOpen, isOpenToGroups } from '../people/accounts.ts';

const over = overIn('Money');
const LARGE_DAY_USD = 1_000;
const LARGE_MONTH_USD = 10_000;
const MANY_SENDERS = 3;

const isCapped = ({
  usd,
  tokens,
}: {
  readonly usd?: number | undefined;
  readonly tokens?: number | undefined;
}): boolean => usd !== undefined || tokens !== undefined;

/** Why somebody else than the owner, or nobody at all, starts a turn. */
function* spenders(settings: Config): Generator<string> {
  const accounts = [...accountsOf(settings)].filter(({ enabled }) => enabled);
  for (const account of accounts) if (isOpen(account)) yield `${account.at} is open to strangers`;
  for (const account of accounts) if (isOpenToGroups(account)) yield `${account.at} is open to any group`;
  const people = new Set(accounts.flatMap(({ channel, allowFrom }) => allowFrom.map((id) => `${channel}:${id}`)));
  if (people.size > MANY_SENDERS) yield `${people.size} people are let in`;
  if (settings.pairing.autoApprove) yield 'strangers are let in unasked';
  if (settings.hooks.enabled) yield 'webhooks start turns';
  const { every } = settings.agents.defaults.heartbeat;
  if (every !== 'off') yield `it wakes up every ${every}`;
}

export const MONEY_CHECKS: readonly Check[] = [
  over('budget.missing', 'Does something end the spending when you are not looking?', {
    why: 'a loop, a stranger or a stolen account spends until your provider stops it',
    rows: ['S116', 'S127', 'S142', 'S234', 'S274'],
    isMain: true,
    pass: ({ budget }) => {
      const { daily = {}, monthly = {} } = budget;
      if (!isCapped(daily) && !isCapped(monthly)) return 'Budget: none set, and only you and people you know can spend';
      const words = Object.entries({ daily, monthly }).flatMap(([name, { usd, tokens }]) => [
        ...(usd === undefined ? [] : [`${name} $${usd}`]),
        ...(tokens === undefined ? [] : [`${name} ${tokens} tokens`]),
      ]);
      return `Budget: ${words.join(', ')}`;
    },
    *look(settings, facts) {
      const { daily = {}, monthly = {} } = settings.budget;
      if (isCapped(daily) || isCapped(monthly)) return;
      const [why] = [...spenders(settings)];
      if (why === undefined) return;
      yield found('WARNING', `there is no budget, and ${why}`, advise(facts, { 'budget.daily.usd': 5 }), {
        where: 'budget',
      });
    },
  }),
  over('budget.per_sender_missing', 'Can no stranger spend all of it?', {
    why: 'the first stranger spends what was meant for you',
    rows: ['S116', 'S127'],
    pass: 'What one sender can spend is limited, or no stranger is let in',
    *look(settings, facts) {
      const isOpenAnywhere = [...accountsOf(settings)].some(
        (one) => one.enabled && (isOpen(one) || isOpenToGroups(one)),
      );
      if ((isOpenAnywhere || settings.pairing.autoApprove) && !isCapped(settings.budget['perSender'] ?? {}))
        yield found(
          'WARNING',
          'strangers are let in, and budget.perSender says nothing: each may spend a dollar a day',
          advise(facts, { 'budget.perSender.tokens': 20_000 }),
        );
    },
  }),
  over('budget.too_large', 'Are the caps ones that you would pay?', {
    why: 'a cap that is never reached ends nothing',
    rows: ['S127'],
    pass: 'The caps are ones that can be reached',
    *look({ budget }, facts) {
      for (const [name, { usd }] of Object.entries(budget)) {
        const key = `budget.${name}.usd`;
        const most = name === 'monthly' ? LARGE_MONTH_USD : LARGE_DAY_USD;
        if (usd !== undefined && usd > most)
          yield found('WARNING', `${key} is ${usd}`, advise(facts, { [key]: most / 100 }));
      }
    },
  }),
  over('budget.month_below_day', 'Do the caps fit together?', {
    why: 'the larger one never counts',
    pass: 'The caps fit together',
    *look({ budget }, facts) {
      for (const unit of ['usd', 'tokens'] as const) {
        const [day, month] = [budget['daily']?.[unit], budget['monthly']?.[unit]];
        if (day !== undefined && month !== undefined && month < day)
          yield found(
            'WARNING',
            `budget.monthly.${unit} is ${month}, less than ${day} for a day`,
            advise(facts, { [`budget.daily.${unit}`]: null }),
            { where: `budget.monthly.${unit}` },
          );
        const sender = budget['perSender']?.[unit];
        if (day !== undefined && sender !== undefined && sender > day)
          yield found(
            'INFO',
            `budget.perSender.${unit} is ${sender}, more than ${day} for everybody in a day`,
            advise(facts, { [`budget.perSender.${unit}`]: day }),
          );
      }
    },
  }),
  over('models.price_unknown', 'Is the price of the model known?', {
    why: 'a cap in money counts with a guessed price, and ends too early or too late',
    rows: ['S127'],
    pass: 'Caps in money count with known prices',
    *look({ budget, models, agents }, facts) {
      if (Object.values(budget).every(({ usd }) => usd === undefined)) return;
      const { primary, fallbacks } = agents.defaults.model;
      for (const name of new Set([...(primary === undefined ? [] : [primary]), ...fallbacks])) {
        if (priceOf(name, models.providers).from !== 'dearest known') continue;
        const [provider = '', ...rest] = name.split('/');
        const model = models.providers[provider]?.models.find(({ id }) => id === rest.join('/'));
        const others = (models.providers[provider]?.models ?? []).filter((one) => one !== model);
        const priced = { ...(model ?? { id: rest.join('/') }), cost: { input: 5, output: 25 } };
        yield found(
          'INFO',
          `a cap in dollars, and nobody knows what ${name} costs: it counts as the dearest model known`,
          advise(facts, { [`models.providers.${provider}.models`]: [...others, priced] }),
          { where: `models.providers.${provider}.models` },
        );
      }
    },
  }),
];
