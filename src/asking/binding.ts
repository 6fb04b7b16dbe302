// Owns what an approved call is bound to: its arguments, folder and environment, the programs that it would start and the
// files that they would read as code or that it would change. Part of the composition; it only reads, and decides nothing.
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, lstat, readFile, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import type { Root } from '../platform/root.ts';
import { type Binding, questionOf } from '../policy/approval.ts';
import type { Approvals } from '../policy/approvals.ts';
import type { ToolCall } from '../policy/decide.ts';
import type { Effect } from '../policy/effects.ts';
import type { Names } from '../policy/shell/names.ts';
import { BASE_ENVIRONMENT } from '../sandbox/environment.ts';
import type { CallerPorts } from '../tools/call.ts';

export type BinderPorts = {
  readonly workspace: Root;
  /** from the grammar, never from a guess; it is not loaded before something is asked */
  readonly namesIn: (command: string) => Promise<Names>;
};

/** `isWhole`: false when what it starts or reads is chosen only when it runs, so that a change of that would not show. */
export type Bound = { readonly parts: Binding; readonly isWhole: boolean };

/** Larger files are known by what the file system says of them, which nobody can set back. */
const MAX_CONTENT_BYTES = 32_000_000;
/** The workspace as commands see it in the sandbox. */
const INSIDE = '/workspace';

export const createBinder =
  ({ workspace, namesIn }: BinderPorts) =>
  async (call: ToolCall, effects: readonly Effect[]): Promise<Bound> => {
    let isWhole = true;
    const parts = new Map<string, string>();
    parts.set('the arguments', digest(canonical([call.name, call.args])));
    parts.set('the environment', digest(canonical(BASE_ENVIRONMENT)));
    parts.set('the workspace', await realpath(workspace.path).then(digest, lost));
    for (const effect of effects) {
      if (effect.kind === 'write') parts.set(`the file ${effect.path}`, await fileIn(workspace, effect.path));
      if (effect.kind !== 'run') continue;
      const { command, cwd, where } = effect;
      parts.set('where it runs', digest(where));
      parts.set(`the folder ${cwd}`, await realpath(join(workspace.path, cwd)).then(digest, lost));
      const { programs, files, isBindable } = await namesIn(command);
      isWhole &&= isBindable;
      for (const name of programs) parts.set(`the program ${name}`, await programOf(workspace, cwd, name));
      for (const name of files) {
        const path = where === 'host' && isAbsolute(name) ? null : insideOf(cwd, name);
        if (path !== null) parts.set(`the file ${name}`, await fileIn(workspace, path));
        else if (isAbsolute(name)) parts.set(`the file ${name}`, await executable(name));
      }
    }
    return { parts: [...parts].map(([what, hash]) => ({ what, hash })), isWhole };
  };

/** The way of a call that policy asks about: the owner's word, which holds for the call as it is. */
export const createOwnersWord =
  (approvals: Approvals, bind: ReturnType<typeof createBinder>): CallerPorts['askOwner'] =>
  async (call, effects, decision, signal) => {
    const bound = await bind(call, effects);
    const { always, ...question } = questionOf(call, effects, decision);
    const answer = await approvals.ask(
      bound.isWhole ? { ...question, always } : { ...question, always: null, effects: [...question.effects, UNSEEN] },
      bound.parts,
      signal,
    );
    if (answer.kind !== 'allowed') return answer;
    return { kind: 'allowed', confirm: async () => approvals.confirm(answer.id, (await bind(call, effects)).parts) };
  };
const UNSEEN = 'starts or reads something that is chosen only when it runs: a change of that would not be noticed';

/** A path of a command as one of the workspace; null: it leads out of it. */
function insideOf(cwd: string, name: string): string | null {
  const path = isAbsolute(name) ? relative(INSIDE, name) : join(cwd, name);
  return path === '..' || path.startsWith('../') || isAbsolute(path) ? null : path;
}

async function programOf(workspace: Root, cwd: string, name: string): Promise<string> {
  if (name.includes('/')) {
    const inside = insideOf(cwd, name);
    return inside === null ? executable(name) : fileIn(workspace, inside);
  }
  for (const folder of (BASE_ENVIRONMENT['PATH'] ?? '').split(':')) {
    const path = join(folder, name);
    if (await access(path, constants.X_OK).then(yes, no)) return executable(path);
  }
  return 'missing';
}

/** By where it really lies and what the file system says of it; by its content when we could change it. */
async function executable(path: string): Promise<string> {
  try {
    const real = await realpath(path);
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(real, { bigint: true });
    const known = [real, dev, ino, size, mtimeNs, ctimeNs].map(String);
    const isOurs = size <= MAX_CONTENT_BYTES && (await access(real, constants.W_OK).then(yes, no));
    return digest(canonical(isOurs ? [real, digest(await readFile(real))] : known));
  } catch (error) {
    return lost(error);
  }
}

async function fileIn(workspace: Root, path: string): Promise<string> {
  try {
    const content = await workspace.tryRead(path, MAX_CONTENT_BYTES);
    return content === null ? 'missing' : digest(content);
  } catch {
    // A folder, a link, something large: any change of it still shows.
    return lstat(join(workspace.path, path), { bigint: true }).then(
      ({ dev, ino, size, mtimeNs, ctimeNs }) => digest(canonical([dev, ino, size, mtimeNs, ctimeNs].map(String))),
      lost,
    );
  }
}

const lost = (error: unknown): string => `missing (${(error as NodeJS.ErrnoException).code ?? 'unreadable'})`;
const yes = (): boolean => true;
const no = (): boolean => false;
const digest = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('base64url');

/** The same text for the same value, in whatever order its keys were written. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
