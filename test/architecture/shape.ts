// Owns the rules about the shape of files and folders: size, names, first comment, exports, what is loaded lazily. They
// keep the house readable by somebody who has never seen it.
import { posix } from 'node:path';
import { isTest, type SourceFile } from './source-file.ts';

const MAX_LINES = 400;
const MAX_FILES_IN_FOLDER = 15;

const product = (files: readonly SourceFile[]): SourceFile[] =>
  files.filter((file) => /^(src|ui\/src)\//.test(file.path) && !isTest(file.path));

export function fileLength(files: readonly SourceFile[]): string[] {
  return product(files)
    .filter((file) => file.lines > MAX_LINES)
    .map((file) => `${file.path}: ${file.lines} lines; ${MAX_LINES} is the limit`);
}

export function folderSize(files: readonly SourceFile[]): string[] {
  const folders = Map.groupBy(product(files), (file) => posix.dirname(file.path));
  return [...folders]
    .filter(([, inside]) => inside.length > MAX_FILES_IN_FOLDER)
    .map(([folder, inside]) => `${folder}/: ${inside.length} files; ${MAX_FILES_IN_FOLDER} is the limit`);
}

export function firstComment(files: readonly SourceFile[]): string[] {
  return product(files)
    .filter((file) => !/^\/[/*]/.test(file.text))
    .map((file) => `${file.path}:1: the first line must be the comment that says what the file owns`);
}

export function noDefaultExport(files: readonly SourceFile[]): string[] {
  return product(files)
    .filter((file) =>
      (file.program['body'] as { type: string }[]).some((one) => one.type === 'ExportDefaultDeclaration'),
    )
    .map((file) => `${file.path}: has a default export; a name that is the same everywhere can be searched for`);
}

const EMPTY_WORDS = /(^|[-.])(utils?|helpers?|managers?|services?)([-.]|$)/i;

export function names(files: readonly SourceFile[]): string[] {
  return product(files).flatMap((file) => {
    const parts = file.path.replace(/\.tsx?$/, '').split('/');
    const empty = parts.find((part) => EMPTY_WORDS.test(part));
    if (empty) return [`${file.path}: "${empty}" says nothing; name what it owns`];
    const name = parts.at(-1) ?? '';
    if (!/^[a-z0-9]+(-[a-z0-9]+){0,2}$/.test(name)) return [`${file.path}: names are kebab-case, three words at most`];
    return [];
  });
}

export function noBarrels(files: readonly SourceFile[]): string[] {
  return product(files).flatMap((file) => {
    const body = file.program['body'] as { type: string; source?: unknown }[];
    if (/(^|\/)index\.tsx?$/.test(file.path)) return [`${file.path}: an index file hides where things are`];
    if (body.some((one) => one.type === 'ExportAllDeclaration'))
      return [`${file.path}: export * hides where things are`];
    const passesOn = body.length > 0 && body.every((one) => one.type === 'ExportNamedDeclaration' && one.source);
    return passesOn ? [`${file.path}: only passes on what other files export`] : [];
  });
}

/** Costly to load and not always needed: one file each knows them, and only when it runs. */
const LAZY = [
  '@anthropic-ai/sdk',
  '@slack/web-api',
  'grammy',
  'imapflow',
  'nodemailer',
  'openai',
  'postal-mime',
  'unbash',
];

export function lazySdks(files: readonly SourceFile[]): string[] {
  const inside = product(files).filter((file) => file.path.startsWith('src/'));
  return LAZY.flatMap((name) => {
    const uses = inside.flatMap((file) =>
      file.imports
        .filter((one) => one.kind !== 'type' && (one.from === name || one.from.startsWith(`${name}/`)))
        .map((one) => ({ path: file.path, line: one.line, kind: one.kind })),
    );
    const eager = uses.filter((use) => use.kind === 'value');
    const knowing = new Set(uses.map((use) => use.path));
    return [
      ...eager.map((use) => `${use.path}:${use.line}: loads ${name} at once; use await import`),
      ...(knowing.size > 1 ? [`${[...knowing].join(' and ')} both load ${name}; one file must own it`] : []),
    ];
  });
}

/** What the program imports must be what package.json says the program needs. */
export function declaredPackages(files: readonly SourceFile[], dependencies: readonly string[]): string[] {
  return files
    .filter((file) => file.path.startsWith('src/') && !isTest(file.path))
    .flatMap((file) =>
      file.imports
        .filter((one) => one.target === null && one.kind !== 'type' && !one.from.startsWith('node:'))
        .filter((one) => !dependencies.some((name) => one.from === name || one.from.startsWith(`${name}/`)))
        .map((one) => `${file.path}:${one.line}: imports ${one.from}, which is not in "dependencies"`),
    );
}

/** Words alone, without an import, so that the page and the terminal cannot differ in them. */
const SHARED_WORDS = 'src/gateway/protocol/source-name.ts';

/** The page speaks the gateway's protocol and may share its types; the program's code stays out of the browser. */
export function pageAlone(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => file.path.startsWith('ui/'))
    .flatMap((file) =>
      file.imports
        .filter((one) => one.target !== null && !one.target.startsWith('ui/') && one.target !== 'package.json')
        .filter((one) => !(one.kind === 'type' && one.target?.startsWith('src/gateway/')))
        .filter((one) => one.target !== SHARED_WORDS)
        .filter((one) => !(isTest(file.path) && one.target?.startsWith('test/')))
        .map((one) => `${file.path}:${one.line}: imports ${one.target}; the page may only know types of src/gateway/`),
    );
}
