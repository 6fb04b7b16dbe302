// Owns how a row of the matrix is audited: in a home of its own, without a program, only what is about settings.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHECKS } from '../../../src/audit/checks/checks.ts';
import { gatherAuditFacts } from '../../../src/audit/facts.ts';
import { type Found, foundIn, runAudit } from '../../../src/audit/run.ts';
import { BROKEN, MONEY } from './money.ts';
import { PEOPLE } from './people.ts';
import { POWERS } from './powers.ts';
import { REACHABLE } from './reachable.ts';
import type { Row } from './row.ts';

export const ROWS: readonly Row[] = [...REACHABLE, ...PEOPLE, ...POWERS, ...MONEY, ...BROKEN];

/** What is about settings; files, and what was stored, have tests of their own. */
export const SETTINGS: ReadonlySet<string> = new Set([
  'Reachable from outside',
  'Who can talk',
  'What it can do',
  'Money',
  'Supply chain',
]);
/** What a person must look at: there is no command that would be right for everybody. */
export const FOR_PEOPLE = /^openclaw pairing /;

export type Home = {
  readonly env: Readonly<Record<string, string>>;
  readonly stateDir: string;
  readonly configPath: string;
  write(config: string): void;
  audited(more?: Readonly<Record<string, string>>): Promise<readonly Found[]>;
  remove(): void;
};

export function makeHome(): Home {
  const home = mkdtempSync(join(tmpdir(), 'audit-'));
  const stateDir = join(home, '.openclaw');
  const configPath = join(stateDir, 'openclaw.json');
  mkdirSync(stateDir, { mode: 0o700 });
  const env = { HOME: home, OPENCLAW_HOME: home, PATH: process.env['PATH'] ?? '', NO_COLOR: '1' };
  const probeSandbox = async () => ({ driver: null, detail: '', fix: null });
  return {
    env,
    stateDir,
    configPath,
    write: (config) => writeFileSync(configPath, config, { mode: 0o600 }),
    async audited(more = {}) {
      const facts = await gatherAuditFacts({ ...env, ...more }, { version: '0', nowMs: Date.now(), probeSandbox });
      const isWanted = ({ group }: { readonly group: string }): boolean => SETTINGS.has(group);
      return foundIn(await runAudit(CHECKS, facts, { depths: new Set(['read']), isWanted }));
    },
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
}

export const told = (found: readonly Found[]): string[] =>
  found.map(({ check, finding }) => `${finding.severity[0]} ${check.id}`).sort();

/** Words as a shell takes them; nothing else that a shell does. */
export const wordsOf = (command: string): string[] =>
  [...command.matchAll(/(?:'((?:[^']|'\\'')*)'|([^\s']+))(?:\s+|$)/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll("'\\''", "'") ?? plain ?? '',
  );
