// Owns `openclaw secrets migrate`: the values first, then the references in included files and in the configuration, as
// one change, then the old versions that still hold the values. A value is never lost, and never printed.
import { setAt } from '../../../config/edit/edit.ts';
import { forgetVersions } from '../../../config/edit/history.ts';
import { errorsIn, refusal } from '../../../config/findings.ts';
import type { Inspection } from '../../../config/inspect.ts';
import { parseJson5, plainValue } from '../../../config/text/json5.ts';
import { readSource } from '../../../config/text/source.ts';
import { looksLikeYaml } from '../../../config/text/yaml.ts';
import { EXIT, HardshellError } from '../../../platform/errors.ts';
import { replaceFile } from '../../../platform/files.ts';
import { applyMigration, type MigrationPlan, planMigration } from '../../../secrets/migrate.ts';
import type { SettingRef } from '../../../secrets/setting-refs.ts';
import type { Context } from '../../context.ts';
import { span } from '../../output.ts';
import { change } from '../config/change.ts';
import { settingsFor } from './settings.ts';
import { openStores, type SecretFlags } from './stores.ts';

export async function run(context: Context, flags: SecretFlags & { dryRun?: boolean }): Promise<number> {
  const { out } = context;
  const { paths, vault } = await openStores(context, flags);
  const { settings, now } = settingsFor(paths, context.env);
  if (errorsIn(now.findings).length > 0) throw refusal(now.path, now.findings);
  const stores = { credentialsDir: paths.credentialsDir, ...(vault ? { vault } : {}) };
  const plan = planMigration(settings, stores);
  const openValueOf = (path: string): string => String(settings.find((one) => one.path === path)?.value);
  const replacements = plan.moves.map(({ path, ref }) => ({
    names: namesOf(now, path),
    value: openValueOf(path),
    ref,
  }));
  const values = replacements.map(({ value }) => value);
  const files = replacements.length > 0 ? referring(now, replacements) : [];
  for (const { path, after } of files) if (values.some((value) => holds(after, value))) throw stays(path);
  if (flags.dryRun || plan.moves.length === 0) {
    out.data(plan);
    say(context, plan, flags.dryRun ? 'would move' : 'moved');
    return EXIT.ok;
  }
  applyMigration(plan, settings, stores);
  const [main, ...included] = files;
  const line: typeof out.line = main?.after === now.text ? () => {} : out.line;
  const quiet = { ...context, out: { ...out, line, data: () => {} } };
  const code = await withIncluded(included, () =>
    change(quiet, { yes: true, baseHash: now.hash }, 'secrets migrate', () => main?.after ?? now.text),
  );
  const forgotten = forgetVersions(paths.stateDir, (text) => values.some((value) => holds(text, value)));
  out.data({ ...plan, forgottenVersions: forgotten });
  say(context, plan, 'moved');
  if (forgotten > 0) out.note(`${forgotten} version${forgotten > 1 ? 's' : ''} of the history that held them are gone`);
  return code;
}

type Replacement = { readonly names: readonly string[]; readonly value: string; readonly ref: SettingRef };
type Rewritten = { readonly path: string; readonly before: string; readonly after: string };

/** As it is called here, and as the files may call it. */
const namesOf = ({ mappings }: Inspection, path: string): string[] => [
  path,
  ...mappings.filter(({ to }) => to === path).map(({ from }) => from),
];

/** Every file that went in, the main one first, with the references in place of the values. */
function referring(now: Inspection, replacements: readonly Replacement[]): Rewritten[] {
  return now.files.map((path, index) => {
    const before = index === 0 ? now.text : (readSource(path) ?? '');
    if (!looksLikeYaml(before)) return { path, before, after: replaced(before, replacements) };
    if (index === 0 || replacements.some(({ value }) => holds(before, value))) throw isYaml(path);
    return { path, before, after: before };
  });
}

/** An included file stands somewhere below the top, so its keys are the ends of the names. */
function replaced(text: string, replacements: readonly Replacement[]): string {
  let result = text;
  for (const [path, value] of leavesOf(plainValue(parseJson5(text).root))) {
    const key = path.join('.');
    const fits = (name: string): boolean => name === key || name.endsWith(`.${key}`);
    const found = replacements.find((one) => one.value === value && one.names.some(fits));
    if (found) result = setAt(result, path, found.ref);
  }
  return result;
}

function* leavesOf(node: unknown, path: readonly string[] = []): Generator<[readonly string[], string]> {
  if (typeof node === 'string') yield [path, node];
  if (node === null || typeof node !== 'object') return;
  for (const [key, inner] of Object.entries(node)) yield* leavesOf(inner, [...path, key]);
}

/** Included files are not in the history: what fails afterwards puts their bytes back. */
async function withIncluded(files: readonly Rewritten[], run: () => Promise<number>): Promise<number> {
  const changed = files.filter(({ before, after }) => before !== after);
  const written: Rewritten[] = [];
  try {
    for (const file of changed) {
      replaceFile(file.path, file.after);
      written.push(file);
    }
    return await run();
  } catch (error) {
    for (const { path, before } of written) replaceFile(path, before);
    throw error;
  }
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
  });

const stays = (path: string): HardshellError =>
  new HardshellError({
    code: 'MIGRATION_INCOMPLETE',
    message: `a secret would still be in ${path}, in a comment or twice; nothing was moved`,
    fix: 'openclaw secrets audit shows where; move that one by hand',
  });
