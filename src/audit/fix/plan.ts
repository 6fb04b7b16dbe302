// Owns which findings `--fix` mends, and what the configuration, the modes and the files are then. It only thinks: nothing is
// written here, and what it cannot show to be tighter is left to the owner.
import { lstatSync } from 'node:fs';
import { EMPTY_CONFIG, setAt, unsetAt } from '../../config/edit/edit.ts';
import { parseKeyPath } from '../../config/edit/key-path.ts';
import type { Config } from '../../config/schema.ts';
import { readBeyond } from '../../config/shape/beyond.ts';
import { inspectQuietly } from '../../ops/doctor/facts.ts';
import type { Check, Facts, Finding, Repair } from '../check.ts';
import { type Found, foundIn, runAudit } from '../run.ts';
import { isOnlyTighter } from './tighter.ts';

export type ModeStep = { readonly path: string; readonly from: number; readonly to: number };
export type FileStep = { readonly path: string; readonly text: string };
export type Plan = {
  readonly configPath: string;
  /** of the configuration, as it is and as it will be; the same when nothing of it is mended */
  readonly before: string;
  readonly after: string;
  readonly modes: readonly ModeStep[];
  readonly files: readonly FileStep[];
  /** what is mended by it */
  readonly mended: readonly Found[];
};

/** A mend may bring another finding to light. */
const MAX_ROUNDS = 6;
type Setting = Extract<Repair, { kind: 'setting' }>;

export const isEmptyPlan = ({ before, after, modes, files }: Plan): boolean =>
  before === after && modes.length === 0 && files.length === 0;

export async function planFix(
  checks: readonly Check[],
  facts: Facts,
  isWanted: (check: Pick<Check, 'id' | 'group'>) => boolean = () => true,
  isDeep = false,
): Promise<Plan> {
  const options = { depths: new Set<Check['depth']>(['read']), isWanted };
  const first = { ...options, depths: new Set<Check['depth']>(isDeep ? ['read', 'deep'] : ['read']) };
  const all = foundIn(await runAudit(checks, facts, first));
  const { modes, files } = onDisk(all);
  const mended = all.filter(({ finding }) => (finding.repairs ?? []).some((one) => isAmong(one, modes, files)));
  const before = facts.inspection?.exists === true ? facts.inspection.text : EMPTY_CONFIG;
  let now = facts;
  for (let round = 0; round < MAX_ROUNDS && now.settings !== null; round += 1) {
    const found = round === 0 ? all : foundIn(await runAudit(checks, now, options));
    const next = await mendSettings(now, found);
    if (next === null) break;
    mended.push(...next.mended);
    now = next.facts;
  }
  const after = now === facts ? before : (now.inspection?.text ?? before);
  const configPath = facts.inspection?.path ?? facts.paths.configPath;
  return { configPath, before, after, modes, files, mended: once(mended) };
}

/** One after the other: each is judged on what those before it have made. */
async function mendSettings(
  start: Facts,
  found: readonly Found[],
): Promise<{ readonly facts: Facts; readonly mended: readonly Found[] } | null> {
  let facts = start;
  const mended: Found[] = [];
  for (const one of found) {
    const settings = (one.finding.repairs ?? []).filter((repair) => repair.kind === 'setting');
    if (settings.length === 0 || facts.settings === null) continue;
    const next = await tried(facts, settings);
    if (next === null) continue;
    mended.push(one);
    facts = next;
  }
  return mended.length === 0 ? null : { facts, mended };
}

/** What is known with these settings, or null: it would say something else, or not only less. */
async function tried(facts: Facts, settings: readonly Setting[]): Promise<Facts | null> {
  const text = edited(facts.inspection?.text ?? EMPTY_CONFIG, settings);
  if (text === null || text === facts.inspection?.text || facts.settings === null) return null;
  const first = await inspectQuietly(facts.paths, facts.env, text).catch(() => null);
  if (first === null || first.config === null) return null;
  const read = await readBeyond(first, (again) => inspectQuietly(facts.paths, first.env, again));
  if (
    !isOnlyTighter(
      facts.settings,
      read.settings,
      settings.map(({ path }) => path),
    )
  )
    return null;
  return {
    ...facts,
    inspection: { ...first, text },
    config: facts.config === null ? null : (first.config as Config),
    ...read,
  };
}

function edited(text: string, settings: readonly Setting[]): string | null {
  try {
    return settings.reduce((now, { path, value }) => {
      const at = parseKeyPath(path);
      return value === null ? unsetAt(now, at) : setAt(now, at, value);
    }, text);
  } catch {
    return null;
  }
}

function onDisk(found: readonly Found[]): Pick<Plan, 'modes' | 'files'> {
  const [modes, files] = [new Map<string, ModeStep>(), new Map<string, FileStep>()];
  for (const repair of found.flatMap(({ finding }) => finding.repairs ?? [])) {
    if (repair.kind === 'setting') continue;
    const stats = lstatSync(repair.path, { throwIfNoEntry: false });
    if (repair.kind === 'file') {
      // What somebody wrote is theirs.
      if (stats === undefined) files.set(repair.path, { path: repair.path, text: repair.text });
      continue;
    }
    if (stats === undefined || stats.isSymbolicLink()) continue;
    const from = modes.get(repair.path)?.from ?? stats.mode & 0o7777;
    const to = (modes.get(repair.path)?.to ?? from) & repair.mode;
    if (to !== from) modes.set(repair.path, { path: repair.path, from, to });
  }
  return { modes: [...modes.values()], files: [...files.values()] };
}

const isAmong = (repair: Repair, modes: readonly ModeStep[], files: readonly FileStep[]): boolean =>
  repair.kind !== 'setting' && [...modes, ...files].some(({ path }) => path === repair.path);

const once = (found: readonly Found[]): Found[] => {
  const said = new Map(found.map((one) => [keyOf(one.check, one.finding), one]));
  return [...said.values()];
};
const keyOf = ({ id }: Pick<Check, 'id'>, { evidence }: Finding): string => `${id}\0${evidence}`;
