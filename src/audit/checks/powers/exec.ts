// Owns the checks of commands: which run without a question, who may leave the box, and what the tools of one person become
// in the hands of others. It looks at settings only.
import { runsAnything } from '../../../config/interpreters.ts';
import type { Config } from '../../../config/schema.ts';
import { GROUPS } from '../../../config/shape/tool-words.ts';
import type { Check, Finding } from '../../check.ts';
import { found } from '../../looking.ts';
import { mend } from '../../mend.ts';
import { orUnset, overIn, saidOf, told, whenIs } from '../over.ts';
import { accountsOf, isOpen, isOpenToGroups } from '../people/accounts.ts';
import { runsOnHost } from './sandbox.ts';

const over = overIn('What it can do');
const MAX_ELEVATED = 3;
const MAX_GRANT_DAYS = 180;

/** What lets whoever uses it run or change things. */
const RUNTIME = new Set([
  ...(GROUPS['group:runtime'] ?? []),
  'browser',
  'cron',
  'nodes',
  'group:runtime',
  'group:automation',
]);
const CHANGING = new Set(['write', 'edit', 'apply_patch', 'group:fs']);
/** Rules that are for others as well; `*` and places where others are. */
const FOR_OTHERS = /^(\*|group|channel)$/;

type Opened = { readonly key: string; readonly place: string; readonly tool: string };

function* openedToOthers({ tools }: Config, which: ReadonlySet<string>): Generator<Opened> {
  for (const [place, rules] of Object.entries(tools.policies)) {
    if (!FOR_OTHERS.test(place)) continue;
    for (const [tool, rule] of Object.entries(rules))
      if (rule === 'allow' && (which.has(tool) || tool === '*'))
        yield { key: `tools.policies.${place}.${tool}`, place, tool };
  }
}

const openPlaces = (settings: Config): string[] => [
  ...[...accountsOf(settings)].filter(isOpen).map(({ at }) => `${at}.dmPolicy`),
  ...[...accountsOf(settings)].filter(isOpenToGroups).map(({ at }) => `${at}.groupPolicy`),
];

function exposure(
  id: string,
  title: string,
  why: string,
  which: ReadonlySet<string>,
  alone: Finding['severity'],
): Check {
  return over(id, title, {
    why,
    rows: ['S040', 'S154', 'S156', 'S254', 'S255', 'S256'],
    pass: 'Others than you have no tools that run or change anything',
    *look(settings, facts) {
      const open = openPlaces(settings);
      for (const { key, place, tool } of openedToOthers(settings, which))
        yield found(
          open.length > 0 ? 'CRITICAL' : alone,
          `tools.policies: ${tool} is allowed in ${place === '*' ? 'every place' : `each ${place}`}${open.length > 0 ? `, and ${open[0]} is open` : ''}`,
          mend(facts, { [key]: 'deny' }),
        );
    },
  });
}

export const EXEC_CHECKS: readonly Check[] = [
  over('tools.exec.security_full_configured', 'Does somebody look at a command before it runs?', {
    why: 'any command that the model thinks of, or is talked into, runs at once',
    rows: ['S132', 'S182', 'S209', 'S212'],
    isMain: true,
    pass: ({ tools }) => `Commands: ${tools.exec.mode ?? 'inside the box only'}`,
    *look(settings, facts) {
      if (settings.tools.exec.mode === 'full')
        yield found(
          runsOnHost(settings) ? 'CRITICAL' : 'WARNING',
          'tools.exec.mode is "full": any command runs without a question',
          mend(facts, { 'tools.exec.mode': 'ask' }),
        );
    },
  }),
  over(
    'tools.exec.allowlist_interpreter_without_strict_inline_eval',
    'Does no program run unasked that can run anything?',
    {
      why: 'python, git, npm and their like run whatever they are handed, so that the list holds nothing back',
      rows: ['S182', 'S212'],
      pass: ({ tools }) => `Programs that run unasked: ${tools.exec.allow.join(', ') || 'none are listed'}`,
      *look({ tools }, facts) {
        const key = 'tools.exec.allow';
        const odd = tools.exec.allow.filter(
          (one) => /[*?]/.test(one) || (runsAnything(one) && tools.exec.mode !== 'full'),
        );
        const fix = mend(facts, { [key]: orUnset(tools.exec.allow.filter((one) => !odd.includes(one))) });
        yield* told(facts, saidOf(facts, ['exec-pattern']), () => fix);
        const known = odd.filter((one) => !/[*?]/.test(one));
        if (known.length > 0) yield found('WARNING', `${key} has ${known.join(', ')}, which run anything`, fix);
      },
    },
  ),
  over('tools.exec.strict_inline_eval_off', 'Is code in an argument asked about?', {
    why: 'python -c and node -e are any program at all, also when python or node is allowed',
    rows: ['S212'],
    pass: 'Code in an argument is asked about',
    look: whenIs('tools.exec.strictInlineEval', false, 'WARNING'),
  }),
  over('tools.exec.safe_bins_interpreter_unprofiled', 'Are the filters that need no question only filters?', {
    why: 'awk and sed run programs and write files',
    rows: ['S182'],
    pass: ({ tools }) => `Filters: ${tools.exec.safeBins.join(', ') || 'none'}`,
    *look({ tools }, facts) {
      const key = 'tools.exec.safeBins';
      const fix = mend(facts, { [key]: tools.exec.safeBins.filter((one) => !runsAnything(one)) });
      yield* told(facts, saidOf(facts, ['safe-bin-interpreter']), () => fix);
    },
  }),
  over('tools.exec.grants_long', 'Does “always” end some day?', {
    why: 'what you allowed once for one piece of work stays open for years',
    pass: ({ tools }) => `"Always" holds for ${tools.exec.grantExpiryDays} days`,
    *look({ tools }, facts) {
      const key = 'tools.exec.grantExpiryDays';
      if (tools.exec.grantExpiryDays > MAX_GRANT_DAYS)
        yield found('INFO', `${key} is ${tools.exec.grantExpiryDays}`, mend(facts, { [key]: null }));
    },
  }),
  over('tools.exec.fs_tools_disabled_but_exec_enabled', 'If it may not write files, may it run no commands either?', {
    why: 'whoever can run a command can write a file with it, so that the ban looks like one and is none',
    pass: 'No ban is open at its back',
    *look({ tools, agents }, facts) {
      const denied = (names: readonly string[]): boolean => names.some((name) => tools.deny.includes(name));
      const isReadOnly =
        agents.defaults.sandbox.workspaceAccess === 'ro' || agents.defaults.sandbox.workspaceAccess === 'none';
      if (!denied(['write', 'edit', 'group:fs', 'apply_patch']) || denied(['exec', 'group:runtime', '*'])) return;
      if (tools.exec.mode === 'deny' || isReadOnly) return;
      yield found(
        'WARNING',
        `tools.deny has ${tools.deny.join(', ')}, and not exec`,
        mend(facts, { 'tools.deny': [...tools.deny, 'group:runtime'] }),
      );
    },
  }),
  over('tools.elevated.allowFrom.wildcard', 'Can only you take a command out of the box?', {
    why: 'whoever writes to it asks for commands outside the box',
    rows: ['S002', 'S272'],
    pass: ({ tools }) =>
      `Commands outside the box: ${tools.elevated.enabled ? 'only in your own chats, each asked' : 'never'}`,
    *look({ tools: { elevated } }, facts) {
      const key = 'tools.elevated.allowFrom';
      if (elevated.enabled && elevated.allowFrom.includes('*'))
        yield found(
          'CRITICAL',
          `${key} has "*"`,
          mend(facts, {
            [key]: orUnset(elevated.allowFrom.filter((one) => one !== '*')),
            'tools.elevated.enabled': null,
          }),
        );
    },
  }),
  over('tools.elevated.allowFrom.large', 'Are the chats few from which a command may leave the box?', {
    why: 'each of these accounts is one that somebody can take over',
    rows: ['S272'],
    pass: 'Few chats, or none, may ask for it',
    *look({ tools: { elevated } }, facts) {
      if (elevated.enabled && elevated.allowFrom.length > MAX_ELEVATED)
        yield found(
          'WARNING',
          `tools.elevated.allowFrom has ${elevated.allowFrom.length} entries`,
          mend(facts, { 'tools.elevated.enabled': null }),
          { where: 'tools.elevated.allowFrom' },
        );
      yield* told(facts, saidOf(facts, ['elevated-nobody']), ({ key }) => ({
        ...mend(facts, { 'tools.elevated.enabled': null }),
        where: key,
      }));
    },
  }),
  exposure(
    'security.exposure.open_channels_with_exec',
    'Can nobody else run commands?',
    'whoever is heard there runs commands, and with an open policy that is everybody',
    RUNTIME,
    'WARNING',
  ),
  exposure(
    'security.exposure.open_groups_with_runtime_or_fs',
    'Can nobody else change files?',
    'whoever is heard there changes your files, and with an open policy that is everybody',
    CHANGING,
    'WARNING',
  ),
  over(
    'security.exposure.open_groups_with_elevated',
    'Is nothing open to strangers where commands may leave the box?',
    {
      why: 'a stranger who talks it into a command is one yes of yours away from your machine',
      rows: ['S154', 'S272'],
      pass: 'Where commands may leave the box, strangers are not heard',
      *look(settings, facts) {
        const [open] = openPlaces(settings);
        if (settings.tools.elevated.enabled && open !== undefined)
          yield found(
            'CRITICAL',
            `tools.elevated.enabled is true, and ${open} is open`,
            mend(facts, { 'tools.elevated.enabled': null }),
          );
      },
    },
  ),
];
