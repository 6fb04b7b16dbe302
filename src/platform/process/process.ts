// Owns the start and the end of child processes: no shell, a complete environment, bounded time and output, and the
// whole tree dead when it returns (but for the one that is started to stay). It must never inherit the gateway's
// environment, and run() must always resolve.
import { spawn } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { Readable, type Writable } from 'node:stream';
import { HardshellError, reasonOf } from '../errors.ts';
import { fileFailure } from '../file-errors.ts';
import { createCapture } from './capture.ts';
import { coverInherited } from './inherited.ts';
import { killAtOnce, killGently, signalGroup } from './tree.ts';

export type StopReason = 'timeout' | 'aborted' | 'output' | 'memory' | 'disk';

export type RunOptions = {
  readonly cwd: string;
  /** the whole environment of the child; nothing is added to it */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin?: string | Readable;
  onOutput?(chunk: Buffer, from: 'stdout' | 'stderr'): void;
  /** data for the file descriptors 3, 4, …, each its own pipe */
  readonly feeds?: readonly (string | Uint8Array)[];
  readonly timeoutMs: number;
  /** kept of stdout and stderr together (head and tail); the tree is killed at four times as much, or as said next */
  readonly maxOutputBytes: number;
  readonly killOutputBytes?: number;
  readonly signal?: AbortSignal;
  readonly uid?: number;
  readonly gid?: number;
  /** the child's child is the init of a pid namespace, so that killing it ends everything inside at once */
  readonly namespaced?: boolean;
  /** called once it runs; returns what to call when it has ended */
  readonly watch?: (pid: number, stop: (why: StopReason) => void) => () => void;
};

export type RunResult = {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly truncated: boolean;
  readonly durationMs: number;
  /** why it was ended, if it did not end by itself */
  readonly stopped?: StopReason;
  /** why it could not be started; then there is no exit code */
  readonly failed?: string;
};

/** After the process is dead, how long a descendant that left the tree may keep our pipes open. */
const PIPE_GRACE_MS = 500;
const OUTPUT_KILL_FACTOR = 4;
const FIRST_FEED = 3;

export function run(argv: readonly string[], options: RunOptions): Promise<RunResult> {
  const [command, ...args] = argv;
  if (command === undefined || !isAbsolute(command)) {
    throw new HardshellError({ code: 'BAD_COMMAND', message: 'a command needs the absolute path of its program' });
  }
  const startedAtMs = performance.now();
  const capture = createCapture(options.maxOutputBytes);
  if (options.signal?.aborted === true) return Promise.resolve(result({ stopped: 'aborted' }));

  type Ending = { exitCode?: number | null; signal?: string | null; stopped?: StopReason; failed?: string };
  function result(ending: Ending): RunResult {
    return {
      exitCode: null,
      signal: null,
      ...capture.finish(),
      durationMs: Math.round(performance.now() - startedAtMs),
      ...ending,
    };
  }

  return new Promise((resolve) => {
    const feeds = options.feeds ?? [];
    const killBytes = options.killOutputBytes ?? options.maxOutputBytes * OUTPUT_KILL_FACTOR;
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...options.env },
      stdio: [
        ...[options.stdin === undefined ? ('ignore' as const) : ('pipe' as const), 'pipe' as const, 'pipe' as const],
        ...feeds.map(() => 'pipe' as const),
        ...coverInherited(FIRST_FEED + feeds.length),
      ],
      shell: false,
      // A session and group of its own: no controlling terminal, and one signal reaches every member.
      detached: true,
      windowsHide: true,
      ...(options.uid === undefined ? {} : { uid: options.uid }),
      ...(options.gid === undefined ? {} : { gid: options.gid }),
    });
    const pid = child.pid;
    let stopped: StopReason | undefined;
    let unwatch = (): void => {};
    let pipeTimer: NodeJS.Timeout | undefined;

    function stop(why: StopReason): void {
      if (stopped !== undefined || pid === undefined) return;
      stopped = why;
      const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
      if (options.namespaced === true) killAtOnce(pid, hasEnded);
      else killGently(pid, hasEnded);
    }
    const timer = setTimeout(() => stop('timeout'), options.timeoutMs);
    const onAbort = (): void => stop('aborted');
    options.signal?.addEventListener('abort', onAbort, { once: true });

    function settle(ending: Ending): void {
      clearTimeout(timer);
      clearTimeout(pipeTimer);
      options.signal?.removeEventListener('abort', onAbort);
      unwatch();
      resolve(result({ ...ending, ...(stopped === undefined ? {} : { stopped }) }));
    }

    child.on('error', (error) => {
      if (pid === undefined) settle({ failed: reasonOf(error) });
    });
    for (const [stream, name] of [
      [child.stdout, 'stdout'],
      [child.stderr, 'stderr'],
    ] as const) {
      stream?.on('data', (chunk: Buffer) => {
        options.onOutput?.(chunk, name);
        if (capture.add(name, chunk) > killBytes) stop('output');
      });
      stream?.on('error', () => {});
    }
    child.on('exit', () => {
      if (pid === undefined) return;
      // Whoever is left in the group outlived the leader; nothing of a call survives the call.
      if (options.namespaced !== true) signalGroup(pid, 'SIGKILL');
      pipeTimer = setTimeout(() => {
        for (const stream of child.stdio) stream?.destroy();
      }, PIPE_GRACE_MS);
    });
    child.on('close', (exitCode, signal) => {
      if (pid !== undefined) settle({ exitCode, signal });
    });

    if (pid === undefined) return;
    feed(child.stdin, options.stdin ?? '');
    for (const [index, data] of feeds.entries()) feed(child.stdio[FIRST_FEED + index] as Writable | undefined, data);
    if (options.watch !== undefined) unwatch = options.watch(pid, stop);
  });
}

/** A child that does not read its input, or dies while reading, is no failure of ours. */
function feed(stream: Writable | null | undefined, data: string | Uint8Array | Readable): void {
  stream?.on('error', () => {});
  if (stream && data instanceof Readable) data.on('error', () => stream.end()).pipe(stream);
  else stream?.end(data);
}

export type Detached = {
  /** undefined when it could not be started; then `ended` says why */
  readonly pid: number | undefined;
  /** how it ended, should it do so while we look */
  readonly ended: Promise<string>;
  /** looks no longer; it goes on without us */
  release(): void;
};

/**
 * Starts a program that outlives us: a session of its own, no input, nothing of its stdout kept (the gateway says its
 * token there), stderr at the end of a private file.
 */
export function startDetached(
  argv: readonly [string, ...string[]],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>>; readonly errorFile: string },
): Detached {
  let errors: number;
  try {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
    errors = openSync(options.errorFile, flags, 0o600);
  } catch (error) {
    throw fileFailure('write', options.errorFile, error);
  }
  const [command, ...args] = argv;
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...options.env },
    stdio: ['ignore', 'ignore', errors, ...coverInherited(FIRST_FEED)],
    shell: false,
    detached: true,
  });
  closeSync(errors);
  const { promise, resolve } = Promise.withResolvers<string>();
  child.on('error', (error) => resolve(reasonOf(error)));
  child.on('exit', (code, signal) => resolve(signal === null ? `it ended with code ${code}` : `${signal} ended it`));
  return { pid: child.pid, ended: promise, release: () => child.unref() };
}
