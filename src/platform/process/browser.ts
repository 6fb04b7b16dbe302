// Owns opening an address in the person's own browser. Only ever called for somebody who sits at a terminal; it must
// never wait for the browser or pass it on to a shell.
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

type Env = Readonly<Record<string, string | undefined>>;

/** How long an opener has to say that it cannot. */
const VERDICT_MS = 1500;

/** False when there is no desktop to open it on, or no program that does. */
export function openInBrowser(url: string, env: Env): Promise<boolean> {
  const isMac = process.platform === 'darwin';
  if (!isMac && !env['DISPLAY'] && !env['WAYLAND_DISPLAY']) return Promise.resolve(false);
  const opener = findProgram(isMac ? 'open' : 'xdg-open', env['PATH'] ?? '');
  if (opener === null) return Promise.resolve(false);
  return new Promise((resolve) => {
    const child = spawn(opener, [url], { env: { ...env }, stdio: 'ignore', detached: true, shell: false });
    child.unref();
    // Some openers return at once, some become the browser: still running is as good as done.
    const timer = setTimeout(() => resolve(true), VERDICT_MS);
    const answer = (opened: boolean): void => {
      clearTimeout(timer);
      resolve(opened);
    };
    child.on('error', () => answer(false));
    child.on('exit', (code) => answer(code === 0));
  });
}

function findProgram(name: string, path: string): string | null {
  for (const folder of path.split(delimiter).filter(isAbsolute)) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // the next folder
    }
  }
  return null;
}
