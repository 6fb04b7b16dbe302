// Owns running a shell command, inside the sandbox that it is handed and nowhere else. Without one it refuses; it must
// never start a process by itself, and of the environment it sets only names that steer nothing.
import { z } from 'zod';
import { HardshellError } from '../platform/errors.ts';
import type { PermittedCall } from '../policy/decide.ts';
import { plain, shownSeconds } from '../sandbox/background/printed.ts';
import { LIFETIME_MS } from '../sandbox/background/processes.ts';
import type { ExecResult, Sandbox } from '../sandbox/driver.ts';
import { isSafeEnvName } from '../sandbox/environment.ts';
import { label } from '../store/label.ts';
import { folderPath } from './paths.ts';
import type { Tool, ToolEnv, ToolResult } from './tool.ts';

/** Kept of what a command prints; about 15,000 tokens at most. */
const MAX_SHOWN_BYTES = 50_000;
const MAX_TIMEOUT_SECONDS = 3_600;
const MAX_YIELD_MS = 60_000;
/** When the model asks for the background at once: what fails, fails in this time, and is told right away. */
const FIRST_LOOK_MS = 250;

const environment = z.record(z.string(), z.string().max(4_096)).refine((env) => Object.keys(env).every(isSafeEnvName), {
  error: 'such a name may not be set here; write NAME=value before the command',
});

const parameters = z.strictObject({
  command: z.string().min(1),
  cwd: z.string().optional(),
  timeoutSeconds: z.number().positive().max(MAX_TIMEOUT_SECONDS).optional(),
  env: environment.optional(),
  background: z.boolean().optional(),
  yieldMs: z.number().int().positive().max(MAX_YIELD_MS).optional(),
  elevated: z.boolean().optional(),
});
type Args = z.infer<typeof parameters>;

/** Without --norc bash takes a pipe for input for a login over the network, and runs .bashrc, which is in the workspace. */
const argvOf = (command: string): string[] => ['/bin/bash', '--norc', '-c', command];

export const execTool: Tool<Args> = {
  name: 'exec',
  description:
    'Run a bash command in the workspace, sandboxed: no network; only the workspace outlives the call. background or yieldMs: it goes on (see process).',
  parameters,
  effects: ({ command, cwd = '.', elevated }, where) => [
    elevated
      ? { kind: 'run', command, cwd: folderPath(cwd), where: 'host', elevated: true }
      : { kind: 'run', command, cwd: folderPath(cwd), where },
  ],
  async run(call, args, env) {
    const { command, cwd = '.', timeoutSeconds } = args;
    const { sandbox, limits } = env;
    if (sandbox === null) throw unavailable(env);
    if (args.background || args.yieldMs !== undefined) return inBackground(call, args, env, sandbox);
    const timeoutMs = timeoutSeconds === undefined ? limits.timeoutMs : Math.ceil(timeoutSeconds * 1000);
    const result = await sandbox.exec({
      argv: argvOf(call.runAs ?? command),
      cwd: folderPath(cwd),
      env: { ...env.environment, ...args.env },
      limits: { ...limits, timeoutMs, maxOutputBytes: Math.min(limits.maxOutputBytes, MAX_SHOWN_BYTES) },
      signal: env.signal,
    });
    return toldOf(result);
  },
};

const LABEL = label('untrusted', 'owner', 'exec');
const toldOf = (result: Report): ToolResult => ({
  text: reportOf(result),
  isError: result.exitCode !== 0 || result.stopped !== undefined,
  label: LABEL,
});

/** Started like any other; when it is not done in time, the turn goes on without it. */
async function inBackground(call: PermittedCall, args: Args, env: ToolEnv, sandbox: Sandbox): Promise<ToolResult> {
  const { command, cwd = '.', timeoutSeconds, yieldMs = FIRST_LOOK_MS } = args;
  const { turnId: runId, sessionKey, speaker } = call;
  const lifetimeMs = Math.min(LIFETIME_MS, (timeoutSeconds ?? Number.POSITIVE_INFINITY) * 1000);
  const one = env.processes.start({ runId, sessionKey, speaker }, sandbox, command, {
    argv: argvOf(call.runAs ?? command),
    cwd: folderPath(cwd),
    env: { ...env.environment, ...args.env },
    limits: { ...env.limits, timeoutMs: lifetimeMs },
  });
  await one.over(args.background ? FIRST_LOOK_MS : yieldMs, env.signal);
  if (env.signal.aborted) one.kill('turn stopped');
  if (env.signal.aborted) await one.done;
  const ending = one.ending();
  const { text, next } = one.output.read(0, MAX_SHOWN_BYTES);
  if (ending === null) {
    one.readAt = next;
    const until = `it goes on when this turn ends or is stopped, for at most ${Math.ceil(lifetimeMs / 60_000)} min`;
    return { text: `${join(plain(text))}[in the background as ${one.id}; ${until}]`, isError: false, label: LABEL };
  }
  env.processes.forget(one.id);
  if (ending.failed !== null) throw ending.failed;
  const { stopped } = ending;
  const durationMs = ending.atMs - one.startedAtMs;
  return toldOf({ ...ending, stdout: text, stderr: '', durationMs, ...(stopped ? { stopped } : {}) });
}

const join = (text: string): string => (text === '' ? '' : `${text}\n`);

export const STOPPED: Readonly<Record<NonNullable<ExecResult['stopped']>, string>> = {
  timeout: 'stopped: it ran out of time',
  aborted: 'stopped: the turn was stopped',
  output: 'stopped: it printed too much; send the output to a file and read a part of it',
  memory: 'stopped: it used too much memory',
  disk: 'stopped: it had nearly filled the disk',
};

type Report = Pick<ExecResult, 'exitCode' | 'stdout' | 'stderr' | 'durationMs' | 'stopped'>;

/** Output first, as it came; one line about how it ended only when that is not success. */
function reportOf(result: Report): string {
  const stdout = plain(result.stdout);
  const stderr = plain(result.stderr);
  const parts: string[] = [];
  if (stdout !== '') parts.push(stdout);
  if (stderr !== '') parts.push(stdout === '' ? stderr : `[stderr]\n${stderr}`);
  if (result.stopped !== undefined) parts.push(`[${STOPPED[result.stopped]} after ${shownSeconds(result.durationMs)}]`);
  else if (result.exitCode !== 0) parts.push(`[exit code ${result.exitCode ?? 'unknown'}]`);
  return parts.join('\n') || '(no output)';
}

function unavailable({ sandboxReason, sandboxFix }: Pick<ToolEnv, 'sandboxReason' | 'sandboxFix'>): HardshellError {
  const message = `exec is off, because no sandbox can be opened: ${sandboxReason || 'no reason was given'}`;
  return new HardshellError({ code: 'SANDBOX_UNAVAILABLE', message, fix: sandboxFix || 'openclaw sandbox status' });
}
