// Owns running a command on the machine itself, for those that policy let out of the box. There are no walls: what holds is
// the environment made from nothing, the limits, and the end of the whole tree. It must never run as root.
import { userInfo } from 'node:os';
import { HardshellError } from '../../platform/errors.ts';
import { withFolder } from '../../platform/folder-handle.ts';
import { run } from '../../platform/process/process.ts';
import { namesOf } from '../../platform/workspace-path.ts';
import type { ExecRequest, Sandbox } from '../driver.ts';
import { BASE_ENVIRONMENT } from '../environment.ts';
import { findProgram } from '../programs.ts';

const MAX_OPEN_FILES = 1024;
/** As in the box: runtimes reserve far more addresses than memory. */
const ADDRESS_FACTOR = 8;
const LIMITED = `ulimit -c 0 && ulimit -n "$1" && ulimit -f "$2" && ulimit -d "$3" && ulimit -v "$4" || exit 125
umask 077
shift 4
exec "$@"`;

export const isRootHost = (): boolean => process.geteuid?.() === 0;

function rootRefused(): HardshellError {
  const message = 'the gateway runs as root, and no command of the assistant runs as root';
  const fix = 'openclaw gateway install --system-user openclaw';
  return new HardshellError({ code: 'HOST_EXEC_AS_ROOT', message, fix });
}

/** `workspace` is a real path. */
export function openHost(workspace: string): Sandbox {
  return {
    driver: 'host',
    async exec(request) {
      if (isRootHost()) throw rootRefused();
      if (request.background) throw noBackground();
      const names = namesOf(request.cwd === '' ? '.' : request.cwd, [workspace]);
      // The folder is held open: nobody can put another in its place before the command stands in it.
      const result = await withFolder(workspace, names, { make: false }, (folder) =>
        run(argvOf(request), {
          cwd: folder.at('.'),
          env: environmentOf(request, workspace),
          ...(request.stdin === undefined ? {} : { stdin: request.stdin }),
          ...(request.onOutput ? { onOutput: request.onOutput } : {}),
          timeoutMs: request.limits.timeoutMs,
          maxOutputBytes: request.limits.maxOutputBytes,
          signal: request.signal,
        }),
      );
      if (result.failed !== undefined)
        throw new HardshellError({
          code: 'HOST_EXEC_FAILED',
          message: `the command could not be started: ${result.failed}`,
        });
      const { exitCode, stdout, stderr, truncated, durationMs, stopped } = result;
      return { exitCode, stdout, stderr, truncated, durationMs, ...(stopped === undefined ? {} : { stopped }) };
    },
    close: async () => {},
  };
}

/** No new rights by a setuid program; the shell at least ends with a gateway that is killed. */
function argvOf({ argv, limits }: ExecRequest): string[] {
  const sh = findProgram('sh') ?? '/bin/sh';
  const setpriv = findProgram('setpriv');
  const { maxFileBytes, memoryBytes } = limits;
  const bounds = [
    MAX_OPEN_FILES,
    Math.floor(maxFileBytes / 512),
    Math.floor(memoryBytes / 1024),
    Math.floor((memoryBytes * ADDRESS_FACTOR) / 1024),
  ].map(String);
  const wrapped = setpriv === undefined ? [] : [setpriv, '--no-new-privs', '--pdeathsig=KILL', '--'];
  return [...wrapped, sh, '-c', LIMITED, 'host', ...bounds, ...argv];
}

const environmentOf = ({ env }: ExecRequest, workspace: string): Record<string, string> => ({
  ...BASE_ENVIRONMENT,
  HOME: workspace,
  USER: userInfo().username,
  ...env,
});

const noBackground = (): HardshellError =>
  new HardshellError({
    code: 'HOST_NO_BACKGROUND',
    message: 'outside the box no command goes on in the background: nothing there ends it when the gateway is killed',
    fix: 'run it inside the box, or without background and yieldMs',
  });
