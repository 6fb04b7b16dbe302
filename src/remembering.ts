// Owns joining what is known of files, and the memory, to the house: whose conversation may ask the memory, and what a tool
// call is handed of both. Part of the composition; the memory itself is loaded when somebody asks it.
import { join, normalize } from 'node:path';
import type { Boxes, Spoken } from './boxes/boxes.ts';
import type { Config } from './config/schema.ts';
import type { Journal } from './journal/journal.ts';
import type { Redactor } from './log/redact.ts';
import type { Memory } from './memory/memory.ts';
import { createProvenance } from './memory/provenance.ts';
import { HardshellError } from './platform/errors.ts';
import type { Root } from './platform/root.ts';
import type { PermittedCall } from './policy/decide.ts';
import { isFromOutside } from './policy/flow/judge.ts';
import { join as joined, type Label, label } from './store/label.ts';
import type { Store } from './store/open.ts';
import { unvouchedFiles } from './store/provenance/unvouched.ts';
import type { ToolEnv } from './tools/tool.ts';

export type RememberingPorts = {
  readonly store: Store;
  readonly workspace: Root;
  readonly redactor: Pick<Redactor, 'find'>;
  readonly sandboxes: Pick<Boxes, 'planOf'>;
  config(): Config;
  readonly now: () => number;
};
export type Remembering = ReturnType<typeof createRemembering>;

export function createRemembering({ store, workspace, redactor, sandboxes, config, now }: RememberingPorts) {
  let record: Journal['record'] = () => {};
  const provenance = createProvenance({
    ...{ store, now, find: redactor.find },
    scansSecrets: () => config().memory.scanSecrets,
  });
  let loaded: Promise<Memory> | null = null;
  const memory = (): Promise<Memory> => {
    loaded ??= import('./memory/memory.ts').then(({ createMemory }) =>
      createMemory({
        root: workspace,
        store,
        provenance,
        journal: { record: (kind, body) => record(kind, body) },
        now,
      }),
    );
    return loaded;
  };
  const isPrivate = (call: Spoken): boolean => sandboxes.planOf(call).access === 'none';
  /** What the owner told it is told to nobody else, and not where others listen. */
  const isFor = (call: Spoken): boolean =>
    config().memory.enabled &&
    call.speaker.principal.kind === 'owner' &&
    call.speaker.place === 'dm' &&
    !isPrivate(call);

  /**
   * What a command printed has the labels of the files that it names. When they are not all that it may have read, its
   * output may be whatever was ever written here: of somebody else, or secret.
   */
  async function ranOver(call: Spoken & Pick<PermittedCall, 'effects' | 'context'>, given: Label) {
    const isOthers = (one: string): boolean => isFromOutside(one, call) && !OWN_CLIENT.test(one);
    let sum = given;
    // Under the same name something else lies in a folder of its own.
    let isTold = !isPrivate(call) && call.effects.some(({ kind }) => kind === 'run');
    for (const effect of call.effects) {
      if (effect.kind !== 'run') continue;
      const { files, isAll } = await readBy(effect.command);
      isTold &&= isAll;
      for (const name of files) {
        const path = normalize(
          name.startsWith('/') ? name.replace(/^\/workspace(?=\/|$)/, '.') : join(effect.cwd, name),
        );
        const data = await workspace.tryRead(path, MAX_READ_BYTES).catch(() => undefined);
        // What is above a link, only the run can tell.
        isTold &&= data !== undefined && !name.split('/').includes('..');
        if (data) sum = joined(sum, provenance.labelRead(data, path));
      }
    }
    if (isTold) return sum;
    const { sources, isSecret } = provenance.recorded();
    const isNew = call.context.readers === 'secret' && !isSecret;
    // It may also have written down what was read before, under any name.
    if (isNew || call.context.sources.some((one) => isOthers(one) && !sources.includes(one)))
      provenance.noteRun(call.effects, call.context);
    if (isSecret) sum = joined(sum, label('owner', 'secret'));
    return sources.some(isOthers) ? joined(sum, label('untrusted', 'owner', 'exec:outside')) : sum;
  }

  return {
    provenance,
    isFor,
    memory,
    ranOver,
    /** files that every turn of the owner sees, and nobody has vouched for */
    unvouched: (): readonly string[] => unvouchedFiles(store, workspace.path),
    envOf: (call: Spoken): Pick<ToolEnv, 'provenance' | 'memory'> => ({
      provenance: {
        labelRead: provenance.labelRead,
        check: (path, added) => (isPrivate(call) ? undefined : provenance.check(path, added)),
        record: (written) => provenance.record({ ...written, sessionKey: call.sessionKey }, isPrivate(call)),
        labelOfLines: provenance.labelOfLines,
      },
      async memory() {
        if (!isFor(call)) throw notHere();
        return memory();
      },
    }),
    /** For the owner's own hand: the page and the commands. Files may hold what nobody sent by a chat. */
    desk: (hide: <T>(value: T) => T) => ({
      list: async () => hide(await (await memory()).files()),
      sources: async () => hide(await (await memory()).sources()),
      search: async (query: string, limit: number) => hide(await (await memory()).search(query, limit)),
      show: async (path: string) => hide(await (await memory()).show(path)),
      changes: async () => hide(await (await memory()).changes()),
      change: async (id: number) => hide((await memory()).change(id)),
      revert: async (id: number, isForced: boolean, by: object) => (await memory()).revert(id, isForced, by),
      forget: async (what: string, by: object) => (await memory()).forget(what, by),
      trust: async (path: string, hash: string, by: object) => (await memory()).trust(path, hash, by),
    }),
    /** where what the owner changes is written down, once there is a journal */
    recordWith(journal: Journal['record']): void {
      record = journal;
    },
  };
}

const MAX_READ_BYTES = 16_000_000;
/** a session of the owner's own page or terminal */
const OWN_CLIENT = /^[a-z]+:agent:/;

const READS: ReadonlySet<string> = new Set(['read', 'files', 'text', 'pattern', 'one']);

/** `isAll`: it reads nothing but what it names. */
async function readBy(command: string): Promise<{ readonly files: readonly string[]; readonly isAll: boolean }> {
  const [{ namesIn }, { readArguments }, { SIMPLE }] = await Promise.all([
    import('./policy/shell/names.ts'),
    import('./policy/shell/options.ts'),
    import('./policy/shell/simple-programs.ts'),
  ]);
  // What it writes may stand in the place of what it has read.
  let isAll = !command.includes('>');
  const { files, isBindable } = await namesIn(command, ([name, ...args]) => {
    const simple = name && Object.hasOwn(SIMPLE, name) ? SIMPLE[name] : undefined;
    const { unknown, operands } = readArguments(simple ?? { short: '', operands: 'text' }, args.map(String));
    isAll &&= simple !== undefined && READS.has(simple.operands) && simple.deep === undefined && unknown === null;
    isAll &&= simple?.operands !== 'one' || operands.length < 2;
  });
  return { files, isAll: isAll && isBindable };
}

const notHere = (): HardshellError =>
  new HardshellError({
    code: 'MEMORY_PRIVATE',
    message: 'the memory is for conversations between the owner and the assistant alone',
    fix: '',
  });
