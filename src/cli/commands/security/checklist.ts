// Owns `openclaw security checklist`: the checklists of the guides, each box ticked, open, or yours to check. It changes nothing.
import { BOXES, type Box, GUIDES } from '../../../audit/checklist/boxes.ts';
import { type Answered, answerBoxes, isAskedBy } from '../../../audit/checklist/checklist.ts';
import { CHECKS } from '../../../audit/checks/checks.ts';
import { gatherAuditFacts } from '../../../audit/facts.ts';
import { runAudit } from '../../../audit/run.ts';
import { EXIT, unusable } from '../../../platform/errors.ts';
import type { Context } from '../../context.ts';
import { type Output, span } from '../../output.ts';

type Flags = { readonly tier?: string; readonly guide?: string };
const TIERS = { 1: 'this installation', 2: 'the machine', 3: 'limits to the damage' } as const;

export async function run({ out, env, version }: Context, flags: Flags): Promise<number> {
  const boxes = chosen(flags);
  const probeSandbox = async () => (await import('../sandbox/local.ts')).findState(env);
  const facts = await gatherAuditFacts(env, { version, probeSandbox, nowMs: Date.now() });
  const depths = new Set(['read', 'deep', 'host'] as const);
  const answered = answerBoxes(boxes, await runAudit(CHECKS, facts, { depths, isWanted: isAskedBy(boxes) }));
  const count = (state: Answered['answer']['state']): number =>
    answered.filter(({ answer }) => answer.state === state).length;
  const totals = { ticked: count('ticked'), open: count('open'), yours: count('yours') };
  out.data({
    totals,
    boxes: answered.map(({ box: { guide, tier, text, by }, answer }) => ({ guide, tier, text, checks: by, ...answer })),
  });
  let heading = '';
  for (const one of answered) {
    const now = `Guide ${one.box.guide}, tier ${one.box.tier}: ${TIERS[one.box.tier]}`;
    if (now !== heading) out.line(span('bold', now));
    heading = now;
    print(out, one);
  }
  out.line(`${totals.ticked} ticked, ${totals.open} open, ${totals.yours} yours to check`);
  return totals.open > 0 ? EXIT.failure : EXIT.ok;
}

function print(out: Output, { box: { text, yours }, answer }: Answered): void {
  if (answer.state === 'ticked') out.line(span('green', '[x] '), text);
  else if (answer.state === 'yours') {
    out.line(span('yellow', '[?] '), text);
    const why = yours === undefined && answer.because !== '' ? `   (${answer.because})` : '';
    out.line(span('dim', '    yours to check: '), answer.look, why);
  } else {
    const [first, ...more] = answer.findings;
    out.line(span('red', '[ ] '), text);
    out.line(`    ${first.evidence}${more.length > 0 ? ` (and ${more.length} more)` : ''}`);
    out.line(span('dim', '    fix: '), first.fix);
  }
}

function chosen({ tier, guide }: Flags): readonly Box[] {
  if (guide !== undefined && !GUIDES.some((one) => one === guide))
    throw unusable(`--guide ${guide.slice(0, 20)} is no guide`, `use ${GUIDES.join(', ')}`);
  if (tier !== undefined && !['1', '2', '3'].includes(tier))
    throw unusable(`--tier ${tier.slice(0, 20)} is no tier`, 'use 1 (this installation), 2 (the machine), 3 (limits)');
  const own = BOXES.filter((box) => guide === undefined || box.guide === guide);
  const sorted = own.filter((box) => tier === undefined || String(box.tier) === tier);
  return sorted.toSorted((a, b) => a.guide.localeCompare(b.guide) || a.tier - b.tier);
}
