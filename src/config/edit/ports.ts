// Owns what a change of the configuration needs from outside: where the files lie, the clock, and the way to the running
// gateway. It decides nothing.
import type { Finding } from '../findings.ts';
import type { Inspection, ResolveSecret } from '../inspect.ts';
import type { Env, Paths } from '../paths.ts';
import type { Config } from '../schema.ts';
import type { Changes } from './changes.ts';

export type Probe = { readonly ok: true } | { readonly ok: false; readonly reason: string };

export type ChangePorts = {
  readonly paths: Pick<Paths, 'configPath' | 'stateDir' | 'workspaceDir'>;
  readonly env: Env;
  readonly now: () => number;
  /** who changes it: cli, page, onboard, … */
  readonly by: string;
  readonly why?: string;
  readonly resolveSecret?: ResolveSecret;
  /** What a start would refuse and only later stages know, such as a model without a key. */
  readonly judge?: (read: Inspection) => Finding[];
  /** Has the running gateway take it over; absent when none runs. Also called for the way back. */
  readonly apply?: (config: Config, changes: Changes) => Promise<void>;
  /** A real round trip to the gateway and each channel. Without it a change is kept once it is written. */
  readonly probe?: (config: Config, changes: Changes) => Promise<Probe>;
  /** for tests: called after each step */
  readonly step?: (name: string) => void;
};

/** How a change came out. */
export type Ending = {
  /** unchanged: it says what it said. waiting: until deadlineMs for your word. returned: proved wrong, the old file is back */
  readonly state: 'unchanged' | 'kept' | 'waiting' | 'returned';
  readonly reason?: string;
  readonly deadlineMs?: number;
};

/** How a text is judged before it may be written. */
export const judging = ({ resolveSecret }: ChangePorts) => ({
  rules: true,
  ...(resolveSecret ? { resolveSecret } : {}),
});
