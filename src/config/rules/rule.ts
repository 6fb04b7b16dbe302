// Owns the shape of a rule: what must be true of settings that each fit alone. A rule says; it never changes anything.
import type { Env } from '../environment.ts';
import type { Finding } from '../findings.ts';
import type { Config } from '../schema.ts';

export type RuleContext = {
  readonly env: Env;
  readonly home: string;
  readonly stateDir: string;
  /** where it would run without a setting */
  readonly defaultWorkspace: string;
  /** addresses of this machine, by interface */
  readonly addresses: () => readonly string[];
};

export type Rule = (config: Config, context: RuleContext) => Iterable<Finding>;

const at =
  (level: Finding['level']) =>
  (code: string, key: string, message: string, fix: string): Finding => ({ level, code, key, message, fix });
export const wrong = at('error');
export const risky = at('warning');
