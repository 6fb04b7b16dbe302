// Owns how the origins in a session's label read. The id is the gateway's; a kind that is unknown here is shown as it is.
import { sourceName } from '../../../src/gateway/protocol/source-name.ts';
import type { SessionRow } from '../protocol/rows.ts';
import { plainLine } from '../shell/visible.tsx';

/** The words that a person wrote in this very session are no news to them. */
export function outsideSources(row: SessionRow): string[] {
  return row.sources.filter((source) => source !== `${row.channel}:${row.key}`).map(shownSource);
}

export const shownSource = (source: string): string => plainLine(sourceName(source));
