// The matrix of the audit, quickly: each bad configuration is found, no more and no less, and with all its fixes taken as they
// are printed nothing is left. test/long runs the same fixes as commands, one after the other.
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  FOR_PEOPLE,
  type Home,
  makeHome,
  ROWS,
  SETTINGS,
  told,
  wordsOf,
} from '../../test/support/audit-rows/audited.ts';
import { patchAt, setAt, unsetAt } from '../config/edit/edit.ts';
import { parseKeyPath } from '../config/edit/key-path.ts';
import { CHECKS } from './checks/checks.ts';

let home: Home;
beforeEach(() => {
  home = makeHome();
});
afterEach(() => home.remove());

/** What `config set`, `unset` and `patch` write. */
function take(command: string): void {
  const [, , verb, first = '', second = ''] = wordsOf(command.split(' && ').at(-1) ?? '');
  const text = readFileSync(home.configPath, 'utf8');
  const value = /^([[{"\d-]|(true|false|null)$)/.test(second) ? JSON.parse(second) : second;
  if (verb === 'set') home.write(setAt(text, parseKeyPath(first), value));
  else if (verb === 'unset') home.write(unsetAt(text, parseKeyPath(first)));
  else if (verb === 'patch') home.write(patchAt(text, JSON.parse(first)));
  else throw new Error(`${command} is no change of the configuration`);
}

test.each(ROWS)('red, fix, green: %s', async (_what, config, expected) => {
  home.write(config);
  const found = await home.audited();
  expect(told(found)).toEqual([...expected].sort());
  const fixes = new Set(found.map(({ finding }) => finding.fix).filter((fix) => !FOR_PEOPLE.test(fix)));
  const made = [...fixes].some((fix) => fix.includes('secrets set'));
  for (const fix of fixes) take(fix);
  // A secret that the command makes is not there.
  const left = (await home.audited()).filter(({ finding }) => !FOR_PEOPLE.test(finding.fix) && !made);
  expect(told(left)).toEqual([]);
});

describe('the list of checks', () => {
  test('has each id once, with all that --explain says', () => {
    const ids = CHECKS.map(({ id }) => id);
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
    for (const { id, title, why, rows } of CHECKS) {
      expect(id).toMatch(/^[a-zA-Z]+(\.[\w-]+)+$/);
      expect([id, title]).toEqual([id, expect.stringMatching(/\?$/)]);
      expect([id, why]).toEqual([id, expect.stringMatching(/^\S.{9,}[^.]$/)]);
      expect([id, rows.filter((row) => !/^S\d{3}$/.test(row))]).toEqual([id, []]);
    }
  });

  test('each check of settings is shown red by some row', () => {
    const shown = new Set(ROWS.flatMap(([, , found]) => found.map((one) => one.slice(2))));
    const elsewhere = /^(skills|plugins)\.|^gateway\.env_token|^pairing\.invites/;
    const silent = CHECKS.filter(({ id, group, depth }) => depth === 'read' && SETTINGS.has(group) && !shown.has(id));
    expect(silent.map(({ id }) => id).filter((id) => !elsewhere.test(id))).toEqual([]);
  });
});
