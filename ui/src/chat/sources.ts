// Owns how the origins in a session's label read. The id is the gateway's; a kind that is unknown here is shown as it is.
import type { SessionRow } from '../protocol/rows.ts';
import { plainLine } from '../shell/visible.tsx';

/** The words that a person wrote in this very session are no news to them. */
export function outsideSources(row: SessionRow): string[] {
  return row.sources.filter((source) => source !== `${row.channel}:${row.key}`).map(sourceName);
}

const KINDS: Readonly<Record<string, (name: string) => string>> = {
  file: (name) => (name === '.' ? 'the list of files' : name),
  web: (name) => (name === 'search' ? 'results of a search' : name),
  browser: (name) => `${name} in the browser`,
  mail: (name) => `mail from ${name}`,
  mcp: (name) => `the MCP server ${name}`,
};

export function sourceName(source: string): string {
  if (source === 'exec') return 'output of commands';
  if (source === 'many') return 'many sources';
  const [, channel, what, chat] = /^([^:]+):(history|quote):(.*)$/s.exec(source) ?? [];
  if (what !== undefined)
    return plainLine(`${what === 'quote' ? 'what was quoted' : 'what others said'} in ${channel}:${chat}`);
  const at = source.indexOf(':');
  const kind = source.slice(0, Math.max(at, 0));
  return plainLine(Object.hasOwn(KINDS, kind) ? (KINDS[kind]?.(source.slice(at + 1)) ?? source) : source);
}
