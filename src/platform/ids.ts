// Owns identifiers and secrets made from randomness, and the one that a content has by itself. Nothing here is ever derived
// from time or a counter alone.
import { createHash, randomBytes, randomUUID } from 'node:crypto';

/** A random UUID (v4). */
export const newId = (): string => randomUUID();

/** `bytes` of randomness as lower-case hex; 32 bytes make the 64-digit gateway token (S100). */
export const newToken = (bytes = 32): string => randomBytes(bytes).toString('hex');

/** The same for the same content, as lower-case hex. */
export const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');
