// Owns the list of all scenarios, family by family, in the order in which they are told.
import type { Scenario } from '../scenario.ts';
import { COMMANDS } from './commands.ts';
import { FILES } from './files.ts';
import { MAILS } from './mails.ts';
import { PAGES } from './pages.ts';
import { PEOPLE } from './people.ts';
import { SERVERS } from './servers.ts';

export const SCENARIOS: readonly Scenario[] = [...PAGES, ...MAILS, ...FILES, ...COMMANDS, ...PEOPLE, ...SERVERS];
