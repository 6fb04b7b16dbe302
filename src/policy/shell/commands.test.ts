// The table of commands: what runs unasked, what is asked about, what is refused, and why.
import { afterAll, describe, expect, test } from 'vitest';
import { TABLE } from '../../../test/support/shell-commands.ts';
import { judged, openShellPlace } from '../../../test/support/shell-place.ts';

const place = openShellPlace();
afterAll(() => place.close());

test('there are at least 150 of them', () => {
  expect(Object.values(TABLE).flat().length).toBeGreaterThanOrEqual(150);
});

describe.each(Object.entries(TABLE))('S182 %s', (_family, rows) => {
  test.each(rows.map((row) => [row[0].slice(0, 80).replaceAll('%', '%%'), ...row] as const))(
    '%j',
    async (_shown, command, expected, why) => {
      const verdict = await judged(place, command);
      const reason = verdict && 'reason' in verdict ? verdict.reason : '';
      expect({ rule: verdict?.rule, reason }).toMatchObject({ rule: expected });
      if (why !== undefined) expect(reason).toContain(why);
      if (verdict?.rule === 'allow') expect(verdict.runAs).toMatch(/^(?:(?:! |time )*)(?:'\/|cd |TZ=)/);
    },
  );
});
