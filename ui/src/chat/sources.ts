// Owns how the origins in a session's label read. The id is the gateway's; a kind that is unknown here is shown as it is.
import type { SessionRow } from '../protocol/rows.ts';
import { plainLine } from '../shell/visible.tsx';

/** The words that a person wrote in this very session are no news to them. */
export function outsideSources(row: SessionRow): string[] {
  return row.sources.filter((source) => source !== `${row.channel}:${row.key}`).map(sourceName);
}

export function sourceName(source: string): string {
  if (source === 'exec') return 'output of commands';
  if (source === 'many') return 'many sources';
  if (source === 'file:.') return 'the list of files';
  return plainLine(source.startsWith('file:') ? source.slice('file:'.length) : source);
}
