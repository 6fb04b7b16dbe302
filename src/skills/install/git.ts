// Owns taking a skill out of a git repository at one commit: a bare copy without a working tree, so that no hook, filter,
// submodule or setting of theirs ever has a say. It must never check anything out, nor go where policy was not asked.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { HardshellError } from '../../platform/errors.ts';
import { openScratch } from '../../platform/files.ts';
import { run } from '../../platform/process/process.ts';
import { collect, refused } from '../archive/entries.ts';
import type { SkillFile } from '../content.ts';

export type GitSource = {
  /** https, or an absolute path of this machine */
  readonly from: string;
  readonly commit: string;
  /** '' for all of it */
  readonly subfolder: string;
};

const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const TIMEOUT_MS = 120_000;
const MAX_LIST_BYTES = 1_000_000;
const MAX_OUTPUT_BYTES = 24_000_000;
/** All of the commit travels as one file, also what the skill is not made of; the system stops whoever writes more. */
const MAX_PACK_MB = 32;
const LIMITED = `trap '' XFSZ; ulimit -f ${(MAX_PACK_MB * 1_000_000) / 512} || exit 125
ulimit -v 2000000 2>/dev/null; exec "$@"`;
const LFS = 'version https://git-lfs.github.com/spec/';
const PLACES = ['/usr/bin', '/bin', '/usr/local/bin', '/opt/homebrew/bin'];
/** Nothing of the person's own settings, and nothing that starts a program. */
const SETTINGS = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.askPass=',
  'credential.helper=',
  'protocol.version=2',
  'http.followRedirects=false',
  'fetch.fsckObjects=true',
  'transfer.fsckObjects=true',
  'submodule.recurse=false',
  'fetch.recurseSubmodules=false',
  'fetch.writeCommitGraph=false',
  'gc.auto=0',
  'fetch.unpackLimit=1',
  'core.bigFileThreshold=4m',
  'maintenance.auto=false',
].flatMap((one) => ['-c', one]);

export async function takeFromGit({ from, commit, subfolder }: GitSource): Promise<readonly SkillFile[]> {
  if (!COMMIT.test(commit))
    throw new HardshellError({
      code: 'SKILL_COMMIT',
      message:
        'a repository is installed at one commit, by its whole number; a branch or a tag may be another one tomorrow',
      fix: `git ls-remote ${from} HEAD, then add --commit and the 40 digits`,
    });
  const isLocal = from.startsWith('/');
  if (!isLocal && !/^https:\/\/[^\s@'"\\]{1,500}$/.test(from)) throw refused(from, 'only https addresses and folders of this machine are taken from'); // biome-ignore format: one thought
  const git = PLACES.map((folder) => join(folder, 'git')).find((file) => existsSync(file));
  if (git === undefined)
    throw new HardshellError({ code: 'NO_GIT', message: 'git is not installed', fix: 'apt install git' });
  const scratch = openScratch();
  try {
    const folder = scratch.makeFolder('repository');
    const env = {
      PATH: PLACES.join(':'),
      HOME: folder,
      LC_ALL: 'C',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_ATTR_NOSYSTEM: '1',
      GIT_TERMINAL_PROMPT: '0',
      GIT_ASKPASS: '/bin/false',
      GIT_ALLOW_PROTOCOL: isLocal ? 'file' : 'https',
      GIT_NO_REPLACE_OBJECTS: '1',
      GIT_LFS_SKIP_SMUDGE: '1',
      GIT_CEILING_DIRECTORIES: folder,
    };
    const ask = async (args: readonly string[], stdin = ''): Promise<Buffer> => {
      const chunks: Buffer[] = [];
      const { exitCode, stderr, failed, stopped } = await run(
        ['/bin/sh', '-c', LIMITED, 'sh', git, ...SETTINGS, '-C', folder, ...args],
        {
          ...{ cwd: folder, env, stdin, timeoutMs: TIMEOUT_MS },
          ...{ maxOutputBytes: 20_000, killOutputBytes: MAX_OUTPUT_BYTES },
          onOutput: (chunk, name) => void (name === 'stdout' && chunks.push(chunk)),
        },
      );
      if (exitCode === 0) return Buffer.concat(chunks);
      if (/File too large/.test(stderr))
        throw refused(from, `there is more than ${MAX_PACK_MB} MB in it at that commit`);
      const said = failed ?? (stopped === undefined ? (stderr.trim().split('\n').at(-1) ?? '') : `ended (${stopped})`);
      throw new HardshellError({
        code: 'SKILL_GIT',
        message: `git could not take ${commit.slice(0, 12)} from ${from}: ${said.slice(0, 300)}`,
        fix: 'look at the address and the commit; private repositories: clone it yourself and name the folder',
      });
    };
    await ask(['init', '--quiet', '--bare', '--template=']);
    const fetched = ['--depth=1', '--no-tags', '--no-recurse-submodules', '--no-write-fetch-head', '--quiet'];
    await ask(['fetch', ...fetched, '--', isLocal ? `file://${from}` : from, commit]);
    const listed = await ask(['ls-tree', '-r', '-l', '-z', '--full-tree', commit]);
    return await readBlobs(listed, subfolder, ask);
  } finally {
    scratch.remove();
  }
}

type Ask = (args: readonly string[], stdin?: string) => Promise<Buffer>;

async function readBlobs(listed: Buffer, subfolder: string, ask: Ask): Promise<readonly SkillFile[]> {
  if (listed.length > MAX_LIST_BYTES) throw refused('the repository', 'it has too many files');
  const sink = collect();
  const wanted: {
    readonly path: string;
    readonly id: string;
    readonly size: number;
    readonly isExecutable: boolean;
  }[] = [];
  for (const line of listed.toString('utf8').split('\0')) {
    const [, mode, type, id = '', size, whole = ''] =
      /^(\d{6}) (\w+) ([0-9a-f]+)\s+(\d+|-)\t([\s\S]+)$/.exec(line) ?? [];
    if (mode === undefined) continue;
    if (subfolder !== '' && !whole.startsWith(`${subfolder}/`)) continue;
    const path = subfolder === '' ? whole : whole.slice(subfolder.length + 1);
    if (mode === '120000') throw refused(whole, 'it is a link');
    if (mode === '160000' || type !== 'blob') throw refused(whole, 'it is a repository of its own (a submodule)');
    sink.expect(path, Number(size));
    wanted.push({ path, id, size: Number(size), isExecutable: mode === '100755' });
  }
  const data = await ask(['cat-file', '--batch'], `${wanted.map(({ id }) => id).join('\n')}\n`);
  let at = 0;
  for (const { path, id, size, isExecutable } of wanted) {
    const end = data.indexOf(0x0a, at);
    if (data.toString('latin1', at, end) !== `${id} blob ${size}`) throw refused(path, 'git did not hand it over');
    const body = Buffer.from(data.subarray(end + 1, end + 1 + size));
    if (body.toString('latin1', 0, LFS.length) === LFS) throw refused(path, 'what is in it lies elsewhere (git LFS)');
    sink.take({ path, data: body, isExecutable });
    at = end + 1 + size + 1;
  }
  return sink.done();
}
