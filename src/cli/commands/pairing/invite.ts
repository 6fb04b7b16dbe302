// Owns `openclaw pairing invite`: a guest pass, as a code that the guest sends as their first message, and as a link with a
// QR code where the bot's name is known. The code is shown once and is nowhere afterwards.
import { isTool } from '../../../policy/layers/names.ts';
import type { Context } from '../../context.ts';
import { milliseconds } from '../../numbers.ts';
import { span } from '../../output.ts';
import { formatTime } from '../../print/units.ts';
import type { TargetFlags } from '../../target.ts';
import { atDesk } from './desk.ts';
import { limitsText, readBudget, readFolder, readTools } from './limits.ts';

type Flags = TargetFlags & {
  readonly tools?: string;
  readonly folder?: string;
  readonly budget?: string;
  readonly until?: string;
  readonly name?: string;
  readonly bot?: string;
};
const DAY_MS = 24 * 60 * 60_000;

export async function run(context: Context, options: Flags): Promise<undefined> {
  const { out } = context;
  const limits = { tools: readTools(options.tools), folder: readFolder(options.folder), ...readBudget(options.budget) };
  const untilMs = Date.now() + (milliseconds(options.until, '--until', 366 * DAY_MS) ?? 7 * DAY_MS);
  const params = { title: options.name ?? '', ...limits, untilMs };
  const made = await atDesk(context, options, {
    scope: 'operator.admin',
    method: 'channels.pairing.invite',
    params,
    offline: (desk, by) => desk.invite(params, by),
  });
  const bot = options.bot?.replace(/^@/, '');
  const link = bot !== undefined && /^\w{3,40}$/.test(bot) ? `https://t.me/${bot}?start=${made.code}` : null;
  out.data({ ...made, ...params, link });
  out.line(span('bold', made.code));
  if (link !== null) out.line(link);
  if (!out.json && out.streams.stdout.isTTY) {
    const { renderUnicodeCompact } = await import('uqr');
    out.text(`${renderUnicodeCompact(link ?? made.code)}\n`);
  }
  out.note(`a guest pass: ${limitsText(limits)}; until ${formatTime(untilMs)}; for one person, once`);
  const odd = limits.tools.filter((tool) => !isTool(tool));
  if (odd.length > 0) out.note(span('yellow', `there is no tool ${odd.join(', ')} here, so that part gives nothing`));
  out.note(
    span(
      'dim',
      link === null ? 'they send the code to your bot as their first message' : 'they open the link and press Start',
    ),
  );
}
