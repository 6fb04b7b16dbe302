// Owns what the architecture rules look at: source files, parsed, with their imports resolved to repository paths. It
// judges nothing.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { parseAst } from 'rolldown/parseAst';

export type Node = { readonly type: string; readonly start: number } & Record<string, unknown>;

export type Import = {
  /** as written */
  readonly from: string;
  /** repository path of a relative import, else null */
  readonly target: string | null;
  readonly kind: 'value' | 'type' | 'dynamic';
  /** names as the other file exports them; `*` for the whole, `default` for the default */
  readonly names: readonly string[];
  readonly line: number;
};

export type SourceFile = {
  /** repository path with forward slashes, such as `src/agent/loop.ts` */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  readonly program: Node;
  readonly imports: readonly Import[];
};

export function parseFile(path: string, text: string): SourceFile {
  const program = parseAst(text, { lang: path.endsWith('x') ? 'tsx' : 'ts' }, path) as unknown as Node;
  const imports: Import[] = [];
  const add = (node: Node, source: unknown, kind: Import['kind'], names: readonly string[]): void => {
    const from = textOf(source as Node);
    const target = from.startsWith('.') ? normalize(join(dirname(path), from)) : null;
    imports.push({ from, target, kind, names, line: lineAt(text, node.start) });
  };
  walk(program, (node) => {
    if (node.type === 'ImportDeclaration') addImport(node, add);
    else if (node.type === 'ExportAllDeclaration') add(node, node['source'], kindOf(node['exportKind']), ['*']);
    else if (node.type === 'ExportNamedDeclaration' && node['source'] !== null) addExport(node, add);
    else if (node.type === 'ImportExpression') add(node, node['source'], 'dynamic', ['*']);
    else if (node.type === 'TSImportType') add(node, node['source'], 'type', ['*']);
  });
  const lines = text.endsWith('\n') ? text.split('\n').length - 1 : text.split('\n').length;
  return { path, text, lines, program, imports };
}

/** What an import names; a bundler may write the string as a template without holes. */
function textOf(source: Node): string {
  const quasis = source['quasis'] as { value: { cooked: string } }[] | undefined;
  const text = quasis?.length === 1 ? quasis[0]?.value.cooked : source['value'];
  return typeof text === 'string' ? text : '<computed>';
}

type Add = (node: Node, source: unknown, kind: Import['kind'], names: readonly string[]) => void;

function addImport(node: Node, add: Add): void {
  const specifiers = node['specifiers'] as Node[];
  const isTypeOnly = (one: Node): boolean => node['importKind'] === 'type' || one['importKind'] === 'type';
  const { types = [], values = [] } = Object.groupBy(specifiers, (one) => (isTypeOnly(one) ? 'types' : 'values'));
  if (types.length > 0) add(node, node['source'], 'type', types.map(importedName));
  if (values.length > 0 || types.length === 0) add(node, node['source'], 'value', values.map(importedName));
}

function addExport(node: Node, add: Add): void {
  const names = (node['specifiers'] as Node[]).map((one) => nameOf(one['local'] as Node));
  add(node, node['source'], kindOf(node['exportKind']), names);
}

const kindOf = (kind: unknown): Import['kind'] => (kind === 'type' ? 'type' : 'value');

function importedName(specifier: Node): string {
  if (specifier.type === 'ImportNamespaceSpecifier') return '*';
  if (specifier.type === 'ImportDefaultSpecifier') return 'default';
  return nameOf(specifier['imported'] as Node);
}

export const nameOf = (node: Node): string => String(node['name'] ?? node['value'] ?? '');

export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** Calls `visit` for every node; a `false` from it leaves the children out. */
export function walk(node: Node, visit: (node: Node) => unknown): void {
  if (visit(node) === false) return;
  for (const child of childrenOf(node)) walk(child, visit);
}

export function childrenOf(node: Node): Node[] {
  return Object.values(node).flat().filter(isNode);
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';

/** All TypeScript below a folder of the repository, parsed. */
export function readFiles(repo: string, folder: string): SourceFile[] {
  return readdirSync(join(repo, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !name.endsWith('.d.ts') && !name.includes('node_modules'))
    .sort()
    .map((name) => {
      const path = `${folder}/${name.replaceAll('\\', '/')}`;
      return parseFile(path, readFileSync(join(repo, path), 'utf8'));
    });
}

export const isTest = (path: string): boolean => /\.test\.tsx?$/.test(path);
