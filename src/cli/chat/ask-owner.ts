// Owns a yes-or-no question on the terminal. Only `y` or `yes` is a yes; anything else, silence and Ctrl-C are a no.
import { createInterface } from 'node:readline';
import { misused } from '../../platform/errors.ts';
import type { Output } from '../output.ts';

/** null: the question was taken back (`signal`), because it was answered elsewhere or ran out. */
export function askOwner(out: Output, question: string, signal: AbortSignal): Promise<boolean | null> {
  const { stdin, stderr } = out.streams;
  if (signal.aborted) return Promise.resolve(null);
  return new Promise((resolve) => {
    const lines = createInterface({ input: stdin, output: stderr, terminal: true });
    const finish = (answer: boolean | null): void => {
      signal.removeEventListener('abort', onAbort);
      lines.close();
      stdin.pause();
      if (answer === null) stderr.write('\n');
      resolve(answer);
    };
    const onAbort = (): void => finish(null);
    signal.addEventListener('abort', onAbort, { once: true });
    lines.on('SIGINT', () => {
      stderr.write('\n');
      finish(false);
    });
    lines.question(out.paint('stderr', `${question} [y/N] `), (answer) => finish(isYes(answer)));
  });
}

/** Where nobody can be asked, --yes is the answer. */
export async function agreed(
  out: Output,
  isSaid: boolean | undefined,
  question: string,
  fix = 'look at it with --dry-run, then say --yes',
): Promise<boolean> {
  if (isSaid) return true;
  if (out.streams.stdin.isTTY !== true || out.json) {
    const message = `nothing was changed: there is nobody to ask "${question}"`;
    throw misused('NEEDS_YES', message, fix);
  }
  const isAgreed = (await askOwner(out, question, new AbortController().signal)) === true;
  if (!isAgreed) out.note('nothing was changed');
  return isAgreed;
}

export const isYes = (answer: string): boolean => /^\s*y(es)?\s*$/i.test(answer);
