// Owns what the owner does with the trash of the workspace, and what is emptied by itself. Everything that touches a file
// runs in the box: what lies in the trash was named by whoever the model obeyed, and out here a name could be a trap.
import { HardshellError } from '../../platform/errors.ts';
import type { Root } from '../../platform/root.ts';
import { fileNamesOf } from '../../platform/workspace-path.ts';
import type { ExecResult, Sandbox, SandboxLimits } from '../driver.ts';
import { EMPTY_TRASH, LIST_TRASH, RESTORE_FROM_TRASH, TRASH, TRASH_ID } from '../walls/trash.ts';

export type Trashed = { readonly id: string; readonly path: string; readonly bytes: number; readonly atMs: number };

/** A box over the whole workspace, or why there is none. */
export type OpenBox = () => Promise<{
  readonly sandbox: Sandbox | null;
  readonly sandboxReason: string;
  readonly limits: SandboxLimits;
}>;

export const TRASH_KEEP_MS = 30 * 24 * 60 * 60_000;
const TRASH_MAX_BYTES = 1024 ** 3;
const MAX_LISTED_BYTES = 1024 ** 2;
/** As many as fit on a command line without a thought. */
const AT_ONCE = 500;
const TIMEOUT_MS = 60_000;

export type Trash = ReturnType<typeof createTrash>;

export function createTrash(workspace: Root, open: OpenBox, now: () => number) {
  /** Nothing is started for a trash that does not exist. */
  const isThere = async (): Promise<boolean> => {
    const { entries } = await workspace.list(TRASH, 1).catch(() => ({ entries: [] }));
    return entries.length > 0;
  };

  async function script(text: string, ...words: string[]): Promise<ExecResult> {
    const { sandbox, sandboxReason, limits } = await open();
    if (sandbox === null) throw failed(`no box can be opened: ${sandboxReason}`);
    const argv = ['/bin/sh', '-c', text, 'trash', ...words];
    const bounds = { ...limits, timeoutMs: TIMEOUT_MS, maxOutputBytes: MAX_LISTED_BYTES };
    return sandbox.exec({ argv, cwd: '.', limits: bounds, background: true, signal: new AbortController().signal });
  }

  /** The oldest first. */
  async function list(): Promise<Trashed[]> {
    if (!(await isThere())) return [];
    const { stdout, exitCode, stderr } = await script(LIST_TRASH);
    if (exitCode !== 0) throw failed(stderr.trim() || 'it cannot be listed');
    const parts = stdout.split('\0');
    const found: Trashed[] = [];
    for (let at = 0; at + 2 < parts.length; at += 3) {
      const [id = '', kilobytes = '', path = ''] = parts.slice(at, at + 3);
      if (TRASH_ID.test(id)) found.push({ id, path, bytes: Number(kilobytes) * 1024, atMs: timeOf(id) });
    }
    return found.sort((a, b) => a.atMs - b.atMs || a.id.localeCompare(b.id));
  }

  async function remove(ids: readonly string[]): Promise<void> {
    for (let at = 0; at < ids.length; at += AT_ONCE) {
      const { exitCode, stderr } = await script(EMPTY_TRASH, ...ids.slice(at, at + AT_ONCE));
      if (exitCode !== 0) throw failed(stderr.trim() || 'it cannot be emptied');
    }
  }

  return {
    list,
    /** Back to where it was. */
    async restore(id: string): Promise<Trashed> {
      const found = (await list()).find((one) => one.id === id);
      if (!found) throw notThere(id);
      const path = fileNamesOf(found.path, []).join('/');
      const { exitCode, stderr } = await script(RESTORE_FROM_TRASH, id, path);
      if (exitCode === 3) throw inTheWay(path);
      if (exitCode !== 0) throw failed(stderr.trim() || `${id} cannot be restored`);
      return found;
    },
    /** What is older than that; what went. */
    async empty(olderThanMs: number): Promise<Trashed[]> {
      const old = (await list()).filter(({ atMs }) => atMs <= now() - olderThanMs);
      await remove(old.map(({ id }) => id));
      return old;
    },
    /** The oldest go, until none is too old and all together are not too much. */
    async tidy(keepMs = TRASH_KEEP_MS, maxBytes = TRASH_MAX_BYTES): Promise<Trashed[]> {
      const all = await list();
      let left = all.reduce((sum, { bytes }) => sum + bytes, 0);
      const gone = all.filter(({ atMs, bytes }) => {
        const goes = left > maxBytes || atMs <= now() - keepMs;
        if (goes) left -= bytes;
        return goes;
      });
      await remove(gone.map(({ id }) => id));
      return gone;
    },
  };
}

/** As the shim writes it: 20261121-064200-1, in UTC. */
const timeOf = (id: string): number =>
  Date.parse(id.replace(/^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)-.*$/, '$1-$2-$3T$4:$5:$6Z')) || 0;

const failed = (why: string): HardshellError =>
  new HardshellError({ code: 'TRASH_FAILED', message: `the trash: ${why.slice(0, 300)}`, fix: 'openclaw status' });
const notThere = (id: string): HardshellError =>
  new HardshellError({
    code: 'TRASH_UNKNOWN',
    message: `nothing in the trash is called ${id.slice(0, 40)}`,
    fix: 'openclaw trash list',
    httpStatus: 404,
  });
const inTheWay = (path: string): HardshellError =>
  new HardshellError({
    code: 'TRASH_IN_THE_WAY',
    message: `${path} exists, and nothing is replaced`,
    fix: `move ${path} away first`,
    httpStatus: 409,
  });
