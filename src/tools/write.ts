// Owns making or replacing a whole file of the workspace. Its acknowledgement must say nothing but what it did, so that
// it carries no text from outside.
import { z } from 'zod';
import { isMemoryFile } from '../memory/files.ts';
import { HardshellError } from '../platform/errors.ts';
import { label } from '../store/label.ts';
import { filePath, shownBytes } from './paths.ts';
import type { Tool } from './tool.ts';

const MAX_BYTES = 1_000_000;

const parameters = z.strictObject({ path: z.string(), content: z.string() });

export const writeTool: Tool<z.infer<typeof parameters>> = {
  name: 'write',
  description: 'Create or replace a file; folders are made as needed.',
  parameters,
  effects: ({ path }) => [{ kind: 'write', path: filePath(path) }],
  async run(call, { path, content }, env) {
    const name = filePath(path);
    const bytes = Buffer.byteLength(content);
    if (bytes > MAX_BYTES) throw tooMuch(name, bytes);
    const file = await env.files.at(name, 'write');
    env.provenance.check(file.name, content);
    const before = isMemoryFile(file.name) ? await file.root.tryRead(file.name, MAX_BYTES) : null;
    env.provenance.record({
      ...{ path: file.name, before: before?.toString('utf8') ?? null, after: content, label: call.context },
      ...{ isWhole: true, isApproved: call.isApproved === true },
    });
    await file.root.replace(file.name, content);
    return { text: `Wrote ${name} (${shownBytes(bytes)}).`, isError: false, label: label('tool-local', 'owner') };
  },
};

function tooMuch(name: string, bytes: number): HardshellError {
  const message = `${name} was not written: ${shownBytes(bytes)} is more than ${shownBytes(MAX_BYTES)}`;
  return new HardshellError({ code: 'FILE_TOO_BIG', message, fix: 'write several files, or make it with a command' });
}
