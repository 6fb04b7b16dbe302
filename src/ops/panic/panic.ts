// Owns the mark that everything is stopped: one file in the state folder, so that a command without a gateway, a crash and a
// restart all see it. It must never be read as absent because it cannot be read.
import { join } from 'node:path';
import * as z from 'zod/mini';
import { reasonOf } from '../../platform/errors.ts';
import { removeFile, replaceFile, tryReadText } from '../../platform/files.ts';
import { tryParseJson } from '../../platform/json.ts';

const shape = z.object({
  ...{ atMs: z.number(), by: z.string(), why: z.string() },
  /** runs that were cut off; left out where nobody could say, as when the gateway was killed */
  stopped: z.optional(z.array(z.string())),
});
export type Panic = z.infer<typeof shape>;

export const panicPath = (stateDir: string): string => join(stateDir, 'panic.json');

const liftedPath = (stateDir: string): string => join(stateDir, 'panic-lifted.json');

/** Null: nothing is stopped. */
export const readPanic = (stateDir: string): Panic | null => readMark(panicPath(stateDir));
/** One that was lifted, and whose runs no start has seen to yet. */
export const readLifted = (stateDir: string): Panic | null => readMark(liftedPath(stateDir));

function readMark(path: string): Panic | null {
  try {
    const text = tryReadText(path);
    if (text === null) return null;
    const parsed = shape.safeParse(tryParseJson(text));
    return parsed.success ? parsed.data : unreadable('the mark is not what was written there');
  } catch (error) {
    return unreadable(reasonOf(error));
  }
}

const unreadable = (why: string): Panic => ({ atMs: 0, by: 'nobody known', why });

export const raisePanic = (stateDir: string, panic: Panic): void =>
  replaceFile(panicPath(stateDir), `${JSON.stringify(panic)}\n`);
/** What was cut off by it must not run again, also when nobody runs to see to that now. */
export function liftPanic(stateDir: string): void {
  const panic = readPanic(stateDir);
  if (panic === null) return;
  replaceFile(liftedPath(stateDir), `${JSON.stringify(panic)}\n`);
  removeFile(panicPath(stateDir));
}
export const forgetLifted = (stateDir: string): void => removeFile(liftedPath(stateDir));

export const panicLine = ({ atMs, by, why }: Panic): string =>
  [
    `everything is stopped${atMs > 0 ? ` since ${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')} UTC` : ''}`,
    `by ${by}${why === '' ? '' : ` (${why})`}`,
  ].join(' ');
