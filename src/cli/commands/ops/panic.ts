// Owns `openclaw panic`: everything stops within a second, whether the gateway answers or not, and stays so over restarts
// until --lift. The mark is written first; a gateway that does not do it in time is killed, and finds the mark when it returns.
import { type Paths, resolvePaths } from '../../../config/paths.ts';
import { stopProcess } from '../../../ops/gateway-process.ts';
import { liftPanic, type Panic, panicLine, raisePanic, readPanic } from '../../../ops/panic/panic.ts';
import { EXIT } from '../../../platform/errors.ts';
import { readLiveLock } from '../../../platform/lock.ts';
import { refuseForeignState } from '../../../store/folders.ts';
import { objectOf } from '../../connect/wire.ts';
import { withClient } from '../../connect/with-client.ts';
import type { Context } from '../../context.ts';
import { span } from '../../output.ts';

type Flags = { readonly why?: string; readonly lift?: boolean; readonly state?: boolean };

const ANSWER_MS = 900;
const BY = 'the terminal';

export async function run(context: Context, flags: Flags): Promise<number> {
  const paths = resolvePaths(context.env);
  refuseForeignState(paths.stateDir);
  if (flags.state) return tellState(context, readPanic(paths.stateDir));
  return flags.lift ? lift(context, paths) : raise(context, paths, await wordsOf(flags.why, context.env));
}

/** It is written down and shown: whoever pastes a log here has perhaps pasted a key. */
async function wordsOf(why: string | undefined, env: Context['env']): Promise<string> {
  if (why === undefined || why === '') return '';
  return (await import('../../hide.ts')).withoutTokens(why, env);
}

async function raise(context: Context, paths: Paths, why: string): Promise<number> {
  const { out } = context;
  const { stateDir, lockPath } = paths;
  const lock = readLiveLock(lockPath);
  const before = readPanic(stateDir);
  const startedMs = performance.now();
  let stopped = 0;
  let how = 'no gateway runs; none will start to work';
  // Before anybody is asked: whatever happens to this command or to the gateway, the next start is a quiet one.
  if (before === null)
    raisePanic(stateDir, { atMs: Date.now(), by: BY, why, ...(lock === null ? { stopped: [] } : {}) });
  if (lock !== null) {
    const answer = await inTime(request(context, 'panic.raise', { why }, 'operator.write'));
    if (answer === null) {
      await stopProcess(paths, { force: true, withinMs: 0 });
      how = `the gateway did not answer in ${ANSWER_MS} ms and was killed (process ${lock.pid})`;
    } else {
      stopped = Number(objectOf(answer)['stoppedRuns']);
      how = `${stopped} ${stopped === 1 ? 'turn was' : 'turns were'} cut off, channels are closed, nothing is sent`;
    }
  }
  const panic = readPanic(stateDir);
  out.data({ panic, stoppedRuns: stopped, how, ms: Math.round(performance.now() - startedMs) });
  out.line(span('red', 'stopped'), `: ${how}`);
  if (before !== null) out.line(panicLine(before));
  out.line('next:  openclaw incident      lift:  openclaw panic --lift');
  return EXIT.ok;
}

async function lift(context: Context, { stateDir, lockPath }: Paths): Promise<number> {
  const { out } = context;
  const before = readPanic(stateDir);
  const answer = readLiveLock(lockPath) ? await request(context, 'panic.lift', {}, 'operator.admin') : null;
  liftPanic(stateDir);
  const waiting = answer === null ? 0 : Number(objectOf(answer)['waiting']);
  out.data({ lifted: before, waiting });
  if (before === null) out.line('nothing was stopped');
  else out.line(span('green', 'lifted'), `: ${panicLine(before).replace('is stopped', 'was stopped')}`);
  if (waiting > 0) out.line(`${waiting} accepted ${waiting === 1 ? 'message' : 'messages'} of before run now`);
  return EXIT.ok;
}

function tellState({ out }: Context, panic: Panic | null): number {
  out.data({ panic });
  out.line(panic === null ? 'nothing is stopped' : panicLine(panic));
  return EXIT.ok;
}

const request = (context: Context, method: string, params: unknown, scope: 'operator.write' | 'operator.admin') =>
  withClient(context, {}, { scopes: [scope], quiet: true }, (client) => client.request(method, params));

/** Null: there was no answer in time, or none that says it was done. */
async function inTime(asked: Promise<unknown>): Promise<unknown> {
  const late = Promise.withResolvers<null>();
  const timer = setTimeout(() => late.resolve(null), ANSWER_MS);
  try {
    return await Promise.race([asked.catch(() => null), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
