// Owns how a session key is read from parameters: the grammar of sessions/key.ts, with its words when it does not fit.
import { z } from 'zod';
import { HardshellError } from '../../platform/errors.ts';
import { parseSessionKey } from '../../sessions/key.ts';

/** The key in its one spelling; `main` is an alias. */
export const sessionKey = z.string().transform((text, context) => {
  try {
    return parseSessionKey(text).key;
  } catch (error) {
    if (!(error instanceof HardshellError)) throw error;
    context.addIssue({ code: 'custom', message: `must be a session key: ${error.fix ?? error.message}` });
    return z.NEVER;
  }
});

/** Of a key that was checked. */
export const agentIdOf = (key: string): string => key.split(':', 2)[1] ?? 'main';
