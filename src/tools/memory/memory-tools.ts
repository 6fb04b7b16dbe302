// Owns searching, reading and adding to the memory. What it shows keeps the label it was written under; it must never
// show a file that the conversation may not read.
import { z } from 'zod';
import { dayNote, isMemoryFile, MAX_MEMORY_BYTES, mayBecomeMemory } from '../../memory/files.ts';
import { isOutside } from '../../memory/provenance.ts';
import { HardshellError } from '../../platform/errors.ts';
import { join, label } from '../../store/label.ts';
import { matchesOf } from '../matches.ts';
import { filePath, shownName } from '../paths.ts';
import type { AnyTool, Tool, ToolEnv } from '../tool.ts';

const MAX_CHARS = 20_000;
const MAX_LINES = 500;
const OWN = label('tool-local', 'owner');

const search = z.strictObject({ query: z.string() });
const searchTool: Tool<z.infer<typeof search>> = {
  name: 'memory_search',
  description: 'Search what you remember: MEMORY.md, USER.md and memory/*.md.',
  parameters: search,
  roles: { effect: 'read', args: { query: 'payload' }, result: 'untrusted' },
  effects: () => [{ kind: 'read', path: 'memory' }],
  async run(_call, { query }, env) {
    const hits = await (await env.memory()).search(query);
    const allowed = new Map<string, boolean>();
    for (const { path } of hits) if (!allowed.has(path)) allowed.set(path, await mayRead(env, path));
    const shown = hits.filter(({ path }) => allowed.get(path) === true);
    if (shown.length === 0) return { text: 'Nothing found.', isError: false, label: OWN };
    const parts = shown.map(({ id, path, firstLine, lastLine, atMs, origin, text }) => {
      const day = atMs === 0 ? '' : `, ${new Date(atMs).toISOString().slice(0, 10)}`;
      return `#${id} ${shownName(path)}:${firstLine}-${lastLine}${day}, ${origin}\n${text}`;
    });
    return {
      text: parts.join('\n\n').slice(0, MAX_CHARS),
      isError: false,
      label: shown.reduce((sum, hit) => join(sum, hit.label), OWN),
    };
  },
};

const get = z.strictObject({
  path: z.string(),
  from: z.int().min(1).optional(),
  lines: z.int().min(1).optional(),
});
const getTool: Tool<z.infer<typeof get>> = {
  name: 'memory_get',
  description: 'Read lines of a memory file.',
  parameters: get,
  roles: { effect: 'read', args: { path: 'object' }, result: 'untrusted', isWritable: true },
  effects: ({ path }) => [{ kind: 'read', path: filePath(path) }],
  async run(_call, { path, from = 1, lines = MAX_LINES }, env) {
    await env.memory();
    const name = filePath(path);
    const file = await env.files.at(name, 'read');
    if (!isMemoryFile(file.name)) throw notMemory(name);
    const whole = (await file.root.read(file.name, MAX_MEMORY_BYTES)).toString('utf8').toWellFormed();
    const all = whole.split('\n');
    const part = all.slice(from - 1, from - 1 + Math.min(lines, MAX_LINES));
    if (part.length === 0) return { text: `[the file ends at line ${all.length}]`, isError: false, label: OWN };
    const found = join(OWN, env.provenance.labelOfLines(file.name, part, whole));
    return { text: part.join('\n').slice(0, MAX_CHARS), isError: false, label: found };
  },
};

const write = z.strictObject({
  text: z.string(),
  file: z.string().optional().describe("default: today's note"),
  replace: z.string().min(1).optional().describe('exact text; default: append'),
});
const writeTool: Tool<z.infer<typeof write>> = {
  name: 'memory_write',
  description: 'Keep something for later conversations, when the owner wants it remembered. No secrets.',
  parameters: write,
  roles: {
    effect: 'reversible',
    args: { text: 'payload', file: 'payload', replace: 'payload' },
    result: 'own',
  },
  effects: ({ file }) => [{ kind: 'write', path: file === undefined ? dayNote(Date.now()) : filePath(file) }],
  async run(call, { text, replace }, env) {
    const memory = await env.memory();
    const path = call.effects.find((one) => one.kind === 'write')?.path ?? '';
    const place = await env.files.at(path, 'write');
    if (!mayBecomeMemory(place.name)) throw notMemory(path);
    const added = text.toWellFormed().replaceAll('\r\n', '\n').trim();
    env.provenance.check(place.name, added);
    return memory.alone(async () => {
      const { root, name } = await env.files.at(path, 'read');
      const before = (await root.tryRead(name, MAX_MEMORY_BYTES))?.toString('utf8') ?? null;
      const after =
        replace === undefined ? appended(before ?? '', added) : replaced(before ?? '', replace, added, path);
      if (Buffer.byteLength(after) > MAX_MEMORY_BYTES) throw tooBig(path);
      env.provenance.record({
        ...{ path: place.name, before, after, label: call.context },
        ...{ isWhole: false, isApproved: call.isApproved === true },
      });
      await place.root.replace(place.name, after);
      const what = isOutside(call.context) ? ', as something from outside' : '';
      return { text: `Remembered in ${shownName(place.name)}${what}.`, isError: false, label: OWN };
    });
  },
};

export const MEMORY_TOOLS: readonly AnyTool[] = [searchTool, getTool, writeTool];

const mayRead = (env: ToolEnv, path: string): Promise<boolean> =>
  env.files.at(path, 'read').then(
    () => true,
    () => false,
  );

const appended = (before: string, added: string): string =>
  `${before}${before === '' || before.endsWith('\n') ? '' : '\n'}${added}\n`;

function replaced(before: string, old: string, added: string, path: string): string {
  const [at, more] = matchesOf(before, old, 2);
  if (at === undefined || more !== undefined) {
    const message = `${path} has ${at === undefined ? 'no such text' : 'that text more than once'}`;
    const fix = 'read it with memory_get and give the exact text';
    throw new HardshellError({ code: at === undefined ? 'NO_MATCH' : 'AMBIGUOUS_MATCH', message, fix });
  }
  return before.slice(0, at) + added + before.slice(at + old.length);
}

const notMemory = (path: string): HardshellError =>
  new HardshellError({
    code: 'NOT_MEMORY',
    message: `${shownName(path)} is no memory file`,
    fix: 'name MEMORY.md, USER.md or memory/NAME.md',
  });
const tooBig = (path: string): HardshellError =>
  new HardshellError({
    code: 'FILE_TOO_BIG',
    message: `${shownName(path)} would become larger than ${MAX_MEMORY_BYTES} bytes`,
    fix: 'use another file below memory/',
  });
