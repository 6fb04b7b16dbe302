// Owns carrying out what `--fix` has planned: the configuration as one change with its history, then modes and files, with a
// record written before any of it that says how to go back. It must never write what the plan does not name.
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { EMPTY_CONFIG } from '../../config/edit/edit.ts';
import { underLock } from '../../config/edit/guard.ts';
import { keepVersion, listVersions, versionText } from '../../config/edit/history.ts';
import type { ChangePorts } from '../../config/edit/ports.ts';
import { changeConfig } from '../../config/edit/transaction.ts';
import { HardshellError, reasonOf } from '../../platform/errors.ts';
import { changeMode, removeFile, replaceFile, tryReadText } from '../../platform/files.ts';
import { sha256 } from '../../platform/ids.ts';
import type { ModeStep, Plan } from './plan.ts';

/** How to go back. The text of the configuration itself is in its history, and is not copied again. */
type Done = {
  readonly atMs: number;
  readonly config: { readonly path: string; readonly before: string; readonly after: string } | null;
  readonly modes: readonly ModeStep[];
  readonly files: readonly { readonly path: string; readonly hash: string }[];
};

/** What was done, and one line for each thing that could not be. */
export type Ended = { readonly done: readonly string[]; readonly failed: readonly string[] };

const KEPT = 10;
const MAX_BYTES = 8 * 1024 * 1024;
const recordPath = (stateDir: string): string => join(stateDir, 'audit-fixes.json');

/** Modes first: a file that others can read may be what keeps the settings from being read. */
export async function applyFix(
  openPorts: () => Promise<ChangePorts>,
  stateDir: string,
  nowMs: number,
  plan: Plan,
): Promise<Ended> {
  const { before, after, modes } = plan;
  const config = before === after ? null : { path: plan.configPath, before: sha256(before), after: sha256(after) };
  const files = plan.files.map(({ path, text }) => ({ path, hash: sha256(text) }));
  const earlier = readDone(stateDir);
  const noted = (isConfigDone: boolean): void => {
    const now: Done = { atMs: nowMs, config: isConfigDone ? config : null, modes, files };
    const isAny = now.config !== null || modes.length + files.length > 0;
    writeDone(stateDir, isAny ? [...earlier, now] : earlier);
  };
  noted(true);
  const said = ending();
  for (const { path, from, to } of modes) said.try(path, () => setMode(path, from, to));
  for (const { path, text } of plan.files)
    said.try(path, () => {
      if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return 'somebody made it meanwhile';
      replaceFile(path, text);
      return null;
    });
  if (config === null) return said;
  const failed = said.failed.length;
  await said.tryLater(config.path, async () => {
    await changeConfig(await openPorts(), () => after, { baseHash: config.before, mayStayBroken: true });
    return null;
  });
  if (said.failed.length > failed) noted(false);
  return said;
}

/** Back by one `--fix`; what was changed since is left as it is, and said. */
export async function undoFix(ports: ChangePorts): Promise<Ended & { readonly atMs: number }> {
  const { stateDir } = ports.paths;
  const all = readDone(stateDir);
  const last = all.at(-1);
  if (last === undefined) throw nothingToUndo();
  const said = ending();
  const { config } = last;
  if (config !== null) await said.tryLater(config.path, () => returnConfig(ports, config));
  for (const { path, from, to } of last.modes) said.try(path, () => setMode(path, to, from));
  for (const { path, hash } of last.files)
    said.try(path, () => {
      const text = tryReadText(path, MAX_BYTES);
      if (text === null || sha256(text) !== hash) return 'it was changed since, and stays';
      removeFile(path);
      return null;
    });
  writeDone(stateDir, all.slice(0, -1));
  return { atMs: last.atMs, done: said.done, failed: said.failed };
}

/** Exactly the previous bytes: they were in force, so they are not judged again. A gateway that runs reads them as any edit. */
const returnConfig = (
  ports: ChangePorts,
  { path, before, after }: NonNullable<Done['config']>,
): Promise<string | null> =>
  underLock(ports, async () => {
    const { stateDir } = ports.paths;
    const now = tryReadText(path, MAX_BYTES) ?? EMPTY_CONFIG;
    if (sha256(now) === before) return null;
    if (sha256(now) !== after) return 'it was changed since, and stays; openclaw config history shows each version';
    const version = listVersions(stateDir).find(({ hash }) => hash === before);
    const text = version ? versionText(stateDir, version.id) : before === sha256(EMPTY_CONFIG) ? EMPTY_CONFIG : null;
    if (text === null) return 'its previous version is not in the history any more';
    keepVersion(stateDir, text, { atMs: ports.now(), by: ports.by, why: ports.why ?? '' });
    replaceFile(path, text);
    return null;
  });

function setMode(path: string, from: number, to: number): string | null {
  if (changeMode(path, from, to) === 'changed') return null;
  const mode = lstatSync(path).mode & 0o7777;
  return mode === to ? null : `it has another mode since (0${mode.toString(8)}), and keeps it`;
}

/** Each thing by itself: one that fails holds up no other. */
function ending() {
  const [done, failed]: [string[], string[]] = [[], []];
  const note = (path: string, problem: string | null): void => {
    if (problem === null) done.push(path);
    else failed.push(`${path}: ${problem}`);
  };
  return {
    done,
    failed,
    try(path: string, act: () => string | null): void {
      try {
        note(path, act());
      } catch (error) {
        note(path, reasonOf(error));
      }
    },
    async tryLater(path: string, act: () => Promise<string | null>): Promise<void> {
      note(path, await act().catch(reasonOf));
    },
  };
}

/** Whoever can write this record could choose what a command of the owner writes: it is ours, private, and only of our places. */
function readDone(stateDir: string): readonly Done[] {
  const text = tryReadText(recordPath(stateDir), MAX_BYTES);
  if (text === null) return [];
  try {
    const found = JSON.parse(text) as Done[];
    return found.filter((one) => Array.isArray(one.modes) && Array.isArray(one.files));
  } catch {
    return [];
  }
}

const writeDone = (stateDir: string, all: readonly Done[]): void =>
  replaceFile(recordPath(stateDir), `${JSON.stringify(all.slice(-KEPT))}\n`);

const nothingToUndo = (): HardshellError =>
  new HardshellError({
    code: 'NOTHING_TO_UNDO',
    message: 'no --fix is there to be undone',
    fix: 'openclaw config history   (changes by other commands)',
  });
