// Owns the talk with the runner inside a container: frames over the client's stdin and stdout, one conversation for all
// commands. It must never believe more than the runner may say: what does not fit the protocol ends the container.
import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { reasonOf } from '../../platform/errors.ts';
import { createCapture } from '../../platform/process/capture.ts';
import { coverInherited } from '../../platform/process/inherited.ts';
import type { RunResult, StopReason } from '../../platform/process/process.ts';
import type { ExecRequest } from '../driver.ts';

export type Started = {
  /** all that `sh -c` is told, and at which place the number of processes stands */
  readonly argv: readonly string[];
  readonly processesAt: number;
  /** tasks that count against that number already; null: the runner counts */
  readonly tasks: number | null;
};

export type Link = {
  /** what the runner says of the ids of its user namespace; rejects with what the engine said when it never starts */
  readonly ready: Promise<string>;
  /** resolves, with what was said last, when the container has ended */
  readonly ended: Promise<string>;
  isOpen(): boolean;
  run(
    started: Started,
    request: ExecRequest,
    watch: (stop: (why: StopReason) => void) => () => void,
  ): Promise<RunResult>;
  /** ends the runner, and with it everything inside */
  close(): void;
  /** ends the client, which may leave the container */
  kill(): void;
};

type Job = {
  onFrame(type: string, data: Buffer): void;
  lost(why: string): void;
};

const HEADER_BYTES = 9;
const MAX_FRAME_BYTES = 1024 ** 2;
const INPUT_CHUNK_BYTES = 64 * 1024;
/** Input that the command has not taken yet. */
const INPUT_AHEAD_BYTES = 256 * 1024;
const COMPLAINT_BYTES = 4_000;
const OUTPUT_KILL_FACTOR = 4;
/** From asking the runner to end a command until the whole container is given up. */
const KILL_MS = 4_000;

export function startLink(argv: readonly string[], env: Readonly<Record<string, string>>): Link {
  const [client = '', ...words] = argv;
  const child = spawn(client, words, {
    ...{ cwd: '/', env: { ...env }, shell: false, detached: true },
    stdio: ['pipe', 'pipe', 'pipe', ...coverInherited(3)],
  });
  const { stdin, stdout, stderr } = child;
  const ready = Promise.withResolvers<string>();
  const ended = Promise.withResolvers<string>();
  ready.promise.catch(() => {});
  const jobs = new Map<number, Job>();
  let isOpen = true;
  let complaint = '';
  let last = 0;

  const send = (type: string, id: number, data: Uint8Array): void => {
    if (!stdin?.writable) return;
    const header = Buffer.alloc(HEADER_BYTES);
    header.write(type, 0);
    header.writeUInt32BE(id, 1);
    header.writeUInt32BE(data.length, 5);
    stdin.write(Buffer.concat([header, data]));
  };
  const kill = (): void => {
    isOpen = false;
    child.kill('SIGKILL');
  };
  stdin?.on('error', () => {});
  stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-COMPLAINT_BYTES);
  });
  readFrames(stdout, (type, id, data) => {
    if (type === 'B') ready.resolve(data.toString('utf8'));
    else jobs.get(id)?.onFrame(type, data);
  }).catch(kill);
  child.on('error', (error) => {
    complaint ||= reasonOf(error);
    over();
  });
  child.on('close', over);
  function over(): void {
    isOpen = false;
    ready.reject(new Error(complaint));
    for (const job of jobs.values()) job.lost(complaint.trim().split('\n').at(-1) || 'the container ended meanwhile');
    jobs.clear();
    ended.resolve(complaint);
  }

  return {
    ready: ready.promise,
    ended: ended.promise,
    isOpen: () => isOpen,
    close() {
      isOpen = false;
      stdin?.end();
    },
    kill,
    run(started, request, watch) {
      const id = ++last;
      return runJob({ id, send, jobs, giveUp: kill }, started, request, watch);
    },
  };
}

type Wire = {
  readonly id: number;
  readonly jobs: Map<number, Job>;
  send(type: string, id: number, data: Uint8Array): void;
  giveUp(): void;
};

const NOTHING = new Uint8Array();

function runJob(
  { id, jobs, send, giveUp }: Wire,
  { argv, processesAt, tasks }: Started,
  { stdin, onOutput, limits, signal }: ExecRequest,
  watch: Parameters<Link['run']>[2],
): Promise<RunResult> {
  const startedAtMs = performance.now();
  const capture = createCapture(limits.maxOutputBytes);
  const killBytes = limits.killOutputBytes ?? limits.maxOutputBytes * OUTPUT_KILL_FACTOR;
  return new Promise((resolve) => {
    let stopped: StopReason | undefined;
    let givingUp: NodeJS.Timeout | undefined;
    const input = stdin === undefined ? null : sendInput(stdin, (type, data) => send(type, id, data));
    function stop(why: StopReason): void {
      if (stopped !== undefined) return;
      stopped = why;
      if (jobs.has(id)) end();
    }
    function end(): void {
      send('K', id, NOTHING);
      givingUp = setTimeout(giveUp, KILL_MS);
    }
    const settle = (ending: { exitCode: number | null; failed?: string }): void => {
      jobs.delete(id);
      clearTimeout(timer);
      clearTimeout(givingUp);
      signal.removeEventListener('abort', onAbort);
      unwatch();
      input?.stop();
      resolve({
        ...{ ...ending, signal: null, ...capture.finish() },
        durationMs: Math.round(performance.now() - startedAtMs),
        ...(stopped === undefined ? {} : { stopped }),
      });
    };
    const onAbort = (): void => stop('aborted');
    const timer = setTimeout(() => stop('timeout'), limits.timeoutMs);
    const unwatch = watch(stop);
    if (signal.aborted) {
      stopped = 'aborted';
      settle({ exitCode: null });
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    jobs.set(id, {
      onFrame(type, data) {
        if (type === 'O' || type === 'R') {
          const from = type === 'O' ? 'stdout' : 'stderr';
          onOutput?.(data, from);
          if (capture.add(from, data) > killBytes) stop('output');
        } else if (type === 'A') input?.taken(data.readUInt32BE(0));
        else if (type === 'M') stopped ??= 'memory';
        else if (type === 'F') settle({ exitCode: null, failed: data.toString('utf8') });
        else if (type === 'X') settle({ exitCode: stopped === undefined ? data.readUInt32BE(0) : null });
      },
      lost: (why) => settle(stopped === undefined ? { exitCode: null, failed: why } : { exitCode: null }),
    });
    const head = [stdin === undefined ? '0' : '1', String(limits.memoryBytes), tasks === null ? '' : String(tasks)];
    send('S', id, Buffer.from([...head, String(processesAt), ...argv].join('\0')));
    input?.start();
  });
}

/** Sends no more than the command is about to take, so that a stream which nobody reads waits where it comes from. */
function sendInput(stdin: string | Readable, send: (type: 'I' | 'E', data: Uint8Array) => void) {
  const source = stdin instanceof Readable ? stdin : Readable.from([Buffer.from(stdin)]);
  let ahead = 0;
  const onData = (piece: Uint8Array | string): void => {
    const data = Buffer.from(piece);
    for (let at = 0; at < data.length; at += INPUT_CHUNK_BYTES) send('I', data.subarray(at, at + INPUT_CHUNK_BYTES));
    ahead += data.length;
    if (ahead >= INPUT_AHEAD_BYTES) source.pause();
  };
  const onEnd = (): void => send('E', NOTHING);
  return {
    start: () => void source.on('data', onData).once('end', onEnd).once('error', onEnd),
    taken(bytes: number): void {
      ahead -= bytes;
      if (ahead < INPUT_AHEAD_BYTES) source.resume();
    },
    stop: () => void source.off('data', onData).off('end', onEnd).pause(),
  };
}

async function readFrames(
  from: Readable | null,
  onFrame: (type: string, id: number, data: Buffer) => void,
): Promise<void> {
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of from ?? []) {
    held = held.length === 0 ? (chunk as Buffer) : Buffer.concat([held, chunk as Buffer]);
    let at = 0;
    while (held.length - at >= HEADER_BYTES) {
      const size = held.readUInt32BE(at + 5);
      if (size > MAX_FRAME_BYTES) throw new Error('a frame is too long');
      if (held.length - at < HEADER_BYTES + size) break;
      const data = held.subarray(at + HEADER_BYTES, at + HEADER_BYTES + size);
      onFrame(String.fromCharCode(held[at] ?? 0), held.readUInt32BE(at + 1), data);
      at += HEADER_BYTES + size;
    }
    held = held.subarray(at);
  }
}
