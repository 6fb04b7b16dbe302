// Owns a yes-or-no question on the terminal. Only `y` or `yes` is a yes; anything else, silence and Ctrl-C are a no.
import { createInterface } from 'node:readline';
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

export const isYes = (answer: string): boolean => /^\s*y(es)?\s*$/i.test(answer);
