// Owns one opened box: who uses it now, when it was last used, and that it is closed only when nobody does. A request may
// ask for less than the settings allow and never for more; a box that broke is not handed out again.
import { HardshellError } from '../../platform/errors.ts';
import type { ExecRequest, Sandbox, SandboxLimits } from '../driver.ts';
import { watchCovered } from './covered.ts';
import { type Choice, type LoadDriver, openBestDriver } from './drivers.ts';
import type { Ready } from './spec.ts';

/** After a refusal the drivers are tried again at most this often, so that what was installed meanwhile is found. */
const RETRY_AFTER_MS = 10_000;

export type Box = {
  readonly scopeKey: string;
  /** what it was made of; another one needs another box */
  readonly fingerprint: string;
  readonly openedAtMs: number;
  lastUsedAtMs: number;
  /** the conversation of each command that runs in it */
  readonly running: Set<{ readonly sessionKey: string }>;
  readonly spec: Ready['spec'];
  /** null while it opens */
  choice: Choice | null;
  readonly opening: Promise<Choice>;
  isOver: boolean;
  /** no command begins in it any more; it closes when the last has ended, or at once */
  end(atOnce: boolean): Promise<void>;
};

export type BoxPorts = {
  readonly drivers: readonly LoadDriver[];
  readonly now: () => number;
};

export function openBox(scopeKey: string, ready: Ready, { drivers, now }: BoxPorts): Box {
  const open = async (): Promise<Choice> => {
    const choice = await openBestDriver(drivers, ready.spec);
    box.choice = choice;
    return choice;
  };
  const startedAtMs = now();
  let isClosed = false;
  const box: Box = {
    ...{ scopeKey, fingerprint: ready.fingerprint, openedAtMs: startedAtMs, lastUsedAtMs: startedAtMs },
    running: new Set(),
    spec: ready.spec,
    choice: null,
    isOver: false,
    // A turn later, since it fills in the box that does not exist yet.
    opening: Promise.resolve().then(open),
    async end(atOnce) {
      box.isOver = true;
      const choice = await box.opening.catch(() => null);
      if (isClosed || (!atOnce && box.running.size > 0)) return;
      isClosed = true;
      await choice?.sandbox?.close();
      await ready.close();
    },
  };
  return box;
}

/** Whether nothing came of it, long enough ago to be tried again. */
export const isStale = (box: Box, nowMs: number): boolean =>
  box.isOver || (box.choice?.sandbox === null && nowMs - box.openedAtMs >= RETRY_AFTER_MS);

export function usedBy(
  box: Box,
  sandbox: Sandbox,
  sessionKey: string,
  most: SandboxLimits,
  now: () => number,
): Sandbox {
  return {
    driver: sandbox.driver,
    async exec(request) {
      const use = { sessionKey };
      box.running.add(use);
      box.lastUsedAtMs = now();
      const bare = new AbortController();
      const stopWatching = watchCovered(box.spec, (path) => bare.abort(path));
      try {
        const signal = AbortSignal.any([request.signal, bare.signal]);
        const result = await sandbox.exec(capped({ ...request, signal }, most));
        if (bare.signal.aborted && result.stopped === 'aborted') throw uncovered(String(bare.signal.reason));
        return result;
      } catch (error) {
        if (error instanceof HardshellError && error.code === 'SANDBOX_UNAVAILABLE') box.isOver = true;
        throw error;
      } finally {
        stopWatching();
        box.running.delete(use);
        box.lastUsedAtMs = now();
        if (box.isOver && box.running.size === 0) await box.end(true);
      }
    },
    close: async () => {},
  };
}

function uncovered(path: string): HardshellError {
  const message = `the command was ended, because ${path} was replaced meanwhile, which takes away what covers it in the box`;
  const fix = 'look at that file, then run the command again';
  return new HardshellError({ code: 'SANDBOX_UNCOVERED', message, fix });
}

function capped({ limits, ...request }: ExecRequest, most: SandboxLimits): ExecRequest {
  return {
    ...request,
    limits: {
      ...(request.background && limits.killOutputBytes ? { killOutputBytes: limits.killOutputBytes } : {}),
      timeoutMs: request.background ? limits.timeoutMs : Math.min(limits.timeoutMs, most.timeoutMs),
      memoryBytes: Math.min(limits.memoryBytes, most.memoryBytes),
      maxProcesses: Math.min(limits.maxProcesses, most.maxProcesses),
      maxOutputBytes: Math.min(limits.maxOutputBytes, most.maxOutputBytes),
      maxFileBytes: Math.min(limits.maxFileBytes, most.maxFileBytes),
    },
  };
}
