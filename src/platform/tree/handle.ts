// Owns the way through a hostile tree for programs that do a lot at once: folders held open, one name looked up at a time,
// without a promise for each. It must never follow a link, nor spell a name other than it is on the disk.
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { join } from 'node:path';

/** Not in node:fs: names a place without opening what is there, so that it works on a folder without rights as well. */
const O_PATH = 0o10000000;
const FOLDER_ONLY = constants.O_DIRECTORY | constants.O_NOFOLLOW;
const IS_LINUX = process.platform === 'linux';

/** `at(name)` names the entry in exactly this folder, wherever the folder is by now; without a name, the folder. */
export type Place = { readonly device: number; at(name?: string): string; close(): void };

export function openPlace(path: string): Place {
  const fd = openSync(path, IS_LINUX ? O_PATH | FOLDER_ONLY : FOLDER_ONLY);
  try {
    const { dev: device } = fstatSync(fd);
    // Elsewhere no path can name an open folder: a swap between two calls is possible there.
    const self = IS_LINUX ? `/proc/self/fd/${fd}` : path;
    return { device, at: (name) => (name === undefined ? self : join(self, name)), close: () => closeSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Opens the folder that `names` lead to, hands it over, and closes it whatever happens. */
export async function inPlace<T>(top: string, names: readonly string[], use: (place: Place) => T | Promise<T>) {
  let here = openPlace(top);
  try {
    const { device } = here;
    for (const name of names) {
      const next = openPlace(here.at(name));
      here.close();
      here = next;
      if (here.device !== device) throw Object.assign(new Error('it is on another disk'), { code: 'EXDEV' });
    }
    return await use(here);
  } finally {
    here.close();
  }
}
