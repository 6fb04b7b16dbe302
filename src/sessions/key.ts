// Owns session keys: `agent:<agent>:<rest>`, with `main` as the short name of the owner's own conversation. A key is data
// from outside; it is checked here once and never used as a path.
import { EXIT, HardshellError } from '../platform/errors.ts';

export const MAIN_KEY = 'agent:main:main';
const GRAMMAR = /^agent:([a-z0-9][a-z0-9_-]{0,63}):([A-Za-z0-9][A-Za-z0-9._:@+-]{0,160})$/;

export type SessionKey = { readonly key: string; readonly agentId: string };

export function parseSessionKey(text: string): SessionKey {
  const key = text === 'main' ? MAIN_KEY : text;
  const match = GRAMMAR.exec(key);
  if (!match?.[1]) {
    throw new HardshellError({
      code: 'BAD_SESSION_KEY',
      message: `"${text.slice(0, 80)}" is not a session key`,
      fix: 'use `main` or `agent:main:<name>`, where the name has letters, digits and . _ : @ + - only',
      exitCode: EXIT.usage,
    });
  }
  return { key, agentId: match[1] };
}
