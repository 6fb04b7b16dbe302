// Owns the list of tools and what a model is told about each. It must never show a tool that cannot be called.
import { z } from 'zod';
import type { ToolSchema } from '../models/provider.ts';
import { browserTool } from './browser/browser.ts';
import { editTool } from './edit.ts';
import { execTool } from './exec.ts';
import { lsTool } from './ls.ts';
import { mailTool } from './mail.ts';
import { MEMORY_TOOLS } from './memory/memory-tools.ts';
import { messageTool } from './message.ts';
import { processTool } from './process.ts';
import { readTool } from './read.ts';
import type { AnyTool } from './tool.ts';
import { webFetchTool, webSearchTool } from './web.ts';
import { writeTool } from './write.ts';

export const TOOLS: readonly AnyTool[] = [
  readTool,
  writeTool,
  editTool,
  lsTool,
  execTool,
  processTool,
  messageTool,
  mailTool,
  webFetchTool,
  webSearchTool,
  browserTool,
  ...MEMORY_TOOLS,
];

/** In the order given, always spelled the same, so that provider caches hit. What nobody may ask for here is left out. */
export function toolSchemas(tools: readonly AnyTool[], { elevated = false } = {}): ToolSchema[] {
  return tools.map(({ name, description, parameters, schema: given }) => {
    if (given) return { name, description, parameters: given };
    const { $schema: _, ...schema } = z.toJSONSchema(parameters, {
      io: 'input',
      // What every whole number is anyway would be paid for on every turn.
      override({ jsonSchema }) {
        if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
        delete jsonSchema.propertyNames;
        if (!elevated) delete jsonSchema.properties?.['elevated'];
      },
    });
    return { name, description, parameters: schema };
  });
}

/** The arguments as the tool's schema wants them, or one line that tells the model what to correct. */
export function parseArgs(tool: AnyTool, args: unknown): { ok: true; args: unknown } | { ok: false; problem: string } {
  const parsed = tool.parameters.safeParse(args);
  if (parsed.success) return { ok: true, args: parsed.data };
  const problems = parsed.error.issues.slice(0, 3).map(({ path, message }) => {
    const where = path.map(String).join('.');
    return where === '' ? message : `${where}: ${message}`;
  });
  return { ok: false, problem: problems.join('; ').replace(/\s+/g, ' ').slice(0, 500) };
}
