// Owns the machine that fails when the house grows crooked: every rule of the layout is applied to the sources, and
// every rule is first shown a small example that breaks it, so that a rule cannot go blind unnoticed.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { circles, layers } from './architecture/layers.ts';
import { brands, database, environment, fileWrites, network, processes } from './architecture/powers.ts';
import {
  declaredPackages,
  fileLength,
  firstComment,
  folderSize,
  lazySdks,
  names,
  noBarrels,
  noDefaultExport,
  pageAlone,
} from './architecture/shape.ts';
import { parseFile, readFiles, type SourceFile } from './architecture/source-file.ts';

const REPO = join(import.meta.dirname, '..');
const manifest = JSON.parse(readFileSync(join(REPO, 'package.json'), 'utf8')) as { dependencies: object };
const dependencies = Object.keys(manifest.dependencies);

/** path -> source */
type Example = Readonly<Record<string, string>>;
type Rule = {
  readonly promise: string;
  readonly check: (files: readonly SourceFile[]) => string[];
  /** each must be found guilty by this rule */
  readonly bad: readonly Example[];
  /** each must pass */
  readonly good: readonly Example[];
};

const many = (count: number, line: string): string => `${line}\n`.repeat(count);

const RULES: readonly Rule[] = [
  {
    promise: 'imports run down the layers, and between pipeline stages only the type that is handed on',
    check: layers,
    bad: [
      { 'src/platform/a.ts': "import { x } from '../config/b.ts';" },
      { 'src/platform/a.ts': "import type { X } from '../config/b.ts';" },
      { 'src/agent/a.ts': "import { run } from '../tools/b.ts';" },
      { 'src/tools/a.ts': "import { decide } from '../policy/b.ts';" },
      { 'src/agent/a.ts': "import type { M } from '../channels/b.ts';" },
      { 'src/agent/a.ts': "import type { P } from '../policy/b.ts';" },
      { 'src/models/a.ts': "import { s } from '../sandbox/b.ts';" },
      { 'src/tools/a.ts': "const x = await import('../gateway/b.ts');" },
      { 'src/tools/a.ts': "export { x } from '../main.ts';" },
      { 'src/store/a.ts': "type X = import('../agent/b.ts').Y;" },
      { 'src/audit/a.ts': "import { x } from '../gateway/b.ts';" },
      { 'src/stuff/a.ts': 'export const x = 1;' },
      { 'src/new.ts': "import { x } from './main.ts';" },
      { 'src/gateway/a.ts': "import { x } from '../main.ts';" },
      { 'src/cli/a.ts': "import { x } from '../../test/b.ts';" },
    ],
    good: [
      { 'src/cli/a.ts': "import { x } from '../platform/b.ts';" },
      { 'src/tools/a.ts': "import type { PermittedCall } from '../policy/b.ts'; import { s } from '../sandbox/c.ts';" },
      { 'src/access/a.ts': "import { type InboundMessage } from '../channels/b.ts';" },
      { 'src/gateway/a.ts': "import { x } from '../audit/b.ts';" },
      { 'src/store/a.test.ts': "import { x } from '../../test/support/b.ts';" },
    ],
  },
  {
    promise: 'no circle of imports',
    check: circles,
    bad: [
      { 'src/a/a.ts': "import { b } from './b.ts';", 'src/a/b.ts': "import type { a } from './a.ts';" },
      {
        'src/a/a.ts': "import { b } from './b.ts';",
        'src/a/b.ts': "import { c } from './c.ts';",
        'src/a/c.ts': "const a = await import('./a.ts');",
      },
    ],
    good: [{ 'src/a/a.ts': "import './b.ts'; import './c.ts';", 'src/a/b.ts': "import './c.ts';", 'src/a/c.ts': '' }],
  },
  {
    promise: 'only platform/ and sandbox/ start processes',
    check: processes,
    bad: [
      { 'src/tools/a.ts': "import { spawn } from 'node:child_process';" },
      { 'src/cli/a.ts': "const { spawn } = await import('child_process');" },
    ],
    good: [
      { 'src/sandbox/a.ts': "import { spawn } from 'node:child_process';" },
      { 'src/tools/a.ts': "import type { ChildProcess } from 'node:child_process';" },
      { 'src/tools/a.test.ts': "import { spawn } from 'node:child_process';" },
    ],
  },
  {
    promise: 'only store/ opens the database',
    check: database,
    bad: [{ 'src/agent/a.ts': "import { DatabaseSync } from 'node:sqlite';" }],
    good: [{ 'src/store/a.ts': "import { DatabaseSync } from 'node:sqlite';" }],
  },
  {
    promise: 'only net/ and models/ call out',
    check: network,
    bad: [
      { 'src/cli/a.ts': "const r = await fetch('http://x');" },
      { 'src/cli/a.ts': 'const f = { fetch };' },
      { 'src/cli/a.ts': 'const go = () => globalThis.fetch;' },
      { 'src/tools/a.ts': "import { Agent } from 'undici';" },
      { 'src/tools/a.ts': 'function f() { const g = (fetch) => 1; return fetch; }' },
      { 'src/tools/a.ts': "import { connect } from 'node:tls';" },
      { 'src/main.ts': "await globalThis.fetch('http://x');" },
    ],
    good: [
      { 'src/models/a.ts': "const r = await fetch('http://x');" },
      { 'src/cli/a.ts': 'const go = (fetch: typeof globalThis.fetch) => fetch("x");' },
      { 'src/cli/a.ts': 'const go = (o: { fetch(): void }) => o.fetch();' },
      { 'src/cli/a.ts': 'const go = { fetch: 1 };' },
      { 'src/main.ts': 'openModels({ fetch: globalThis.fetch });', 'src/cli/a.ts': "import https from 'node:https';" },
    ],
  },
  {
    promise: 'only config/, secrets/ and the hand-over in cli/main.ts read the environment',
    check: environment,
    bad: [
      { 'src/agent/a.ts': "const home = process.env['HOME'];" },
      { 'src/agent/a.ts': 'const { env } = process;' },
      { 'src/agent/a.ts': "import { env } from 'node:process';" },
      { 'src/agent/a.ts': 'const e = globalThis.process.env;' },
      { 'src/cli/b.ts': 'const e = process.env;' },
    ],
    good: [
      { 'src/config/a.ts': "const home = process.env['HOME'];" },
      { 'src/cli/main.ts': 'run(process.env);' },
      { 'src/agent/a.ts': 'const e = options.env; const v = process.version;' },
    ],
  },
  {
    promise: 'only platform/ writes files',
    check: fileWrites,
    bad: [
      { 'src/log/a.ts': "import { appendFileSync } from 'node:fs';" },
      { 'src/log/a.ts': "import { writeFile as w } from 'node:fs/promises';" },
      { 'src/log/a.ts': "import * as fs from 'node:fs'; fs.promises.rm('x');" },
      { 'src/log/a.ts': "import fs from 'node:fs'; fs.mkdirSync('x');" },
      { 'src/log/a.ts': "import { openSync } from 'node:fs'; openSync('x', 'a');" },
      { 'src/log/a.ts': "import { open } from 'node:fs/promises'; open('x', flags);" },
    ],
    good: [
      { 'src/platform/a.ts': "import { writeFileSync } from 'node:fs';" },
      { 'src/log/a.ts': "import { readFileSync, openSync } from 'node:fs'; openSync('x', 'r');" },
      { 'src/log/a.ts': "stream.write('x'); list.link('y');" },
      {
        'src/sandbox/a.ts':
          "import { readFileSync } from 'node:fs'; const open = (s, t) => s; open(1, 2); x.open(1, 2);",
      },
    ],
  },
  {
    promise: 'a gate alone makes the type that it hands on',
    check: brands,
    bad: [
      { 'src/agent/a.ts': 'const c = { ...call } as PermittedCall;' },
      { 'src/main.ts': 'const m = message as unknown as AdmittedMessage;' },
    ],
    good: [{ 'src/policy/a.ts': 'const c = { ...call } as PermittedCall;' }],
  },
  {
    promise: 'no file over 400 lines',
    check: fileLength,
    bad: [{ 'src/agent/a.ts': many(401, '// x') }, { 'ui/src/a.tsx': many(401, '// x') }],
    good: [{ 'src/agent/a.ts': many(400, '// x'), 'src/agent/a.test.ts': many(500, '// x') }],
  },
  {
    promise: 'no folder over 15 files',
    check: folderSize,
    bad: [Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`src/agent/f${i}.ts`, '// x']))],
    good: [
      Object.fromEntries(
        Array.from({ length: 30 }, (_, i) => [`src/agent/f${i >> 1}${i % 2 ? '.test' : ''}.ts`, '// x']),
      ),
    ],
  },
  {
    promise: 'the first line of a file says what it owns',
    check: firstComment,
    bad: [{ 'src/agent/a.ts': "import 'node:fs';\n// late" }, { 'ui/src/a.ts': '\n// late' }],
    good: [{ 'src/agent/a.ts': '// Owns this.\nexport const x = 1;' }, { 'src/agent/b.ts': '/** Owns that. */' }],
  },
  {
    promise: 'no default exports',
    check: noDefaultExport,
    bad: [{ 'src/agent/a.ts': 'export default 1;' }, { 'ui/src/a.tsx': 'export default function App() {}' }],
    good: [{ 'src/agent/a.ts': 'export const x = 1;' }],
  },
  {
    promise: 'names say what a file owns',
    check: names,
    bad: [
      { 'src/agent/utils.ts': '' },
      { 'src/agent/string-helpers.ts': '' },
      { 'src/session-manager/a.ts': '' },
      { 'src/agent/chat.service.ts': '' },
      { 'src/agent/turnLoop.ts': '' },
      { 'src/agent/one-two-three-four.ts': '' },
    ],
    good: [{ 'src/agent/serviceable.ts': '', 'src/agent/turn-loop.ts': '', 'ui/src/app.tsx': '' }],
  },
  {
    promise: 'no barrels',
    check: noBarrels,
    bad: [
      { 'src/agent/index.ts': 'export const x = 1;' },
      { 'src/agent/all.ts': "export * from './a.ts';" },
      { 'src/agent/all.ts': "export { a } from './a.ts'; export { b } from './b.ts';" },
    ],
    good: [{ 'src/agent/a.ts': "export { b } from './b.ts'; export const x = 1;" }],
  },
  {
    promise: 'a library of a model or a platform is loaded lazily and by one file',
    check: lazySdks,
    bad: [
      { 'src/models/a.ts': "import OpenAI from 'openai';" },
      { 'src/channels/telegram/a.ts': "import { Api } from 'grammy';" },
      { 'src/models/a.ts': "await import('openai');", 'src/models/b.ts': "await import('openai/streaming');" },
    ],
    good: [
      {
        'src/models/a.ts': "import type OpenAI from 'openai'; await import('openai');",
        'src/models/b.ts': "import type { X } from 'openai/y';",
      },
    ],
  },
  {
    promise: 'the program imports only what package.json lists as its dependencies',
    check: (files) => declaredPackages(files, ['hono']),
    bad: [{ 'src/cli/a.ts': "import { test } from 'vitest';" }, { 'src/cli/a.ts': "import x from 'honolulu';" }],
    good: [
      { 'src/cli/a.ts': "import { Hono } from 'hono'; import { x } from 'hono/csrf'; import type { Y } from 'zed';" },
    ],
  },
  {
    promise: 'the page knows nothing of the program but types of the wire',
    check: pageAlone,
    bad: [
      { 'ui/src/a.ts': "import { x } from '../../src/gateway/protocol.ts';" },
      { 'ui/src/a.ts': "import type { X } from '../../src/agent/loop.ts';" },
    ],
    good: [{ 'ui/src/a.ts': "import type { X } from '../../src/gateway/protocol.ts'; import './b.ts';" }],
  },
];

const sources = ['src', 'ui']
  .filter((folder) => existsSync(join(REPO, folder)))
  .flatMap((folder) => readFiles(REPO, folder));
const parse = (example: Example): SourceFile[] => Object.entries(example).map(([path, text]) => parseFile(path, text));

describe.each(RULES)('$promise', ({ promise, check, bad, good }) => {
  test('the rule sees what breaks it', () => {
    for (const example of bad) expect(check(parse(example)), JSON.stringify(example)).not.toEqual([]);
  });

  test('the rule lets pass what keeps it', () => {
    for (const example of good) expect(check(parse(example)), JSON.stringify(example)).toEqual([]);
  });

  test('the sources keep it', () => {
    const isDependencyRule = promise.includes('package.json');
    expect(isDependencyRule ? declaredPackages(sources, dependencies) : check(sources)).toEqual([]);
  });
});

test('the rules look at real files', () => {
  expect(sources.filter((file) => file.path.startsWith('src/')).length).toBeGreaterThan(20);
});
