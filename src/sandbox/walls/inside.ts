// Owns what runs inside a sandbox before the command: the init of its pid namespace and the limits. The same for every
// driver, so that a command cannot tell them apart.
import { namesOf, SANDBOX_WORKSPACE } from '../../platform/workspace-path.ts';
import type { ExecRequest } from '../driver.ts';
import { exportsOf } from '../environment.ts';

const MAX_OPEN_FILES = 1024;
/** Runtimes reserve far more addresses than memory (Node.js over 1 GiB at rest), so addresses get a wider limit. */
const ADDRESS_FACTOR = 8;

/**
 * The shell stays as process 1: it collects orphans, and when it ends the kernel ends everything else. Limits are set
 * here, since the kernel counts processes a user namespace: outside, all processes of the user would count. One shell
 * calls that limit -u, another -p. $1 folder, $2 to $6 limits, $7 how many exports follow, those, then the command.
 */
const INIT = `echo 1000 2>/dev/null >/proc/self/oom_score_adj
cd "./$1" 2>/dev/null || { echo "there is no folder $1 in the workspace" >&2; exit 126; }
ulimit -c 0 && ulimit -n "$2" && ulimit -f "$3" && ulimit -d "$4" && ulimit -v "$5" || exit 125
ulimit -u "$6" 2>/dev/null || ulimit -p "$6" || exit 125
unset OLDPWD
umask 077
n=$7
shift 7
while [ "$n" -gt 0 ]; do export "$1"; shift; n=$((n-1)); done
"$@"
exit "$?"`;

/** `sh -c INIT …`: to be started in /workspace, as the sandbox user, inside all namespaces. */
export function insideArgv(request: ExecRequest, sh: string): string[] {
  const folder = namesOf(request.cwd === '' ? '.' : request.cwd, [SANDBOX_WORKSPACE]).join('/') || '.';
  const exports = exportsOf(request.env);
  const { maxFileBytes, memoryBytes, maxProcesses } = request.limits;
  const limits = [
    MAX_OPEN_FILES,
    Math.floor(maxFileBytes / 512),
    Math.floor(memoryBytes / 1024),
    Math.floor((memoryBytes * ADDRESS_FACTOR) / 1024),
    // One more for init itself.
    maxProcesses + 1,
  ].map(String);
  return [sh, '-c', INIT, 'init', folder, ...limits, String(exports.length), ...exports, ...request.argv];
}
