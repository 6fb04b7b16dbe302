// Owns how the program becomes one bundle with lazy chunks: what is left out, and what stands in its place. A test bundles
// an entry of its own in the same way, so that what it measures is what is shipped.
import { readFileSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { type Plugin, rolldown } from 'rolldown';

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
/**
 * The driver of browsers carries a bundle of 3 MB for its own tools: proxies, servers, schemas, archives. Much of it is made
 * when it is loaded and nothing of it is used to drive one by its pipe, so whatever is asked of it is nothing.
 */
const UTILS = `const nothing = new Proxy(function () {}, {
  get: (_target, name) => (name === Symbol.toPrimitive ? () => '' : name === 'prototype' ? Object.prototype : name === 'then' ? undefined : nothing),
  apply: () => nothing, construct: () => ({}) });
const debug = () => Object.assign(() => {}, { enabled: false });
module.exports = new Proxy({}, { get: (_target, name) => name === 'debug' ? Object.assign(debug, { enabled: () => false, enable() {} }) : nothing });`;

/** commander can start programs that lie beside ours under the name of a command; there are none. */
const isUnused = (id: string, importer = ''): boolean =>
  id === 'node:child_process' && importer.includes('/node_modules/commander/');
/** For tests; finding one in the program is a mistake, not a size problem. */
const FORBIDDEN = /^(@openclaw\/|vitest|fast-check)/;

const NET = join(import.meta.dirname, '..', 'src', 'net');
/** Threads are programs of their own, beside the other. */
const THREADS = {
  'page-worker': join(NET, 'web', 'page-worker.ts'),
  'browser-thread': join(NET, 'browser', 'driver-thread.ts'),
};

/** Returns the ids of all modules that went in. */
export async function bundleProgram(entry: string, out: string): Promise<string[]> {
  const bundle = await rolldown({
    input: { openclaw: entry, ...THREADS },
    platform: 'node',
    external: (id, importer) => isBuiltin(id) && !isUnused(id, importer),
    plugins: [refuse],
    onLog(level, log) {
      if (log.code === 'UNRESOLVED_IMPORT') throw new Error(log.message);
      if (log.code === 'EVAL' && log.id?.includes(DRIVER)) return;
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

const DRIVER = '/node_modules/playwright-core/lib/';
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
    if (id === './utilsBundle' && importer?.includes(DRIVER)) return '\0utils';
    return id in ABSENT ? { id: `\0absent:${id}`, moduleSideEffects: false } : null;
  },
  // It reads files of its own beside itself; those that it cannot do without stand in it.
  transform(code, id) {
    if (!id.includes(DRIVER)) return null;
    const beside = /\brequire\([\w$.]+\.join\(packageRoot, "([\w.]+)"\)\)/g;
    const whole = code.replace(beside, (_all, name: string) => readFileSync(join(id, '..', '..', name), 'utf8'));
    return whole.replace(/\b__(dirname|filename)\b/g, '""');
  },
  load(id) {
    if (id === '\0utils') return UTILS;
    return id.startsWith('\0absent:') ? (ABSENT[id.slice('\0absent:'.length)] ?? null) : null;
  },
};
