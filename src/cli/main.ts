// Owns one run of the command line, from words to exit code. It must never decide anything about the gateway: it
// parses, calls one command, prints, and leaves. The launcher in bin/ hands it the words and the environment.
import type { CommanderError } from 'commander';
import type { Env } from '../config/paths.ts';
import { EXIT } from '../platform/errors.ts';
import { normaliseArgv, refuseFlagsAsValues, takeSwitch } from './argv.ts';
import { createOutput, guarded, type Output, type Streams } from './output.ts';
import { createProgram, flagsWithValue, usageError, VERSION } from './program.ts';

/** How people ask which version it is; the launcher answers the first two by itself. */
const VERSION_WORDS = ['--version', '-V', '-v', 'version'];

export async function run(argv: readonly string[], env: Env, given: Streams = process): Promise<number> {
  const streams = guarded(given);
  let code: number = EXIT.ok;
  let out: Output | undefined;
  const program = createProgram(streams, async (body) => {
    if (out) code = (await body({ out, env, version: VERSION })) ?? EXIT.ok;
  });
  const takesValue = flagsWithValue(program);
  const colour = takeSwitch(normaliseArgv(argv, takesValue), '--no-color', takesValue);
  // `openclaw --json status` means the same as `openclaw status --json`.
  const json = takeSwitch(colour.rest, '--json', takesValue);
  const words = json.rest;
  out = createOutput(streams, colour.found ? { ...env, NO_COLOR: '1' } : env, json.found);
  try {
    if (words.length === 1 && VERSION_WORDS.includes(words[0] ?? '')) {
      out.line(`hardshell ${VERSION}`);
      out.data({ version: VERSION });
      return EXIT.ok;
    }
    if (words.length === 0) {
      program.outputHelp();
      return EXIT.ok;
    }
    refuseFlagsAsValues(words, takesValue);
    await program.parseAsync(words, { from: 'user' });
    return code;
  } catch (error) {
    if (isCommanderError(error) && error.exitCode === 0) return EXIT.ok;
    const failure = isCommanderError(error) ? usageError(program, words, error) : error;
    const { withoutSecrets } = await import('./hide.ts');
    return out.fail(withoutSecrets(failure, env, argv));
  }
}

function isCommanderError(error: unknown): error is CommanderError {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('commander.');
}

if (import.meta.main) process.exitCode = await run(process.argv.slice(2), process.env);
