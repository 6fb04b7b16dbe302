// Owns dist/: the program as one bundle with lazy chunks, the page, the licence texts and the list of what is inside.
// It builds aside and swaps, so a killed build leaves the old dist/ or none, never half of one.
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { bundleProgram } from './bundle.ts';
import { describe, noticesText, packagesOf, sbom } from './notices.ts';

const REPO = join(import.meta.dirname, '..');
const DIST = join(REPO, 'dist');
const CACHE = join(REPO, '.cache');
const { sourceStamp } = createRequire(import.meta.url)('../bin/sources.cjs') as { sourceStamp(repo: string): string };

/** Served compressed; below this a header costs more than it saves. */
const MIN_COMPRESS_BYTES = 1_024;

async function build(): Promise<void> {
  const stamp = sourceStamp(REPO);
  const out = join(CACHE, `build-${process.pid}`);
  removeAbandoned();
  mkdirSync(out, { recursive: true });
  try {
    const modules = [
      ...(await bundleProgram(join(REPO, 'src', 'cli', 'main.ts'), out)),
      ...(await buildPage(join(out, 'ui'))),
    ];
    const packages = describe(REPO, packagesOf(modules));
    const product = JSON.parse(readFileSync(join(REPO, 'package.json'), 'utf8')) as { name: string; version: string };
    writeFileSync(join(out, 'THIRD-PARTY-NOTICES.txt'), noticesText(packages));
    writeFileSync(join(out, 'sbom.json'), sbom(product, packages));
    compressPage(join(out, 'ui'));
    writeFileSync(join(out, '.files'), `${filesBelow(out).join('\n')}\n`);
    keepPreviousChunks(out);
    writeFileSync(join(out, '.stamp'), stamp);
    swap(out);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

/** What killed builds left behind; a folder whose process lives belongs to it. */
function removeAbandoned(): void {
  for (const name of existsSync(CACHE) ? readdirSync(CACHE) : []) {
    const pid = /^(?:build|old)-(\d+)$/.exec(name)?.[1];
    if (pid === undefined || (pid !== String(process.pid) && existsSync(`/proc/${pid}`))) continue;
    rmSync(join(CACHE, name), { recursive: true, force: true });
  }
}

async function buildPage(out: string): Promise<string[]> {
  const root = join(REPO, 'ui');
  if (!existsSync(join(root, 'index.html'))) {
    console.log('note: ui/index.html does not exist, so this build has no page');
    return [];
  }
  const vite = await import('vite');
  const modules = new Set<string>();
  const config = ['vite.config.ts', 'vite.config.js'].map((name) => join(root, name)).find((file) => existsSync(file));
  await vite.build({
    root,
    configFile: config ?? false,
    logLevel: 'warn',
    build: { outDir: out, emptyOutDir: true },
    plugins: [
      {
        name: 'list-modules',
        generateBundle(_options, bundle) {
          for (const part of Object.values(bundle)) {
            if (part.type === 'chunk') for (const id of part.moduleIds) modules.add(id);
          }
        },
      },
    ],
  });
  return [...modules];
}

/** Compressed once here, so that the gateway only ever sends files as they are. */
function compressPage(folder: string): void {
  for (const name of filesBelow(folder)) {
    if (!/\.(js|css|html|svg|json|webmanifest|txt)$/.test(name)) continue;
    const data = readFileSync(join(folder, name));
    if (data.length < MIN_COMPRESS_BYTES) continue;
    writeFileSync(join(folder, `${name}.gz`), gzipSync(data, { level: 9 }));
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: data.length };
    writeFileSync(join(folder, `${name}.br`), brotliCompressSync(data, { params }));
  }
}

/** A gateway that is running right now still loads its lazy parts by their old names: they live one build longer. */
function keepPreviousChunks(out: string): void {
  const list = join(DIST, '.files');
  if (!existsSync(list)) return;
  for (const name of readFileSync(list, 'utf8').trim().split('\n')) {
    if (!/^(chunks|ui\/assets)\//.test(name) || existsSync(join(out, name)) || !existsSync(join(DIST, name))) continue;
    cpSync(join(DIST, name), join(out, name));
  }
}

function swap(out: string): void {
  const old = join(CACHE, `old-${process.pid}`);
  if (existsSync(DIST)) renameSync(DIST, old);
  renameSync(out, DIST);
  rmSync(old, { recursive: true, force: true });
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(folder, name)).isFile())
    .map((name) => relative(folder, join(folder, name)).replaceAll('\\', '/'))
    .sort();
}

try {
  await build();
} catch (error) {
  // rolldown and vite put the place and the excerpt into the message; a stack of theirs helps nobody.
  console.log(stripVTControlCharacters(error instanceof Error ? error.message : String(error)));
  process.exitCode = 1;
}
