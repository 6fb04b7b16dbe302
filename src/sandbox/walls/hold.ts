// Owns namespaces that outlive the process that made them: a script makes them, says so, and we hold them open by
// descriptor, so that they end with the gateway and leave nothing behind. It must never leave the script running.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { reasonOf } from '../../platform/errors.ts';
import { BASE_ENVIRONMENT } from '../environment.ts';

export type NamespaceKind = 'user' | 'mnt' | 'uts';

export type Held = {
  /** a path that names the namespace for as long as it is held */
  path(kind: NamespaceKind): string;
  close(): void;
};

const READY_MS = 5_000;

/** The end of every script that is held: it says that all is made, and waits until we have hold of it. */
export const SAY_READY = 'echo ready\nread -r _ || true';

/** Throws an Error with what the script said when it fails. */
export async function holdNamespaces(argv: readonly string[], kinds: readonly NamespaceKind[]): Promise<Held> {
  const [command = '', ...args] = argv;
  const child = spawn(command, args, { cwd: '/', env: { ...BASE_ENVIRONMENT }, stdio: 'pipe', detached: true });
  const said: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
  child.stdin.on('error', () => {});
  const ended = once(child, 'close').catch((error: unknown) => void said.push(Buffer.from(reasonOf(error))));
  const timer = setTimeout(() => child.kill('SIGKILL'), READY_MS);
  const held = new Map<NamespaceKind, number>();
  const close = (): void => {
    for (const fd of held.values()) closeSync(fd);
    held.clear();
  };
  try {
    const ready = await Promise.race([once(child.stdout, 'data').then(() => true), ended.then(() => false)]);
    if (!ready) throw new Error(lastLine(Buffer.concat(said).toString('utf8')) ?? 'it ended without a word');
    for (const kind of kinds) held.set(kind, openSync(`/proc/${child.pid}/ns/${kind}`, 'r'));
  } catch (error) {
    close();
    throw error;
  } finally {
    child.stdin.end();
    await ended;
    clearTimeout(timer);
  }
  return { path: (kind) => `/proc/${process.pid}/fd/${held.get(kind)}`, close };
}

export function lastLine(text: string): string | undefined {
  return text.trim().split('\n').at(-1) || undefined;
}
