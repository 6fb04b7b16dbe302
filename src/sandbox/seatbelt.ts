// Owns the driver for macOS: sandbox-exec with a profile that denies everything and then names what a command may do.
// UNTESTED ON A MAC: its text is tested, its walls are not. It must never widen a rule for what a command might need.

import { type RunResult, run } from '../platform/process/process.ts';
import { namesOf, SANDBOX_WORKSPACE } from '../platform/workspace-path.ts';
import { type ExecRequest, type SandboxDriver, type SandboxSpec, unusable } from './driver.ts';
import { BASE_ENVIRONMENT, exportsOf } from './environment.ts';
import { isExecutable } from './programs.ts';
import { openBox, PROOF_LIMITS, probeBy } from './session.ts';
import { type Layout, layoutFor } from './walls/layout.ts';

const PROGRAM = '/usr/bin/sandbox-exec';
const SH = '/bin/sh';
/** What programs are made of; no home, no keychain, no preferences. */
const READABLE = [
  '/bin',
  '/sbin',
  '/usr',
  '/System',
  '/Library/Developer/CommandLineTools',
  '/opt/homebrew',
  '/private/etc/ssl',
];
const READABLE_FILES = ['/', '/dev/null', '/dev/zero', '/dev/random', '/dev/urandom', '/private/etc/localtime'];
const TMP = '/private/tmp/hardshell-sandbox';

export function seatbeltDriver(): SandboxDriver {
  async function open(spec: SandboxSpec) {
    if (process.platform !== 'darwin' || !isExecutable(PROGRAM))
      throw unusable('seatbelt', 'it is there on macOS only', 'use bubblewrap, docker or podman');
    if (spec.network !== 'none')
      throw unusable(
        'seatbelt',
        'it has no way to let listed hosts through',
        'openclaw config set agents.defaults.sandbox.docker.network none',
      );
    const layout = await layoutFor(spec);
    return openBox({
      ...{ driver: 'seatbelt', layout, fix: 'use docker or podman' },
      proof: { sh: SH, script: PROOF, expected: ['walled', 'no network', `files:${PROOF_LIMITS.maxFileBytes / 512}`] },
      run: (request) => runInside(layout, request),
      close: () => {},
    });
  }
  return { name: 'seatbelt', probe: () => probeBy(open, 'macOS sandbox-exec, denied by default'), open };
}

/** What a command inside has to find: nothing of the owner's, no network, its own limits. */
const PROOF = `ls /Users >/dev/null 2>&1 || echo walled
{ true >/usr/x; } 2>/dev/null && echo "wrote /usr"
{ true >"$HOME/.hardshell-proof" && rm "$HOME/.hardshell-proof"; } 2>/dev/null && echo writable
/usr/bin/nc -z -w 1 127.0.0.1 22 >/dev/null 2>&1 || echo "no network"
echo "files:$(ulimit -f)"`;

const LIMITS = `ulimit -c 0 && ulimit -n 1024 && ulimit -f "$1" && ulimit -u "$2" || exit 125
cd "./$3" 2>/dev/null || { echo "there is no folder $3 in the workspace" >&2; exit 126; }
umask 077
shift 3
"$@"
exit "$?"`;

async function runInside(layout: Layout, request: ExecRequest): Promise<RunResult> {
  const masked = (await layout.masked()).map(({ path }) => path.replace(/^\/workspace/, layout.workspace));
  const { limits, stdin, onOutput, signal } = request;
  const folder = namesOf(request.cwd === '' ? '.' : request.cwd, [SANDBOX_WORKSPACE]).join('/') || '.';
  const added = Object.fromEntries(
    exportsOf(request.env).map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  const numbers = [Math.floor(limits.maxFileBytes / 512), limits.maxProcesses].map(String);
  return run(
    [PROGRAM, '-p', profileOf(layout, masked), SH, '-c', LIMITS, 'init', ...numbers, folder, ...request.argv],
    {
      cwd: layout.workspace,
      env: { ...BASE_ENVIRONMENT, HOME: layout.workspace, TMPDIR: TMP, ...added },
      ...(stdin === undefined ? {} : { stdin }),
      ...(onOutput === undefined ? {} : { onOutput }),
      ...{ timeoutMs: limits.timeoutMs, maxOutputBytes: limits.maxOutputBytes, signal },
      ...(limits.killOutputBytes === undefined ? {} : { killOutputBytes: limits.killOutputBytes }),
    },
  );
}

/** Later rules win, so what is fixed and masked comes after the workspace that holds it. */
export function profileOf(
  layout: Pick<Layout, 'workspace' | 'writable' | 'fixedFiles' | 'binds'>,
  masked: readonly string[],
): string {
  const { workspace, writable, fixedFiles, binds } = layout;
  const below = (path: string): string => `(subpath ${quoted(path)})`;
  const exact = (path: string): string => `(literal ${quoted(path)})`;
  const shown = [workspace, ...binds.map(({ source }) => source)];
  const written = [
    ...(writable ? [workspace] : []),
    ...binds.filter((one) => one.writable).map(({ source }) => source),
  ];
  return [
    '(version 1)',
    '(deny default)',
    '(deny network*)',
    '(allow process-fork)',
    `(allow process-exec ${[...READABLE, ...shown].map(below).join(' ')})`,
    '(allow signal (target same-sandbox))',
    '(allow sysctl-read)',
    `(allow file-read* ${[...READABLE, ...shown, TMP].map(below).join(' ')} ${READABLE_FILES.map(exact).join(' ')})`,
    '(allow file-read-metadata)',
    `(allow file-write* ${[...written, TMP].map(below).join(' ')} (literal "/dev/null"))`,
    ...fixedFiles.map((name) => `(deny file-write* ${exact(`${workspace}/${name}`)})`),
    ...masked.map((path) => `(deny file-read* file-write* ${below(path)})`),
    '(deny mach-lookup)',
    '(deny file-read* file-write* (regex #"^/dev/r?disk"))',
  ].join('\n');
}

/** A string of the profile's language. */
function quoted(path: string): string {
  if (/[\0-\x1f]/.test(path))
    throw unusable('seatbelt', `${JSON.stringify(path)} cannot be named to it`, 'rename the folder');
  return `"${path.replace(/["\\]/g, '\\$&')}"`;
}
