// Owns the offline model: a small fixed program behind the same contract as every other model, so that a newcomer sees the
// whole way of a message before paying anyone. It says what it is, does only what was asked for in plain words, and
// reports what the tools said; it must never claim more.
import { setImmediate } from 'node:timers/promises';
import { newId } from '../platform/ids.ts';
import { withoutFrames } from '../platform/outside-text.ts';
import { type OfflineRequest, understand } from './offline-request.ts';
import { type ModelEvent, type ModelProvider, type ModelRequest, NO_USAGE } from './provider.ts';

export const OFFLINE_MODEL = 'offline/hardshell';

type Result = { readonly name: string; readonly text: string; readonly isError: boolean };
type Call = { readonly name: 'ls' | 'read' | 'write' | 'edit' | 'exec'; readonly args: Record<string, unknown> };
type Step = { readonly say?: string; readonly calls?: readonly Call[] };

const MEMORY_FILE = 'MEMORY.md';
const MAX_SHOWN_CHARS = 8_000;

const WHAT_I_AM =
  'I am the offline model: a small fixed program, not a language model. I understand a few plain requests and carry them ' +
  'out with the same tools, approvals and sandbox that a real model would use.';
const HOW_TO_GET_A_MODEL =
  'To talk to a real model, set ANTHROPIC_API_KEY or OPENAI_API_KEY (or models.providers in ~/.openclaw/openclaw.json) and ' +
  'start the gateway again.';
const WHAT_I_DO = [
  'What I understand:',
  '- `list the files in my workspace`, `ls notes`',
  '- `read todo.txt`',
  '- `write "buy milk" to todo.txt`, `append "call Anna" to todo.txt`',
  '- `replace "milk" with "bread" in todo.txt`',
  '- `run wc -l todo.txt` or `$ wc -l todo.txt` (inside the sandbox)',
  '- `remember that my sister is called Anna`, `what do you remember?`',
].join('\n');

export function createOffline(): ModelProvider {
  return { id: 'offline', stream };
}

async function* stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
  const aborted: ModelEvent = { type: 'end', stop: 'aborted', usage: NO_USAGE };
  if (signal.aborted) return yield aborted;
  const { message, results } = sinceLastMessage(request);
  const tools = new Set(request.tools.map(({ name }) => name));
  const { say = '', calls = [] } = offered(nextStep(understand(message), results), tools);
  yield { type: 'start', provider: 'offline', model: request.model };
  for (const delta of pieces(say)) {
    await setImmediate();
    if (signal.aborted) return yield aborted;
    yield { type: 'text', delta };
  }
  for (const { name, args } of calls) yield { type: 'toolCall', call: { id: `call_${newId()}`, name, args } };
  yield { type: 'end', stop: calls.length > 0 ? 'tools' : 'end', usage: NO_USAGE };
}

/** The last thing the person said, and what the tools have answered since. */
function sinceLastMessage({ messages }: ModelRequest): { message: string; results: Result[] } {
  const at = messages.findLastIndex((message) => message.role === 'user');
  const last = messages[at];
  const results = messages
    .slice(at + 1)
    .flatMap((message) => (message.role === 'tool' ? message.results.map(asItCame) : []));
  return { message: last?.role === 'user' ? last.text : '', results };
}

const asItCame = (result: Result): Result => ({ ...result, text: withoutFrames(result.text) });

function nextStep(request: OfflineRequest, results: readonly Result[]): Step {
  const [first] = results;
  switch (request.kind) {
    case 'hello':
      return { say: `Hello! ${WHAT_I_AM}\n\n${WHAT_I_DO}\n\n${HOW_TO_GET_A_MODEL}` };
    case 'help':
      return { say: `${WHAT_I_AM}\n\n${WHAT_I_DO}\n\n${HOW_TO_GET_A_MODEL}` };
    case 'thanks':
      return { say: 'You are welcome.' };
    case 'unclear':
      return {
        say: `I did not understand that, so I did nothing. ${
          request.example === null ? `${WHAT_I_AM}\n\n${WHAT_I_DO}` : `Say it like this: \`${request.example}\``
        }\n\n${HOW_TO_GET_A_MODEL}`,
      };
    case 'list': {
      const where = request.path === null ? 'your workspace' : code(request.path);
      if (first === undefined)
        return { calls: [{ name: 'ls', args: request.path === null ? {} : { path: request.path } }] };
      return first.isError ? problem(first, `list ${where}`) : { say: `This is in ${where}:\n\n${fenced(first.text)}` };
    }
    case 'read':
      if (first === undefined) return { calls: request.paths.map((path) => ({ name: 'read', args: { path } })) };
      return { say: request.paths.map((path, n) => readReport(path, results[n])).join('\n\n') };
    case 'write':
      if (first === undefined) return { calls: [writeCall(request.path, request.text)] };
      return first.isError
        ? problem(first, `write ${code(request.path)}`)
        : { say: `I wrote ${code(request.path)} (${count(request.text)}).` };
    case 'edit':
      if (first === undefined) return { calls: [editCall(request.path, request.oldText, request.newText)] };
      return first.isError
        ? problem(first, `change ${code(request.path)}`)
        : { say: `I changed ${code(request.path)}.` };
    case 'run':
      if (first === undefined) return { calls: [{ name: 'exec', args: { command: request.command } }] };
      return runReport(request.command, first);
    case 'append':
      return addLine(
        request.path,
        request.text,
        results,
        `I added ${code(request.text)} to ${code(request.path)}.`,
        '',
      );
    case 'remember': {
      const done = `I will remember: ${request.text} (it is in ${code(MEMORY_FILE)}).`;
      return addLine(MEMORY_FILE, `- ${request.text}`, results, done, '# Memory\n\n');
    }
    case 'recall':
      if (first === undefined) return { calls: [{ name: 'read', args: { path: MEMORY_FILE } }] };
      if (isMissing(first) || (!first.isError && first.text.trim() === ''))
        return { say: `Nothing yet: ${code(MEMORY_FILE)} is empty.` };
      return first.isError
        ? problem(first, `read ${code(MEMORY_FILE)}`)
        : { say: `This is what I have in ${code(MEMORY_FILE)}:\n\n${first.text.slice(0, MAX_SHOWN_CHARS)}` };
  }
}

/** Adds at the end with `edit`, which fails when the file is not what was read; only a missing or empty file is written whole. */
function addLine(path: string, line: string, results: readonly Result[], done: string, heading: string): Step {
  const change = results.find(({ name }) => name !== 'read');
  if (change !== undefined) return change.isError ? problem(change, `change ${code(path)}`) : { say: done };
  const read = results.at(-1);
  if (read === undefined) return { calls: [{ name: 'read', args: { path } }] };
  if (isMissing(read)) return { calls: [writeCall(path, `${heading}${line}\n`)] };
  if (read.isError) return problem(read, `read ${code(path)}`);
  // A long file is shown in part, with a note; then its last lines are what matters.
  const note = /\n\[lines \d+-\d+ of (\d+)[^\]\n]*\]$/.exec(read.text.slice(-200));
  if (note !== null && results.length === 1) {
    return { calls: [{ name: 'read', args: { path, offset: Math.max(1, Number(note[1]) - 4) } }] };
  }
  const text = note === null ? read.text : read.text.slice(0, -note[0].length);
  if (text.trim() === '') return { calls: [writeCall(path, `${heading}${line}\n`)] };
  const end = note === null ? lastPart(text) : text;
  return {
    calls: [
      editCall(path, end, `${end.replace(/\n$/, '')}\n${line}${end.endsWith('\n') || note === null ? '\n' : ''}`),
    ],
  };
}

/** Whole lines from the end of the text, as few as it takes to be found nowhere else in it. */
function lastPart(text: string): string {
  for (let size = 1; size < text.length; size *= 2) {
    const from = text.lastIndexOf('\n', text.length - size - 1) + 1;
    const part = text.slice(from);
    if (part.trim() !== '' && text.indexOf(part) === from) return part;
  }
  return text;
}

const writeCall = (path: string, content: string): Call => ({ name: 'write', args: { path, content } });
const editCall = (path: string, oldText: string, newText: string): Call => ({
  name: 'edit',
  args: { path, oldText, newText },
});

/** A tool that is switched off is reported, not called. */
function offered(step: Step, tools: ReadonlySet<string>): Step {
  const missing = step.calls?.find(({ name }) => !tools.has(name));
  if (missing === undefined) return step;
  return {
    say: `I cannot do that: the tool ${code(missing.name)} is not available here. \`openclaw status\` says why.`,
  };
}

const problem = (result: Result, action: string): Step => ({
  say: `I could not ${action}. The tool ${code(result.name)} answered:\n\n${fenced(result.text)}`,
});

/** A command that ran and failed is not the same as one that did not run. */
function runReport(command: string, result: Result): Step {
  if (!result.isError) return { say: `I ran ${code(command)} in the sandbox:\n\n${fenced(result.text)}` };
  const end = /\[(exit code \S+|stopped: [^\]\n]*)\]$/.exec(result.text.slice(-300))?.[1];
  if (end === undefined) return problem(result, `run ${code(command)}`);
  return { say: `I ran ${code(command)} in the sandbox, and it failed (${end}):\n\n${fenced(result.text)}` };
}

function readReport(path: string, result: Result | undefined): string {
  if (result === undefined) return `There was no answer for ${code(path)}.`;
  if (result.isError) return problem(result, `read ${code(path)}`).say ?? '';
  return result.text === '' ? `${code(path)} is empty.` : `${code(path)}:\n\n${fenced(result.text)}`;
}

const isMissing = ({ isError, text }: Result): boolean =>
  isError && /FILE_MISSING|no such file|does not exist/i.test(text.slice(0, 500));

const count = (text: string): string => (text.length === 1 ? '1 character' : `${text.length} characters`);

/** On one line, in back quotes that the text cannot close. */
function code(text: string): string {
  const line = text.replace(/\s+/g, ' ').slice(0, 200);
  return line.includes('`') ? `"${line}"` : `\`${line}\``;
}

/** A block that the text in it cannot close, cut to a length that is still pleasant to read. */
function fenced(text: string): string {
  const shown =
    text.length > MAX_SHOWN_CHARS
      ? `${text.slice(0, MAX_SHOWN_CHARS)}\n(${text.length - MAX_SHOWN_CHARS} more characters)`
      : text;
  const longest = shown.match(/`{3,}/g)?.reduce((most, run) => Math.max(most, run.length), 0) ?? 0;
  const fence = '`'.repeat(Math.max(3, longest + 1));
  return `${fence}\n${shown}${shown.endsWith('\n') ? '' : '\n'}${fence}`;
}

/** Some forty pieces at most, none of which ends in the middle of a character. */
function* pieces(text: string): Generator<string> {
  const size = Math.max(16, Math.ceil(text.length / 40));
  for (let from = 0; from < text.length; ) {
    let to = Math.min(text.length, from + size);
    const lead = text.charCodeAt(to - 1);
    if (to < text.length && lead >= 0xd800 && lead <= 0xdbff) to++;
    yield text.slice(from, to);
    from = to;
  }
}
