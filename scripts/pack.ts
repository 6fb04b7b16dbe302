// Owns the published package: what is in the tarball and what its package.json says. The bundle needs no other package,
// so none is listed; the repository's own package.json never leaves the repository.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const REPO = join(import.meta.dirname, '..');
const LEFT_OUT = ['private', 'scripts', 'dependencies', 'devDependencies', 'optionalDependencies'];

/** Lays the package out in a new folder; the caller removes it. */
export function stage(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hardshell-pack-'));
  const manifest = JSON.parse(readFileSync(join(REPO, 'package.json'), 'utf8')) as Record<string, unknown>;
  for (const name of manifest['files'] as string[]) {
    if (name !== 'dist' && existsSync(join(REPO, name)))
      cpSync(join(REPO, name), join(folder, name), {
        recursive: true,
        filter: (from) => !from.includes('node_modules'),
      });
  }
  // What an older build left for a gateway that was running then is not part of this one.
  for (const name of readFileSync(join(REPO, 'dist', '.files'), 'utf8')
    .trim()
    .split('\n')) {
    cpSync(join(REPO, 'dist', name), join(folder, 'dist', name));
  }
  const published = Object.fromEntries(Object.entries(manifest).filter(([key]) => !LEFT_OUT.includes(key)));
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(published, null, 2)}\n`);
  return folder;
}

export type Packed = {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly entryCount: number;
};

/** npm's own account of the tarball, made in `destination` or, without one, only worked out. */
export function pack(folder: string, destination?: string): Packed {
  const where = destination === undefined ? ['--dry-run'] : ['--pack-destination', destination];
  const npm = spawnSync('npm', ['pack', '--json', '--ignore-scripts', ...where], { cwd: folder, encoding: 'utf8' });
  if (npm.status !== 0) throw new Error(`npm pack failed: ${npm.stderr}`);
  const answer = JSON.parse(npm.stdout) as Packed[] | Record<string, Packed>;
  const packed = Array.isArray(answer) ? answer[0] : Object.values(answer)[0];
  if (!packed) throw new Error('npm pack named no package');
  return packed;
}

if (import.meta.main) {
  const folder = stage();
  try {
    const packed = pack(folder, REPO);
    const sizes = `${(packed.size / 1e6).toFixed(1)} MB, ${(packed.unpackedSize / 1e6).toFixed(1)} MB unpacked`;
    console.log(`${packed.filename}: ${packed.entryCount} files, ${sizes}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
