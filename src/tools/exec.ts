// Owns running a command line in the sandbox that it is handed. There is no other place: without one it refuses.
import { z } from 'zod';
import { HardshellError } from '../platform/errors.ts';
import type { ExecResult } from '../sandbox/driver.ts';
import { label } from '../store/label.ts';
import type { Tool } from './tool.ts';

const parameters = z.strictObject({
  command: z.string().min(1).max(100_000).describe('bash command line'),
  cwd: z.string().optional(),
  timeoutSeconds: z.int().min(1).max(3_600).optional(),
});
const MAX_CHARS = 50_000;
const argvOf = (command: string): string[] => ['/bin/bash', '-c', command];

export const exec: Tool<z.output<typeof parameters>> = {
  name: 'exec',
  description: 'Run a bash command in the sandbox; cwd is relative to /workspace.',
  parameters,
  effects: ({ command }) => [{ kind: 'run', argv: argvOf(command), where: 'sandbox' }],
  async run(_call, { command, cwd = '.', timeoutSeconds }, { sandbox, sandboxReason, limits, signal }) {
    if (!sandbox) {
      throw new HardshellError({
        code: 'SANDBOX_UNAVAILABLE',
        message: `exec is off: ${sandboxReason}`,
        fix: 'openclaw status',
      });
    }
    const timeoutMs = Math.min(limits.timeoutMs, (timeoutSeconds ?? Number.POSITIVE_INFINITY) * 1_000);
    const result = await sandbox.exec({ argv: argvOf(command), cwd, limits: { ...limits, timeoutMs }, signal });
    return {
      text: report(result, timeoutMs),
      isError: result.exitCode !== 0 || result.stopped !== undefined,
      label: label('untrusted', 'owner', 'exec'),
    };
  },
};

const STOPPED: Readonly<Record<NonNullable<ExecResult['stopped']>, (timeoutMs: number) => string>> = {
  timeout: (timeoutMs) => `stopped after ${timeoutMs / 1_000} s`,
  aborted: () => 'stopped by the owner',
  output: () => 'stopped: too much output',
  memory: () => 'stopped: too much memory',
};

function report(result: ExecResult, timeoutMs: number): string {
  const parts = [clip(result.stdout.trimEnd())];
  if (result.stderr.trim() !== '') parts.push(`[stderr]\n${clip(result.stderr.trimEnd())}`);
  if (result.stopped) parts.push(`[${STOPPED[result.stopped](timeoutMs)}]`);
  else if (result.exitCode !== 0) parts.push(`[exit code ${result.exitCode}]`);
  return parts.filter((part) => part !== '').join('\n') || '(no output)';
}

/** Head and tail: errors are at the end, what it was about at the beginning. */
function clip(text: string): string {
  if (text.length <= MAX_CHARS) return text;
  const half = MAX_CHARS / 2;
  return `${text.slice(0, half)}\n[${text.length - MAX_CHARS} characters left out]\n${text.slice(-half)}`;
}
