// Owns the race for files: a thread that swaps names without a pause while a tool reads and writes by them. What was
// outside, or denied, must never be seen and never change.
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { reachOn } from './reach.ts';

export type Outcome = {
  /** what was read, and how often */
  readonly reads: ReadonlyMap<string, number>;
  readonly writes: ReadonlyMap<string, number>;
  /** every place that must not have changed, and did */
  readonly changed: readonly string[];
};

/** A folder for a link and back, a file for a link, a hard link and back, and a denied folder to another name and back. */
const SWAPPER = `
  const fs = require('node:fs');
  const { workerData: base } = require('node:worker_threads');
  const at = (name) => base + '/' + name;
  const pause = () => { for (const end = performance.now() + Math.random() * 0.2; performance.now() < end; ); };
  const swap = (name, put) => {
    try { fs.renameSync(at(name), at(name + '.real')); } catch {}
    try { put(); } catch {}
    pause();
    try { fs.unlinkSync(at(name)); } catch {}
    try { fs.renameSync(at(name + '.real'), at(name)); } catch {}
    pause();
  };
  require('node:worker_threads').parentPort.postMessage('up');
  for (;;) {
    swap('workspace/a', () => fs.symlinkSync(at('outside'), at('workspace/a')));
    swap('data/a', () => fs.symlinkSync(at('outside'), at('data/a')));
    swap('workspace/file', () => fs.symlinkSync(at('outside/secret'), at('workspace/file')));
    swap('workspace/file', () => fs.linkSync(at('outside/linked'), at('workspace/file')));
    try { fs.renameSync(at('workspace/private'), at('workspace/public')); } catch {}
    pause(); pause(); pause();
    try { fs.renameSync(at('workspace/public'), at('workspace/private')); } catch {}
  }`;

/** Goes on until both sides of the swap were met, but not for longer than half a minute. */
export async function race(rounds: number): Promise<Outcome> {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'race-')));
  const at = (name: string): string => join(base, name);
  for (const folder of ['workspace/a', 'workspace/private', 'data/a', 'outside'])
    mkdirSync(at(folder), { recursive: true });
  for (const file of ['workspace/a/secret', 'data/a/secret', 'workspace/file']) writeFileSync(at(file), 'INSIDE');
  for (const file of ['outside/secret', 'outside/linked', 'workspace/private/secret'])
    writeFileSync(at(file), 'OUTSIDE');
  linkSync(at('outside/linked'), at('outside/twin'));
  const files = reachOn(at('workspace'), { allowed: [at('data')], denied: ['private'], stateDir: at('state') });
  const worker = new Worker(SWAPPER, { eval: true, workerData: base });
  try {
    await new Promise((resolve) => worker.once('message', resolve));
    const reads = new Map<string, number>();
    const writes = new Map<string, number>();
    const note = (what: Map<string, number>, said: string): void => void what.set(said, (what.get(said) ?? 0) + 1);
    const named = ['a/secret', at('data/a/secret'), 'file', 'public/secret', 'private/secret'];
    const made = ['a/new', at('data/a/deep/new'), 'file', 'private/new', 'private/deep/new'];
    const endMs = performance.now() + 30_000;
    const isRace = (): boolean =>
      reads.has('INSIDE') && reads.has('PATH_LINK') && reads.has('PATH_DENIED') && reads.has('PATH_HARD_LINK');
    for (let i = 0; i < rounds || (!isRace() && performance.now() < endMs); i += 1) {
      const [path = '', target = ''] = [named[i % named.length], made[i % made.length]];
      const attempts = [
        files
          .at(path, 'read')
          .then(({ root, name }) => root.read(name, 100))
          .then(String, codeOf),
        files
          .at(target, 'write')
          .then(({ root, name }) => (i % 2 === 0 ? root.replace(name, 'INSIDE') : root.create(name, 'INSIDE')))
          .then(() => 'written', codeOf),
      ];
      const [text = '', wrote = ''] = await Promise.all(attempts);
      note(reads, text);
      note(writes, wrote);
    }
    await worker.terminate();
    const denied = ['workspace/private', 'workspace/public'].filter((name) => readdirOf(at(name)).includes('secret'));
    const expected: readonly (readonly [string, readonly string[]])[] = [
      ['outside', ['linked', 'secret', 'twin']],
      ...denied.map((name) => [name, ['secret']] as const),
    ];
    const changed = expected.flatMap(([name, names]) => [
      ...(readdirOf(at(name)).join() === names.join() ? [] : [`${name}: ${readdirOf(at(name)).join()}`]),
      ...names.filter((file) => readFileSync(join(at(name), file), 'utf8') !== 'OUTSIDE'),
    ]);
    return { reads, writes, changed };
  } finally {
    await worker.terminate();
    rmSync(base, { recursive: true, force: true });
  }
}

const codeOf = (error: unknown): string => String((error as { code?: unknown }).code ?? error);

function readdirOf(path: string): string[] {
  try {
    return readdirSync(path).sort();
  } catch {
    return [];
  }
}
