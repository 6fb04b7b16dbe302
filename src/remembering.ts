// Owns joining what is known of files, and the memory, to the house: whose conversation may ask the memory, and what a tool
// call is handed of both. Part of the composition; the memory itself is loaded when somebody asks it.
import type { Boxes, Spoken } from './boxes/boxes.ts';
import type { Config } from './config/schema.ts';
import type { Journal } from './journal/journal.ts';
import type { Redactor } from './log/redact.ts';
import type { Memory } from './memory/memory.ts';
import { createProvenance } from './memory/provenance.ts';
import { HardshellError } from './platform/errors.ts';
import type { Root } from './platform/root.ts';
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

  return {
    provenance,
    isFor,
    memory,
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

const notHere = (): HardshellError =>
  new HardshellError({
    code: 'MEMORY_PRIVATE',
    message: 'the memory is for conversations between the owner and the assistant alone',
    fix: '',
  });
