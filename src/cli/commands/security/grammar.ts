// Owns the grammar of `security`: the audit, and what follows from it.
import type { Command } from 'commander';
import { examples, jsonOption, type Lazy, own } from '../../grammar.ts';

/** Verbs of these that change something. */
export const CHANGING_SECURITY: readonly string[] = ['undo', 'suppress'];

export function security(program: Command, lazy: Lazy): void {
  const group = program
    .command('security')
    .description('is this installation safe: audit, checklist, host-guide, drill');
  const audit = group
    .command('audit')
    .description('look at everything that the guides ask for; changes nothing without --fix');
  audit
    .addOption(jsonOption())
    .option('--deep', 'also probe what runs: ports, doors, boxes, channels, files')
    .option('--host', 'also read how this machine is set up: firewall, ssh, updates')
    .option('--sarif', 'print SARIF 2.1.0')
    .option('--quiet', 'only what is not in order')
    .option('--verbose', 'also each small thing that is')
    .option('--min-severity <severity>', 'only this and worse, also for the exit code: critical, warning or info')
    .option('--only <what>', 'only this check or group, such as gateway.bind or money; several with commas')
    .option('--explain <id>', 'what a check looks at, why, and how things stand')
    .option('--fix', 'mend what can be mended without you: nothing that it does lets anybody or anything in')
    .option('--dry-run', 'with --fix: show what would change, write nothing')
    .option('--yes', 'with --fix: do not ask')
    .action(lazy(() => import('./audit.ts')));
  audit.addHelpText('after', '\nExit: 0 in order, 1 warnings, 2 critical, 3 it could not run');
  examples(audit, [
    'openclaw security audit',
    'openclaw security audit --deep --host',
    'openclaw security audit --min-severity critical --json',
    'openclaw security audit --only money --verbose',
    'openclaw security audit --explain gateway.bind_network_accessible',
    'openclaw security audit --fix --dry-run',
  ]);
  own(group, 'undo', 'take back the last security audit --fix, as it was to the byte', [
    'openclaw security undo',
  ]).action(lazy(() => import('./fix.ts')));
  own(group, 'suppress', 'live with a finding until a day, at most 90 days; every report lists it', [
    "openclaw security suppress browser.enabled --until 2026-12-31 --why 'all accounts have a second factor'",
    'openclaw security suppress --list',
    'openclaw security suppress browser.enabled --remove',
  ])
    .argument('[id]', 'the id of the finding')
    .option('--until <date>', 'the last day on which it is kept quiet, such as 2026-12-31')
    .option('--why <text>', 'the reason, for whoever reads the report')
    .option('--list', 'what is kept quiet, until when, and why')
    .option('--remove', 'no longer')
    .action(lazy(() => import('./suppress.ts')));
  const checklist = group
    .command('checklist')
    .description('the checklists of the guides: ticked, open, or yours to check');
  checklist
    .addOption(jsonOption())
    .option('--guide <guide>', '000, 001, 002, 003 or 004')
    .option('--tier <tier>', '1 this installation, 2 the machine, 3 limits to the damage')
    .action(lazy(() => import('./checklist.ts')));
  checklist.addHelpText('after', '\nExit: 0 nothing is open, 1 something is');
  examples(checklist, ['openclaw security checklist --guide 004', 'openclaw security checklist --tier 1 --json']);
  const guide = group.command('host-guide').description('the commands for this machine, filled in; runs none of them');
  guide.addOption(jsonOption()).action(lazy(() => import('./host-guide.ts')));
  examples(guide, ['openclaw security host-guide']);
  const drill = group.command('drill').description('hostile texts against your settings, with a model that obeys them');
  drill
    .addOption(jsonOption())
    .option('--only <id>', 'this scenario, or those that begin with it, such as page')
    .option('--list', 'which scenarios there are')
    .action(lazy(() => import('./drill.ts')));
  drill.addHelpText('after', '\nExit: 0 all were stopped, 1 something got through, 3 it could not run');
  examples(drill, [
    'openclaw security drill',
    'openclaw security drill --only mail',
    'openclaw security drill --list',
    'openclaw security drill --json',
  ]);
}
