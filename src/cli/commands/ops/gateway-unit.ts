// Owns `openclaw gateway install` and `uninstall`: says what was put where, and what it leaves alone.
import { loadConfig } from '../../../config/load.ts';
import { resolvePaths } from '../../../config/paths.ts';
import { installUnit, planUnit, uninstallUnit } from '../../../ops/unit/install.ts';
import { EXIT } from '../../../platform/errors.ts';
import type { Context } from '../../context.ts';
import { span } from '../../output.ts';

type Flags = { readonly systemUser?: string; readonly print?: boolean };

export async function install({ out, env }: Context, flags: Flags): Promise<number> {
  const paths = resolvePaths(env);
  const { agents, backup } = loadConfig(paths, env, { sections: ['agents', 'backup'] }).config;
  const { workspace } = agents.defaults;
  const options = { systemUser: flags.systemUser, print: flags.print === true, workspace, backups: backup.folder };
  if (flags.print) {
    const plan = planUnit(paths, env, options);
    out.data({ manager: plan.manager, path: plan.path, text: plan.text });
    out.text(plan.text);
    return EXIT.ok;
  }
  const unit = await installUnit(paths, env, options);
  out.data({ manager: unit.manager, path: unit.path, notes: unit.notes });
  out.line(span('green', 'installed'), ` ${unit.path}; it runs now and starts with the machine`);
  for (const note of unit.notes) out.note(note);
  return EXIT.ok;
}

export async function uninstall({ out, env }: Context): Promise<number> {
  const paths = resolvePaths(env);
  const unit = await uninstallUnit(paths, env);
  out.data({ removed: unit?.path ?? null, kept: paths.stateDir });
  out.line(unit ? `removed ${unit.path}` : `no unit runs the gateway of ${paths.stateDir}`);
  out.note(span('dim', `everything in ${paths.stateDir} is as it was`));
  return EXIT.ok;
}
