// Owns the boxes that are open: one for each scope, opened when its first command comes (the owner's at the start), used
// again, replaced when the settings change, closed when nobody used it for long. It must never hand out another box than
// the plan asks for, nor run anything on the host.
import { HardshellError, reasonOf } from '../../platform/errors.ts';
import type { Root } from '../../platform/root.ts';
import type { Sandbox, SandboxLimits } from '../driver.ts';
import { prepareWorkspace } from '../workspace.ts';
import { type Box, isStale, openBox, usedBy } from './box.ts';
import { type Choice, driversFor, type LoadDriver } from './drivers.ts';
import { type Conversation, MAIN, type Plan } from './plan.ts';
import { fingerprintOf, prepare, privateFolder, type SpecPorts, specOf } from './spec.ts';

export type SandboxState = {
  readonly driver: string | null;
  readonly detail: string;
  readonly fix: string | null;
  /** when that was found out, by opening one */
  readonly atMs: number;
};

/** What a tool is handed: a sandbox, or the reason why there is none. */
export type Handed = {
  readonly sandbox: Sandbox | null;
  readonly sandboxReason: string;
  readonly sandboxFix?: string;
  readonly limits: SandboxLimits;
};

export type OpenBox = {
  readonly scopeKey: string;
  readonly driver: string | null;
  readonly openedAtMs: number;
  readonly lastUsedAtMs: number;
  readonly running: number;
  readonly reason: string;
};

export type PoolPorts = Omit<SpecPorts, 'workspace'> & {
  readonly workspace: Root;
  plan(conversation: Conversation): Plan;
  readonly now: () => number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** the owner's box is opened only for its first command: where there may be none */
  readonly isLazy?: true;
  /** for tests */
  readonly drivers?: readonly LoadDriver[];
};

export type Sandboxes = ReturnType<typeof openSandboxes>;

const PRUNE_EVERY_MS = 10 * 60_000;

export function openSandboxes(ports: PoolPorts) {
  const { now, workspace } = ports;
  const specPorts: SpecPorts = { ...ports, workspace: workspace.path };
  const boxes = new Map<string, Box>();
  const preparing = new Map<string, Promise<Box>>();
  const prepared = new Set<string>();
  let state: SandboxState | null = null;
  /** the backend of the settings that `state` was found for */
  let foundFor: string | null = null;
  let isClosed = false;

  /** The box of the plan; one that is made of something else, or broke, gives way to it. */
  function boxFor(plan: Plan): Promise<Box> {
    const key = `${plan.access === 'none' ? 'private ' : ''}${plan.scopeKey}`;
    const before = boxes.get(key);
    const fingerprint = fingerprintOf(plan, specOf(plan, specPorts));
    if (before && before.fingerprint === fingerprint && !isStale(before, now())) return Promise.resolve(before);
    const underWay = preparing.get(key);
    if (underWay) return underWay.then((box) => (box.fingerprint === fingerprint ? box : boxFor(plan)));
    const next = (async (): Promise<Box> => {
      if (before) {
        boxes.delete(key);
        await before.end(false);
      }
      const sessions = (): string[] => [...new Set([...(boxes.get(key)?.running ?? [])].map((one) => one.sessionKey))];
      const ready = await prepare(plan, specPorts, sessions);
      const box = openBox(plan.scopeKey, ready, { drivers: ports.drivers ?? driversFor(plan.backend, ports.env), now });
      boxes.set(key, box);
      const choice = await box.opening;
      state = { ...stateOf(choice), atMs: now() };
      foundFor = plan.backend;
      if (isClosed) await box.end(true);
      return box;
    })().finally(() => preparing.delete(key));
    preparing.set(key, next);
    return next;
  }

  /** The folder of a conversation, which is what its commands see as /workspace. */
  function folderFor(plan: Plan): string {
    if (plan.access !== 'none') return workspace.path;
    const folder = privateFolder(ports.stateDir, plan.scopeKey);
    if (!prepared.has(folder)) prepareWorkspace(folder);
    prepared.add(folder);
    return folder;
  }

  async function closeThose(which: (box: Box) => boolean, atOnce: boolean): Promise<number> {
    const found = [...boxes].filter(([, box]) => which(box));
    for (const [key] of found) boxes.delete(key);
    await Promise.all(found.map(([, box]) => box.end(atOnce)));
    return found.length;
  }
  const prune = (isAll: boolean): Promise<number> => {
    const idleMs = ports.plan(MAIN).idleMs;
    return closeThose((box) => box.running.size === 0 && (isAll || now() - box.lastUsedAtMs >= idleMs), false);
  };
  const pruning = setInterval(() => void prune(false).catch(() => {}), PRUNE_EVERY_MS).unref();

  // So that the first command does not wait for it, and status knows.
  const first = ports.isLazy ? Promise.resolve(null) : boxFor({ ...ports.plan(MAIN), isBoxed: true });
  const failed = (error: unknown): void => {
    state = { driver: null, detail: reasonOf(error), fix: null, atMs: now() };
  };
  first.catch(failed);

  return {
    plan: ports.plan,
    folderFor: (conversation: Conversation): string => folderFor(ports.plan(conversation)),
    /** `needsBox`: the call runs a command. */
    async forCall(conversation: Conversation, needsBox: boolean): Promise<Handed> {
      const plan = ports.plan(conversation);
      const { limits } = plan;
      const none = { sandbox: null, limits };
      if (!needsBox || !plan.isBoxed) return { ...none, sandboxReason: '' };
      if (isClosed) return { ...none, sandboxReason: 'the gateway is stopping' };
      try {
        const box = await boxFor(plan);
        const choice = await box.opening;
        if (choice.sandbox === null)
          return { ...none, sandboxReason: reasonsOf(choice), sandboxFix: fixOf(choice) ?? '' };
        const { sessionKey } = conversation;
        return { ...none, sandbox: usedBy(box, choice.sandbox, sessionKey, limits, now), sandboxReason: '' };
      } catch (error) {
        const fix = error instanceof HardshellError ? (error.fix ?? '') : '';
        return { ...none, sandboxReason: reasonOf(error), sandboxFix: fix };
      }
    },
    /** what was found when one was opened last; null while the first opening is under way, or that of another backend */
    known(): SandboxState | null {
      const main = { ...ports.plan(MAIN), isBoxed: true };
      if (foundFor === null || foundFor === main.backend || isClosed) return state;
      foundFor = main.backend;
      state = null;
      boxFor(main).catch(failed);
      return null;
    },
    list: (): OpenBox[] =>
      [...boxes.values()].map((box) => ({
        scopeKey: box.scopeKey,
        driver: box.choice?.sandbox?.driver ?? null,
        openedAtMs: box.openedAtMs,
        lastUsedAtMs: box.lastUsedAtMs,
        running: box.running.size,
        reason: box.choice?.sandbox === null ? reasonsOf(box.choice) : '',
      })),
    /** Ends what runs in them; the next command opens them anew. */
    recreate: (which: (scopeKey: string) => boolean): Promise<number> => closeThose((box) => which(box.scopeKey), true),
    /** Ends what could change the workspace at this moment. */
    quiet: (): Promise<number> =>
      closeThose(({ spec }) => spec.workspace === workspace.path && spec.workspaceAccess === 'rw', true),
    prune,
    async close(): Promise<void> {
      isClosed = true;
      clearInterval(pruning);
      await Promise.allSettled([first, ...preparing.values()]);
      await closeThose(() => true, true);
    },
  };
}

function stateOf(choice: Choice): Omit<SandboxState, 'atMs'> {
  if (choice.sandbox !== null)
    return { driver: choice.sandbox.driver, detail: 'its walls were proved at opening', fix: null };
  return { driver: null, detail: reasonsOf(choice), fix: fixOf(choice) };
}
const reasonsOf = (choice: Choice): string =>
  choice.sandbox === null ? choice.refusals.map(({ reason }) => reason).join('; ') : '';
const fixOf = (choice: Choice): string | null =>
  choice.sandbox === null ? (choice.refusals.find(({ fix }) => fix !== '')?.fix ?? null) : null;
