// Owns the list of rules. A configuration that passes them starts.
import type { Finding } from '../findings.ts';
import type { Config } from '../schema.ts';
import { borders } from './borders.ts';
import { channels } from './channels.ts';
import { door } from './door.ts';
import { outside } from './outside.ts';
import { paths } from './paths.ts';
import { placeholders } from './placeholders.ts';
import { powers } from './powers.ts';
import type { Rule, RuleContext } from './rule.ts';
import { toolNames } from './tool-names.ts';

const RULES: readonly Rule[] = [door, placeholders, channels, borders, paths, powers, toolNames, outside];

export const applyRules = (config: Config, context: RuleContext): Finding[] =>
  RULES.flatMap((rule) => [...rule(config, context)]);
