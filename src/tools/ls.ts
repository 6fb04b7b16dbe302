// Owns listing a folder of the workspace.
import { z } from 'zod';
import { label } from '../store/label.ts';
import type { Tool } from './tool.ts';

const parameters = z.strictObject({ path: z.string().optional() });
const MAX_ENTRIES = 500;

export const ls: Tool<z.output<typeof parameters>> = {
  name: 'ls',
  description: 'List a folder.',
  parameters,
  effects: ({ path }) => [{ kind: 'read', path: path ?? '.' }],
  async run(_call, { path }, env) {
    const { entries, truncated } = await env.workspace.list(path ?? '.', MAX_ENTRIES);
    const lines = entries.map((e) =>
      e.kind === 'folder'
        ? `${e.name}/`
        : `${e.name}  ${e.kind === 'other' ? 'not a regular file' : `${e.bytes} bytes`}`,
    );
    if (truncated) lines.push(`[more than ${MAX_ENTRIES} entries]`);
    // Names may come from outside (an archive, a download), so they are not ours to trust.
    return {
      text: lines.join('\n') || '(empty folder)',
      isError: false,
      label: label('untrusted', 'owner', `file:${path ?? '.'}`),
    };
  },
};
