// Owns the question which names a file uses without declaring them, so that a rule can tell the global `fetch` from a
// parameter of that name. Scopes are taken per function, which errs towards "declared".
import { childrenOf, type Node, nameOf, walk } from './source-file.ts';

export type Use = { readonly name: string; readonly node: Node };

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);
/** Nodes of TypeScript that hold a value; all others hold types only. */
const VALUE_WRAPPERS = new Set([
  'TSAsExpression',
  'TSNonNullExpression',
  'TSSatisfiesExpression',
  'TSInstantiationExpression',
]);

export function freeNames(program: Node): Use[] {
  const uses: Use[] = [];
  visit(program, [declaredIn(program)], uses);
  return uses;
}

function visit(node: Node, scopes: readonly Set<string>[], uses: Use[]): void {
  if (node.type.startsWith('TS') && !VALUE_WRAPPERS.has(node.type)) return;
  if (node.type === 'Identifier') {
    const name = nameOf(node);
    if (!scopes.some((scope) => scope.has(name))) uses.push({ name, node });
    return;
  }
  const inner = FUNCTIONS.has(node.type) ? [...scopes, declaredIn(node)] : scopes;
  for (const child of valueChildren(node)) visit(child, inner, uses);
}

/** Without names that are no reference: `.name`, `{ name: … }`, labels, what an import is called elsewhere. */
function valueChildren(node: Node): Node[] {
  const only = (...keys: string[]): Node[] => childrenOf(pick(node, keys));
  switch (node.type) {
    case 'ImportDeclaration':
      return [];
    case 'ExportNamedDeclaration':
      return node['source'] === null ? only('declaration', 'specifiers') : [];
    case 'ExportSpecifier':
      return only('local');
    case 'MemberExpression':
      return node['computed'] === true ? only('object', 'property') : only('object');
    case 'Property':
    case 'MethodDefinition':
    case 'PropertyDefinition':
      return node['computed'] === true ? only('key', 'value') : only('value');
    case 'LabeledStatement':
    case 'BreakStatement':
    case 'ContinueStatement':
      return only('body');
    default:
      return childrenOf(node);
  }
}

function pick(node: Node, keys: readonly string[]): Node {
  return Object.fromEntries(keys.map((key) => [key, node[key]])) as Node;
}

/** What a function or a program declares itself, in nested blocks too but not in nested functions. */
function declaredIn(scope: Node): Set<string> {
  const names = new Set<string>();
  const bind = (pattern: Node): void => {
    walk(pattern, (node) => {
      if (node.type === 'Identifier') names.add(nameOf(node));
      if (node.type !== 'AssignmentPattern') return true;
      bind(node['left'] as Node);
      return false;
    });
  };
  for (const param of (scope['params'] as Node[] | undefined) ?? []) bind(param);
  walk(scope, (node) => {
    if (node.type === 'VariableDeclarator') bind(node['id'] as Node);
    if (node.type === 'CatchClause' && node['param']) bind(node['param'] as Node);
    if (/^(FunctionDeclaration|ClassDeclaration|Import\w*Specifier)$/.test(node.type)) {
      const id = (node['id'] ?? node['local']) as Node | null;
      if (id) names.add(nameOf(id));
    }
    return node === scope || !FUNCTIONS.has(node.type);
  });
  return names;
}
