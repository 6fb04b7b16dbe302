// Owns `openclaw gateway run`: start it, print what it announces, and turn signals into a graceful stop, then a hard one.
import { constants } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { RunOptions } from '../../opening/state.ts';
import { EXIT } from '../../platform/errors.ts';
import type { Context } from '../context.ts';
import { parsePort } from '../target.ts';

// Without these V8 takes what a large machine offers: 280 MB after a thousand turns, of which 20 are alive. The launcher
// passes them on; whoever starts the bundle in another way gets them by one more exec of the same process.
const HEAP_FLAGS = ['--max-semi-space-size=1', '--heap-growing-percent=30'];

// Functions of a turn are compiled in one burst, at their five-hundredth call, and when other threads tidy up after it
// libc keeps 40 MB for good. Earlier and tidied up here it costs 10, and memory is flat after a hundred turns.
const COMPILER_FLAGS = [
  '--no-maglev-destroy-on-background',
  '--invocation-count-for-maglev=100',
  '--minimum-invocations-after-ic-update=100',
  // Node's own path arithmetic gets hot while modules load, and alone brings in the big compiler: 5 MB for nothing.
  '--turbo-filter=-normalizeString',
];

// A start leaves behind what only it needed, and an idle heap would hold on to that for hours: 3 MB of 80.
const SWEEP_AFTER_MS = 2_000;

// npm and the shell both pass a Ctrl-C on, so that one key press can arrive twice; a person does not press so fast.
const SAME_PRESS_MS = 300;
const LEAVE_AFTER_MS = 2000;

/** `given` is for tests alone; the grammar passes none. */
export async function run(
  { out, env }: Pick<Context, 'out' | 'env'>,
  options: { port?: string; verbose?: boolean },
  given: Pick<RunOptions, 'platforms' | 'dangerousWeb'> = {},
): Promise<number> {
  keepHeapSmall(env);
  keepCompilerTidy();
  const port = options.port === undefined ? {} : { port: parsePort(options.port) };
  let firstSignalAtMs: number | undefined;
  let stop: ((reason: string) => Promise<void>) | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    const leaveNow = (): never => process.exit(128 + constants.signals[signal]);
    const nowMs = Date.now();
    if (firstSignalAtMs === undefined && stop) {
      firstSignalAtMs = nowMs;
      out.note(`stopping (${signal}); once more stops at once`);
      stop(signal).catch((error: unknown) => {
        out.fail(error);
        leaveNow();
      });
    } else if (firstSignalAtMs === undefined || nowMs - firstSignalAtMs > SAME_PRESS_MS) {
      leaveNow();
    }
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);

  const { runGateway } = await import('../../main.ts');
  const start = () =>
    runGateway({
      ...given,
      ...port,
      env: options.verbose ? { ...env, OPENCLAW_LOG_ECHO: '1' } : env,
      announce: (line) => out.line(line),
    });
  let gateway = await start();
  stop = gateway.stop;
  out.data({ url: gateway.url, port: gateway.port, pid: process.pid });
  setTimeout(sweepOnce, SWEEP_AFTER_MS).unref();
  // Everything was stopped, or that was lifted: it comes up again in the way that the state folder now says.
  while ((await gateway.done) === 'again' && firstSignalAtMs === undefined) {
    gateway = await start();
    stop = gateway.stop;
  }
  process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  // Everything is closed now; should something have been left open, it must not keep a stopped gateway around.
  setTimeout(() => process.exit(EXIT.ok), LEAVE_AFTER_MS).unref();
  return EXIT.ok;
}

function keepHeapSmall(env: Context['env']): void {
  const missing = HEAP_FLAGS.filter((flag) => !process.execArgv.includes(flag));
  if (missing.length === 0 || !process.execve || process.execArgv.some((flag) => flag.startsWith('--inspect'))) return;
  const known = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  process.execve(process.execPath, [process.execPath, ...missing, ...process.execArgv, ...process.argv.slice(1)], {
    MALLOC_ARENA_MAX: '1',
    ...Object.fromEntries(known),
  });
}

/** One full collection, of some 20 ms, while nobody waits yet. */
function sweepOnce(): void {
  if (!process.versions.node.startsWith('24.')) return;
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  if (typeof collect === 'function') collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

/** Only where the words are known: another V8 would complain about them on stderr. */
function keepCompilerTidy(): void {
  if (process.versions.node.startsWith('24.')) for (const flag of COMPILER_FLAGS) setFlagsFromString(flag);
}
