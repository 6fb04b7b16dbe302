// Owns what the sandbox tests share: a state folder with a workspace in it, and a look at the machine's processes. It
// ends only what it started.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecRequest, ExecResult, Sandbox, SandboxLimits } from '../../src/sandbox/driver.ts';
import { DEFAULT_LIMITS } from '../../src/sandbox/driver.ts';
import { prepareWorkspace } from '../../src/sandbox/workspace.ts';

export type Place = { readonly base: string; readonly state: string; readonly workspace: string; remove(): void };

/** As a real installation has it: the workspace lies inside the state folder, and both are private. */
export function makePlace(): Place {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'sandbox-')));
  const state = join(base, 'home/.openclaw');
  const workspace = join(state, 'workspace');
  mkdirSync(join(state, 'credentials'), { recursive: true, mode: 0o700 });
  writeFileSync(join(state, 'openclaw.json'), '{"secret":"STATE-SECRET"}');
  writeFileSync(join(state, 'credentials/gateway-token'), 'STATE-SECRET');
  prepareWorkspace(workspace);
  return { base, state, workspace, remove: () => rmSync(base, { recursive: true, force: true }) };
}

export type Extra = Partial<Omit<ExecRequest, 'limits'>> & { readonly limits?: Partial<SandboxLimits> };

/** Runs a bash line; ten seconds unless told otherwise. */
export function bashIn(sandbox: Sandbox, command: string, { limits, ...more }: Extra = {}): Promise<ExecResult> {
  return sandbox.exec({
    argv: ['/bin/bash', '-c', command],
    cwd: '.',
    signal: new AbortController().signal,
    ...more,
    limits: { ...DEFAULT_LIMITS, timeoutMs: 10_000, ...limits },
  });
}

/** Processes of the whole machine whose command line contains `marker`, without the dead that nobody has buried yet. */
export function processesWith(marker: string): { pid: number; uids: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      try {
        if (!readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(marker)) return [];
        const status = readFileSync(`/proc/${name}/status`, 'utf8');
        if (/^State:\s+[ZX]/m.test(status)) return [];
        return [{ pid: Number(name), uids: /^Uid:\s+(.*)$/m.exec(status)?.[1] ?? '' }];
      } catch {
        return [];
      }
    });
}

/** Waits until `is` holds; the test fails when it does not within `withinMs`. */
export async function until(is: () => boolean, withinMs: number): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!is()) {
    if (performance.now() > endMs) throw new Error(`did not happen within ${withinMs} ms: ${is}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export const isRoot = process.getuid?.() === 0;
