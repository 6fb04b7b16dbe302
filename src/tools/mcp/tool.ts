// Owns how a tool of an MCP server becomes one of ours: its name, what a model is told of it, its effects and roles, and
// its answer as text from outside. It never reaches a server by itself; what runs it is handed in.
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { HardshellError } from '../../platform/errors.ts';
import type { ToolRoles } from '../../policy/flow/roles.ts';
import { label } from '../../store/label.ts';
import { shownBytes } from '../paths.ts';
import type { AnyTool } from '../tool.ts';
import { type JsonSchema, oneLine, problemIn } from './schema.ts';

export type ServerTool = {
  readonly server: string;
  /** as the server calls it */
  readonly tool: string;
  readonly description: string;
  readonly schema: JsonSchema;
  /** it sees the files of the workspace */
  readonly hasWorkspace?: boolean;
};

const MAX_DESCRIPTION_CHARS = 500;
const MAX_RESULT_CHARS = 50_000;
const MAX_PARTS = 200;
const SAID_BY_SERVER: ReadonlySet<string> = new Set(['MCP_REFUSED', 'MCP_NO_ANSWER', 'MCP_SERVER_DOWN']);

/** `server__tool`, in letters that every model takes. No tool of ours has two underscores, so none can be shadowed. */
export function nameOf(server: string, tool: string): string {
  return `${plain(server).slice(0, 24)}__${plain(tool).slice(0, 38)}`;
}
const plain = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '') || 'x';

export const shownDescription = (text: unknown): string =>
  oneLine(typeof text === 'string' ? text : '', MAX_DESCRIPTION_CHARS);

export function serverTool(
  { server, tool, description, schema, hasWorkspace = false }: ServerTool,
  roles: ToolRoles,
): AnyTool {
  return {
    name: nameOf(server, tool),
    description: `${description} [from the MCP server ${server}]`.trim(),
    schema,
    parameters: z.record(z.string(), z.unknown()).superRefine((value, context) => {
      const problem = problemIn(schema, value);
      if (problem !== null) context.addIssue({ code: 'custom', message: problem });
      if (hasWorkspace && filesOf(value).length > MAX_NAMED)
        context.addIssue({ code: 'custom', message: `more than ${MAX_NAMED} values at once` });
    }),
    roles,
    effects: (args) => [{ kind: 'call', server, tool, ...(hasWorkspace ? { files: filesOf(args) } : {}) }],
    async run(call, args, env) {
      // Whatever its ids vouch for: others had a hand in what stands there, and a server reads what it was given.
      const from = label('untrusted', roles.readers ?? 'owner', `mcp:${server}`);
      try {
        const { text, isError } = answerOf(await env.callServer(call, args));
        return { text, isError, label: from };
      } catch (error) {
        // Why it failed may be in the server's own words, and those are nobody's but its own.
        if (!(error instanceof HardshellError) || !SAID_BY_SERVER.has(error.code)) throw error;
        const text = `Refused (${error.code}): ${error.message}.${error.fix ? ` What helps: ${error.fix}` : ''}`;
        return { text, isError: true, label: from };
      }
    },
  };
}

/** More could not be looked at before each call. */
const MAX_NAMED = 5_000;
const filesOf = (args: Readonly<Record<string, unknown>>): string[] => Object.values(args).flatMap(filesIn);
/** Every value that could be the name of a file, and every name within one, since only the server knows which is one. */
function filesIn(value: unknown): string[] {
  if (typeof value === 'string')
    return value === '' || value.length > MAX_PATH_CHARS || /[\n\0]/.test(value) ? [] : [pathOf(value)];
  if (typeof value !== 'object' || value === null) return [];
  const all = Array.isArray(value) ? value : Object.entries(value).flat();
  return all.flatMap(filesIn);
}
const MAX_PATH_CHARS = 4_096;
const pathOf = (value: string): string => {
  try {
    return /^file:/i.test(value) ? fileURLToPath(value) : value;
  } catch {
    return value;
  }
};

/** What a person could read of it; pictures and files are described and not shown. */
export function answerOf(result: unknown): { readonly text: string; readonly isError: boolean } {
  const { content, structuredContent, isError } = fieldsOf(result);
  const parts = Array.isArray(content) ? content : [];
  const shown = parts.slice(0, MAX_PARTS).map((part) => partText(fieldsOf(part)));
  if (parts.length > MAX_PARTS) shown.push(`[${parts.length - MAX_PARTS} more parts, not shown]`);
  const text =
    shown.join('\n') || (structuredContent === undefined ? '(no answer)' : JSON.stringify(structuredContent));
  const cut = text.slice(0, MAX_RESULT_CHARS).toWellFormed();
  const rest = text.length - cut.length;
  return { text: rest > 0 ? `${cut}\n[cut: ${rest} more characters]` : cut, isError: isError === true };
}

function partText({ type, text, data, mimeType, uri, resource }: Record<string, unknown>): string {
  if (type === 'text' && typeof text === 'string') return text;
  if (type === 'resource') {
    const inner = fieldsOf(resource);
    if (typeof inner['text'] === 'string') return inner['text'];
    return `[a file, ${word(inner['mimeType'])}, not shown: ${word(inner['uri'])}]`;
  }
  if (type === 'resource_link') return `[a link, not followed: ${word(uri)}]`;
  const bytes = typeof data === 'string' ? `, ${shownBytes(Math.floor(data.length * 0.75))}` : '';
  return `[${word(type)}, ${word(mimeType)}${bytes}, not shown]`;
}

const word = (value: unknown): string => (typeof value === 'string' ? oneLine(value, 200) : 'of an unknown kind');
const fieldsOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
