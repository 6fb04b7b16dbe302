// Owns the rules about dangerous powers: which room may start processes, speak to the network, read the environment,
// write files, open the database. A power that everyone has is one that nobody guards.
import { freeNames } from './free-names.ts';
import { roomOf } from './layers.ts';
import { isTest, lineAt, type Node, nameOf, type SourceFile, walk } from './source-file.ts';

const program = (files: readonly SourceFile[]): SourceFile[] =>
  files.filter((file) => file.path.startsWith('src/') && !isTest(file.path));

/** Files of src/ outside these rooms; a room may also be one file, such as `cli/main.ts`. */
const outside = (files: readonly SourceFile[], ...allowed: string[]): SourceFile[] =>
  program(files).filter((file) => !allowed.includes(roomOf(file.path)) && !allowed.includes(file.path.slice(4)));

const bare = (from: string): string => from.replace(/^node:/, '');

function importsOf(files: readonly SourceFile[], modules: readonly string[], why: string): string[] {
  return files.flatMap((file) =>
    file.imports
      .filter((one) => one.kind !== 'type' && modules.includes(bare(one.from)))
      .map((one) => `${file.path}:${one.line}: imports ${one.from}; ${why}`),
  );
}

export function processes(files: readonly SourceFile[]): string[] {
  const why = 'only platform/ and sandbox/ start processes';
  return importsOf(outside(files, 'platform', 'sandbox'), ['child_process', 'cluster'], why);
}

export function database(files: readonly SourceFile[]): string[] {
  return importsOf(outside(files, 'store'), ['sqlite'], 'only store/ opens the database');
}

const CALLS_OUT = ['fetch', 'XMLHttpRequest', 'EventSource'];
const SOCKETS = ['http', 'https', 'http2', 'net', 'tls', 'dgram', 'ws'];

/** main.ts may hand the global fetch to models/, which is how a test hands over another one; it may not call it. */
export function network(files: readonly SourceFile[]): string[] {
  const why = 'only net/ and models/ call out';
  const rest = outside(files, 'net', 'models');
  const globals = rest.flatMap((file) => {
    const lines: string[] = [];
    const called = new Set<unknown>();
    const report = (node: Node, name: string): void => {
      if (file.path === 'src/main.ts' && !called.has(node)) return;
      lines.push(`${file.path}:${lineAt(file.text, node.start)}: uses ${name}; ${why}`);
    };
    walk(file.program, (node) => {
      if (node.type === 'CallExpression') called.add(node['callee']);
      const at = memberOf(node);
      if (at && /^(globalThis|global|window|self)$/.test(at.object) && CALLS_OUT.includes(at.property)) {
        report(node, `${at.object}.${at.property}`);
      }
    });
    for (const use of freeNames(file.program)) if (CALLS_OUT.includes(use.name)) report(use.node, use.name);
    return lines;
  });
  const sockets = importsOf(
    outside(files, 'net', 'models', 'gateway', 'cli'),
    SOCKETS,
    `${why}; gateway/ and cli/ are the two ends of our own protocol`,
  );
  return [...globals, ...importsOf(rest, ['undici'], why), ...sockets];
}

export function environment(files: readonly SourceFile[]): string[] {
  const why = 'only config/, secrets/ and the hand-over in cli/main.ts read the environment';
  return outside(files, 'config', 'secrets', 'cli/main.ts').flatMap((file) => {
    const lines: string[] = [];
    const report = (node: Node): void => {
      lines.push(`${file.path}:${lineAt(file.text, node.start)}: reads process.env; ${why}`);
    };
    walk(file.program, (node) => {
      const at = memberOf(node);
      if (at?.object === 'process' && at.property === 'env') report(node);
      if (node.type === 'VariableDeclarator' && isNamed(node['init'], 'process') && destructures(node, 'env'))
        report(node);
    });
    for (const one of file.imports) {
      if (bare(one.from) === 'process' && one.names.includes('env')) lines.push(`${file.path}:${one.line}: ${why}`);
    }
    return lines;
  });
}

const WRITES =
  /^(appendFile|chmod|chown|copyFile|cp|createWriteStream|fchmod|fchown|ftruncate|futimes|lchmod|lchown|link|lutimes|mkdir|mkdtemp|mkdtempDisposable|rename|rm|rmdir|symlink|truncate|unlink|utimes|write|writeFile|writev)(Sync)?$/;
const OPENS = /^open(Sync)?$/;

export function fileWrites(files: readonly SourceFile[]): string[] {
  const why = 'only platform/ writes files';
  return outside(files, 'platform').flatMap((file) => {
    const imports = file.imports.filter((one) => one.kind !== 'type' && /^fs(\/promises)?$/.test(bare(one.from)));
    if (imports.length === 0) return [];
    const names = new Set(imports.flatMap((one) => one.names));
    const hasWhole = ['*', 'default', 'promises'].some((name) => names.has(name));
    const found = [...names].filter((name) => WRITES.test(name)).map((name) => `${file.path}: imports ${name}; ${why}`);
    walk(file.program, (node) => {
      if (node.type !== 'CallExpression') return;
      const callee = node['callee'] as Node;
      const isMember = callee.type === 'MemberExpression';
      const name = nameOf(isMember ? (callee['property'] as Node) : callee);
      const where = `${file.path}:${lineAt(file.text, node.start)}`;
      if (isMember && hasWhole && WRITES.test(name)) found.push(`${where}: calls ${name}; ${why}`);
      if (OPENS.test(name) && (isMember ? hasWhole : names.has(name)) && !opensToRead(node)) {
        found.push(`${where}: opens a file for more than reading; ${why}`);
      }
    });
    return found;
  });
}

/** `open(path)` and `open(path, 'r')`; flags that are computed count as writing. */
function opensToRead(call: Node): boolean {
  const flags = (call['arguments'] as Node[])[1];
  return flags === undefined || flags['value'] === 'r';
}

/** A branded type is worth something only while one module makes it. */
const BRANDS: Readonly<Record<string, string>> = {
  AdmittedMessage: 'access',
  Turn: 'sessions',
  PermittedCall: 'policy',
};

export function brands(files: readonly SourceFile[]): string[] {
  return program(files).flatMap((file) => {
    const lines: string[] = [];
    walk(file.program, (node) => {
      if (node.type !== 'TSAsExpression' && node.type !== 'TSTypeAssertion') return;
      walk(node['typeAnnotation'] as Node, (inner) => {
        const name = inner.type === 'TSTypeReference' ? nameOf(inner['typeName'] as Node) : '';
        const owner = BRANDS[name];
        if (owner === undefined || owner === roomOf(file.path)) return;
        lines.push(`${file.path}:${lineAt(file.text, node.start)}: casts to ${name}, which only ${owner}/ makes`);
      });
    });
    return lines;
  });
}

function memberOf(node: Node): { object: string; property: string } | null {
  if (node.type !== 'MemberExpression') return null;
  const object = node['object'] as Node;
  const inner = object.type === 'MemberExpression' ? nameOf(object['property'] as Node) : nameOf(object);
  return { object: inner, property: nameOf(node['property'] as Node) };
}

const isNamed = (node: unknown, name: string): boolean =>
  (node as Node | null)?.type === 'Identifier' && nameOf(node as Node) === name;

function destructures(declarator: Node, name: string): boolean {
  const id = declarator['id'] as Node;
  if (id.type !== 'ObjectPattern') return false;
  return (id['properties'] as Node[]).some((one) => one['key'] !== undefined && nameOf(one['key'] as Node) === name);
}
