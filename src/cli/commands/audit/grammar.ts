// Owns the grammar of `audit`: what was done, a day at a glance, and whether the record of it is whole.
import type { Command } from 'commander';
import { askingIn, type Lazy } from '../../grammar.ts';

export function audit(program: Command, lazy: Lazy): void {
  const group = program.command('audit').description('what was done and who let it: log, report, verify');
  const add = askingIn(group, lazy, () => import('./audit.ts'));
  const when = (command: Command): Command =>
    command
      .option('--day <day>', 'today, yesterday, or as 2026-11-21 (default: today)')
      .option('--since <time>', 'the last 30m, 2h or 7d instead of a day')
      .option('--session <key>', 'of this conversation')
      .option('--sender <person>', 'of this person, such as telegram:42');
  const log = add('log', 'decisions, answers, grants, changes, in their order', [
    'openclaw audit log',
    'openclaw audit log --since 2h --tool exec',
    'openclaw audit log --day 2026-11-21 --sender telegram:42 --denied --json',
  ]);
  when(log)
    .option('--tool <name>', 'of this tool, such as exec')
    .option('--kind <kind>', 'decision, approval, grant, config, access, outbox or all (default: all)')
    .option('--denied', 'only what was refused')
    .option('--limit <count>', 'the newest (default: 100)');
  const report = add('report', 'commands, files, requests, people, and what is unusual', [
    'openclaw audit report',
    'openclaw audit report --day yesterday',
    'openclaw audit report --since 7d --sender telegram:42',
  ]);
  when(report);
  add('verify', 'is the record whole? Exit 0 yes, 1 no, 2 cannot say', [
    'openclaw audit verify',
    'openclaw audit verify --json',
  ]).option('--head <seq:hash>', 'a head that you noted elsewhere earlier; verify prints the present one');
}
