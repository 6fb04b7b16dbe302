// Owns the questions about what others wrote: skills that changed since they were approved, that wait, that take the name of
// another, a lock that cannot be trusted, and side programs. It reads files below the state folder and the workspace.
import { codeFolderOf, sideState } from '../../../channels/whatsapp/install.ts';
import { reasonOf } from '../../../platform/errors.ts';
import { createSkillDesk, type Shown } from '../../../skills/desk.ts';
import { lockPathOf } from '../../../skills/lock.ts';
import { isHeld } from '../../../skills/scan/rule.ts';
import { type Check, type Facts, type Finding, type Outcome, outcomeOf } from '../../check.ts';
import { amiss, found } from '../../looking.ts';

const isSafeName = (name: string): string => (/^[\w-]{1,64}$/.test(name) ? name : JSON.stringify(name.slice(0, 64)));

/** Read once for the checks of one audit. */
const looked = new WeakMap<Facts, readonly Shown[] | { readonly problem: string }>();
function skillsOf(facts: Facts): readonly Shown[] | { readonly problem: string } {
  const known = looked.get(facts);
  if (known) return known;
  const { stateDir, workspaceDir } = facts.paths;
  const workspace = facts.settings?.agents.defaults.workspace ?? workspaceDir;
  let seen: readonly Shown[] | { readonly problem: string };
  try {
    seen = createSkillDesk({ stateDir, workspace }, () => facts.nowMs).list();
  } catch (error) {
    seen = { problem: reasonOf(error) };
  }
  looked.set(facts, seen);
  return seen;
}

function over(facts: Facts, pass: (list: readonly Shown[]) => string, judge: (one: Shown) => Finding[]): Outcome {
  const list = skillsOf(facts);
  if ('problem' in list) return { skipped: list.problem };
  return outcomeOf(list.flatMap(judge), list.length === 0 ? 'Skills: none installed' : pass(list));
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
      return amiss('CRITICAL', list.problem, `look at it, then: mv ${path} ${path}.old`, { where: path });
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
        ({ name: given, state, why }) => {
          if (state !== 'changed') return [];
          const name = isSafeName(given);
          const evidence = `${name} is not what you approved (${why}); it is not used`;
          return [found('CRITICAL', evidence, `openclaw skills inspect ${name}`, { where: `skills/${name}` })];
        },
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
        ({ name: given, state, findings, hash }) => {
          const held = findings.filter(isHeld);
          const [worst] = held;
          if (!worst) return [];
          const [name, isYours] = [isSafeName(given), state === 'approved'];
          const what = `${name}: ${worst.why} (${worst.file}${worst.line === 0 ? '' : `:${worst.line}`})`;
          const more = held.length > 1 ? `, and ${held.length - 1} more` : '';
          const evidence = `${what}${more}; ${isYours ? `approved by you as ${hash.slice(0, 12)}` : 'it is not used'}`;
          const severity = !isYours && worst.severity === 'CRITICAL' ? 'CRITICAL' : 'WARNING';
          const fix = `openclaw skills ${isYours ? 'inspect' : 'remove'} ${name}`;
          return [found(severity, evidence, fix, { where: `skills/${name}` })];
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
        ({ name: given, state, findings }) => {
          if (state !== 'quarantined' || findings.some(isHeld)) return [];
          const name = isSafeName(given);
          const fix = `openclaw skills approve ${name}, or openclaw skills remove ${name}`;
          return [found('INFO', `${name} waits for your approval`, fix)];
        },
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
        const where = codeFolderOf(paths.stateDir);
        return amiss('CRITICAL', `whatsapp: ${why}`, `rm -r ${where} && openclaw channels login whatsapp`, { where });
      },
    ),
    depth: 'deep',
  },
];
