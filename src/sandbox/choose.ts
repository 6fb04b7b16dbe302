// Owns which driver is used: the first, in a fixed order, whose walls stand. When none does, it says why for each and
// what to install; it must never fall back to running on the host.
import { errnoOf, HardshellError, reasonOf } from '../platform/errors.ts';
import { bubblewrapDriver } from './bubblewrap.ts';
import type { ExecRequest, Sandbox, SandboxDriver, SandboxLimits, SandboxSpec } from './driver.ts';
import { DEFAULT_LIMITS } from './driver.ts';
import { unshareDriver } from './unshare.ts';

export type Refusal = { readonly driver: string; readonly reason: string; readonly fix: string };
export type Choice = { readonly sandbox: Sandbox } | { readonly sandbox: null; readonly refusals: readonly Refusal[] };

/** Opening proves the walls by a real command, so a driver that opens needs no other probe. */
export async function openBestDriver(drivers: readonly SandboxDriver[], spec: SandboxSpec): Promise<Choice> {
  const refusals: Refusal[] = [];
  for (const driver of drivers) {
    try {
      return { sandbox: await driver.open(spec) };
    } catch (error) {
      const fix = error instanceof HardshellError ? (error.fix ?? '') : '';
      refusals.push({ driver: driver.name, reason: reasonOf(error) || (errnoOf(error) ?? 'unknown'), fix });
    }
  }
  return { sandbox: null, refusals };
}

export type ExecSettings = {
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly maxProcesses: number;
};

export type SandboxState = { readonly driver: string | null; readonly detail: string; readonly fix: string | null };

/** What a tool is handed: a sandbox, or the reason why there is none. */
export type Handed = {
  readonly sandbox: Sandbox | null;
  readonly sandboxReason: string;
  readonly limits: SandboxLimits;
};

export type Sandboxes = {
  current(): Promise<Handed>;
  /** null while the first opening is under way */
  known(): SandboxState | null;
  close(): Promise<void>;
};

/** After a refusal the drivers are tried again at most this often, so that what was installed meanwhile is found. */
const RETRY_AFTER_MS = 10_000;

export type SandboxesOptions = Pick<SandboxSpec, 'fixedFiles' | 'hidden'> & {
  /** for tests */
  readonly drivers?: readonly SandboxDriver[];
  readonly now?: () => number;
};

/** Starts opening at once, so that the first command does not wait for it. */
export function openSandboxes(workspace: string, settings: ExecSettings, options: SandboxesOptions): Sandboxes {
  const drivers = options.drivers ?? [bubblewrapDriver(), unshareDriver()];
  const now = options.now ?? Date.now;
  const limits = limitsOf(settings);
  let state: SandboxState | null = null;
  let triedAtMs = 0;
  let closed = false;

  async function tryAll(): Promise<Choice> {
    const choice = await openBestDriver(drivers, {
      workspace,
      workspaceAccess: 'rw',
      fixedFiles: options.fixedFiles,
      hidden: options.hidden,
      network: 'none',
    });
    triedAtMs = now();
    state = stateOf(choice);
    if (closed) await choice.sandbox?.close();
    return choice;
  }
  let opening = tryAll();

  return {
    async current() {
      let choice = await opening;
      if (choice.sandbox === null && !closed && now() - triedAtMs >= RETRY_AFTER_MS) {
        opening = tryAll();
        choice = await opening;
      }
      const sandboxReason = choice.sandbox === null ? `${stateOf(choice).detail}; ${stateOf(choice).fix}` : '';
      return { sandbox: choice.sandbox === null ? null : capped(choice.sandbox, limits), sandboxReason, limits };
    },
    known: () => state,
    async close() {
      closed = true;
      await (await opening).sandbox?.close();
    },
  };
}

function stateOf(choice: Choice): SandboxState {
  if (choice.sandbox !== null)
    return { driver: choice.sandbox.driver, detail: 'its walls were proved at opening', fix: null };
  const detail = choice.refusals.map(({ reason }) => reason).join('; ');
  return { driver: null, detail, fix: choice.refusals.find(({ fix }) => fix !== '')?.fix ?? null };
}

function limitsOf(settings: ExecSettings): SandboxLimits {
  return {
    ...DEFAULT_LIMITS,
    timeoutMs: settings.timeoutSeconds * 1000,
    memoryBytes: settings.memoryMb * 1024 ** 2,
    maxProcesses: settings.maxProcesses,
  };
}

/** A request may ask for less than the settings allow, never for more. */
function capped(sandbox: Sandbox, most: SandboxLimits): Sandbox {
  const cap = ({ limits, ...request }: ExecRequest): ExecRequest => ({
    ...request,
    limits: {
      ...(request.background && limits.killOutputBytes ? { killOutputBytes: limits.killOutputBytes } : {}),
      timeoutMs: request.background ? limits.timeoutMs : Math.min(limits.timeoutMs, most.timeoutMs),
      memoryBytes: Math.min(limits.memoryBytes, most.memoryBytes),
      maxProcesses: Math.min(limits.maxProcesses, most.maxProcesses),
      maxOutputBytes: Math.min(limits.maxOutputBytes, most.maxOutputBytes),
      maxFileBytes: Math.min(limits.maxFileBytes, most.maxFileBytes),
    },
  });
  return { driver: sandbox.driver, exec: (request) => sandbox.exec(cap(request)), close: () => sandbox.close() };
}
