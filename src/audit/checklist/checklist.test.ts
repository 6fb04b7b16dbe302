// The checklists of the five guides: every box is backed by checks that exist or says how the owner looks, and follows them.
import { describe, expect, test } from 'vitest';
import type { Check, Outcome } from '../check.ts';
import { CHECKS } from '../checks/checks.ts';
import type { Report } from '../run.ts';
import { BOXES, type Box, GUIDES } from './boxes.ts';
import { answerBoxes, isAskedBy } from './checklist.ts';

const IDS = new Set(CHECKS.map(({ id }) => id));

describe('S083 S142 S280 the boxes of the guides', () => {
  test('are as many as the guides print, in their tiers', () => {
    const count = (guide: string): number => BOXES.filter((box) => box.guide === guide).length;
    expect(GUIDES.map(count)).toEqual([13, 13, 19, 20, 14]);
    const tiers = [1, 2, 3].map((tier) => BOXES.filter((box) => box.guide === '004' && box.tier === tier).length);
    expect(tiers).toEqual([6, 4, 4]);
  });

  test.each(BOXES.map((box) => [`${box.guide} ${box.text}`, box] as const))('%s', (_name, { by, yours }) => {
    if (by === 'all') return;
    expect(by.filter((id) => !IDS.has(id))).toEqual([]);
    expect(by.length > 0 || yours !== undefined).toBe(true);
  });

  test('none is a probe of nothing: each follows its checks to red and back', () => {
    for (const box of BOXES.filter(({ by }) => by.length > 0)) {
      const asked = CHECKS.filter(isAskedBy([box]));
      expect(asked.length).toBeGreaterThan(0);
      for (const check of asked.slice(0, 3)) {
        expect([box.text, answerOf(box, asked, check, BAD)]).toEqual([box.text, 'open']);
        expect([box.text, answerOf(box, asked, check, { pass: 'fine' })]).toEqual([
          box.text,
          box.yours === undefined ? 'ticked' : 'yours',
        ]);
      }
    }
  });

  test('what nobody could look at is not ticked, and what is not configured is no fault', () => {
    const [box] = BOXES.filter(({ text }) => text === 'fail2ban runs');
    const asked = CHECKS.filter(isAskedBy([box as Box]));
    expect(answerOf(box as Box, asked, asked[0] as Check, { skipped: 'only root can see that' })).toBe('yours');
    expect(answerOf(box as Box, asked, asked[0] as Check, { skipped: 'Telegram is not configured' })).toBe('ticked');
  });
});

const BAD: Outcome = { findings: [{ severity: 'WARNING', evidence: 'bad', fix: 'x' }] };

function answerOf(box: Box, asked: readonly Check[], check: Check, outcome: Outcome): string {
  const looked = asked.map((one) => ({
    ...{ check: one, elapsedMs: 0 },
    outcome: one === check ? outcome : { pass: 'fine' },
  }));
  const report: Report = { atMs: 0, elapsedMs: 0, looked, suppressed: [] };
  return answerBoxes([box], report)[0]?.answer.state ?? '';
}
