// Owns replacing text in a file of the workspace. It changes nothing unless the old text is found exactly as often as
// expected: once, or everywhere when asked.
import { z } from 'zod';
import { HardshellError } from '../platform/errors.ts';
import { label } from '../store/label.ts';
import type { Tool } from './tool.ts';

const parameters = z.strictObject({
  path: z.string(),
  oldText: z.string().min(1),
  newText: z.string(),
  all: z.boolean().optional(),
});
const MAX_FILE_BYTES = 8 * 1024 * 1024;

export const edit: Tool<z.output<typeof parameters>> = {
  name: 'edit',
  description: 'Replace oldText, which must occur exactly once (or set all), by newText.',
  parameters,
  effects: ({ path }) => [
    { kind: 'read', path },
    { kind: 'write', path },
  ],
  async run(_call, { path, oldText, newText, all = false }, env) {
    const before = (await env.workspace.read(path, MAX_FILE_BYTES)).toString('utf8');
    const count = before.split(oldText).length - 1;
    if (count === 0) throw notFound(path, before, oldText);
    if (count > 1 && !all) {
      throw new HardshellError({
        code: 'EDIT_AMBIGUOUS',
        message: `the text occurs ${count} times in ${path}`,
        fix: 'give more of the text around it, or set all',
      });
    }
    await env.workspace.replace(path, before.split(oldText).join(newText));
    return {
      text: `Replaced ${count} ${count === 1 ? 'place' : 'places'} in ${path}.`,
      isError: false,
      label: label('tool-local', 'owner'),
    };
  },
};

function notFound(path: string, before: string, oldText: string): HardshellError {
  const squeeze = (text: string): string => text.replace(/\s+/g, ' ').trim();
  const nearly = squeeze(before).includes(squeeze(oldText));
  return new HardshellError({
    code: 'EDIT_NOT_FOUND',
    message: `the text is not in ${path}${nearly ? '; it is there with other spaces or line breaks' : ''}`,
    fix: 'read the file and copy the text exactly',
  });
}
