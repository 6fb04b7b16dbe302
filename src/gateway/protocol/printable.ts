// Owns what a peer's own words may look like once they reach a log, a table or another client: no control characters,
// no bidirectional overrides, bounded length (attacks K03 and K04).
import { z } from 'zod';

// C0, DEL, C1, zero-width and bidi controls, line and paragraph separators
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

export const printable = (text: string): string => text.replace(UNSAFE, '\ufffd');

/** Text of a peer that is only ever shown. */
export const shown = (maxChars: number) => z.string().min(1).max(maxChars).transform(printable);
