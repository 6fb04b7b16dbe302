// Owns the list of tools, and what the model is told of each.
import { z } from 'zod';
import type { ToolSchema } from '../models/provider.ts';
import { edit } from './edit.ts';
import { exec } from './exec.ts';
import { ls } from './ls.ts';
import { read } from './read.ts';
import type { AnyTool } from './tool.ts';
import { write } from './write.ts';

export const TOOLS: readonly AnyTool[] = [read, write, edit, ls, exec];

export function toolSchemas(tools: readonly AnyTool[]): ToolSchema[] {
  return tools.map(({ name, description, parameters }) => {
    // The dialect line costs tokens on every turn and tells a model nothing.
    const { $schema: _, ...schema } = z.toJSONSchema(parameters, { io: 'input' });
    return { name, description, parameters: schema };
  });
}
