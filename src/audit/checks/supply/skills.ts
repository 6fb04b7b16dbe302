// Owns the questions about what others wrote: skills that changed since they were approved, that wait, that take the name of
// another, a lock that cannot be trusted, and side programs. It reads files below the state folder and the workspace.
import { sideState } from '../../../channels/whatsapp/install.ts';
import { reasonOf } from '../../../platform/errors.ts';
import { createSkillDesk, type Shown } from '../../../skills/desk.ts';
import { lockPathOf } from '../../../skills/lock.ts';
import { isHeld } from '../../../skills/scan/rule.ts';
import type { Check, Facts, Finding, Outcome } from '../../check.ts';

const NONE: Outcome = { pass: 'Skills: none installed' };
const isSafeName = (name: string): string => (/^[\w-]{1,64}$/.test(name) ? name : JSON.stringify(name.slice(0, 64)));

/** Read once for the checks of one audit. */
const looked = new WeakMap<Facts, readonly Shown[] | { readonly problem: string }>();
function skillsOf(facts: Facts): readonly Shown[] | { readonly problem: string } {
  const known = looked.get(facts);
  if (known) return known;
  const { stateDir, workspaceDir } = facts.paths;
  const workspace = facts.settings?.agents.defaults.workspace ?? workspaceDir;
  let found: readonly Shown[] | { readonly problem: string };
  try {
    found = createSkillDesk({ stateDir, workspace }, () => facts.nowMs).list();
  } catch (error) {
    found = { problem: reasonOf(error) };
  }
  looked.set(facts, found);
  return found;
}

function over(facts: Facts, pass: (list: readonly Shown[]) => string, judge: (one: Shown) => Finding[]): Outcome {
  const list = skillsOf(facts);
  if ('problem' in list) return { skipped: list.problem };
  const [first, ...more] = list.flatMap(judge);
  return first ? { findings: [first, ...more] } : list.length === 0 ? NONE : { pass: pass(list) };
}

const check = (id: string, title: string, rows: readonly string[], why: string, probe: Check['probe']): Check => ({
  ...{ id, group: 'Supply chain', title, rows, why, depth: 'read', probe },
});

export const SUPPLY_CHECKS: readonly Check[] = [
  check(
    'skills.lock',
    'Is the record of what you approved sound?',
    ['S196'],
    'the lock says which skills the assistant may use; one that others can write says what they like',
    (facts) => {
      const list = skillsOf(facts);
      if (!('problem' in list)) return { pass: 'Skills lock: sound, or not needed yet' };
      const path = lockPathOf(facts.paths.stateDir);
      const finding: Finding = {
        ...{ severity: 'CRITICAL', where: path, evidence: list.problem },
        fix: `look at it, then: mv ${path} ${path}.old`,
      };
      return { findings: [finding] };
    },
  ),
  check(
    'skills.drift',
    'Are all skills still what you approved?',
    ['S196', 'S263'],
    'a skill that changed after its approval is how a trusted one is turned into a thief',
    (facts) =>
      over(
        facts,
        (list) => `Skills: ${list.filter(({ state }) => state === 'approved').length} approved, none changed since`,
        ({ name, state, why }) =>
          state === 'changed'
            ? [
                {
                  severity: 'CRITICAL',
                  evidence: `${isSafeName(name)} is not what you approved (${why}); it is not used`,
                  where: `skills/${isSafeName(name)}`,
                  fix: `openclaw skills inspect ${isSafeName(name)}`,
                },
              ]
            : [],
      ),
  ),
  check(
    'skills.code_safety',
    'Does any skill have what thieves use?',
    ['S196', 'S238', 'S261'],
    'skills have stolen keys, passwords and wallets; nothing of a skill that waits is used, and an approved one is your decision',
    (facts) =>
      over(
        facts,
        (list) => `Skills: nothing suspicious in ${list.length}`,
        ({ name, state, findings, hash }) => {
          const held = findings.filter(isHeld);
          const [worst] = held;
          if (!worst) return [];
          const what = `${isSafeName(name)}: ${worst.why} (${worst.file}${worst.line === 0 ? '' : `:${worst.line}`})`;
          return [
            {
              severity: state !== 'approved' && worst.severity === 'CRITICAL' ? 'CRITICAL' : 'WARNING',
              evidence: `${what}${held.length > 1 ? `, and ${held.length - 1} more` : ''}; ${state === 'approved' ? `approved by you as ${hash.slice(0, 12)}` : 'it is not used'}`,
              where: `skills/${isSafeName(name)}`,
              fix:
                state === 'approved'
                  ? `openclaw skills inspect ${isSafeName(name)}`
                  : `openclaw skills remove ${isSafeName(name)}`,
            },
          ];
        },
      ),
  ),
  check(
    'skills.waiting',
    'Does any skill wait for you?',
    ['S261'],
    'what you do not use is best removed; what you want waits for your approval',
    (facts) =>
      over(
        facts,
        () => 'Skills: none waiting',
        ({ name, state, findings }) =>
          state === 'quarantined' && !findings.some(isHeld)
            ? [
                {
                  severity: 'INFO',
                  evidence: `${isSafeName(name)} waits for your approval`,
                  fix: `openclaw skills approve ${isSafeName(name)}, or openclaw skills remove ${isSafeName(name)}`,
                },
              ]
            : [],
      ),
  ),
  {
    ...check(
      'supply.sidecars',
      'Are the side programs what was installed?',
      ['S196', 'S263'],
      'the side program of WhatsApp holds your linked phone; changed code in it reads all of that',
      ({ paths }) => {
        const { state, why } = sideState(paths.stateDir);
        if (state === 'absent') return { pass: 'Side programs: none installed' };
        if (state === 'intact') return { pass: `Side programs: as installed${why === '' ? '' : ` (${why})`}` };
        const folder = `${paths.stateDir}/extras/whatsapp`;
        const fix = `rm -r ${folder} && openclaw channels login whatsapp`;
        return { findings: [{ severity: 'CRITICAL', evidence: `whatsapp: ${why}`, where: folder, fix }] };
      },
    ),
    depth: 'deep',
  },
];
