// Owns asking a program for a secret, such as a password manager's. No shell, an absolute program that only its owner or
// root could have replaced, an environment made from nothing; what it prints is the secret and goes into no error.
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute } from 'node:path';
import { type HardshellError, misconfigured } from '../platform/errors.ts';
import { run } from '../platform/process/process.ts';
import { MAX_SECRET_BYTES, quoted } from './files.ts';

export type ExecSource = {
  readonly command: readonly string[];
  readonly timeoutMs: number;
  readonly passEnv: readonly string[];
  readonly stdin?: string;
};

const PATH = '/usr/local/bin:/usr/bin:/bin';
const STICKY = 0o1000;
const WRITE_BY_OTHERS = 0o022;
const WRITE_BY_EVERYBODY = 0o002;

/** What it prints, without the line feed at the end. */
export async function runForSecret(
  { command, timeoutMs, passEnv, stdin }: ExecSource,
  env: Readonly<Record<string, string | undefined>>,
  signal?: AbortSignal,
): Promise<string> {
  const program = command[0] ?? '';
  checkProgram(program);
  const passed = passEnv.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]));
  const result = await run(command, {
    cwd: '/',
    env: { PATH, HOME: env['HOME'] ?? homedir(), LANG: 'C.UTF-8', ...Object.fromEntries(passed) },
    timeoutMs,
    // Both streams share it, and warnings on the second must not cut the first.
    maxOutputBytes: MAX_SECRET_BYTES * 2,
    ...(stdin === undefined ? {} : { stdin }),
    ...(signal ? { signal } : {}),
  });
  const text = result.stdout.replace(/\r?\n$/, '');
  if (result.failed !== undefined) throw failed(program, `could not be started (${result.failed})`);
  if (result.stopped === 'timeout') throw failed(program, `did not answer within ${timeoutMs} ms`);
  if (result.stopped === 'aborted') throw failed(program, 'was stopped');
  if (result.truncated || result.stopped !== undefined || Buffer.byteLength(text) > MAX_SECRET_BYTES)
    throw failed(program, `printed more than ${MAX_SECRET_BYTES} bytes`);
  if (result.exitCode !== 0) throw failed(program, `ended with ${result.signal ?? `exit code ${result.exitCode}`}`);
  if (/[\0\uFFFD]/.test(text)) throw failed(program, 'printed something that is not text');
  return text;
}

function checkProgram(program: string): void {
  if (!isAbsolute(program))
    throw failed(program, 'is not an absolute path', 'write the whole path (command -v shows it)');
  let path: string;
  try {
    path = realpathSync(program);
  } catch {
    throw failed(program, 'does not exist', 'correct the path');
  }
  const file = statSync(path);
  if (!file.isFile()) throw failed(program, 'is not a file', 'correct the path');
  if ((file.mode & WRITE_BY_OTHERS) !== 0)
    throw failed(program, 'can be changed by others', `chmod go-w ${quoted(path)}`);
  checkFolders(program, path);
  const own = process.geteuid?.();
  if (own !== undefined && file.uid !== 0 && file.uid !== own && !isOfHiddenRoot(path))
    throw failed(program, `belongs to another user (uid ${file.uid})`, 'use a program of root or of your own');
}

/** Who can rename a folder on the way can put another program in its place. */
function checkFolders(program: string, path: string): void {
  for (let folder = dirname(path), others = WRITE_BY_OTHERS; ; folder = dirname(folder), others = WRITE_BY_EVERYBODY) {
    const { mode } = statSync(folder);
    // A sticky folder lets nobody rename what belongs to somebody else.
    if ((mode & others) !== 0 && (mode & STICKY) === 0)
      throw failed(program, 'lies in a folder that others can change', `chmod go-w ${quoted(folder)}`);
    if (folder === dirname(folder)) return;
  }
}

/** In a user namespace root may have no name here; what lies below /usr is root's all the same. */
function isOfHiddenRoot(path: string): boolean {
  if (!path.startsWith('/usr/')) return false;
  try {
    const ranges = readFileSync('/proc/self/uid_map', 'utf8').trim().split('\n');
    return !ranges.some((range) => range.trim().split(/\s+/, 1)[0] === '0');
  } catch {
    return false;
  }
}

function failed(program: string, why: string, fix?: string): HardshellError {
  return misconfigured(
    'SECRET_UNRESOLVED',
    `the program ${program.slice(0, 200)} ${why}`,
    fix ?? 'run it by hand to see what it says',
  );
}
