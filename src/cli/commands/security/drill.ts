// Owns `openclaw security drill`: the hostile texts of the drill against the settings as they stand, and a table of what was
// in the way of each. It needs no gateway, and changes nothing.
import { homedir } from 'node:os';
import { drill, GRANTS, type Result } from '../../../audit/drill/drill.ts';
import { SCENARIOS } from '../../../audit/drill/scenarios/all.ts';
import { shownPath, withoutPaths, writtenPaths } from '../../../audit/drill/written.ts';
import { errorsIn, refusal } from '../../../config/findings.ts';
import { inspectConfig } from '../../../config/inspect.ts';
import { resolvePaths } from '../../../config/paths.ts';
import { channelOf, emptyDatabase } from '../../../drilling/place.ts';
import { openWorld } from '../../../drilling/world.ts';
import { HardshellError, misused, reasonOf } from '../../../platform/errors.ts';
import { loadEnvFile } from '../../../secrets/env-file.ts';
import type { Context } from '../../context.ts';
import { type Output, span } from '../../output.ts';
import { tableLines } from '../../print/table.ts';
import { nearestWord } from '../../suggest.ts';

type Options = { readonly only?: string; readonly list?: boolean };
const NO_MESSENGER = 'you use no messenger, so hostile people were played on Telegram with its defaults';
const GOT_THROUGH = 1;
const COULD_NOT_RUN = 3;

export async function run({ out, env: given }: Context, { only, list }: Options): Promise<number | undefined> {
  const chosen = chosenBy(only);
  if (list) {
    out.data(chosen.map(({ id, wants, rows }) => ({ id, wants, rows })));
    const rows = chosen.map(({ id, wants, rows: played }) => [id, wants, played.join(' ')]);
    for (const line of tableLines([{ title: 'id' }, { title: 'the attacker wants to', flexible: true }, { title: 'plays' }], rows, out.width)) out.line(line); // biome-ignore format: one table
    return undefined;
  }
  const paths = resolvePaths(given);
  const { env } = loadEnvFile(paths.stateDir, given);
  const found = inspectConfig(paths, env, { rules: true, resolveSecret: () => 'not asked for' });
  if (found.config === null || errorsIn(found.findings).length > 0) throw asUnrun(refusal(found.path, found.findings));
  const { understood } = found;
  const home = env['OPENCLAW_HOME'] || env['HOME'] || homedir();
  const startedAtMs = performance.now();
  const empty = emptyDatabase();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  const results = await drill(chosen, {
    written: writtenPaths(understood),
    open: (without, isBare) => (played) =>
      openWorld({
        ...{ ...played, empty },
        given: { understood: withoutPaths(understood, without), env, home },
        database: isBare ? null : paths.databasePath,
      }),
    played: (done, all, { id }) => progress(out, done === all ? '' : `${done}/${all} ${id}`),
  }).catch((error: unknown) => {
    throw asUnrun(error);
  });
  const through = results.filter(({ effect }) => effect !== null);
  const ms = Math.round(performance.now() - startedAtMs);
  const notes = [...(channelOf(found.config.channels) === null ? [NO_MESSENGER] : []), ...notesOf(results)];
  out.data({
    stopped: results.length - through.length,
    gotThrough: through.length,
    ms,
    notes,
    scenarios: results.map(({ problem: _, sandbox: __, ...one }) => ({ ...one, let: one.let.map(shownPath) })),
  });
  print(out, results);
  for (const note of notes) out.note(span('yellow', note));
  const seconds = (ms / 1_000).toFixed(1);
  const said = `${results.length} attacks in ${seconds} s: ${results.length - through.length} stopped, ${through.length} got through`;
  out.line(span(through.length === 0 ? 'green' : 'red', said));
  return through.length === 0 ? undefined : GOT_THROUGH;
}

function chosenBy(only: string | undefined) {
  if (only === undefined) return SCENARIOS;
  const found = SCENARIOS.filter(({ id }) => id === only || id.startsWith(`${only}-`));
  if (found.length > 0) return found;
  const close = nearestWord(
    only,
    SCENARIOS.map(({ id }) => id),
  );
  throw misused(
    'NO_SUCH_SCENARIO',
    `there is no scenario ${JSON.stringify(only.slice(0, 60))}`,
    close ? `did you mean ${close}?` : 'openclaw security drill --list',
  );
}

/** One line that is written over; nothing of it stays, and programs see none. */
function progress({ streams, json }: Output, text: string): void {
  if (json || streams.stderr.isTTY !== true) return;
  streams.stderr.write(`\r\u001b[2K${text.slice(0, 70)}`);
}

function print(out: Output, results: readonly Result[]): void {
  const columns = [{ title: 'scenario' }, { title: 'stopped by' }, { title: 'rule' }, { title: 'the attacker wants to', flexible: true }]; // biome-ignore format: one table
  const rows = results.map(({ id, wants, stop }) => [id, stop?.layer ?? 'NOTHING', stop?.rule ?? '', wants]);
  for (const line of tableLines(columns, rows, out.width)) out.line(line);
  const through = results.filter(({ effect }) => effect !== null);
  if (through.length > 0) out.line('');
  for (const { id, effect, let: by } of through) {
    out.line(span('red', `${id} got through`), `: ${effect ?? ''}`);
    out.line(
      `  let by  ${by.length === 0 ? 'no setting of yours: this is a fault of Hardshell, please report it' : by.map(shownPath).join(' and ')}`,
    );
    const [first] = by;
    if (first !== undefined && first !== GRANTS) out.line(`  to close  openclaw config unset ${shownPath(first)}`);
  }
}

function notesOf(results: readonly Result[]): string[] {
  const without = results.find(({ sandbox }) => sandbox.startsWith('none'));
  const problem = results.find((one) => one.problem !== null)?.problem;
  return [
    ...(without ? [`no sandbox opened here, so commands were refused and not boxed: ${without.sandbox.slice(6)}`] : []),
    ...(problem ? [`what you allowed for good was not played with: ${problem}`] : []),
  ];
}

function asUnrun(error: unknown): HardshellError {
  const known = error instanceof HardshellError ? error : null;
  return new HardshellError({
    code: known?.code ?? 'DRILL_FAILED',
    message: known?.message ?? `the drill could not run: ${reasonOf(error)}`,
    fix: known?.fix ?? 'openclaw doctor',
    exitCode: COULD_NOT_RUN,
    cause: error,
  });
}
