// Owns one examination: every check once, in one order, none able to stop the others. It mends only what it was told to,
// and then asks again.
import { type Env, resolvePaths } from '../../config/paths.ts';
import { reasonOf } from '../../platform/errors.ts';
import { refuseForeignState } from '../../store/folders.ts';
import { type Answer, type Check, error, type Facts, type Level } from './check.ts';
import { DATA_CHECKS } from './data-checks.ts';
import { gatherFacts } from './facts.ts';
import { FOLDER_CHECKS } from './folder-checks.ts';
import { MACHINE_CHECKS } from './machine-checks.ts';
import { SETTINGS_CHECKS } from './settings-checks.ts';

const CHECKS: readonly Check[] = [...SETTINGS_CHECKS, ...FOLDER_CHECKS, ...DATA_CHECKS, ...MACHINE_CHECKS];

export type Finding = {
  readonly id: string;
  readonly title: string;
  readonly level: Level;
  readonly message: string;
  readonly fix: string | null;
  /** what --fix would do */
  readonly mendable: readonly string[];
};

export type Mended = { readonly does: string; readonly failed: string | null };
export type Examination = { readonly findings: readonly Finding[]; readonly mended: readonly Mended[] };
export type ExamineOptions = Pick<Facts, 'probeSandbox' | 'version'> & {
  readonly now: () => number;
  readonly fix: boolean;
};

export async function examine(env: Env, options: ExamineOptions): Promise<Examination> {
  // Nothing is mended in a folder that is not ours.
  if (options.fix) refuseForeignState(resolvePaths(env).stateDir);
  // The walls take longest to prove and depend on nothing: they are asked once, while the rest is looked at.
  const sandbox = options.probeSandbox();
  const probeSandbox = (): ReturnType<Facts['probeSandbox']> => sandbox;
  const first = await askAll(env, { ...options, probeSandbox });
  if (!options.fix) return { findings: first.map(findingOf), mended: [] };
  const mended = first
    .flatMap(({ answer }) => answer.mends ?? [])
    .map(({ does, run }): Mended => {
      try {
        run();
        return { does, failed: null };
      } catch (cause) {
        return { does, failed: reasonOf(cause) };
      }
    });
  const findings = mended.length === 0 ? first : await askAll(env, { ...options, probeSandbox });
  return { findings: findings.map(findingOf), mended };
}

type Asked = { readonly check: Check; readonly answer: Answer };

async function askAll(env: Env, { now, ...options }: ExamineOptions): Promise<Asked[]> {
  const facts = await gatherFacts(env, { ...options, nowMs: now() });
  return Promise.all(
    CHECKS.map(async (check): Promise<Asked> => {
      try {
        return { check, answer: await check.ask(facts) };
      } catch (cause) {
        return {
          check,
          answer: error(`it could not be looked at: ${reasonOf(cause)}`, 'openclaw doctor --json says more'),
        };
      }
    }),
  );
}

const findingOf = ({ check: { id, title }, answer: { level, message, fix, mends } }: Asked): Finding => ({
  id,
  title,
  level,
  message,
  fix: fix ?? null,
  mendable: (mends ?? []).map(({ does }) => does),
});
