// Owns the grammar of `incident`: the way through a bad day, and the evidence of it.
import type { Command } from 'commander';
import { asked, type Lazy } from '../../grammar.ts';

export const CHANGING_INCIDENT: readonly string[] = ['export'];

export function incident(program: Command, lazy: Lazy): void {
  const body = () => import('./incident.ts');
  const command = asked(program, 'incident', 'a bad day, step by step: stop, rotate, look, keep, restore', [
    'openclaw incident',
    'openclaw incident --since 2026-11-21',
    'openclaw incident export',
  ])
    .option('--since <time>', 'when it may have begun: 2026-11-21, or 7d, 12h ago (default: 7d)')
    .action(lazy(body));
  asked(command, 'export', 'a folder of evidence, without secrets, with hashes', [
    'openclaw incident export',
    'openclaw incident export --since 2026-11-21 --to ~/evidence',
  ])
    .option('--to <folder>', 'a folder that is not there yet (default: evidence-<time> here)')
    .option('--since <time>', 'from then on (default: 7d)')
    .action(lazy(async () => ({ run: (await body()).keep })));
}
