// Owns the grammar of session keys on the wire: `agent:<id>:<rest>`, with `main` as the one alias. Nothing that is not
// of this grammar may reach the backend.
import { z } from 'zod';

export const MAIN_KEY = 'agent:main:main';
const MAX_CHARS = 256;
const GRAMMAR = /^agent:([a-z0-9][a-z0-9_-]{0,63}):([A-Za-z0-9+@_.~!=-]+(?::[A-Za-z0-9+@_.~!=-]+)*)$/;

/** The key in its one spelling, or null when it is none. */
export function canonicalKey(text: string): string | null {
  if (text === 'main') return MAIN_KEY;
  return text.length <= MAX_CHARS && GRAMMAR.test(text) ? text : null;
}

export const agentIdOf = (key: string): string => key.split(':', 2)[1] ?? 'main';

/** `at /sessionKey: must be …` when it fails; the canonical key when it does not. */
export const sessionKey = z.string().transform((text, context) => {
  const key = canonicalKey(text);
  if (key !== null) return key;
  context.addIssue({
    code: 'custom',
    message: 'must be main or agent:<id>:<name>, letters, digits and +@_.~!=:- only',
  });
  return z.NEVER;
});
