// Owns the container of one sandbox: made when it is needed, made anew when what it must hide or keep has changed or when
// its runner is gone, and removed. It must never run a command in a container that shows what is to be hidden by now.
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { openScratch } from '../../platform/files.ts';
import type { RunResult, StopReason } from '../../platform/process/process.ts';
import { isNearlyFull } from '../disk.ts';
import { DEFAULT_LIMITS, type ExecRequest, unusable } from '../driver.ts';
import { BASE_ENVIRONMENT } from '../environment.ts';
import { FORWARDER, insideArgv, PROCESSES_AT, PROXY_ENVIRONMENT } from '../walls/inside.ts';
import type { Layout, Mask } from '../walls/layout.ts';
import { ACCOUNTS, boxArguments, type Plan } from './arguments.ts';
import { engineFailure } from './engine.ts';
import { newName } from './leftovers.ts';
import { type Link, startLink } from './link.ts';
import { runnerArgs } from './runner.ts';
import { tasksOf } from './tasks.ts';

export type Box = { run(request: ExecRequest): Promise<RunResult> };

type OpenBox = Box & {
  isOpen(): boolean /** once nothing runs in it any longer */;
  retire(): void;
  close(): Promise<void>;
};

const START_MS = 20_000;
const CLOSE_MS = 3_000;
const DISK_LOOK_MS = 250;
const MAX_FIXED_BYTES = 1_000_000;
const NEVER = 2 ** 31 - 1;

export function keepBox(plan: Plan): { current(): Promise<Box>; close(): Promise<void> } {
  let kept: { readonly key: string; readonly box: OpenBox } | null = null;
  let turn: Promise<unknown> = Promise.resolve();
  let isClosed = false;

  async function look(): Promise<Box> {
    const masks = await plan.layout.masked();
    const key = JSON.stringify([masks, plan.layout.fixedFiles.map((name) => stampOf(plan, name))]);
    if (kept?.key === key && kept.box.isOpen()) return kept.box;
    kept?.box.retire();
    kept = null;
    const box = await startBox(plan, masks);
    if (isClosed) await box.close();
    // A fixed file that was missing has been made by now.
    else kept = { key: JSON.stringify([masks, plan.layout.fixedFiles.map((name) => stampOf(plan, name))]), box };
    return box;
  }
  return {
    current() {
      const next = turn.then(look);
      turn = next.catch(() => {});
      return next;
    },
    async close() {
      isClosed = true;
      await turn;
      await kept?.box.close();
    },
  };
}

/** A file that was replaced has taken its name away from under the mount that kept it. */
function stampOf({ layout }: Plan, name: string): string {
  const found = lstatSync(join(layout.workspace, name), { throwIfNoEntry: false, bigint: true });
  return found === undefined ? '' : `${found.ino}:${found.mtimeNs}:${found.size}`;
}

async function startBox(plan: Plan, masks: readonly Mask[]): Promise<OpenBox> {
  const { engine, layout, workspace, image } = plan;
  const runner = runnerArgs(BASE_ENVIRONMENT, '/workspace');
  if (runner === null)
    throw unusable(engine.name, `it is not known for ${process.arch}`, 'use a machine with x64 or arm64');
  const scratch = openScratch();
  const fixed: { path: string; name: string }[] = [];
  for (const [index, name] of layout.fixedFiles.entries()) {
    const content = await workspace.tryRead(name, MAX_FIXED_BYTES);
    // The engine would make a missing one as its own.
    if (content === null) await workspace.replace(name, '');
    fixed.push({ name, path: scratch.put(`fixed${index}`, content ?? Buffer.alloc(0)) });
  }
  const accounts = engine.rootless
    ? layout.files
        .filter(({ at }) => ACCOUNTS.includes(at))
        .map(({ at, text }, index) => ({ at, path: scratch.put(`account${index}`, Buffer.from(text)) }))
    : [];
  const empty = { emptyFile: scratch.put('empty', Buffer.alloc(0)), emptyFolder: scratch.makeFolder('folder') };
  const name = newName();
  const argv = [...engine.argv, ...boxArguments({ ...plan, ...empty, accounts, name, masks, fixed }), image, ...runner];
  const link = startLink(argv, engine.env);
  const remove = async (): Promise<void> => {
    link.close();
    const timer = setTimeout(link.kill, CLOSE_MS);
    const isGone = await Promise.race([link.ended.then(() => true), waitFor(CLOSE_MS)]);
    clearTimeout(timer);
    if (isGone !== true) await engine.ask(['rm', '--force', name]);
    scratch.remove();
  };
  const late = setTimeout(link.kill, START_MS);
  let idMap: string;
  try {
    idMap = await link.ready;
  } catch {
    const said = await link.ended;
    await remove();
    throw engineFailure(engine, said === '' ? `it did not start within ${START_MS / 1000} s` : said, image);
  } finally {
    clearTimeout(late);
  }
  const box = handleOf(plan, link, name, idMap, remove);
  try {
    await compareBinds(plan, box);
  } catch (error) {
    await box.close();
    throw error;
  }
  return box;
}

/** An engine takes a path, and between our look and its own that path may have come to lead elsewhere. */
async function compareBinds({ engine, layout, sh }: Plan, box: Box): Promise<void> {
  if (layout.binds.length === 0) return;
  const { stdout } = await box.run({
    argv: [sh, '-c', 'stat -c %d:%i "$@"', 'stat', ...layout.binds.map(({ target }) => target)],
    ...{ cwd: '.', limits: { ...DEFAULT_LIMITS, timeoutMs: START_MS }, signal: new AbortController().signal },
  });
  const found = stdout.trim().split('\n');
  const other = layout.binds.find(({ identity }, index) => found[index] !== identity);
  if (other !== undefined)
    throw unusable(engine.name, `${other.source} is another folder now`, 'look at what put it there');
}

function handleOf(plan: Plan, link: Link, name: string, idMap: string, remove: () => Promise<void>): OpenBox {
  const { engine, layout, sh } = plan;
  // The kernel counts processes a user namespace: in the machine's own, those outside count too.
  const sharesIds = process.platform === 'linux' && /^\s*0\s+0\s+4294967295\s*$/.test(idMap);
  const start = (request: ExecRequest, watch: Parameters<Link['run']>[2]): Promise<RunResult> =>
    link.run(
      { argv: insideArgv(request, sh), processesAt: PROCESSES_AT, tasks: sharesIds ? tasksOf() : null },
      request,
      watch,
    );
  let running = 0;
  let isRetired = false;
  let isRemoved: Promise<void> | undefined;
  const close = (): Promise<void> => (isRemoved ??= remove());
  const way = layout.hasProxy ? openWay(start, sh, () => link.close()) : Promise.resolve();
  way.catch(() => {});
  // Whoever killed the client may have left the container.
  const clear = async (): Promise<void> => {
    if (isRemoved === undefined) await engine.ask(['rm', '--force', name]);
    await close();
  };
  void link.ended.then(clear).catch(() => {});
  return {
    isOpen: () => link.isOpen() && !isRetired,
    async run(request) {
      running += 1;
      try {
        await way;
        const env = layout.hasProxy ? { ...PROXY_ENVIRONMENT, ...request.env } : request.env;
        return await start({ ...request, ...(env === undefined ? {} : { env }) }, watchDisk(layout));
      } finally {
        running -= 1;
        if (isRetired && running === 0) void close().catch(() => {});
      }
    },
    retire() {
      isRetired = true;
      if (running === 0) void close().catch(() => {});
    },
    close,
  };
}

/** One for all commands, since they share a loopback here; without it no command runs. */
function openWay(
  start: (request: ExecRequest, watch: () => () => void) => Promise<RunResult>,
  sh: string,
  lost: () => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = 'perl -e "$1" || exit 1; echo up; exec sleep infinity';
    const request: ExecRequest = {
      argv: [sh, '-c', script, 'way', FORWARDER],
      cwd: '.',
      limits: { ...DEFAULT_LIMITS, timeoutMs: NEVER },
      signal: new AbortController().signal,
      onOutput: () => resolve(),
    };
    void start(request, () => () => {}).then((result) => {
      reject(new Error(result.stderr.trim() || 'the way to the proxy ended'));
      lost();
    });
  });
}

const watchDisk =
  ({ writable, workspace }: Layout) =>
  (stop: (why: StopReason) => void): (() => void) => {
    if (!writable) return () => {};
    const timer = setInterval(() => isNearlyFull(workspace) && stop('disk'), DISK_LOOK_MS);
    return () => clearInterval(timer);
  };

const waitFor = (ms: number): Promise<undefined> =>
  new Promise((resolve) => setTimeout(resolve, ms, undefined).unref());
