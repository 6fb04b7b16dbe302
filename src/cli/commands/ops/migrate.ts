// Owns `openclaw migrate`: says first what would be taken over from an older state and what not, then does it as one
// change that `config rollback` takes back. It prints names and never the value of a secret.
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { STARTER_FILES } from '../../../agent/prompt.ts';
import { EMPTY_CONFIG } from '../../../config/edit/edit.ts';
import { keepVersion } from '../../../config/edit/history.ts';
import { placesOf, writeNotes, writeSecrets } from '../../../ops/migrate/apply.ts';
import { type How, planTakeover, type Takeover } from '../../../ops/migrate/plan.ts';
import { EXIT } from '../../../platform/errors.ts';
import { openRoot, type Root } from '../../../platform/root.ts';
import { prepareWorkspace, workspaceOwner } from '../../../sandbox/workspace.ts';
import { loadEnvFile } from '../../../secrets/env-file.ts';
import { agreed } from '../../chat/ask-owner.ts';
import type { Context } from '../../context.ts';
import { type Output, span } from '../../output.ts';
import { change } from '../config/change.ts';
import { openStores } from '../secrets/stores.ts';

type Flags = { readonly from?: string; readonly dryRun?: boolean; readonly yes?: boolean; readonly vault?: boolean };
type Place = { readonly name: string; readonly how: How };

export async function run(context: Context, flags: Flags): Promise<number> {
  const { out } = context;
  const { paths, vault } = await openStores(context, flags);
  const stores = { credentialsDir: paths.credentialsDir, ...(vault ? { vault } : {}) };
  const { env } = loadEnvFile(paths.stateDir, context.env);
  const home = env['OPENCLAW_HOME'] || env['HOME'] || homedir();
  const from = flags.from === undefined ? {} : { from: flags.from };
  const plan = await planTakeover({ paths, env, home, ...from }, stores);
  const workspace = existsSync(paths.workspaceDir) ? await openRoot(paths.workspaceDir, workspaceOwner()) : null;
  const places = await placesOf(plan, workspace, STARTER_FILES);
  await workspace?.close();
  const changes = countOf(plan, places);
  say(out, plan, places, flags.dryRun === true);
  const answer = (done: boolean): void => out.data(reportOf(plan, places, flags.dryRun === true, done));
  if (flags.dryRun || changes === 0) {
    answer(false);
    if (changes === 0) out.line('all of it is here already; nothing was changed');
    else
      out.line(`nothing was written; without --dry-run, ${plan.old.configPath} and its folder stay as they are, too`);
    return EXIT.ok;
  }
  if (
    !(await agreed(
      out,
      flags.yes,
      'take all of this over?',
      'read what openclaw migrate --dry-run says, then: openclaw migrate --yes',
    ))
  )
    return EXIT.failure;
  const back = writeSecrets(plan, paths, stores);
  try {
    const { text } = plan;
    // So that there is a way back to having written nothing.
    const before = { atMs: Date.now(), by: 'before', why: 'there was no configuration' };
    if (!existsSync(paths.configPath)) keepVersion(paths.stateDir, EMPTY_CONFIG, before);
    const quiet = { ...context, out: { ...out, data: () => {} } };
    if (text !== null) await change(quiet, { yes: true }, `migrate ${plan.old.configPath}`, () => text);
  } catch (error) {
    back();
    throw error;
  }
  if (places.some(({ how }) => how === 'write')) await copyNotes(plan, places, paths.workspaceDir);
  answer(true);
  const kept = plan.old.inPlace ? 'the old text is in the history' : `${plan.old.configPath} stays as it was`;
  out.line(span('green', 'taken over'), `; ${kept}`);
  return EXIT.ok;
}

async function copyNotes(plan: Takeover, places: readonly Place[], dir: string): Promise<void> {
  prepareWorkspace(dir);
  const root: Root = await openRoot(dir, workspaceOwner());
  try {
    await writeNotes(plan, places, root);
  } finally {
    await root.close();
  }
}

const countOf = ({ text, secrets, files, variables }: Takeover, places: readonly Place[]): number =>
  (text === null ? 0 : 1) +
  secrets.moves.filter(({ how }) => how !== 'keep').length +
  [...files, ...variables, ...places].filter(({ how }) => how === 'write').length;

function say(out: Output, plan: Takeover, places: readonly Place[], dryRun: boolean): void {
  const would = dryRun ? 'would ' : '';
  const here = (what: string, { name, how }: Place, to: string): void => {
    if (how === 'other')
      out.line(span('yellow', 'stays: '), `${what} ${name} is here already and differs; the one here holds`);
    else out.line(how === 'keep' ? `is here already: ${what} ${name}` : `${would}copy ${what} ${name} to ${to}`);
  };
  out.line(`from ${plan.old.configPath}`);
  if (plan.text !== null) {
    for (const { key, from } of plan.taken) out.line(`${would}take ${from ? `${from} as ` : ''}${key}`);
  }
  for (const { key, ids } of plan.people) out.line(`${would}let in as before, by ${key}: ${ids.join(', ')}`);
  for (const { path, place, name, how } of plan.secrets.moves) {
    const to = place === 'vault' ? `the vault as ${name}` : `credentials/${name}`;
    out.line(
      how === 'keep' ? `is here already: the secret ${path} in ${to}` : `${would}move the secret ${path} to ${to}`,
    );
  }
  for (const file of plan.files) here('the secret', file, `credentials/${file.name}`);
  for (const variable of plan.variables) here('the variable', variable, '.env');
  for (const place of places) here('the text', place, 'the workspace');
  for (const { path, why } of plan.secrets.skipped) out.line(span('yellow', 'not moved: '), `${path} ${why}`);
  for (const { key, why, loud } of plan.left)
    out.line(
      span(loud ? 'red' : 'dim', loud ? 'LEFT OUT: ' : 'left out: '),
      why.startsWith(key) ? why : `${key}: ${why}`,
    );
}

/** Names only. */
function reportOf(plan: Takeover, places: readonly Place[], dryRun: boolean, done: boolean): unknown {
  const named = (list: readonly Place[]) => list.map(({ name, how }) => ({ name, how }));
  return {
    dryRun,
    done,
    from: plan.old.configPath,
    taken: plan.text === null ? [] : plan.taken,
    leftOut: plan.left,
    people: plan.people,
    secrets: plan.secrets,
    files: named(plan.files),
    variables: named(plan.variables),
    workspace: places,
  };
}
