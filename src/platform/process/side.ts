// Owns a process that works beside the gateway and talks to it in lines: a complete environment and no more, no shell,
// lines of bounded length, and the whole tree dead once it has ended. It must never outlive the gateway: its stdin closes.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { reasonOf } from '../errors.ts';
import { coverInherited } from './inherited.ts';
import { killGently } from './tree.ts';

export type SideProcess = {
  /** false when it reads no longer */
  write(line: string): boolean;
  /** asks it to end; what does not is killed */
  stop(): void;
  /** resolves when it is gone: how it ended, and the end of what it complained about */
  readonly ended: Promise<{ readonly how: string; readonly complaint: string }>;
};

export type SideOptions = {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** asked anew for each piece, since what it may say depends on what it was asked */
  readonly maxLineChars: () => number;
  /** one line without its end; a throw here ends the process */
  onLine(line: string): void;
};

const COMPLAINT_BYTES = 2_000;
const FIRST_INHERITED = 3;

export function startSideProcess(argv: readonly [string, ...string[]], options: SideOptions): SideProcess {
  const [command, ...args] = argv;
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...options.env },
    stdio: ['pipe', 'pipe', 'pipe', ...coverInherited(FIRST_INHERITED)],
    shell: false,
    detached: true,
  }) as ChildProcessWithoutNullStreams;
  const { promise: ended, resolve } = Promise.withResolvers<{ how: string; complaint: string }>();
  let isOver = false;
  let [complaint, wrong] = ['', ''];
  /** of the line that has not ended; each is looked at once, since a long line comes in thousands of them */
  let pieces: string[] = [];
  let chars = 0;
  const stop = (): void => {
    child.stdin.destroy();
    if (child.pid !== undefined && !isOver) killGently(child.pid, () => isOver);
  };
  const end = (why: string): void => {
    wrong ||= why;
    stop();
  };

  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = text.split('\n');
    for (const [n, part] of parts.entries()) {
      if (wrong !== '') return;
      pieces.push(part);
      chars += part.length;
      if (chars > options.maxLineChars()) {
        pieces = [];
        return end('it said a line that is too long');
      }
      if (n === parts.length - 1) return;
      const line = pieces.join('');
      [pieces, chars] = [[], 0];
      try {
        options.onLine(line);
      } catch (error) {
        end(reasonOf(error));
      }
    }
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-COMPLAINT_BYTES);
  });
  child.stdin.on('error', () => {});
  child.on('error', (error) => {
    isOver = true;
    resolve({ how: reasonOf(error), complaint });
  });
  child.on('close', (code, signal) => {
    isOver = true;
    resolve({ how: wrong || (signal === null ? `it ended with code ${code}` : `${signal} ended it`), complaint });
  });
  return {
    write(line) {
      if (!child.stdin.writable) return false;
      child.stdin.write(`${line}\n`);
      return true;
    },
    stop,
    ended,
  };
}
