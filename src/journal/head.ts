// Owns the file beside the database that says where the journal ended: without it, a journal whose end was cut off would
// look whole. It may lag behind by seconds while a gateway runs; it must never be ahead of what is durable.
import { replaceFile, tryReadText } from '../platform/files.ts';

/** `isOpen`: somebody was writing, so that there may be more than this. */
export type Head = { readonly seq: number; readonly hash: string; readonly isOpen: boolean };

const MAX_BYTES = 4_096;

export const headPathOf = (databasePath: string): string => `${databasePath}-head`;

/** Null: there is none. What is there and says nothing that makes sense is the head of nothing that exists. */
export function readHead(path: string): Head | null {
  const text = tryReadText(path, MAX_BYTES);
  if (text === null) return null;
  try {
    const { seq, hash, isOpen } = JSON.parse(text) as Record<string, unknown>;
    if (Number.isSafeInteger(seq) && typeof hash === 'string')
      return { seq: Number(seq), hash, isOpen: isOpen !== false };
  } catch {
    // Told below.
  }
  return { seq: Number.MAX_SAFE_INTEGER, hash: 'unreadable', isOpen: true };
}

export const writeHead = (path: string, head: Head): void => replaceFile(path, `${JSON.stringify(head)}\n`);
