// Owns `openclaw skills`: installs into quarantine, shows what was found, and approves exactly what was shown. It must never
// run anything of a skill, nor approve what has findings without the hash of what was looked at.
import { statSync } from 'node:fs';
import { EXIT, HardshellError } from '../../../platform/errors.ts';
import { type Fetched, fetchSkill } from '../../../skills/install/fetch.ts';
import { NAME, readLock } from '../../../skills/lock.ts';
import { isHeld } from '../../../skills/scan/rule.ts';
import { scanSkill } from '../../../skills/scan/scan.ts';
import { agreed } from '../../chat/ask-owner.ts';
import type { Context } from '../../context.ts';
import { span } from '../../output.ts';
import { openSkills, type SkillReach } from './reach.ts';
import { showList, showReport, showSkill } from './show.ts';

type Flags = {
  readonly commit?: string;
  readonly subfolder?: string;
  readonly name?: string;
  readonly hash?: string;
  readonly yes?: boolean;
};

const LEAST_HASH_CHARS = 12;

export async function list(context: Context): Promise<undefined> {
  const { desk } = await openSkills(context);
  const skills = desk.list();
  context.out.data({ skills });
  showList(context.out, skills);
}

export async function inspect(context: Context, _flags: Flags, name: string): Promise<undefined> {
  const { desk } = await openSkills(context);
  const shown = desk.look(name);
  context.out.data(shown);
  showSkill(context.out, shown);
  if (shown.state !== 'approved')
    context.out.note(span('dim', approval(shown.name, shown.hash, shown.findings.some(isHeld))));
}

const approval = (name: string, hash: string, isFound: boolean): string =>
  `openclaw skills approve ${name}${isFound ? ` --hash ${hash.slice(0, LEAST_HASH_CHARS)}` : ''}`;

export async function install(context: Context, flags: Flags, from: string): Promise<number> {
  const reach = await openSkills(context);
  const { name, content, source } = await fetchSkill({ from, ...flags }, reach.mayReach);
  return told(context, reach, await reach.desk.install(name, content, source));
}

export async function update(context: Context, flags: Flags, name: string): Promise<number> {
  const reach = await openSkills(context);
  const entry = readLock(reach.places.stateDir).skills[name];
  // Whatever is not there at all is said as everywhere else.
  if (!entry) reach.desk.look(name);
  if (!entry?.source)
    throw new HardshellError({
      code: 'SKILL_NO_SOURCE',
      message: `${name} was not installed from anywhere`,
      fix: `change it in the workspace, then openclaw skills approve ${NAME.test(name) ? name : 'NAME'}`,
    });
  const { from, commit, subfolder } = entry.source;
  const { content, source } = await fetchSkill({ from, commit, subfolder, ...flags, name }, reach.mayReach);
  return told(context, reach, await reach.desk.update(name, content, source));
}

/** `security.installPolicy.enabled: false` is the owner's word for what has no finding. */
async function told({ out }: Context, reach: SkillReach, given: Awaited<ReturnType<SkillReach['desk']['install']>>) {
  let shown = given;
  const isFound = shown.findings.some(isHeld);
  if (reach.config?.security.installPolicy.enabled === false && !isFound && shown.state !== 'approved') {
    reach.prepare();
    shown = await reach.desk.approve(shown.name, shown.hash);
  }
  out.data(shown);
  showSkill(out, shown);
  if (shown.state !== 'approved') {
    out.note('it waits, and nothing of it was run; when you have looked at it:');
    out.note(span('bold', approval(shown.name, shown.hash, isFound)));
  }
  return isFound ? EXIT.failure : EXIT.ok;
}

export async function approve(context: Context, { hash, yes }: Flags, name: string): Promise<number> {
  const { out } = context;
  const { desk, prepare } = await openSkills(context);
  const shown = desk.look(name);
  if (shown.state === 'approved') {
    out.data(shown);
    out.line(`${name} is approved already`);
    return EXIT.ok;
  }
  const isGiven = hash !== undefined && hash.length >= LEAST_HASH_CHARS && shown.hash.startsWith(hash.toLowerCase());
  if (hash !== undefined && !isGiven)
    throw new HardshellError({
      code: 'SKILL_CHANGED',
      message: `${name} has another hash (${shown.hash.slice(0, LEAST_HASH_CHARS)}); nothing is approved`,
      fix: `openclaw skills inspect ${name}`,
    });
  if (!out.json) showSkill(out, shown);
  if (shown.findings.some(isHeld) && !isGiven)
    throw new HardshellError({
      code: 'SKILL_HELD',
      message: `something was found in ${name}, so a plain yes is not enough`,
      fix: `read the files, then say what you read: ${approval(name, shown.hash, true)}`,
    });
  if (!isGiven && !(await agreed(out, yes, `let the assistant use ${name}?`, approval(name, shown.hash, true))))
    return EXIT.failure;
  prepare();
  const done = await desk.approve(name, shown.hash);
  out.data(done);
  out.line(span('green', 'approved: '), `${name} as it is now; any change takes that back`);
  return EXIT.ok;
}

export async function remove(context: Context, { yes }: Flags, name: string): Promise<number> {
  const { out } = context;
  const { desk } = await openSkills(context);
  desk.look(name);
  if (!(await agreed(out, yes, `remove ${name} with all its files?`, 'say --yes'))) return EXIT.failure;
  await desk.remove(name);
  out.data({ removed: name });
  out.line(`removed: ${name}`);
  return EXIT.ok;
}

export async function verify(context: Context, _flags: Flags, name?: string): Promise<number> {
  const { out } = context;
  const { desk, places } = await openSkills(context);
  const { sideState } = await import('../../../channels/whatsapp/install.ts');
  const skills = (name === undefined ? desk.list() : [desk.look(name)]).map(({ name, state, why, hash, changes }) => ({
    ...{ name, state, why, hash, changes },
  }));
  const sidecars = name === undefined ? [sideState(places.stateDir)].filter(({ state }) => state !== 'absent') : [];
  out.data({ skills, sidecars });
  for (const { name, state, why, changes } of skills) {
    const style = state === 'approved' ? 'green' : state === 'changed' ? 'red' : 'yellow';
    out.line(span(style, state.padEnd(12)), `${name}${why === '' ? '' : `: ${why}`}`);
    for (const one of changes.slice(1)) out.line(`              ${one.path}: ${one.why}`);
  }
  for (const { name, state, why } of sidecars)
    out.line(span(state === 'changed' ? 'red' : 'green', state.padEnd(12)), `${name}${why === '' ? '' : `: ${why}`}`);
  if (skills.length + sidecars.length === 0) out.note(span('dim', 'nothing is installed'));
  out.note(span('dim', 'tools of MCP servers are pinned by themselves: openclaw mcp list'));
  return [...skills, ...sidecars].some(({ state }) => state === 'changed') ? EXIT.failure : EXIT.ok;
}

export async function scan(context: Context, flags: Flags, from: string): Promise<number> {
  const { out } = context;
  const reach = await openSkills(context);
  const isInstalled = NAME.test(from) && statSync(from, { throwIfNoEntry: false }) === undefined;
  const report = isInstalled ? reach.desk.look(from) : scanOf(await fetchSkill({ from, ...flags }, reach.mayReach));
  out.data(report);
  showReport(out, report);
  return report.findings.some(isHeld) ? EXIT.failure : EXIT.ok;
}

const scanOf = ({ name, content }: Fetched) => ({ name, hash: content.hash, ...scanSkill(name, content, []) });
