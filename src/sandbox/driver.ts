// Owns the contract of a sandbox driver. `open` gives exactly what the spec asks or fails; there is no fallback to
// the host, and nobody but main.ts chooses a driver.
import type { Readable } from 'node:stream';
import { HardshellError } from '../platform/errors.ts';

export type SandboxLimits = {
  readonly timeoutMs: number;
  readonly memoryBytes: number;
  readonly maxProcesses: number;
  /** bytes of stdout and stderr kept together; the process is killed at `maxOutputBytes * 4` */
  readonly maxOutputBytes: number;
  /** killed at this many instead */
  readonly killOutputBytes?: number;
  /** largest single file that the process may write, bytes */
  readonly maxFileBytes: number;
};

export const DEFAULT_LIMITS: SandboxLimits = {
  timeoutMs: 120_000,
  memoryBytes: 1024 ** 3,
  maxProcesses: 256,
  maxOutputBytes: 256 * 1024,
  maxFileBytes: 256 * 1024 ** 2,
};

export type SandboxSpec = {
  /** absolute host folder, shown inside as `/workspace`, the only writable place besides a private /tmp */
  readonly workspace: string;
  readonly workspaceAccess: 'rw' | 'ro';
  /** plain files of the workspace that commands can read but not change; made, empty, when they are missing */
  readonly fixedFiles: readonly string[];
  /** what must not become visible, such as the state folder; a workspace that holds one of these is refused */
  readonly hidden: readonly string[];
  /** further host folders; checked after following links, never one of the system, of keys or of the state folder */
  readonly binds?: readonly Bind[];
  /** asked before each command: paths in the workspace that stand there and must read as empty and stay in place */
  masked?(): Promise<readonly string[]>;
  /** no interface but an unconnected loopback; or, besides, one way out: HTTP through the filtering proxy on this socket */
  readonly network: 'none' | { readonly proxySocket: string };
  /** for a driver that limits the box as a whole and not each command; absent: as DEFAULT_LIMITS, and one processor */
  readonly most?: { readonly memoryBytes: number; readonly maxProcesses: number; readonly cpus: number };
  /** for one program that builds walls of its own, a browser: it may, and addresses that it only reserves are not counted.
   *  Only bubblewrap knows it; the others give what they give to commands */
  readonly ownWalls?: true;
  /** of a container engine; others have no use for it */
  readonly image?: string;
};

/** `target` is absolute, as the command sees it. */
export type Bind = { readonly source: string; readonly target: string; readonly access: 'ro' | 'rw' };

export type ExecRequest = {
  readonly argv: readonly string[];
  /** relative to the workspace */
  readonly cwd: string;
  /** a stream for a command that runs in the background; its end is the end of the command's input */
  readonly stdin?: string | Readable;
  /** told of output as it comes, besides what the result keeps */
  onOutput?(chunk: Buffer, from: 'stdout' | 'stderr'): void;
  /** added to the scrubbed environment */
  readonly env?: Readonly<Record<string, string>>;
  readonly limits: SandboxLimits;
  /** it goes on without a turn: how long is for the caller to say, and not for the settings of commands in a turn */
  readonly background?: true;
  readonly signal: AbortSignal;
};

export type ExecResult = {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly truncated: boolean;
  readonly durationMs: number;
  /** why the sandbox ended it, if it did */
  readonly stopped?: 'timeout' | 'aborted' | 'output' | 'memory' | 'disk';
};

export interface Sandbox {
  readonly driver: string;
  exec(request: ExecRequest): Promise<ExecResult>;
  close(): Promise<void>;
}

/** `fix` is one command, such as `apt install bubblewrap`. */
export type Probe =
  | { readonly ok: true; readonly detail: string }
  | { readonly ok: false; readonly reason: string; readonly fix: string };

export interface SandboxDriver {
  readonly name: string;
  /** Runs a real command in a real sandbox; never a look at the configuration. */
  probe(): Promise<Probe>;
  /** Throws a HardshellError when it cannot give exactly what the spec asks. */
  open(spec: SandboxSpec): Promise<Sandbox>;
}

export function unusable(driver: string, why: string, fix: string): HardshellError {
  const message = `the ${driver} sandbox cannot be used: ${why}`;
  return new HardshellError({ code: 'SANDBOX_UNAVAILABLE', message, fix });
}
