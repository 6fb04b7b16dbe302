// Owns what policy says about the files that a call would read or change: the ruling of the settings on each, with the
// command that would open it. Pure; whether a name is what it seems is looked at again when it is opened.
import { join } from 'node:path';
import { type Access, covers, type Ruling, ruleOn, type Zones } from '../config/zones.ts';
import type { ToolCall } from './decide.ts';
import type { Effect } from './effects.ts';
import type { Verdict } from './verdict.ts';

type Asking = Pick<ToolCall, 'speaker'>;

export function judgePaths({ speaker }: Asking, effects: readonly Effect[], zones: Zones): Verdict[] {
  const isOwner = speaker.principal.kind === 'owner';
  return effects.flatMap((effect) => {
    if (effect.kind !== 'read' && effect.kind !== 'write') return [];
    const path = effect.path.startsWith('/') ? effect.path : join(zones.workspace[0] ?? '/', effect.path);
    const ruling = rulingFor(zones, path, effect.kind, isOwner);
    if (ruling.ok) return [];
    const fix = isOwner ? fixOf(ruling, zones) : 'name a file in the workspace';
    const reason = `${effect.kind === 'read' ? 'reading' : 'changing'} ${effect.path} is not allowed: ${ruling.why}`;
    return [{ rule: 'deny', key: ruling.key, code: ruling.code, reason, fix, marks: [effect.path] }];
  });
}

/** What the model is told of the folders besides its workspace; '' when there are none. */
export function foldersShown({ allowed, workspace }: Zones): string {
  const outside = allowed.filter(({ path }) => !workspace.some((top) => covers(top, path)));
  const listed = outside.map(({ path, access }) => (access === 'ro' ? `${path} (read only)` : path)).join(', ');
  return listed === '' ? '' : `- Also within reach, by absolute path: ${listed}.`;
}

/** What lies outside the workspace is the owner's own, whatever tools somebody else was given. */
function rulingFor(zones: Zones, path: string, access: Access, isOwner: boolean): Ruling {
  const ruling = ruleOn(zones, path, access);
  if (!ruling.ok || isOwner || zones.workspace.some((top) => covers(top, path))) return ruling;
  const why = 'only the owner may use what lies outside the workspace';
  return { ok: false, code: 'PATH_OUTSIDE', key: 'built in', why };
}

/** The whole list with the new entry, since a setting is set as a whole. */
function fixOf({ opens, key }: Extract<Ruling, { ok: false }>, { allowed }: Zones): string {
  if (opens === undefined) return key === 'security.deniedPaths' ? `openclaw config get ${key}` : '';
  const entries = [...allowed.map(({ path, access }) => (access === 'ro' ? `${path}:ro` : path)), opens];
  return `openclaw config set security.allowedPaths '${JSON.stringify(entries).replaceAll("'", String.raw`'\''`)}'`;
}
