// Owns `openclaw secrets migrate`: the values first, then the references in the configuration as one change, then the old
// versions that still hold the values. A value is never lost, and never printed.
import { join } from 'node:path';
import { readAt, setAt } from '../../../config/edit/edit.ts';
import { listVersions, versionText } from '../../../config/edit/history.ts';
import { errorsIn, refusal } from '../../../config/findings.ts';
import type { Inspection } from '../../../config/inspect.ts';
import { looksLikeYaml } from '../../../config/text/yaml.ts';
import { EXIT, HardshellError } from '../../../platform/errors.ts';
import { removeFile } from '../../../platform/files.ts';
import { applyMigration, type ConfigEdit, type MigrationPlan, planMigration } from '../../../secrets/migrate.ts';
import type { Context } from '../../context.ts';
import { span } from '../../output.ts';
import { change } from '../config/change.ts';
import { parseKeyPath } from '../config/given.ts';
import { settingsFor } from './settings.ts';
import { openStores, type SecretFlags } from './stores.ts';

export async function run(context: Context, flags: SecretFlags & { dryRun?: boolean }): Promise<number> {
  const { out } = context;
  const { paths, vault } = await openStores(context, flags);
  const { settings, now } = settingsFor(paths, context.env);
  if (errorsIn(now.findings).length > 0) throw refusal(now.path, now.findings);
  const stores = { credentialsDir: paths.credentialsDir, ...(vault ? { vault } : {}) };
  const plan = planMigration(settings, stores);
  const edits = plan.moves.map(({ path, ref }) => ({ path, value: ref }));
  const values = plan.moves.map(({ path }) => String(settings.find((one) => one.path === path)?.value));
  if (plan.moves.length > 0 && looksLikeYaml(now.text)) throw isYaml(now.path);
  const after = plan.moves.length > 0 ? referring(now, edits)(now.text) : '';
  if (values.some((value) => holds(after, value))) throw stays(now.path);
  if (flags.dryRun || plan.moves.length === 0) {
    out.data(plan);
    say(context, plan, flags.dryRun ? 'would move' : 'moved');
    return EXIT.ok;
  }
  applyMigration(plan, settings, stores);
  const quiet = { ...context, out: { ...out, data: () => {} } };
  const code = await change(quiet, { yes: true, baseHash: now.hash }, 'secrets migrate', referring(now, edits));
  const forgotten = forget(paths.stateDir, values);
  out.data({ ...plan, forgottenVersions: forgotten });
  say(context, plan, 'moved');
  if (forgotten > 0) out.note(`${forgotten} version${forgotten > 1 ? 's' : ''} of the history that held them are gone`);
  return code;
}

/** The references in place of the values, under whatever name the file has them. */
function referring({ mappings }: Inspection, edits: readonly ConfigEdit[]): (text: string) => string {
  return (text) =>
    edits.reduce((result, { path, value }) => {
      const names = [path, ...mappings.filter(({ to }) => to === path).map(({ from }) => from)].map(parseKeyPath);
      return names.reduce((one, name) => (readAt(one, name) === undefined ? one : setAt(one, name, value)), result);
    }, text);
}

/** A version that still holds a value would be a copy in the open. */
function forget(stateDir: string, values: readonly string[]): number {
  const holding = listVersions(stateDir).filter(({ id }) => {
    const text = versionText(stateDir, id);
    return values.some((value) => holds(text, value));
  });
  for (const { id } of holding) removeFile(join(stateDir, 'config-history', `${String(id).padStart(6, '0')}.json`));
  return holding.length;
}

const holds = (text: string, value: string): boolean =>
  text.includes(value) || text.includes(JSON.stringify(value).slice(1, -1));

function say({ out }: Context, { moves, skipped }: MigrationPlan, word: string): void {
  for (const { path, place, name } of moves)
    out.line(`${word} ${path} to ${place === 'vault' ? 'the vault' : 'credentials'}: ${name}`);
  for (const { path, why } of skipped) out.note(span('yellow', `not moved: ${path} ${why}`));
  if (moves.length === 0) out.line('no secret lies in the configuration');
}

const isYaml = (path: string): HardshellError =>
  new HardshellError({
    code: 'CONFIG_IS_YAML',
    message: `${path} is YAML, and commands change only JSON5`,
    fix: 'openclaw secrets set NAME, then refer to it by hand: { source: "file", id: "NAME" }',
    exitCode: EXIT.failure,
  });

const stays = (path: string): HardshellError =>
  new HardshellError({
    code: 'MIGRATION_INCOMPLETE',
    message: `a secret would still be in ${path}, in a comment, an included file or twice; nothing was moved`,
    fix: 'openclaw secrets audit shows where; move that one by hand',
    exitCode: EXIT.failure,
  });
