// Owns having the installation audited by a program of its own, the same that the owner calls: nothing of the checks is loaded
// into whoever asks, nothing waits for it, and its memory is gone with it.
import type { Env } from '../../config/paths.ts';
import { run } from '../../platform/process/process.ts';
import { type Known, MAX_KNOWN } from './last.ts';

export type Asked = {
  readonly env: Env;
  readonly stateDir: string;
  /** also how the machine is set up */
  readonly withHost: boolean;
  readonly program: readonly [string, ...string[]];
};
/** `asked`: the ids of all checks that were asked, also of those with nothing to say. */
export type Seen = { readonly asked: readonly string[]; readonly known: readonly Known[] };

const LIMITS = { timeoutMs: 120_000, maxOutputBytes: 8 * 1024 * 1024 };
type Printed = {
  readonly findings: readonly {
    readonly checkId: string;
    readonly severity: 'critical' | 'warn' | 'info';
    readonly title: string;
    readonly remediation: string;
    readonly where?: string;
  }[];
  readonly data: { readonly checks: readonly { readonly id: string }[] };
};

export async function lookAside({ env, stateDir, withHost, program }: Asked, signal: AbortSignal): Promise<Seen> {
  const argv = [...program, 'security', 'audit', '--json', ...(withHost ? ['--host'] : [])] as const;
  const given = Object.fromEntries(Object.entries(env).filter((one): one is [string, string] => one[1] !== undefined));
  const { stdout, exitCode, failed, stopped } = await run([...argv], { cwd: stateDir, env: given, ...LIMITS, signal });
  // 3: it could not run; the others say how bad things are.
  if (exitCode === null || exitCode > 2) throw new Error(failed ?? stopped ?? `it ended with code ${exitCode}`);
  const { findings, data } = JSON.parse(stdout) as Printed;
  const known = findings.flatMap(({ checkId, severity, title, remediation, where }): Known[] => {
    if (severity === 'info') return [];
    const more = where === undefined ? {} : { where };
    return [
      {
        id: checkId,
        severity: severity === 'critical' ? 'CRITICAL' : 'WARNING',
        evidence: title,
        fix: remediation,
        ...more,
      },
    ];
  });
  return { asked: data.checks.map(({ id }) => id), known: known.slice(0, MAX_KNOWN) };
}
