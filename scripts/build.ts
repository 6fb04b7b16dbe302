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
import { createRequire, isBuiltin } from 'node:module';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { type Plugin, rolldown } from 'rolldown';
import { describe, noticesText, packagesOf, sbom } from './notices.ts';

const REPO = join(import.meta.dirname, '..');
const DIST = join(REPO, 'dist');
const CACHE = join(REPO, '.cache');
const { sourceStamp } = createRequire(import.meta.url)('../bin/sources.cjs') as { sourceStamp(repo: string): string };

/** What libraries reach for and we do not ship: each with what stands in its place. */
const ABSENT: Readonly<Record<string, string>> = {
  // Native speed-ups of ws, tried in a try block.
  bufferutil: 'module.exports = (() => { throw new Error("not shipped"); })();',
  'utf-8-validate': 'module.exports = (() => { throw new Error("not shipped"); })();',
  // grammY brings a fetch of its own, with five megabytes of tables behind it; it is handed ours.
  'node-fetch': 'module.exports = { default() { throw new Error("node-fetch is not shipped"); } };',
  // The Anthropic SDK can check webhooks, which nobody here asks it to; the check brings a licence that we do not hand on.
  'node:child_process': 'export default {};',
  standardwebhooks: 'export class Webhook { constructor() { throw new Error("webhooks are not shipped"); } }',
  // The IMAP client brings a logger, proxies and two tables of character sets. Nothing of its log is kept, no proxy can be
  // set, and Node.js knows the character sets: 14 MB of memory less for who reads mail.
  pino: 'const none = () => none; for (const n of ["trace", "debug", "info", "warn", "error", "fatal", "child"]) none[n] = none; module.exports = none;',
  socks: 'module.exports = {};',
  'nodemailer/lib/smtp-connection/http-proxy-client': 'module.exports = () => { throw new Error("not shipped"); };',
  'iconv-lite':
    'exports.decode = (bytes, charset) => new TextDecoder(charset).decode(bytes); exports.encode = (text) => Buffer.from(text);',
  'encoding-japanese': 'exports.convert = (bytes, { from }) => new TextDecoder(from).decode(Uint8Array.from(bytes));',
};
/** commander can start programs that lie beside ours under the name of a command; there are none. */
const isUnused = (id: string, importer = ''): boolean =>
  id === 'node:child_process' && importer.includes('/node_modules/commander/');
/** A browser driver is for tests; finding it in the program is a mistake, not a size problem. */
const FORBIDDEN = /^(playwright-core|@openclaw\/|vitest|fast-check)/;
/** Served compressed; below this a header costs more than it saves. */
const MIN_COMPRESS_BYTES = 1_024;

async function build(): Promise<void> {
  const stamp = sourceStamp(REPO);
  const out = join(CACHE, `build-${process.pid}`);
  removeAbandoned();
  mkdirSync(out, { recursive: true });
  try {
    const modules = [...(await bundleProgram(out)), ...(await buildPage(join(out, 'ui')))];
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

/** Returns the ids of all modules that went in. */
async function bundleProgram(out: string): Promise<string[]> {
  const bundle = await rolldown({
    input: { openclaw: join(REPO, 'src', 'cli', 'main.ts') },
    platform: 'node',
    external: (id, importer) => isBuiltin(id) && !isUnused(id, importer),
    plugins: [refuse],
    onLog(level, log) {
      if (log.code === 'UNRESOLVED_IMPORT') throw new Error(log.message);
      if (level === 'warn') console.log(`note: ${log.message.split('\n')[0]}`);
    },
  });
  const { output } = await bundle.write({
    dir: out,
    format: 'esm',
    entryFileNames: '[name].mjs',
    chunkFileNames: 'chunks/[name]-[hash].mjs',
    // Names stay, so that the stack in a bug report can be read.
    minify: { mangle: false, compress: true, codegen: { removeWhitespace: true } },
    keepNames: true,
    comments: false,
  });
  await bundle.close();
  for (const part of output) if (part.type === 'chunk') takeBuiltinsDirectly(join(out, part.fileName));
  return output.flatMap((part) => (part.type === 'chunk' ? part.moduleIds : []));
}

const IMPORT = /^import(?:([^"]*)from)?\s*"([^"]+)";/;

/**
 * An `import` of a builtin reads every one of its exports, and that loads streams, promises, web crypto and workers that
 * nobody asked for: a fifth of what a short command takes. Taken directly, a builtin costs what is used of it.
 */
function takeBuiltinsDirectly(file: string): void {
  const code = readFileSync(file, 'utf8');
  const head: string[] = [];
  let at = 0;
  for (let found = IMPORT.exec(code); found; found = IMPORT.exec(code.slice(at))) {
    const [whole, names = '', from = ''] = found;
    head.push(from.startsWith('node:') ? direct(names.trim(), from) : whole);
    at += whole.length;
  }
  const rest = code.slice(at);
  if (/\bfrom"node:/.test(rest)) throw new Error(`${file}: an import of a builtin is not at the head of its file`);
  writeFileSync(file, head.join('') + rest);
}

function direct(names: string, from: string): string {
  const parts = /^(?:([\w$]+)\s*,?\s*)?(?:\*\s*as ([\w$]+)|\{([^}]*)\})?$/.exec(names);
  if (!parts) throw new Error(`an import that is not understood: ${names}`);
  const [, whole, all, some] = parts;
  const module = `process.getBuiltinModule(${JSON.stringify(from)})`;
  return [whole, all, some === undefined ? undefined : `{${some.replaceAll(' as ', ':')}}`]
    .filter((part) => part !== undefined)
    .map((part) => `var ${part}=${module};`)
    .join('');
}

const refuse: Plugin = {
  name: 'refuse',
  resolveId(id, importer) {
    if (isUnused(id, importer)) return `\0absent:${id}`;
    if (FORBIDDEN.test(id)) throw new Error(`${id} must not be part of the program`);
    return id in ABSENT ? { id: `\0absent:${id}`, moduleSideEffects: false } : null;
  },
  load(id) {
    return id.startsWith('\0absent:') ? (ABSENT[id.slice('\0absent:'.length)] ?? null) : null;
  },
};

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
