// Owns the mark that everything is stopped: one file in the state folder, so that a command without a gateway, a crash and a
// restart all see it. It must never be read as absent because it cannot be read.
import { join } from 'node:path';
import * as z from 'zod/mini';
import { reasonOf } from '../../platform/errors.ts';
import { removeFile, replaceFile, tryReadText } from '../../platform/files.ts';
import { tryParseJson } from '../../platform/json.ts';

const shape = z.object({ atMs: z.number(), by: z.string(), why: z.string() });
export type Panic = z.infer<typeof shape>;

export const panicPath = (stateDir: string): string => join(stateDir, 'panic.json');

/** Null: nothing is stopped. */
export function readPanic(stateDir: string): Panic | null {
  try {
    const text = tryReadText(panicPath(stateDir));
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
export const liftPanic = (stateDir: string): void => removeFile(panicPath(stateDir));

export const panicLine = ({ atMs, by, why }: Panic): string =>
  [
    `everything is stopped${atMs > 0 ? ` since ${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')} UTC` : ''}`,
    `by ${by}${why === '' ? '' : ` (${why})`}`,
  ].join(' ');
