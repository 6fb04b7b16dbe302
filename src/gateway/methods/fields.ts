// Owns the parameters that several methods share, each with the words of its refusal.
import { z } from 'zod';
import { agentIdOf } from '../protocol/session-key.ts';

/** It becomes the id of the run and a key in the store: visible ASCII only. */
export const idempotencyKey = z.string().regex(/^[\x21-\x7e]{1,256}$/, 'must be 1 to 256 visible ASCII characters');
export const runId = idempotencyKey;
export const agentId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'must be the id of an agent')
  .optional();

/** Replies go back to who asked. Sending them somewhere else is not there yet, and must not seem to work. */
export const notDelivered = z.literal(false).optional();
export const noAttachments = z.array(z.unknown()).max(0).optional();

/** What a client may wish for and does not get: accepted when it is a matter of style, since nothing depends on it. */
export const hint = z.unknown().optional();

const MAX_TIMEOUT_MS = 86_400_000;
export const timeoutMs = z.int().min(0).max(MAX_TIMEOUT_MS).optional();

/** A call that names an agent and a session of another one is a mistake that must not be guessed away. */
export function sameAgent(value: { agentId?: string | undefined; sessionKey?: string | undefined }): boolean {
  const { agentId: named, sessionKey: key } = value;
  return named === undefined || key === undefined || agentIdOf(key) === named;
}
export const OTHER_AGENT = { path: ['agentId'], message: 'must be the agent of the session key' };
