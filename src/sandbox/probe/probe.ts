// Owns running the escape attempts in a real box and saying of each what became of it. What was ended by the box counts as
// refused; what could not be tried at all does not.
import type { ExecResult, Sandbox, SandboxLimits } from '../driver.ts';
import { type Attempt, attemptsFor, type Outside } from './attempts.ts';

export type Outcome = Pick<Attempt, 'id' | 'what'> & {
  readonly refused: boolean;
  /** the last thing that was said to it */
  readonly detail: string;
};

const TIMEOUT_MS = 10_000;
const MAX_DETAIL = 80;

/** `only`: of all the attempts these. */
export async function probeBox(
  sandbox: Sandbox,
  limits: SandboxLimits,
  outside: Outside,
  only?: readonly string[],
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const attempt of attemptsFor(outside).filter(({ id }) => only?.includes(id) ?? true)) {
    const result = await sandbox.exec({
      argv: ['/bin/bash', '-c', attempt.script],
      cwd: '.',
      limits: { ...limits, timeoutMs: Math.min(limits.timeoutMs, TIMEOUT_MS) },
      signal: new AbortController().signal,
    });
    outcomes.push(outcomeOf(attempt, result));
  }
  return outcomes;
}

function outcomeOf({ id, what }: Attempt, { stdout, stderr, stopped, exitCode }: ExecResult): Outcome {
  const lines = `${stderr}\n${stdout}`.split('\n').filter((line) => line.trim() !== '');
  const got = lines.find((line) => line.startsWith('THROUGH'));
  const isUntried = got === undefined && exitCode === 127;
  const said = (lines.at(-1) ?? '').replace(/^.*?: line \d+: /, '').slice(0, MAX_DETAIL);
  if (got !== undefined)
    return { id, what, refused: false, detail: got.slice('THROUGH'.length).trim() || 'it got through' };
  if (isUntried) return { id, what, refused: false, detail: `could not be tried: ${said}` };
  return {
    id,
    what,
    refused: true,
    detail: stopped === undefined ? said || 'not there' : `ended by the box (${stopped})`,
  };
}
