// `--fix` over every bad configuration of the matrix: what it mends is gone, nothing else is loosened, touched or new, twice is
// once, and undo brings back each byte and mode.
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { undoFix } from '../../src/audit/fix/apply.ts';
import { isEmptyPlan } from '../../src/audit/fix/plan.ts';
import { changesBetween } from '../../src/config/edit/changes.ts';
import { type Home, makeHome, ROWS } from '../support/audit-rows/audited.ts';
import { fixingIn } from '../support/audit-rows/fixing.ts';

let home: Home;
beforeEach(() => {
  home = makeHome();
});
afterEach(() => home.remove());

const { facts, audited, planned, ports, applied } = fixingIn(() => home);

/** What the owner alone changes: keys, tools, addresses, the box. */
const OWNERS =
  /^(gateway\.(bind|host|port|customBindHost|tailscale|auth\.(mode|token|password))|tools\.(allow|deny|profile|elevated)|browser|agents|mcp|security\.(allowed|denied)Paths)/;

/** Its red and yellow are green after `--fix`, wherever the matrix has them. */
const MENDED =
  /^. (channels\.dm\.open|channels\.groups\.open|channels\.groups\.mention_not_required|pairing\.auto_approve|channels\.discord\.allowlisted_groups|commands\.owner_wildcard|fs\.\w+\.perms)/;

describe('S259 S260 every bad configuration of the matrix', () => {
  test.each(ROWS)('%s', async (_name, bad, expected) => {
    home.write(bad);
    const [before, found, plan] = [await facts(), await audited(), await planned()];
    expect(await applied(plan)).toMatchObject({ failed: [] });
    const left = await audited();
    for (const { check, finding } of plan.mended) expect(left).not.toContain(`${check.id}: ${finding.evidence}`);
    const ids = (all: readonly string[]): string[] => all.map((one) => one.split(': ', 1)[0] ?? '');
    expect(ids(left).filter((id) => !ids(found).includes(id))).toEqual([]);
    for (const wanted of expected.filter((one) => MENDED.test(one)))
      expect(left.filter((one) => one.startsWith(`${wanted.slice(2)}:`))).toEqual([]);
    const after = await facts();
    if (before.settings && after.settings)
      expect(changesBetween(before.settings, after.settings).changed.filter((key) => OWNERS.test(key))).toEqual([]);
    expect(isEmptyPlan(await planned())).toBe(true);
    if (isEmptyPlan(plan)) return;
    expect((await undoFix(ports())).failed).toEqual([]);
    expect(readFileSync(home.configPath, 'utf8')).toBe(bad);
  });
});
