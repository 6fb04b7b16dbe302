// Owns running a shell command, inside the sandbox that it is handed and nowhere else. Without one it refuses; it must
// never start a process by itself, and it adds nothing to the sandbox's environment.
import { z } from 'zod';
import { HardshellError } from '../platform/errors.ts';
import type { ExecResult } from '../sandbox/driver.ts';
import { label } from '../store/label.ts';
import { folderPath } from './paths.ts';
import type { Tool } from './tool.ts';

/** Kept of what a command prints; about 15,000 tokens at most. */
const MAX_SHOWN_BYTES = 50_000;
const MAX_TIMEOUT_SECONDS = 3_600;

const parameters = z.strictObject({
  command: z.string().min(1),
  cwd: z.string().optional(),
  timeoutSeconds: z.number().positive().max(MAX_TIMEOUT_SECONDS).optional(),
});

const argvOf = (command: string): string[] => ['/bin/bash', '-c', command];

export const execTool: Tool<z.infer<typeof parameters>> = {
  name: 'exec',
  description: 'Run a bash command in the workspace, sandboxed: no network; only the workspace outlives the call.',
  parameters,
  effects: ({ command, cwd = '.' }, where) => [{ kind: 'run', command, cwd: folderPath(cwd), where }],
  async run(_call, { command, cwd = '.', timeoutSeconds }, env) {
    if (env.sandbox === null) throw unavailable(env.sandboxReason);
    const { limits } = env;
    const timeoutMs = timeoutSeconds === undefined ? limits.timeoutMs : Math.ceil(timeoutSeconds * 1000);
    const result = await env.sandbox.exec({
      argv: argvOf(command),
      cwd: folderPath(cwd),
      limits: { ...limits, timeoutMs, maxOutputBytes: Math.min(limits.maxOutputBytes, MAX_SHOWN_BYTES) },
      signal: env.signal,
    });
    return {
      text: reportOf(result),
      isError: result.exitCode !== 0 || result.stopped !== undefined,
      label: label('untrusted', 'owner', 'exec'),
    };
  },
};

const STOPPED: Readonly<Record<NonNullable<ExecResult['stopped']>, string>> = {
  timeout: 'stopped: it ran out of time',
  aborted: 'stopped: the turn was stopped',
  output: 'stopped: it printed too much; send the output to a file and read a part of it',
  memory: 'stopped: it used too much memory',
  disk: 'stopped: it had nearly filled the disk',
};

/** Output first, as it came; one line about how it ended only when that is not success. */
function reportOf(result: ExecResult): string {
  const stdout = plain(result.stdout);
  const stderr = plain(result.stderr);
  const parts: string[] = [];
  if (stdout !== '') parts.push(stdout);
  if (stderr !== '') parts.push(stdout === '' ? stderr : `[stderr]\n${stderr}`);
  if (result.stopped !== undefined) parts.push(`[${STOPPED[result.stopped]} after ${seconds(result.durationMs)}]`);
  else if (result.exitCode !== 0) parts.push(`[exit code ${result.exitCode ?? 'unknown'}]`);
  return parts.join('\n') || '(no output)';
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/**
 * Without colours, cursor movements and other controls, which only cost tokens and can disguise text. No pattern here may
 * look at a character more than a few times: what a command prints is made by whoever the model obeys.
 */
function plain(text: string): string {
  const shown = text
    .replace(/\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)?|[@-_])/g, '')
    .replace(/\r\n/g, '\n')
    .split('\n')
    .map(afterReturn)
    .join('\n')
    .replace(/[\x00-\x08\x0b-\x1f\x7f]/g, '');
  let end = shown.length;
  while (shown[end - 1] === '\n') end -= 1;
  return shown.slice(0, end);
}

/** A terminal writes over what is left of a carriage return. */
const afterReturn = (line: string): string => line.slice(line.lastIndexOf('\r', line.length - 2) + 1);

function unavailable(reason: string): HardshellError {
  const message = `exec is off, because no sandbox can be opened: ${reason || 'no reason was given'}`;
  return new HardshellError({ code: 'SANDBOX_UNAVAILABLE', message, fix: 'apt install bubblewrap' });
}
