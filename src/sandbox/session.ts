// Owns an opened sandbox for any driver: it runs each command in namespaces of its own, watches it, and proves at
// opening that the walls stand. It must never run anything when that proof fails.
import { homedir } from 'node:os';
import { HardshellError } from '../platform/errors.ts';
import type { RunOptions, RunResult } from '../platform/process/process.ts';
import { run } from '../platform/process/process.ts';
import { isNearlyFull, nearlyFull } from './disk.ts';
import type { ExecRequest, ExecResult, Probe, Sandbox, SandboxDriver, SandboxLimits } from './driver.ts';
import { unusable } from './driver.ts';
import { BASE_ENVIRONMENT } from './environment.ts';
import { onProcessors } from './processors.ts';
import { callFilter } from './walls/call-filter.ts';
import { lastLine } from './walls/hold.ts';
import type { Layout } from './walls/layout.ts';
import { SANDBOX_ID } from './walls/layout.ts';
import { coverableFolder } from './walls/stage.ts';
import { watchSandbox } from './watch.ts';

/** How a driver starts one command: the whole argv, and what it reads from the descriptors 3, 4, …. */
export type Launch = { readonly argv: readonly string[]; readonly feeds: NonNullable<RunOptions['feeds']> };

type Parts = {
  readonly driver: string;
  readonly layout: Pick<Layout, 'workspace' | 'writable'>;
  /** what to do when the walls cannot be put up */
  readonly fix: string;
};

export type SessionParts = Parts & {
  readonly layout: Layout;
  launch(request: ExecRequest): Launch | Promise<Launch>;
  close(): void;
};

/** A sandbox however its commands are run. `proof`: what a command inside has to say of its walls, word for word. */
export type BoxParts = Parts & {
  readonly proof: {
    readonly sh: string;
    readonly script: string;
    readonly expected: readonly string[];
    /** what to say of a line that is missing, where more is known than that */
    explain?(missing: string): { readonly why: string; readonly fix: string } | null;
  };
  run(request: ExecRequest): Promise<RunResult>;
  close(): void | Promise<void>;
};

export const PROOF_LIMITS: SandboxLimits = {
  timeoutMs: 10_000,
  memoryBytes: 512 * 1024 ** 2,
  maxProcesses: 8,
  maxOutputBytes: 64 * 1024,
  maxFileBytes: 1024 ** 2,
};

export function openSession(parts: SessionParts): Promise<Sandbox> {
  const sh = parts.layout.links.some((link) => link.at === '/bin') ? '/usr/bin/sh' : '/bin/sh';
  const proof = {
    sh,
    script: `${PROOF}\n${proofOfRoot(parts.layout)}`,
    expected: [...expectedOf(SANDBOX_ID, callFilter() !== null), 'walled'],
  };
  const processors = onProcessors(parts.layout.cpus);
  return openBox({ ...parts, proof, run: (request) => start(parts, processors(), request) });
}

export async function openBox(parts: BoxParts): Promise<Sandbox> {
  try {
    await proveWalls(parts);
  } catch (error) {
    await parts.close();
    throw error;
  }
  let isOpen = true;
  const running = new Set<AbortController>();
  return {
    driver: parts.driver,
    async exec(request) {
      if (!isOpen) throw unavailable(parts, 'it is closed already');
      const disk = diskOf(parts);
      if (disk !== null && isNearlyFull(disk)) throw nearlyFull(disk);
      const closing = new AbortController();
      running.add(closing);
      const signal = AbortSignal.any([request.signal, closing.signal]);
      const result = await parts.run({ ...request, signal }).finally(() => running.delete(closing));
      if (result.failed !== undefined) throw unavailable(parts, result.failed);
      return resultOf(result);
    },
    async close() {
      if (!isOpen) return;
      isOpen = false;
      for (const closing of running) closing.abort();
      await parts.close();
    },
  };
}

async function start(parts: SessionParts, before: readonly string[], request: ExecRequest): Promise<RunResult> {
  const { argv, feeds } = await parts.launch(request);
  const { timeoutMs, maxOutputBytes, killOutputBytes, memoryBytes } = request.limits;
  return run([...before, ...argv], {
    cwd: '/',
    env: BASE_ENVIRONMENT,
    ...(request.stdin === undefined ? {} : { stdin: request.stdin }),
    ...(request.onOutput === undefined ? {} : { onOutput: request.onOutput }),
    feeds,
    timeoutMs,
    maxOutputBytes,
    ...(killOutputBytes === undefined ? {} : { killOutputBytes }),
    signal: request.signal,
    namespaced: true,
    watch: watchSandbox({ memoryBytes, disk: diskOf(parts), ownWalls: parts.layout.ownWalls }),
  });
}

/** The workspace is the only place where what a command writes stays. */
const diskOf = ({ layout }: Parts): string | null => (layout.writable ? layout.workspace : null);

function resultOf(result: RunResult): ExecResult {
  const { exitCode, stdout, stderr, truncated, durationMs, stopped } = result;
  return { exitCode, stdout, stderr, truncated, durationMs, ...(stopped === undefined ? {} : { stopped }) };
}

/** Prints what the kernel says about itself, and tries what must not work. */
export const PROOF = `while read -r key value rest; do
  case "$key" in Uid:|CapEff:|CapBnd:|NoNewPrivs:|Seccomp:) echo "$key$value" ;; esac
done </proc/self/status
while read -r a b c d e rest; do
  case "$b" in processes) echo "processes:$d" ;; data) echo "data:$e" ;; esac
done </proc/self/limits
[ -w /workspace ] && echo writable
{ true >/x; } 2>/dev/null && echo "wrote /"
{ true >/usr/x; } 2>/dev/null && echo "wrote /usr"
while read -r name rest; do case "$name" in *:) [ "$name" = lo: ] || echo "network $name" ;; esac; done </proc/net/dev`;
/** Folders of the host that are not there, but for those that something bound into the box lies in. */
function proofOfRoot({ binds }: Layout): string {
  const gone = ['/root', '/home', '/var', '/sys'].filter(
    (top) => !binds.some(({ target }) => `${target}/`.startsWith(`${top}/`)),
  );
  return `${gone.map((top) => `[ -e ${top} ] || `).join('')}echo walled`;
}

/** The part of the proof that is the same for all, as `PROOF` prints it. */
export function expectedOf(uid: number, isFiltered: boolean, processes = PROOF_LIMITS.maxProcesses + 1): string[] {
  const none = '0000000000000000';
  return [
    ...[`Uid:${uid}`, `CapEff:${none}`, `CapBnd:${none}`, 'NoNewPrivs:1', `Seccomp:${isFiltered ? 2 : 0}`],
    ...[`processes:${processes}`, `data:${PROOF_LIMITS.memoryBytes}`],
  ];
}

async function proveWalls(parts: BoxParts): Promise<void> {
  const result = await parts.run({
    argv: [parts.proof.sh, '-c', parts.proof.script],
    cwd: '.',
    limits: PROOF_LIMITS,
    signal: new AbortController().signal,
  });
  if (result.exitCode !== 0) {
    const said = result.failed ?? lastLine(result.stderr) ?? `it ended with ${result.signal ?? result.exitCode}`;
    throw unavailable(parts, result.stopped === undefined ? said : `it did not answer (${result.stopped})`);
  }
  const expected = [...parts.proof.expected];
  if (parts.layout.writable) expected.push('writable');
  const found = result.stdout.trim().split('\n');
  const missing = expected.find((line) => !found.includes(line));
  const extra = found.find((line) => !expected.includes(line));
  if (missing === 'writable') {
    const message = `commands in the sandbox cannot write to ${parts.layout.workspace}`;
    const fix = `chown -R the folder to the user of the gateway (to nobody, when it runs as root)`;
    throw new HardshellError({ code: 'WORKSPACE_NOT_WRITABLE', message, fix });
  }
  const known = missing === undefined ? null : (parts.proof.explain?.(missing) ?? null);
  if (known !== null) throw unavailable({ ...parts, fix: known.fix }, known.why);
  if (missing !== undefined) throw unavailable(parts, `the proof of its walls lacks "${missing}"`);
  if (extra !== undefined) throw unavailable(parts, `the proof of its walls shows "${extra}"`);
}

const unavailable = ({ driver, fix }: Parts, why: string): HardshellError => unusable(driver, why, fix);

/** A probe is an opening, of a folder that is not a workspace, read-only, and closed at once. */
export async function probeBy(open: SandboxDriver['open'], detail: string): Promise<Probe> {
  const workspace = coverableFolder([homedir()]);
  try {
    const spec = { workspace, workspaceAccess: 'ro', network: 'none', fixedFiles: [], hidden: [] } as const;
    await (await open(spec)).close();
    return { ok: true, detail };
  } catch (error) {
    if (!(error instanceof HardshellError)) throw error;
    return { ok: false, reason: error.message, fix: error.fix ?? '' };
  }
}
