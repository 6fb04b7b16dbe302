// Owns the tool for commands in the background: looking at them, feeding them, ending them. It must never reach one of
// another conversation, and it starts none.
import { z } from 'zod';
import type { ToolCall } from '../policy/decide.ts';
import { plain, shownSeconds } from '../sandbox/background/printed.ts';
import type { Process } from '../sandbox/background/processes.ts';
import { label } from '../store/label.ts';
import { STOPPED } from './exec.ts';
import type { Tool, ToolResult } from './tool.ts';

const MAX_SHOWN_BYTES = 20_000;
const DEFAULT_WAIT_SECONDS = 5;
const MAX_COMMAND_CHARS = 120;

const parameters = z.strictObject({
  action: z.enum(['list', 'poll', 'log', 'write', 'kill']),
  id: z.string().max(64).optional(),
  input: z.string().max(100_000).optional(),
  eof: z.boolean().optional(),
  offset: z.number().int().min(0).optional(),
  waitSeconds: z.number().min(0).max(60).optional(),
});

type Args = z.infer<typeof parameters>;
type Any = Process<ToolCall['speaker']>;

export const processTool: Tool<Args> = {
  name: 'process',
  description:
    'Background commands of this conversation: list; poll (waits for new output); log (from a byte offset); write (to stdin, exactly as given); kill.',
  parameters,
  effects: ({ action, id = '', input = '' }) =>
    action === 'write' || action === 'kill' ? [{ kind: 'process', id, input: action === 'write' ? input : '' }] : [],
  async run({ sessionKey }, args, { processes, signal }) {
    const { action, id, input = '', eof, offset, waitSeconds = DEFAULT_WAIT_SECONDS } = args;
    const all = processes.list(sessionKey);
    if (action === 'list') return told(all.length === 0 ? '(none)' : all.map(lineOf).join('\n'));
    if (id === undefined) return wrong(`${action} needs the id of a process; list shows them`);
    const one = processes.find(sessionKey, id);
    switch (action) {
      case 'log':
        return told(shown(one, offset ?? 0).text);
      case 'write':
        if (input === '' && !eof) return wrong('write needs input (a line ends with \\n), or eof');
        if (input !== '') one.write(input);
        if (eof) one.endInput();
        break;
      case 'kill':
        one.kill('killed');
        await one.done;
    }
    await one.news(waitSeconds * 1000, signal);
    const { text, next } = shown(one, one.readAt);
    one.readAt = next;
    return told(text);
  },
};

/** What came from that byte on, and how the process does. */
function shown(one: Any, offset: number): { text: string; next: number } {
  const { text, from, next } = one.output.read(offset, MAX_SHOWN_BYTES);
  const total = one.output.total();
  const lines = [
    from > offset ? `[… ${from - offset} bytes left out …]` : '',
    plain(text),
    `[${stateOf(one)}${next < total ? `; ${total - next} bytes more, go on with offset=${next}` : ''}]`,
  ];
  return { text: lines.filter((line) => line !== '').join('\n'), next };
}

function stateOf(one: Any): string {
  const ending = one.ending();
  if (ending === null) return `${one.id} runs`;
  const { why, stopped, failed, exitCode } = ending;
  const how = why ?? failed?.message ?? (stopped ? STOPPED[stopped] : `exit code ${exitCode ?? 'unknown'}`);
  return `${one.id} ended after ${shownSeconds(ending.atMs - one.startedAtMs)}: ${how}`;
}

function lineOf(one: Any): string {
  const command = plain(one.command.replace(/\s+/g, ' '));
  const cut = command.length > MAX_COMMAND_CHARS ? `${command.slice(0, MAX_COMMAND_CHARS)}…` : command;
  return `${stateOf(one)}; ${one.output.total()} bytes: ${cut}`;
}

const told = (text: string): ToolResult => ({ text, isError: false, label: label('untrusted', 'owner', 'exec') });
const wrong = (text: string): ToolResult => ({
  text: `process did nothing: ${text}.`,
  isError: true,
  label: label('tool-local', 'owner'),
});
