// Owns noticing that something a running command must not change or read was replaced from outside: the kernel then takes
// away what covered it, in every box, and the new file lies bare. A command itself cannot do that. It only looks.
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { SandboxSpec } from '../driver.ts';

/** How long a file can lie bare before its command ends. */
const LOOK_EVERY_MS = 10;
/** Each is looked at that often. */
const MAX_WATCHED = 200;

type Shown = Pick<SandboxSpec, 'workspace' | 'fixedFiles' | 'binds' | 'masked'>;

/** `uncovered` is told the first of them, once. Returns how to stop looking. */
export function watchCovered(spec: Shown, uncovered: (path: string) => void): () => void {
  const { workspace, fixedFiles = [], binds = [], masked } = spec;
  const known = new Map<string, string>();
  const add = (path: string): void => void (known.size < MAX_WATCHED && known.set(path, identityAt(path)));
  for (const name of fixedFiles) add(join(workspace, name));
  const onHost = (path: string): string => {
    const bind = binds.find(({ target }) => path.startsWith(`${target}/`));
    return bind ? join(bind.source, path.slice(bind.target.length)) : join(workspace, path);
  };
  // As the driver hides them at this moment; what the command makes later is its own.
  masked?.().then(
    (paths) => paths.map(onHost).forEach(add),
    () => {},
  );
  const timer = setInterval(() => {
    for (const [path, before] of known) {
      const now = identityAt(path);
      if (now === before) continue;
      // The driver makes what is missing, to have something to cover.
      if (before === '') known.set(path, now);
      else {
        clearInterval(timer);
        return uncovered(path);
      }
    }
  }, LOOK_EVERY_MS);
  return () => clearInterval(timer);
}

function identityAt(path: string): string {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found ? `${found.dev}:${found.ino}` : '';
}
