// Owns the grammar of `audit`: what was done, a day at a glance, and whether the record of it is whole.
import type { Command } from 'commander';
import { asking, examples, type Lazy } from '../../grammar.ts';

export function audit(program: Command, lazy: Lazy): void {
  const group = program.command('audit').description('what was done and who let it: log, report, verify');
  const body = () => import('./audit.ts');
  const when = (command: Command): Command =>
    asking(command)
      .option('--day <day>', 'today, yesterday, or as 2026-11-21 (default: today)')
      .option('--since <time>', 'the last 30m, 2h or 7d instead of a day')
      .option('--session <key>', 'of this conversation')
      .option('--sender <person>', 'of this person, such as telegram:42');
  const log = when(group.command('log').description('decisions, answers, grants, changes, in their order'))
    .option('--tool <name>', 'of this tool, such as exec')
    .option('--kind <kind>', 'decision, approval, grant, config, access, outbox or all (default: all)')
    .option('--denied', 'only what was refused')
    .option('--limit <count>', 'the newest (default: 100)');
  log.action(lazy(async () => ({ run: (await body()).log })));
  examples(log, [
    'openclaw audit log',
    'openclaw audit log --since 2h --tool exec',
    'openclaw audit log --day 2026-11-21 --sender telegram:42 --denied --json',
  ]);
  const report = when(group.command('report').description('commands, files, requests, people, and what is unusual'));
  report.action(lazy(async () => ({ run: (await body()).report })));
  examples(report, [
    'openclaw audit report',
    'openclaw audit report --day yesterday',
    'openclaw audit report --since 7d --sender telegram:42',
  ]);
  const verify = asking(group.command('verify').description('is the record whole? Exit 0 yes, 1 no, 2 cannot say'));
  verify
    .option('--head <seq:hash>', 'a head that you noted elsewhere earlier; verify prints the present one')
    .action(lazy(async () => ({ run: (await body()).verify })));
  examples(verify, ['openclaw audit verify', 'openclaw audit verify --json']);
}
