// Owns what a peer's own words may look like once they reach a log, a table or another client: no control characters,
// no bidirectional overrides, bounded length (attacks K03 and K04).
import { z } from 'zod';
import { JOINERS, UNSEEN } from '../../platform/disguise.ts';

const UNSAFE = new RegExp(String.raw`[\p{Cc}${UNSEEN}${JOINERS}]`, 'gu');

export const printable = (text: string): string => text.replace(UNSAFE, '\ufffd');

/** Text of a peer that is only ever shown. */
export const shown = (maxChars: number) => z.string().min(1).max(maxChars).transform(printable);
