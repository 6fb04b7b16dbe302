// Owns making or replacing a file of the workspace, whole and atomically.
import { z } from 'zod';
import { label } from '../store/label.ts';
import type { Tool } from './tool.ts';

const MAX_CHARS = 1_000_000;
const parameters = z.strictObject({ path: z.string(), content: z.string().max(MAX_CHARS) });

export const write: Tool<z.output<typeof parameters>> = {
  name: 'write',
  description: 'Create or replace a file.',
  parameters,
  effects: ({ path }) => [{ kind: 'write', path }],
  async run(_call, { path, content }, env) {
    await env.workspace.replace(path, content);
    return {
      text: `Wrote ${path} (${Buffer.byteLength(content)} bytes).`,
      isError: false,
      label: label('tool-local', 'owner'),
    };
  },
};
