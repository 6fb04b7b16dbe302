// Owns what an origin in a label is called, on the page and at the terminal alike; so it must import nothing. A kind that is
// unknown is shown as it is. Whoever shows one makes it plain first, since others choose the names in it.

const KINDS: Readonly<Record<string, (name: string) => string>> = {
  file: (name) => (name === '.' ? 'the list of files' : name),
  web: (name) => (name === 'search' ? 'results of a search' : name),
  browser: (name) => `${name} in the browser`,
  mail: (name) => MAILS.get(name) ?? `mail from ${name.replace(/^direct:/, '')}`,
  mcp: (name) => `the MCP server ${name}`,
  skill: (name) => `the skill ${name}`,
};
const MAILS = new Map([
  ['attachment', 'files that were sent by mail'],
  ['server', 'the mail server'],
]);

/** Of channels; `webchat:agent:main:trip` is a conversation on the page or at the terminal. */
const PLACES: Readonly<Record<string, (channel: string, chat: string) => string>> = {
  history: (channel, chat) => `what others said in ${channel}:${chat}`,
  quote: (channel, chat) => `what was quoted in ${channel}:${chat}`,
  direct: (channel, chat) => `the chat with ${chat} in ${channel}`,
  group: (channel, chat) => `the group ${chat} in ${channel}`,
  attachment: (channel) => `files that were sent in ${channel}`,
  agent: (_channel, chat) => {
    const [agent = '', ...name] = chat.split(':');
    return `your conversation ${name.join(':')}${agent === 'main' ? '' : ` with the agent ${agent}`}`;
  },
};

const WHOLE = new Map([
  ['exec', 'output of commands'],
  ['exec:outside', 'output of commands that may have read what others wrote'],
  ['many', 'many sources'],
]);

export function sourceName(source: string): string {
  const [kind = '', ...rest] = source.split(':');
  const [what = '', ...chat] = rest;
  const named = rest.length > 0 && Object.hasOwn(KINDS, kind) ? KINDS[kind]?.(rest.join(':')) : undefined;
  const place = kind !== '' && Object.hasOwn(PLACES, what) ? PLACES[what]?.(kind, chat.join(':')) : undefined;
  return WHOLE.get(source) ?? named ?? place ?? source;
}
