// Owns what a check is: a question about this installation that is answered by looking, in one line with the thing to do.
// A check must never change anything; what it could mend it hands back as a step that somebody else decides to take.
import type { Inspection } from '../../config/inspect.ts';
import type { Env, Paths } from '../../config/paths.ts';
import type { Config } from '../../config/schema.ts';
import type { LockFacts } from '../../platform/lock.ts';

export type Level = 'ok' | 'info' | 'warning' | 'error';

/** Only modes and stale files are mended; `does` is the command that would do the same. */
export type Mend = { readonly does: string; run(): void };

export type Answer = {
  readonly level: Level;
  readonly message: string;
  readonly fix?: string;
  readonly mends?: readonly Mend[];
};

export type Facts = {
  readonly paths: Paths;
  /** with .env */
  readonly env: Env;
  readonly nowMs: number;
  /** who runs this state folder */
  readonly lock: LockFacts | null;
  readonly inspection: Inspection | null;
  /** why there is no inspection */
  readonly unreadable: unknown;
  /** null when the configuration is not usable */
  readonly config: Config | null;
  readonly version: string;
  /** a real command behind real walls */
  probeSandbox(): Promise<{ readonly driver: string | null; readonly detail: string; readonly fix: string | null }>;
};

export type Check = {
  /** stable, kebab-case */
  readonly id: string;
  readonly title: string;
  ask(facts: Facts): Answer | Promise<Answer>;
};

export const ok = (message: string): Answer => ({ level: 'ok', message });
export const info = (message: string, fix?: string): Answer => ({
  level: 'info',
  message,
  ...(fix === undefined ? {} : { fix }),
});
export const warning = (message: string, fix: string, mends: readonly Mend[] = []): Answer => ({
  level: 'warning',
  message,
  fix,
  mends,
});
export const error = (message: string, fix: string, mends: readonly Mend[] = []): Answer => ({
  level: 'error',
  message,
  fix,
  mends,
});
