// Owns the words for tools: which there are, which group each is in, and what people and other versions call them. One list
// for the settings, which check words, and for policy, which decides by them. It must never say what is allowed.

/** A tool may be in several groups; some stand here before they are built, so that a rule about them holds from their first day. */
export const GROUPS: Readonly<Record<string, readonly string[]>> = {
  'group:fs': ['read', 'write', 'edit', 'apply_patch', 'ls'],
  'group:runtime': ['exec', 'process'],
  'group:web': ['web_search', 'web_fetch', 'browser'],
  'group:ui': ['browser'],
  'group:messaging': ['message', 'mail'],
  'group:automation': ['cron'],
  'group:memory': ['memory_search', 'memory_get', 'memory_write'],
  'group:nodes': ['nodes'],
  // Of servers that the owner adds; what they are called is not known here.
  'group:mcp': [],
};

/** A tool of an MCP server: `server__tool`. None of ours is called like that. */
export const isServerTool = (name: string): boolean => /^[a-z0-9_]+__[a-z0-9_]+$/.test(name);

/** Those of them that are not built yet. */
export const COMING: readonly string[] = [...['apply_patch', 'cron'], 'nodes'];

/** Denying one way of changing a file denies the others: a ban on `write` that leaves `edit` is no ban. */
export const MUTATING: readonly string[] = ['write', 'edit', 'apply_patch'];

export const TOOL_NAMES: readonly string[] = [...new Set(Object.values(GROUPS).flat())];

/** Other names for what is here, in other versions and in people's heads. */
export const ALIASES: Readonly<Record<string, string>> = {
  bash: 'exec',
  shell: 'exec',
  sh: 'exec',
  command: 'exec',
  'apply-patch': 'apply_patch',
  read_file: 'read',
  write_file: 'write',
  edit_file: 'edit',
  automations: 'cron',
  'group:shell': 'group:runtime',
  'group:exec': 'group:runtime',
  'group:files': 'group:fs',
  'group:filesystem': 'group:fs',
};

/** Tools and groups of upstream that are not here. A rule that names one is no slip of the pen. */
const ELSEWHERE = (
  'canvas gateway image image_generate tts pdf session_status sessions_list sessions_history sessions_send ' +
  'sessions_spawn sessions_yield subagents agents_list x_search code_execution discord slack telegram whatsapp ' +
  'group:sessions group:media group:agents group:openclaw group:plugins'
).split(' ');

/** Every word that a rule about tools may have. */
export const TOOL_WORDS: readonly string[] = [
  ...TOOL_NAMES,
  ...Object.keys(GROUPS),
  ...Object.keys(ALIASES),
  ...ELSEWHERE,
];
