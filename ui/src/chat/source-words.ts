// Owns what an origin is called: the same words as at the terminal, which a test holds together. Whoever shows one makes
// it plain first, since others choose the names in it.

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
  if (what !== undefined) return `${what === 'quote' ? 'what was quoted' : 'what others said'} in ${channel}:${chat}`;
  const at = source.indexOf(':');
  const kind = source.slice(0, Math.max(at, 0));
  return Object.hasOwn(KINDS, kind) ? (KINDS[kind]?.(source.slice(at + 1)) ?? source) : source;
}
