// Owns `openclaw usage`: what was spent, a bar a day, by model, person and conversation, and how near each cap is.
import { misused } from '../../platform/errors.ts';
import { usdText } from '../../spending/caps.ts';
import type { Ledger } from '../../spending/ledger.ts';
import { ask } from '../connect/with-client.ts';
import type { Context } from '../context.ts';
import { span } from '../output.ts';
import { tableLines } from '../print/table.ts';
import { formatCount } from '../print/units.ts';
import type { TargetFlags } from '../target.ts';

type Report = ReturnType<Ledger['report']>;
const DAY_MS = 86_400_000;
const BAR = 40;

export async function run(context: Context, options: TargetFlags & { readonly days?: string }): Promise<undefined> {
  const { out } = context;
  const days = Number(options.days ?? 30);
  if (!Number.isInteger(days) || days < 1 || days > 366)
    throw misused('BAD_DAYS', `--days ${options.days} is not a number from 1 to 366`, 'openclaw usage --days 30');
  const report = (await ask(context, options, 'operator.read', 'usage.report', { days })) as Report;
  out.data(report);
  const { today, month, caps, models, senders, sessions } = report;
  out.line(span('bold', `today ${usdText(today.microusd / 1e6)}`), `, this month ${usdText(month.microusd / 1e6)}`);
  for (const cap of caps) {
    const share = Math.min(1, cap.used / cap.cap);
    const colour = cap.isOver ? 'red' : share >= 0.8 ? 'yellow' : 'green';
    out.line('  ', span(colour, barOf(share, 20)), ` ${cap.says}`, span('dim', `  ${cap.at}`));
  }
  if (caps.length === 0) out.line(span('dim', '  no cap: openclaw config set budget.daily.usd 5'));
  plot(context, report, days);
  const table = (
    title: string,
    rows: readonly { tokens: number; microusd: number }[],
    name: (index: number) => string,
  ) => {
    if (rows.length === 0) return;
    out.line('');
    const columns = [
      { title, flexible: true },
      { title: 'TOKENS', align: 'right' },
      { title: 'COST', align: 'right' },
    ] as const;
    const cells = rows.map(({ tokens, microusd }, index) => [
      name(index),
      formatCount(tokens),
      usdText(microusd / 1e6),
    ]);
    for (const line of tableLines(columns, cells, out.width)) out.line(line);
  };
  table('MODEL', models, (index) => {
    const { model = '', price = '' } = models[index] ?? {};
    return price === 'table' ? model : `${model} (price: ${price})`;
  });
  table('PERSON', senders, (index) => senders[index]?.sender ?? '');
  table('CONVERSATION, IN ALL', sessions, (index) => sessions[index]?.session ?? '');
  out.note(
    span('dim', `prices of ${report.pricesOf}; yours hold in their place: models.providers.<name>.models[].cost`),
  );
}

/** A line a day that saw anything, money where there is any, else tokens. */
function plot({ out }: Context, { days }: Report, count: number): void {
  if (days.length === 0) {
    out.line(span('dim', `nothing was spent in ${count === 1 ? 'a day' : `${count} days`}`));
    return;
  }
  const isMoney = days.some(({ microusd }) => microusd > 0);
  const of = (one: { tokens: number; microusd: number }): number => (isMoney ? one.microusd : one.tokens);
  const most = Math.max(...days.map(of), 1);
  const known = new Map(days.map((one) => [one.day, one]));
  const first = Date.parse(days[0]?.day ?? '');
  const last = Date.parse(days.at(-1)?.day ?? '');
  out.line('');
  for (let at = first; at <= last; at += DAY_MS) {
    const day = new Date(at).toISOString().slice(0, 10);
    const one = known.get(day) ?? { tokens: 0, microusd: 0 };
    const says = isMoney ? usdText(one.microusd / 1e6) : formatCount(one.tokens);
    out.line(`${day}  `, span('green', barOf(of(one) / most, BAR)), ` ${says}`);
  }
}

const barOf = (share: number, width: number): string => {
  const full = Math.round(share * width);
  return `${'\u2588'.repeat(full)}${'\u00b7'.repeat(width - full)}`;
};
