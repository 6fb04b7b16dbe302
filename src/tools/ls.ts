// Owns listing a folder of the workspace. Names come from outside, so each is shown on one line and escaped where it
// could disguise itself.
import { z } from 'zod';
import type { Entry } from '../platform/root.ts';
import { label } from '../store/label.ts';
import { listedPath, shownBytes, shownName } from './paths.ts';
import type { Tool } from './tool.ts';

const MAX_ENTRIES = 500;

const parameters = z.strictObject({ path: z.string().optional() });

export const lsTool: Tool<z.infer<typeof parameters>> = {
  name: 'ls',
  description: 'List a folder.',
  parameters,
  effects: ({ path = '.' }) => [{ kind: 'read', path: listedPath(path) }],
  async run(_call, { path = '.' }, env) {
    const name = listedPath(path);
    const folder = await env.files.at(name, 'read');
    const { entries, truncated } = await folder.root.list(folder.name, MAX_ENTRIES);
    const lines = entries.map((entry) => lineOf(entry, folder.isClosed(entry.name)));
    if (truncated) lines.push(`[only the first ${entries.length} are shown]`);
    return {
      text: lines.join('\n') || '(empty)',
      isError: false,
      label: label('untrusted', 'owner', `file:${name}`),
    };
  },
};

function lineOf({ name, kind, bytes }: Entry, isClosed: boolean): string {
  if (isClosed) return `${shownName(name)}  (closed to you)`;
  if (kind === 'folder') return `${shownName(name)}/`;
  return kind === 'file' ? `${shownName(name)}  ${shownBytes(bytes)}` : `${shownName(name)}  (link or device)`;
}
