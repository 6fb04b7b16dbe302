// Owns what an approved call is bound to: its arguments, folder and environment, the programs that it would start and the
// files that they would read as code, that it would change or that it names to a server. Part of the composition; it only reads, and decides nothing.
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, normalize, resolve } from 'node:path';
import { tryReadChecked } from '../platform/files.ts';
import { canonicalJson } from '../platform/json.ts';
import { type Binding, questionOf } from '../policy/approvals/approval.ts';
import type { Approvals, Line } from '../policy/approvals/approvals.ts';
import type { ToolCall } from '../policy/decide.ts';
import type { Effect } from '../policy/effects.ts';
import type { Names } from '../policy/shell/names.ts';
import { BASE_ENVIRONMENT } from '../sandbox/environment.ts';
import type { CallerPorts } from '../tools/call.ts';
import { pausedText } from './words.ts';

export type BinderPorts = {
  /** the folder that this conversation has as its workspace */
  folderOf(call: ToolCall): string;
  /** from the grammar, never from a guess; it is not loaded before something is asked */
  readonly namesIn: (command: string) => Promise<Names>;
};

/** `isWhole`: false when what it starts or reads is chosen only when it runs, so that a change of that would not show. */
export type Bound = { readonly parts: Binding; readonly isWhole: boolean };

/** Larger files are known by what the file system says of them, which nobody can set back. */
const MAX_CONTENT_BYTES = 32_000_000;
/** That a server is handed. More are not bound, and the card says so. */
const MAX_FILES = 100;
/** The workspace as commands see it in the sandbox. */
const INSIDE = '/workspace';

export const createBinder =
  ({ folderOf, namesIn }: BinderPorts) =>
  async (call: ToolCall, effects: readonly Effect[]): Promise<Bound> => {
    let isWhole = true;
    const folder = await realpath(folderOf(call)).catch(lost);
    const thing = (path: string): Promise<string> => identityOf(path, folder);
    const parts = new Map<string, string>();
    parts.set('the arguments', digest(canonicalJson([call.name, call.args])));
    parts.set('the environment', digest(canonicalJson(BASE_ENVIRONMENT)));
    parts.set('the workspace', digest(folder));
    for (const effect of effects) {
      const leaves = effect.kind === 'read' && effects.some(({ kind }) => kind === 'message' || kind === 'browse');
      if (effect.kind === 'write' || leaves)
        parts.set(`the file ${effect.path}`, await thing(resolve(folder, effect.path)));
      if (effect.kind === 'call' && effect.files) {
        isWhole &&= effect.files.length <= MAX_FILES;
        for (const name of effect.files.slice(0, MAX_FILES)) {
          const path = placeOf(name, folder, folder);
          parts.set(`the file ${name}`, await thing(path));
          isWhole &&= !(await stat(path).then((one) => one.isDirectory(), no));
        }
      }
      if (effect.kind !== 'run') continue;
      const { command, cwd, where } = effect;
      const at = (name: string): string => placeOf(name, join(folder, cwd), where === 'host' ? null : folder);
      parts.set('where it runs', digest(where));
      parts.set(`the folder ${cwd}`, await realpath(join(folder, cwd)).then(digest, lost));
      const { programs, files, isBindable } = await namesIn(command);
      isWhole &&= isBindable;
      for (const name of programs)
        parts.set(`the program ${name}`, await thing(name.includes('/') ? at(name) : await onPath(name)));
      for (const name of files) parts.set(`the file ${name}`, await thing(at(name)));
    }
    return { parts: [...parts].map(([what, hash]) => ({ what, hash })), isWhole };
  };

/** The way of a call that policy asks about: the owner's word, which holds for the call as it is. */
export const createOwnersWord =
  (approvals: Approvals, bind: ReturnType<typeof createBinder>): CallerPorts['askOwner'] =>
  async (call, effects, decision, signal, ahead = []) => {
    const lineOf = async (one: Pick<Ahead, 'call' | 'effects'>, asks: typeof decision): Promise<Line> => {
      const { parts, isWhole } = await bind(one.call, one.effects);
      const question = questionOf(one.call, one.effects, asks);
      const unseen = { always: null, task: null, effects: [...question.effects, UNSEEN] };
      return { question: isWhole ? question : { ...question, ...unseen }, binding: parts };
    };
    const first = await lineOf({ call, effects }, decision);
    // A call that needs what one before it writes is another call by then, and is asked about by itself.
    const written = new Set(writtenBy(effects));
    const also: Line[] = [];
    for (const one of ahead) {
      const line = one.decision.kind === 'ask' ? await lineOf(one, one.decision) : null;
      if (line && !line.binding.some(({ what }) => written.has(pathIn(what)))) also.push(line);
      for (const path of writtenBy(one.effects)) written.add(path);
    }
    const answer = await approvals.ask(first.question, first.binding, signal, also);
    if (answer.kind === 'paused') return { kind: 'paused', told: pausedText([first, ...also], answer.cards) };
    if (answer.kind !== 'allowed') return answer;
    return { kind: 'allowed', confirm: async () => approvals.confirm(answer.id, (await bind(call, effects)).parts) };
  };
type Ahead = NonNullable<Parameters<CallerPorts['askOwner']>[4]>[number];

const writtenBy = (effects: readonly Effect[]): string[] =>
  effects.flatMap((one) => (one.kind === 'write' ? [normalize(one.path)] : []));
/** `the file ./a`, `the program /workspace/a` and a written `a` are one file. */
const pathIn = (what: string): string => {
  const path = normalize(what.replace(/^the (?:file|program) /, ''));
  return path.startsWith(`${INSIDE}/`) ? path.slice(INSIDE.length + 1) : path;
};
const UNSEEN = 'starts or reads something that is chosen only when it runs: a change of that would not be noticed';

/**
 * Where a path of a command lies on this machine; `folder` is what the box shows as its workspace. It is not made shorter:
 * what is above a link, only the system knows.
 */
function placeOf(name: string, cwd: string, folder: string | null): string {
  const isInside = folder !== null && (name === INSIDE || name.startsWith(`${INSIDE}/`));
  return isInside ? `${folder}${name.slice(INSIDE.length)}` : isAbsolute(name) ? name : `${cwd}/${name}`;
}

async function onPath(name: string): Promise<string> {
  for (const folder of (BASE_ENVIRONMENT['PATH'] ?? '').split(':')) {
    const path = join(folder, name);
    if (await access(path, constants.X_OK).then(yes, no)) return path;
  }
  return name;
}

/**
 * By where it really lies and what the file system says of it, which nobody can set back; by its content where that could
 * be changed: in the workspace, or where we may write.
 */
async function identityOf(path: string, folder: string): Promise<string> {
  try {
    const real = await realpath(path);
    const info = await stat(real, { bigint: true });
    const isOurs = real.startsWith(`${folder}/`) || (await access(real, constants.W_OK).then(yes, no));
    const isRead = isOurs && info.isFile() && info.size <= MAX_CONTENT_BYTES;
    const content = isRead ? tryReadChecked(real, MAX_CONTENT_BYTES, () => {}) : null;
    const { dev, ino, size, mtimeNs, ctimeNs } = info;
    const seen = content === null ? [dev, ino, size, mtimeNs, ctimeNs].map(String) : [digest(content)];
    return digest(canonicalJson([real, ...seen]));
  } catch (error) {
    return lost(error);
  }
}

const lost = (error: unknown): string => `missing (${(error as NodeJS.ErrnoException).code ?? 'unreadable'})`;
const yes = (): boolean => true;
const no = (): boolean => false;
const digest = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('base64url');
