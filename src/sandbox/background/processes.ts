// Owns the commands that go on without a turn: whose they are, what they printed, their input and their end. All of them
// end with the gateway; a conversation must never reach those of another.
import { PassThrough } from 'node:stream';
import { HardshellError, reasonOf } from '../../platform/errors.ts';
import { newToken } from '../../platform/ids.ts';
import type { ExecRequest, ExecResult, Sandbox } from '../driver.ts';
import { createOutput, type Output } from './output.ts';

export const LIFETIME_MS = 30 * 60_000;
const MAX_RUNNING_IN_SESSION = 8;
const MAX_RUNNING = 32;
/** Ended ones that can still be asked about. */
const MAX_ENDED_IN_SESSION = 8;
const MAX_ENDED = 32;
const KILL_OUTPUT_BYTES = 64 * 1024 ** 2;
/** The sandbox need keep nothing: what is shown comes from here. */
const KEPT_BY_SANDBOX_BYTES = 1_024;
const MAX_PENDING_INPUT_BYTES = 1024 ** 2;
const CLOSE_MS = 2_000;

/** Whose it is; `S` is what the house knows of a speaker. */
export type Owner<S> = { readonly sessionKey: string; readonly runId: string; readonly speaker: S };
export type Why =
  | 'killed'
  | 'session reset'
  | 'session deleted'
  | 'right taken'
  | 'gateway stopped'
  | 'turn stopped'
  | 'panic';
export type Ending = Pick<ExecResult, 'exitCode' | 'stopped'> & {
  readonly atMs: number;
  /** who asked for its end, when somebody did */
  readonly why: Why | null;
  /** it could not be started, or its box broke */
  readonly failed: Error | null;
};

export type Process<S> = Owner<S> & {
  readonly id: string;
  readonly command: string;
  readonly startedAtMs: number;
  readonly output: Output;
  /** up to where a poll has read */
  readAt: number;
  ending(): Ending | null;
  /** never rejects */
  readonly done: Promise<void>;
  /** until it has ended, the time is over, or the signal says so */
  over(timeoutMs: number, signal: AbortSignal): Promise<void>;
  /** until there is something new after `readAt`, it ends, the time is over, or the signal says so */
  news(timeoutMs: number, signal: AbortSignal): Promise<void>;
  write(text: string): void;
  endInput(): void;
  kill(why: Why): void;
};

export type ProcessPorts = {
  readonly now: () => number;
  record(kind: 'process.started' | 'process.ended', body: Record<string, unknown>): void;
};

export type Processes<S> = ReturnType<typeof createProcesses<S>>;

export function createProcesses<S>({ now, record }: ProcessPorts) {
  /** Another at each start, so that nobody takes a command for one of an earlier gateway. */
  const boot = newToken(2);
  const all = new Map<string, Process<S>>();
  let count = 0;
  let isClosed = false;

  const isRunning = (one: Process<S>): boolean => one.ending() === null;
  const running = (): Process<S>[] => [...all.values()].filter(isRunning);

  function refuseMore(sessionKey: string): void {
    if (isClosed) throw refused('GATEWAY_STOPPING', 'the gateway is stopping', 'try again when it is back');
    const now = running();
    const mine = now.filter((one) => one.sessionKey === sessionKey).length;
    if (mine < MAX_RUNNING_IN_SESSION && now.length < MAX_RUNNING) return;
    const which =
      mine < MAX_RUNNING_IN_SESSION ? `${MAX_RUNNING} in all` : `${MAX_RUNNING_IN_SESSION} of this conversation`;
    throw refused('TOO_MANY_PROCESSES', `${which} run in the background already`, 'kill one with the process tool');
  }

  function forgetOld(sessionKey: string): void {
    const ended = [...all.values()].filter((one) => !isRunning(one));
    const mine = ended.filter((one) => one.sessionKey === sessionKey);
    for (const one of [...mine.slice(0, -MAX_ENDED_IN_SESSION), ...ended.slice(0, -MAX_ENDED)]) all.delete(one.id);
  }

  return {
    /** Starts it at once; how it goes is told by the process. */
    start(
      owner: Owner<S>,
      sandbox: Sandbox,
      command: string,
      { limits, ...request }: Pick<ExecRequest, 'argv' | 'cwd' | 'env' | 'limits'>,
    ): Process<S> {
      refuseMore(owner.sessionKey);
      count += 1;
      const id = `${boot}-${count}`;
      const startedAtMs = now();
      const output = createOutput();
      const input = new PassThrough();
      const abort = new AbortController();
      const waiting = new Set<() => void>();
      let why: Why | null = null;
      let ending: Ending | null = null;
      const tell = (): void => {
        for (const wake of [...waiting]) wake();
      };
      const until = (is: () => boolean, timeoutMs: number, signal: AbortSignal): Promise<void> =>
        new Promise((resolve) => {
          const stop = (): void => {
            clearTimeout(timer);
            signal.removeEventListener('abort', stop);
            waiting.delete(look);
            resolve();
          };
          const look = (): void => {
            if (is()) stop();
          };
          const timer = setTimeout(stop, timeoutMs);
          signal.addEventListener('abort', stop, { once: true });
          waiting.add(look);
          if (signal.aborted) stop();
          else look();
        });
      const session = { id, session: owner.sessionKey };
      record('process.started', { ...session, run: owner.runId, driver: sandbox.driver });

      const finish = (result: Pick<ExecResult, 'exitCode' | 'stopped'>, failed: Error | null): void => {
        input.destroy();
        const { exitCode, stopped } = result;
        ending = { exitCode, ...(stopped === undefined ? {} : { stopped }), atMs: now(), why, failed };
        const how = { exitCode, stopped: why ?? stopped ?? null, ms: ending.atMs - startedAtMs };
        record('process.ended', { ...session, ...how });
        forgetOld(owner.sessionKey);
        tell();
      };
      const done = sandbox
        .exec({
          ...request,
          stdin: input,
          onOutput(chunk) {
            output.add(chunk);
            tell();
          },
          limits: { ...limits, maxOutputBytes: KEPT_BY_SANDBOX_BYTES, killOutputBytes: KILL_OUTPUT_BYTES },
          background: true,
          signal: abort.signal,
        })
        .then(
          (result) => finish(result, null),
          (error: unknown) => finish({ exitCode: null }, error instanceof Error ? error : new Error(reasonOf(error))),
        );

      const process: Process<S> = {
        ...owner,
        ...{ id, command, startedAtMs, output, done, readAt: 0 },
        ending: () => ending,
        over: (timeoutMs, signal) => until(() => ending !== null, timeoutMs, signal),
        news: (timeoutMs, signal) => until(() => ending !== null || output.total() > process.readAt, timeoutMs, signal),
        write(text) {
          if (ending !== null || input.writableEnded)
            throw refused(
              'PROCESS_INPUT_CLOSED',
              `${id} takes no more input`,
              'process list   (shows what still runs)',
            );
          if (input.writableLength + Buffer.byteLength(text) > MAX_PENDING_INPUT_BYTES)
            throw refused(
              'PROCESS_INPUT_FULL',
              `${id} has not read what was written before`,
              'wait, or write less at once',
            );
          input.write(text);
        },
        endInput: () => void input.end(),
        kill(reason) {
          why ??= reason;
          abort.abort();
        },
      };
      all.set(id, process);
      return process;
    },
    /** Running or ended, the oldest first. */
    list: (sessionKey: string): Process<S>[] => [...all.values()].filter((one) => one.sessionKey === sessionKey),
    /** One of this conversation. Another's is as unknown as none at all. */
    find(sessionKey: string, id: string): Process<S> {
      const found = all.get(id);
      if (found?.sessionKey === sessionKey) return found;
      const older = /^[a-z0-9]+-\d+$/.test(id) && !id.startsWith(`${boot}-`);
      throw refused(
        'PROCESS_UNKNOWN',
        older
          ? `${id} ended when the gateway that started it ended`
          : `this conversation has no process ${id.slice(0, 40)}`,
        older ? 'start it again' : 'process list',
      );
    },
    /** It never went to the background, so nobody will ask for it. */
    forget: (id: string): void => void all.delete(id),
    endWhere(isMeant: (one: Process<S>) => boolean, why: Why): void {
      for (const one of running().filter(isMeant)) one.kill(why);
    },
    /** How many run. */
    count: (): number => running().length,
    async close(): Promise<void> {
      isClosed = true;
      const left = running();
      for (const one of left) one.kill('gateway stopped');
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, CLOSE_MS);
      });
      await Promise.race([Promise.all(left.map(({ done }) => done)), late]);
      clearTimeout(timer);
    },
  };
}

const refused = (code: string, message: string, fix: string): HardshellError =>
  new HardshellError({ code, message, fix });
